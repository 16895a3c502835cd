"""Templates of requisites and their fields, ``crm.requisite.preset.*``
(https://apidocs.bitrix24.com/api-reference/crm/requisites/presets/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY, classic_id
from bx24frames.sandbox.methods.described import Described, chosen, flat_fields, printed, written
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import TABLES, Row

OWNER: Final = 8
RUSSIA: Final = 1
COUNTRIES: Final = (
    (1, "RU", "Россия"),
    (4, "BY", "Беларусь"),
    (6, "KZ", "Казахстан"),
    (14, "UA", "Украина"),
    (34, "BR", "Бразилия"),
    (46, "DE", "Германия"),
    (77, "CO", "Колумбия"),
    (110, "PL", "Польша"),
    (122, "US", "США"),
    (132, "FR", "Франция"),
)
_FIELDS: Final = {
    "ID": flat("integer", "ID", read_only=READ_ONLY),
    "ENTITY_TYPE_ID": flat("integer", "ID типа объекта", required=True, immutable=True),
    "COUNTRY_ID": flat("integer", "ID страны", required=True, immutable=True),
    "NAME": flat("string", "Название", required=True),
    "DATE_CREATE": flat("datetime", "Дата создания", read_only=READ_ONLY),
    "DATE_MODIFY": flat("datetime", "Дата изменения", read_only=READ_ONLY),
    "CREATED_BY_ID": flat("user", "Создал", read_only=READ_ONLY),
    "MODIFY_BY_ID": flat("user", "Изменил", read_only=READ_ONLY),
    "ACTIVE": flat("char", "Активен"),
    "SORT": flat("integer", "Сортировка"),
    "XML_ID": flat("string", "Внешний код"),
}
SHOWN_FIELDS: Final = {
    "ID": flat("integer", "ID", read_only=READ_ONLY),
    "FIELD_NAME": flat("string", "Имя", required=True),
    "FIELD_TITLE": flat("string", "Название в шаблоне"),
    "SORT": flat("integer", "Сортировка"),
    "IN_SHORT_LIST": flat("char", "Показывать в кратком списке"),
}

# (id, caption, end of its reserved code, its fields)
_SEEDED: Final[tuple[tuple[int, str, str, tuple[str, ...]], ...]] = (
    (
        1,
        "Организация",
        "COMPANY",
        ("RQ_INN", "RQ_COMPANY_NAME", "RQ_COMPANY_FULL_NAME", "RQ_OGRN", "RQ_KPP", "RQ_OKPO", "RQ_DIRECTOR"),
    ),
    (2, "ИП", "INDIVIDUAL", ("RQ_INN", "RQ_NAME", "RQ_OGRNIP", "RQ_OKPO")),
    (3, "Физ. лицо", "PERSON", ("RQ_NAME", "RQ_FIRST_NAME", "RQ_LAST_NAME", "RQ_IDENT_DOC")),
)
OF_RUSSIA: Final = (
    "RQ_NAME", "RQ_FIRST_NAME", "RQ_LAST_NAME", "RQ_SECOND_NAME", "RQ_COMPANY_NAME", "RQ_COMPANY_FULL_NAME",
    "RQ_COMPANY_REG_DATE", "RQ_DIRECTOR", "RQ_ACCOUNTANT", "RQ_ADDR", "RQ_CONTACT", "RQ_EMAIL", "RQ_PHONE", "RQ_FAX",
    "RQ_IDENT_DOC", "RQ_IDENT_DOC_SER", "RQ_IDENT_DOC_NUM", "RQ_IDENT_DOC_DATE", "RQ_IDENT_DOC_ISSUED_BY",
    "RQ_IDENT_DOC_DEP_CODE", "RQ_INN", "RQ_KPP", "RQ_IFNS", "RQ_OGRN", "RQ_OGRNIP", "RQ_OKPO", "RQ_OKTMO", "RQ_OKVED",
    "RQ_ST_CERT_SER", "RQ_ST_CERT_NUM", "RQ_ST_CERT_DATE", "RQ_SIGNATURE", "RQ_STAMP",
)  # fmt: skip
"""The fields available to a template of this country; for other countries, any."""


def _entry(place: int, name: str) -> Row:
    short = "Y" if place < 3 else "N"
    return {"ID": place, "FIELD_NAME": name, "FIELD_TITLE": "", "SORT": 500 + 10 * place, "IN_SHORT_LIST": short}


def _seeded() -> list[Row]:
    return [
        {
            "ID": row_id,
            "ENTITY_TYPE_ID": OWNER,
            "COUNTRY_ID": RUSSIA,
            "NAME": name,
            "DATE_CREATE": "2024-01-10T12:00:00",
            "CREATED_BY_ID": 1,
            "ACTIVE": "Y",
            "SORT": 500 + row_id,
            "XML_ID": f"#CRM_REQUISITE_PRESET_DEF_RU_{code}#",
            "SHOWN": [_entry(place, shown) for place, shown in enumerate(names, 1)],
        }
        for row_id, name, code, names in _SEEDED
    ]


def _absent(row_id: int) -> MethodError:
    return MethodError("", f"The Preset with ID '{row_id}' is not found")


PRESETS: Final = Described(
    Dictionary("preset", _seeded),
    _FIELDS,
    absent=_absent,
    defaults={"ACTIVE": "Y", "SORT": 500, "XML_ID": "", "SHOWN": []},
    stamps=("DATE_CREATE", "CREATED_BY_ID", "DATE_MODIFY", "MODIFY_BY_ID"),
)


@method("crm.requisite.preset.fields", "crm")
def describe_presets(_: Params, __: Context) -> Result:
    """The field description of templates."""
    return Result(_FIELDS)


@method("crm.requisite.preset.countries", "crm")
def list_countries(_: Params, __: Context) -> Result:
    """The countries of templates."""
    return Result([{"ID": row_id, "CODE": code, "TITLE": title} for row_id, code, title in COUNTRIES])


@method("crm.requisite.preset.list", "crm")
def list_presets(params: Params, context: Context) -> Result:
    """The templates of requisites, engine A*."""
    return PRESETS.page(PRESETS.dictionary.rows(context.store), params, context)


def _preset(params: Params, context: Context) -> Row:
    return PRESETS.row(classic_id(params), context)


@method("crm.requisite.preset.get", "crm")
def get_preset(params: Params, context: Context) -> Result:
    """One template."""
    return Result(PRESETS.print(_preset(params, context), context))


@method("crm.requisite.preset.add", "crm")
def add_preset(params: Params, context: Context) -> Result:
    """Create a template, which shows no field yet; returns its id."""
    values = flat_fields(params)
    if php_int(values.get("ENTITY_TYPE_ID")) != OWNER:
        raise MethodError("", "ENTITY_TYPE_ID is not defined or invalid.")
    if php_int(values.get("COUNTRY_ID")) not in {row_id for row_id, _, _ in COUNTRIES}:
        raise MethodError("", "COUNTRY_ID is not defined or invalid.")
    if not php_text(values.get("NAME")).strip():
        raise MethodError("", "Не заполнено обязательное поле «Название»")
    return Result(PRESETS.add(values, context))


@method("crm.requisite.preset.update", "crm")
def update_preset(params: Params, context: Context) -> Result:
    """Change a template."""
    PRESETS.update(_preset(params, context), flat_fields(params), context)
    return Result(value=True)


@method("crm.requisite.preset.delete", "crm")
def delete_preset(params: Params, context: Context) -> Result:
    """Delete a template that no requisite uses."""
    row = _preset(params, context)
    if context.store.scalar("SELECT count(*) FROM requisite WHERE presetId = ?", (row["ID"],)):
        raise MethodError("", "Вы не можете удалить шаблон, так как по нему уже созданы реквизиты")
    PRESETS.drop(row, context)
    return Result(value=True)


# ---------------------------------------------------------------- the fields of a template


def _shown_by(params: Params, context: Context) -> Row:
    """The template of a call."""
    given = params.get("preset", params.get("PRESET"))
    row_id = php_int(given.get("ID", given.get("id"))) if isinstance(given, dict) else 0
    return PRESETS.row(row_id, context)


def _shown(preset: Row, params: Params) -> Row:
    row_id = classic_id(params)
    found: Row | None = next((entry for entry in preset["SHOWN"] if entry["ID"] == row_id), None)
    if found is None:
        raise MethodError("", f"The PresetField with ID '{row_id}' is not found")
    return found


def _show(entry: Row, context: Context) -> Row:
    return printed(SHOWN_FIELDS, entry, context.store.server_zone, text=False)


def _keep(preset: Row, shown: list[Row], context: Context) -> None:
    PRESETS.dictionary.put(context.store, {**preset, "SHOWN": shown})
    context.writes += 1


def _addable(preset: Row, context: Context) -> list[str]:
    """The available fields that a template does not show."""
    ours = [name for name in TABLES["requisite"].by_code if name.startswith("RQ_")]
    known = list(OF_RUSSIA) if preset["COUNTRY_ID"] == RUSSIA else ours
    known += [spec.code for spec in context.store.user_fields(OWNER)]
    taken = {entry["FIELD_NAME"] for entry in preset["SHOWN"]}
    return [name for name in known if name not in taken]


@method("crm.requisite.preset.field.fields", "crm")
def describe_shown(_: Params, __: Context) -> Result:
    """The description of a template's field."""
    return Result(SHOWN_FIELDS)


@method("crm.requisite.preset.field.availabletoadd", "crm")
def list_addable(params: Params, context: Context) -> Result:
    """The available fields that a template does not show."""
    return Result(_addable(_shown_by(params, context), context))


@method("crm.requisite.preset.field.list", "crm")
def list_shown(params: Params, context: Context) -> Result:
    """The fields of a template, unpaged."""
    rows: list[Row] = list(_shown_by(params, context)["SHOWN"])
    order: Any = params.get("order", params.get("ORDER"))
    conditions = params.get("filter", params.get("FILTER"))
    rows = chosen(rows, conditions if isinstance(conditions, dict) else {}, SHOWN_FIELDS)
    rows = ordered(rows, order if isinstance(order, dict) else {"SORT": "ASC"})
    context.rows += len(rows)
    return Result([_show(row, context) for row in rows], len(rows))


@method("crm.requisite.preset.field.get", "crm")
def get_shown(params: Params, context: Context) -> Result:
    """One field of a template."""
    return Result(_show(_shown(_shown_by(params, context), params), context))


@method("crm.requisite.preset.field.add", "crm")
def add_shown(params: Params, context: Context) -> Result:
    """Add a field; returns its id in the template."""
    preset, values = _shown_by(params, context), flat_fields(params)
    name = php_text(values.get("FIELD_NAME"))
    if name not in _addable(preset, context):
        raise MethodError("", f"The field '{name}' can not be added.")
    row_id = max((entry["ID"] for entry in preset["SHOWN"]), default=0) + 1
    cast = written(SHOWN_FIELDS, values, context.store.server_zone, adding=True)
    entry = {"ID": row_id, "FIELD_TITLE": "", "SORT": 500, "IN_SHORT_LIST": "N", **cast}
    _keep(preset, [*preset["SHOWN"], entry], context)
    return Result(row_id)


@method("crm.requisite.preset.field.update", "crm")
def update_shown(params: Params, context: Context) -> Result:
    """Change how a field is shown."""
    preset = _shown_by(params, context)
    entry = _shown(preset, params)
    changed = {**entry, **written(SHOWN_FIELDS, flat_fields(params), context.store.server_zone, adding=False)}
    _keep(preset, [changed if one["ID"] == entry["ID"] else one for one in preset["SHOWN"]], context)
    return Result(value=True)


@method("crm.requisite.preset.field.delete", "crm")
def delete_shown(params: Params, context: Context) -> Result:
    """Remove a field."""
    preset = _shown_by(params, context)
    entry = _shown(preset, params)
    _keep(preset, [one for one in preset["SHOWN"] if one["ID"] != entry["ID"]], context)
    return Result(value=True)
