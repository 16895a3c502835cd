"""User fields and their settings: ``userfieldconfig.*`` and ``crm.X.userfield.*``
(https://apidocs.bitrix24.com/api-reference/crm/universal/userfieldconfig/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.fields.user import DISPLAY, LABELS, LANGUAGE, LANGUAGES, UserField, entry, list_entry
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, classic_id, classic_map, map_of
from bx24frames.sandbox.methods.classic import register_for_all
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import EntityType, Row

CONFIG_KEYS: Final = {
    "ID": "id", "ENTITY_ID": "entityId", "FIELD_NAME": "fieldName", "USER_TYPE_ID": "userTypeId", "XML_ID": "xmlId",
    "SORT": "sort", "MULTIPLE": "multiple", "MANDATORY": "mandatory", "SHOW_FILTER": "showFilter",
    "SHOW_IN_LIST": "showInList", "EDIT_IN_LIST": "editInList", "IS_SEARCHABLE": "isSearchable",
    "SETTINGS": "settings",
}  # fmt: skip
CHOICE_KEYS: Final = {"ID": "id", "VALUE": "value", "DEF": "def", "SORT": "sort", "XML_ID": "xmlId"}
LABEL_KEYS: Final = {
    "EDIT_FORM_LABEL": "editFormLabel", "LIST_COLUMN_LABEL": "listColumnLabel", "LIST_FILTER_LABEL": "listFilterLabel",
    "ERROR_MESSAGE": "errorMessage", "HELP_MESSAGE": "helpMessage",
}  # fmt: skip
CHOICE_DISPLAY: Final = ("SORT", "DEF", "XML_ID")
ORDERS: Final = ("ID", "FIELD_NAME", "USER_TYPE_ID", "XML_ID", "SORT")
NO_FIELD: Final = MethodError("", "The entity is not found.")
NO_CONFIG: Final = MethodError("NOT_FOUND", "Пользовательское поле не найдено")


def _specs(context: Context) -> dict[int, tuple[EntityType, UserField]]:
    owners = [*context.store.entities(), REQUISITES]
    return {spec.id: (entity, spec) for entity in owners for spec in context.store.user_fields(entity.id)}


def _owner(uf_entity: str, context: Context) -> EntityType | None:
    return next((one for one in (*context.store.entities(), REQUISITES) if one.uf_entity == uf_entity), None)


REQUISITES: Final = EntityType(8, "requisite", "Реквизит", "RQ", (), uf_entity="CRM_REQUISITE")
"""Not an entity type, but it has user fields."""


def _display(spec: UserField, values: Mapping[str, Any], *, adding: bool) -> Row:
    """Display settings of a field after a write."""
    display = dict(spec.display)
    for name in ("XML_ID", "SORT", *DISPLAY):
        if name in values:
            display[name] = php_text(values[name]) or DISPLAY.get(name)
    common = values.get("LABEL") if adding else None
    for name in LABELS:
        if (given := values.get(name, common)) in (None, ""):
            continue
        if isinstance(given, dict):
            display[name] = {language: php_text(given.get(language, common)) for language in {*LANGUAGES, *given}}
        else:
            display[name] = dict.fromkeys(LANGUAGES, php_text(given))
    return display


def _choice_display(spec: UserField, entries: Any) -> Row:
    """The written keys of the choices by id; entries without ID are the last ones added, in order."""
    given = [one for one in values_of(entries) if isinstance(one, dict)]
    known = {str(choice) for choice in dict(spec.items)}
    old = [php_text(one.get("ID")) for one in given if php_text(one.get("ID")) in known]
    added = iter([str(choice) for choice, _ in spec.items][len(spec.items) - (len(given) - len(old)) :])
    display = dict(spec.display.get("LIST", {}))
    for one in given:
        choice = php_text(one.get("ID"))
        if choice not in known:
            choice = next(added, "")
        keys = {name: php_text(one[name]) for name in CHOICE_DISPLAY if name in one}
        if choice and keys:
            display[choice] = display.get(choice, {}) | keys
    return display


def _write(spec: UserField, values: Mapping[str, Any], context: Context) -> UserField:
    """A field after a write of its settings; code, type and multiplicity are set only by an add."""
    title = _title(values) or spec.title
    mandatory = php_text(values["MANDATORY"]) == "Y" if "MANDATORY" in values else spec.mandatory
    settings = values.get("SETTINGS")
    changed = replace(
        spec,
        title=title,
        mandatory=mandatory,
        settings={**spec.settings, **settings} if isinstance(settings, dict) else spec.settings,
        items=_choices(spec, values["LIST"], context) if "LIST" in values else spec.items,
        display=_display(spec, values, adding=False),
    )
    if "LIST" not in values:
        return changed
    return replace(changed, display=changed.display | {"LIST": _choice_display(changed, values["LIST"])})


def _title(values: Mapping[str, Any]) -> str:
    """The caption: a string, or one per language."""
    for name in (*LABELS[:3], "LABEL"):
        label = values.get(name)
        if isinstance(label, dict) and label.get(LANGUAGE):
            return php_text(label[LANGUAGE])
        texts = [php_text(one) for one in values_of(label) if one] if label else []
        if texts:
            return texts[0]
    return ""


def _choices(spec: UserField, entries: Any, context: Context) -> tuple[tuple[int, str], ...]:
    """The choices after a write: an entry with ID changes or deletes (``DEL``) one, another adds one."""
    kept = dict(spec.items)
    added = []
    for sent in (one for one in values_of(entries) if isinstance(one, dict)):
        known = php_int(sent.get("ID"))
        if known not in kept:
            added.append(php_text(sent.get("VALUE")))
        elif sent.get("DEL") == "Y":
            del kept[known]
        else:
            kept[known] = php_text(sent.get("VALUE", kept[known]))
    return (*kept.items(), *context.store.new_choices(added))


def _add(entity: EntityType, values: Mapping[str, Any], context: Context, prefix: str) -> UserField:
    name = php_text(values.get("FIELD_NAME")).upper()
    if not name or not php_text(values.get("USER_TYPE_ID")):
        raise MethodError("", f"The '{'USER_TYPE_ID' if name else 'FIELD_NAME'}' field is not found.")
    code = name if name.startswith(prefix) else prefix + name.removeprefix("UF_")
    _check_code(code)
    settings = values.get("SETTINGS")
    texts = [php_text(one.get("VALUE")) for one in values_of(values.get("LIST") or []) if isinstance(one, dict)]
    context.writes += 1
    try:
        spec = context.store.add_user_field(
            entity.id,
            code,
            php_text(values["USER_TYPE_ID"]),
            multiple=php_text(values.get("MULTIPLE")) == "Y",
            mandatory=php_text(values.get("MANDATORY")) == "Y",
            title=_title(values),
            items=texts,
            settings=settings if isinstance(settings, dict) else {},
        )
    except ValueError as error:
        raise MethodError("", f"Поле {code} для объекта {entity.uf_entity} уже существует.<br>") from error
    display = _display(spec, values, adding=True)
    if "LIST" in values:
        display["LIST"] = _choice_display(spec, values["LIST"])
    spec = replace(spec, display=display)
    context.store.replace_user_field(spec)
    return spec


def _check_code(code: str) -> None:
    if len(code) > LONGEST:
        raise MethodError("ERROR_CORE", "Имя поля слишком длинное (больше 50-ти символов).<br>")
    if not re.fullmatch(r"[A-Z0-9_]+", code):
        text = "Имя поля содержит недопустимые символы. Допустимыми являются: A-Z, 0-9 и _.<br>"
        raise MethodError("ERROR_CORE", text)


LONGEST: Final = 50


# ---------------------------------------------------------------- userfieldconfig


def _config(entity: EntityType, spec: UserField, languages: Sequence[str] = LANGUAGES) -> Row:
    """Settings of one field, with the choices of an enumeration, all as text; captions by language."""
    settings = entry(spec, entity.uf_entity)
    row = {new: settings.get(old) for old, new in CONFIG_KEYS.items()}
    row["languageId"] = {language: language for language in languages}
    for old, new in LABEL_KEYS.items():
        row[new] = {language: settings[old].get(language) for language in languages}
    if "LIST" in settings:
        choices = [{new: choice[old] for old, new in CHOICE_KEYS.items()} for choice in settings["LIST"]]
        row["enum"] = [{**choice, "userFieldId": row["id"]} for choice in choices]
    return row


def _upper(field: Mapping[str, Any]) -> Row:
    """Written settings by their older names."""
    names = {new: old for old, new in (CONFIG_KEYS | LABEL_KEYS).items()} | {"enum": "LIST"}
    values = {names[name]: value for name, value in field.items() if name in names}
    if "LIST" in values:
        old = {new: old for old, new in CHOICE_KEYS.items()} | {"del": "DEL"}
        entries = [one for one in values_of(values["LIST"]) if isinstance(one, dict)]
        values["LIST"] = [{old.get(name, name): value for name, value in one.items()} for one in entries]
    return values


def _of_crm(params: Params) -> None:
    if bound(params, "moduleId") != "crm":
        raise MethodError("ACCESS_DENIED", "Доступ запрещен")


def _known(params: Params, context: Context) -> tuple[EntityType, UserField]:
    _of_crm(params)
    found = _specs(context).get(bound_int(params, "id"))
    if found is None:
        raise NO_CONFIG
    return found


@method("userfieldconfig.list", "userfieldconfig")
def list_configs(params: Params, context: Context) -> Result:
    """The user fields of a module, engine B."""
    if bound(params, "moduleId") != "crm":
        return Result({"fields": []}, 0)
    rows = [_config(entity, spec, (LANGUAGE,)) for entity, spec in _specs(context).values()]
    conditions = map_of(bound_array(params, "filter", {}))
    bounds = {key: php_int(value) for key, value in conditions.items() if key in (">id", "<=id", "<id")}
    rows = matching(rows, {key: value for key, value in conditions.items() if key not in bounds})
    rows = [row for row in rows if _inside(int(row["id"]), bounds)]
    rows = ordered(rows, map_of(bound_array(params, "order", {})) or {"id": "ASC"})
    window = paging.controller(context.start, lambda: len(rows))
    found = window.of(rows)
    context.rows += len(found)
    return Result({"fields": found}, window.total, window.next)


def _inside(row_id: int, bounds: dict[str, int]) -> bool:
    after, upto = bounds.get(">id", -1), bounds.get("<=id", row_id)
    return after < row_id <= upto and row_id < bounds.get("<id", row_id + 1)


@method("userfieldconfig.get", "userfieldconfig")
def get_config(params: Params, context: Context) -> Result:
    """One user field."""
    return Result({"field": _config(*_known(params, context))})


@method("userfieldconfig.add", "userfieldconfig")
def add_config(params: Params, context: Context) -> Result:
    """Create an user field, printed whole."""
    _of_crm(params)
    bound(params, "field")
    values = _upper(map_of(bound_array(params, "field", {})))
    entity = _owner(php_text(values.get("ENTITY_ID")), context)
    if entity is None:
        raise MethodError("ACCESS_DENIED", "Доступ запрещен")
    return Result({"field": _config(entity, _add(entity, values, context, "UF_"))})


@method("userfieldconfig.update", "userfieldconfig")
def update_config(params: Params, context: Context) -> Result:
    """Change a user field, printed whole."""
    entity, spec = _known(params, context)
    changed = _write(spec, _upper(map_of(bound_array(params, "field", {}))), context)
    context.store.replace_user_field(changed)
    context.writes += 1
    return Result({"field": _config(entity, changed)})


@method("userfieldconfig.delete", "userfieldconfig")
def delete_config(params: Params, context: Context) -> Result:
    """Delete a user field."""
    entity, spec = _known(params, context)
    context.store.remove_user_field(entity.id, spec.code)
    context.writes += 1
    return Result(None)


# ---------------------------------------------------------------- crm.X.userfield


def _owned(entity: EntityType, params: Params, context: Context) -> UserField:
    owner, spec = _specs(context).get(classic_id(params), (None, None))
    if spec is None or owner is not entity:
        raise NO_FIELD
    return spec


def _fields(params: Params) -> Row:
    values = params.get("fields", params.get("FIELDS"))
    if not isinstance(values, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    return values


def list_user_fields(entity: EntityType, params: Params, context: Context) -> Result:
    """The user fields of a table, whole; conditions are equalities, ``LANG`` selects the language of captions."""
    conditions = {name.lstrip("="): str(value) for name, value in classic_map(params, "filter").items()}
    language = conditions.pop("LANG", LANGUAGE)
    entries = [list_entry(spec, entity.uf_entity, language) for spec in context.store.user_fields(entity.id)]
    rows = [row for row in entries if all(str(row.get(name, value)) == value for name, value in conditions.items())]
    order = {name: way for name, way in classic_map(params, "order").items() if name in ORDERS}
    rows = ordered(rows, order or {"SORT": "ASC", "ID": "ASC"})
    context.rows += len(rows)
    return Result(rows, len(rows))


def get_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """One user field, its captions in every language."""
    return Result(entry(_owned(entity, params, context), entity.uf_entity))


def add_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """Create an user field; returns its id. Its code gets the prefix."""
    return Result(_add(entity, _fields(params), context, "UF_CRM_").id)


def update_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """Change a user field."""
    context.store.replace_user_field(_write(_owned(entity, params, context), _fields(params), context))
    context.writes += 1
    return Result(value=True)


def delete_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """Delete a user field."""
    context.store.remove_user_field(entity.id, _owned(entity, params, context).code)
    context.writes += 1
    return Result(value=True)


for _action, _handler in (
    ("list", list_user_fields),
    ("get", get_user_field),
    ("add", add_user_field),
    ("update", update_user_field),
    ("delete", delete_user_field),
):
    register_for_all(f"userfield.{_action}", _handler)
    method(f"crm.requisite.userfield.{_action}", "crm")(partial(_handler, REQUISITES))
