"""Templates and numerators of documents, ``crm.documentgenerator.template.*`` and ``.numerator.*``
(https://apidocs.bitrix24.com/api-reference/crm/document-generator/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, map_of, names_of
from bx24frames.sandbox.methods.described import chosen
from bx24frames.sandbox.methods.dictionaries import ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

GENERATOR: Final = "Bitrix_Main_Numerator_Generator_SequentNumberGenerator"
SEQUENCE: Final[Mapping[str, Any]] = {
    "start": 1,
    "step": 1,
    "length": 0,
    "padString": "0",
    "periodicBy": None,
    "timezone": None,
    "isDirectNumeration": False,
}
PREFIX: Final = "crm.documentgenerator"
_MADE: Final = "2024-01-10T12:00:00"


def _seeded_numerators() -> list[Row]:
    settings = {GENERATOR: dict(SEQUENCE)}
    return [{"id": 1, "name": "Счёт", "template": "{NUMBER}", "code": None, "settings": settings, "count": 0}]


def _seeded_templates() -> list[Row]:
    shared: Row = {
        "region": "ru",
        "code": None,
        "active": "Y",
        "moduleId": "crm",
        "numeratorId": 1,
        "withStamps": "N",
        "users": ["UA"],
        "isDeleted": "N",
        "sort": 500,
        "createTime": _MADE,
        "updateTime": _MADE,
    }
    return [
        {"id": 1, "name": "Счёт", **shared, "entityTypeId": ["2", "31"]},
        {"id": 3, "name": "Акт", **shared, "entityTypeId": ["2", "2_category_1"]},
        # more than a page of them
        *({"id": number, "name": f"Шаблон {number}", **shared, "entityTypeId": ["4"]} for number in range(5, 141, 2)),
    ]


NUMERATORS: Final = Dictionary("numerator", _seeded_numerators, "id")
TEMPLATES: Final = Dictionary("document_template", _seeded_templates, "id")
NO_TEMPLATE: Final = MethodError("0", "Шаблон не найден")
NO_NUMERATOR: Final = MethodError("100", "Could not construct parameter {numerator}")


def _fields(params: Params) -> Row:
    bound(params, "fields")
    return map_of(bound_array(params, "fields", {}))


def address(action: str, row_id: int) -> str:
    """Address at which a signed-in user downloads a file of the generator."""
    return f"/bitrix/services/main/ajax.php?action={PREFIX}.{action}&SITE_ID=s1&id={row_id}"


# ---------------------------------------------------------------- numerators


def _settings(given: Any, before: Row) -> Row:
    sequence = map_of(map_of(given).get(GENERATOR) or {}) if isinstance(given, dict) else {}
    known = {name: value for name, value in sequence.items() if name in SEQUENCE}
    numbers = {name: php_int(known[name]) for name in ("start", "step", "length") if name in known}
    return {GENERATOR: {**SEQUENCE, **before.get(GENERATOR, {}), **known, **numbers}}


def _numerator(params: Params, context: Context) -> Row:
    row = NUMERATORS.row(context.store, bound_int(params, "id"))
    if row is None:
        raise NO_NUMERATOR
    return row


def _shown_numerator(row: Row, *, text: bool = True) -> Row:
    shown = {name: row[name] for name in ("name", "template", "code", "settings")}
    return {"id": str(row["id"]) if text else row["id"], **shown}


def next_number(row_id: int, context: Context) -> str:
    """The next number of a numerator; without a numerator, the count of documents."""
    row = NUMERATORS.row(context.store, row_id)
    if row is None:
        return "1"
    sequence = row["settings"][GENERATOR]
    number = str(sequence["start"] + sequence["step"] * row["count"])
    NUMERATORS.put(context.store, {**row, "count": row["count"] + 1})
    padded = number.rjust(sequence["length"], php_text(sequence["padString"])[:1] or "0")
    return str(row["template"]).replace("{NUMBER}", padded)


@method(f"{PREFIX}.numerator.list", "crm")
def list_numerators(_: Params, context: Context) -> Result:
    """A page of numerators."""
    rows = [_shown_numerator(row) for row in NUMERATORS.rows(context.store)]
    window = paging.controller(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result({"numerators": window.of(rows)}, window.total, window.next)


@method(f"{PREFIX}.numerator.get", "crm")
def get_numerator(params: Params, context: Context) -> Result:
    """One numerator."""
    return Result({"numerator": _shown_numerator(_numerator(params, context))})


@method(f"{PREFIX}.numerator.add", "crm")
def add_numerator(params: Params, context: Context) -> Result:
    """Create a numerator, printed whole; returns its id is a number here."""
    given = _fields(params)
    missing = [name for name in ("name", "template") if not php_text(given.get(name))]
    if missing:
        raise MethodError("0", f"Empty required fields: {', '.join(missing)}")
    row: Row = {"name": php_text(given["name"]), "template": php_text(given["template"]), "code": None}
    row |= {"settings": _settings(given.get("settings"), {}), "count": 0}
    context.writes += 1
    row_id = NUMERATORS.add(context.store, row, text=False)
    return Result({"numerator": _shown_numerator({"id": row_id, **row}, text=False)})


@method(f"{PREFIX}.numerator.update", "crm")
def update_numerator(params: Params, context: Context) -> Result:
    """Change a numerator; its keys are parameters."""
    row, given = _numerator(params, context), _fields(params)
    texts = {name: php_text(given[name]) for name in ("name", "template") if given.get(name)}
    settings = _settings(given.get("settings"), row["settings"])
    changed = {**row, **texts, "settings": settings}
    NUMERATORS.put(context.store, changed)
    context.writes += 1
    return Result(_shown_numerator(changed))


@method(f"{PREFIX}.numerator.delete", "crm")
def delete_numerator(params: Params, context: Context) -> Result:
    """Delete a numerator."""
    NUMERATORS.drop(context.store, _numerator(params, context))
    context.writes += 1
    return Result(None)


# ---------------------------------------------------------------- templates

_TEXTS: Final = ("name", "region", "code")
_FLAGS: Final = ("active", "withStamps")
_LISTS: Final = ("users", "entityTypeId")
_LISTED: Final = (
    "id", "name", "region", "code", "active", "moduleId", "numeratorId", "withStamps", "isDeleted", "sort",
    "createTime", "updateTime",
)  # fmt: skip


def template_of(params: Params, context: Context, name: str = "id") -> Row:
    """The template that a call names."""
    row = TEMPLATES.row(context.store, bound_int(params, name))
    if row is None or row["isDeleted"] == "Y":
        raise NO_TEMPLATE
    return row


def _shown_template(row: Row, context: Context) -> Row:
    zone = context.store.server_zone
    shown = {**row, "createTime": f"{row['createTime']}{zone}", "updateTime": f"{row['updateTime']}{zone}"}
    shown |= {name: str(row[name]) for name in ("id", "numeratorId", "sort")}
    shown["download"] = address("template.download", row["id"])
    shown["downloadMachine"] = f"/rest/{PREFIX}.template.download.json?id={row['id']}"
    shown["users"] = {code: code for code in row["users"]}
    return {name: value for name, value in shown.items() if name != "file"}


def _template_values(params: Params, context: Context) -> Row:
    given = _fields(params)
    values: Row = {name: php_text(given[name]) for name in _TEXTS if name in given}
    values |= {name: "Y" if php_text(given[name]) == "Y" else "N" for name in _FLAGS if name in given}
    values |= {name: names_of(given[name]) for name in _LISTS if name in given}
    values |= {name: php_int(given[name]) for name in ("numeratorId", "sort") if name in given}
    if isinstance(given.get("file"), list | dict):
        name, content = [*map_of(given["file"]).values(), "", ""][:2]
        values["file"] = context.store.insert_row("file", {"name": php_text(name), "content": php_text(content)})
    return values | {"updateTime": context.store.local_time(context.now)}


@method(f"{PREFIX}.template.list", "crm")
def list_templates(params: Params, context: Context) -> Result:
    """A page of templates, a map by id; deleted ones only if requested."""
    conditions = {"isDeleted": "N", **map_of(bound_array(params, "filter", {}))}
    rows = TEMPLATES.rows(context.store)
    types = conditions.pop("entityTypeId", None)
    if types is not None:
        rows = [row for row in rows if set(names_of(types)) & set(row["entityTypeId"])]
    rows = ordered(chosen(rows, conditions, dict.fromkeys(_LISTED)), map_of(bound_array(params, "order", {})))
    window = paging.controller(context.start, lambda: len(rows))
    wanted = set(names_of(bound_array(params, "select", []))) or {"*"}
    shown = {}
    for row in window.of(rows):
        printed = _shown_template(row, context)
        keys = {"id", "download", "downloadMachine", *wanted}
        shown[printed["id"]] = {
            name: list(value) if name == "users" else value
            for name, value in printed.items()
            if name in keys or ("*" in wanted and name not in _LISTS)
        }
    context.rows += len(shown)
    return Result({"templates": shown or []}, window.total, window.next)


@method(f"{PREFIX}.template.get", "crm")
def get_template(params: Params, context: Context) -> Result:
    """One template."""
    return Result({"template": _shown_template(template_of(params, context), context)})


@method(f"{PREFIX}.template.add", "crm")
def add_template(params: Params, context: Context) -> Result:
    """Create a template, printed whole."""
    values = _template_values(params, context)
    if missing := [name for name in ("name", "file", "numeratorId", "region") if not values.get(name)]:
        raise MethodError("0", f"Empty required fields: {', '.join(missing)}")
    fresh: Row = {"code": None, "active": "Y", "moduleId": "crm", "withStamps": "N", "users": [], "entityTypeId": []}
    fresh |= {"isDeleted": "N", "sort": 500, "createTime": values["updateTime"]}
    row_id = TEMPLATES.add(context.store, {**fresh, **values}, text=False)
    context.writes += 1
    return Result({"template": _shown_template({"id": row_id, **fresh, **values}, context)})


@method(f"{PREFIX}.template.update", "crm")
def update_template(params: Params, context: Context) -> Result:
    """Change a template, printed whole."""
    row = {**template_of(params, context), **_template_values(params, context)}
    TEMPLATES.put(context.store, row)
    context.writes += 1
    return Result({"template": _shown_template(row, context)})


@method(f"{PREFIX}.template.delete", "crm")
def delete_template(params: Params, context: Context) -> Result:
    """Mark a template deleted: its documents stay."""
    TEMPLATES.put(context.store, {**template_of(params, context), "isDeleted": "Y"})
    context.writes += 1
    return Result(None)
