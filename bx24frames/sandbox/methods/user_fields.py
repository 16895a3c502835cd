"""User fields and their settings: ``userfieldconfig.*`` and ``crm.X.userfield.*``
(https://apidocs.bitrix24.com/api-reference/crm/universal/userfieldconfig/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.user import UserField, list_entry
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, classic_id, classic_map, map_of
from bx24frames.sandbox.methods.classic import register_for_all
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import php_int, php_text
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import ENTITY_TYPES, EntityType

Row = dict[str, Any]
CONFIG_KEYS: Final = {
    "ID": "id", "ENTITY_ID": "entityId", "FIELD_NAME": "fieldName", "USER_TYPE_ID": "userTypeId", "XML_ID": "xmlId",
    "SORT": "sort", "MULTIPLE": "multiple", "MANDATORY": "mandatory", "SHOW_FILTER": "showFilter",
    "SHOW_IN_LIST": "showInList", "EDIT_IN_LIST": "editInList", "IS_SEARCHABLE": "isSearchable",
    "SETTINGS": "settings",
}  # fmt: skip
CHOICE_KEYS: Final = {"ID": "id", "VALUE": "value", "DEF": "def", "SORT": "sort", "XML_ID": "xmlId"}
LABELS: Final = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL", "LABEL")
ENTITIES: Final = {entity.uf_entity: entity for entity in ENTITY_TYPES.values()}
NO_FIELD: Final = MethodError("", "The entity is not found.")
NO_CONFIG: Final = MethodError("NOT_FOUND", "Пользовательское поле не найдено")


def _specs(context: Context) -> dict[int, tuple[EntityType, UserField]]:
    return {
        spec.id: (entity, spec) for entity in ENTITY_TYPES.values() for spec in context.store.user_fields(entity.id)
    }


def _write(spec: UserField, values: Mapping[str, Any], context: Context) -> UserField:
    """A field as the written settings leave it; code, type and multiplicity are an add's alone."""
    title = _title(values) or spec.title
    mandatory = php_text(values["MANDATORY"]) == "Y" if "MANDATORY" in values else spec.mandatory
    settings = values.get("SETTINGS")
    return replace(
        spec,
        title=title,
        mandatory=mandatory,
        settings={**spec.settings, **settings} if isinstance(settings, dict) else spec.settings,
        items=_choices(spec, values["LIST"], context) if "LIST" in values else spec.items,
    )


def _title(values: Mapping[str, Any]) -> str:
    """The caption: a text, or one for each language."""
    for name in LABELS:
        label = values.get(name)
        texts = [php_text(one) for one in values_of(label) if one] if label else []
        if texts:
            return texts[0]
    return ""


def _choices(spec: UserField, entries: Any, context: Context) -> tuple[tuple[int, str], ...]:
    """The choices after a write: an entry with ID changes or deletes (``DEL``) one, another adds one."""
    kept = dict(spec.items)
    added = []
    for entry in (one for one in values_of(entries) if isinstance(one, dict)):
        known = php_int(entry.get("ID"))
        if known not in kept:
            added.append(php_text(entry.get("VALUE")))
        elif entry.get("DEL") == "Y":
            del kept[known]
        else:
            kept[known] = php_text(entry.get("VALUE", kept[known]))
    return (*kept.items(), *context.store.new_choices(added))


def _add(entity: EntityType, values: Mapping[str, Any], context: Context, prefix: str) -> UserField:
    name = php_text(values.get("FIELD_NAME")).upper()
    if not name or not php_text(values.get("USER_TYPE_ID")):
        raise MethodError("", "The 'USER_TYPE_ID' field is not found." if name else "The field name is required.")
    code = name if name.startswith(prefix) else prefix + name
    settings = values.get("SETTINGS")
    texts = [php_text(one.get("VALUE")) for one in values_of(values.get("LIST") or []) if isinstance(one, dict)]
    context.writes += 1
    try:
        return context.store.add_user_field(
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


# ---------------------------------------------------------------- userfieldconfig


def _config(entity: EntityType, spec: UserField) -> Row:
    """One field's settings; an enumeration shows its choices, all text."""
    entry = list_entry(spec, entity.uf_entity)
    row = {new: entry.get(old) for old, new in CONFIG_KEYS.items()}
    if "LIST" in entry:
        choices = [{new: choice[old] for old, new in CHOICE_KEYS.items()} for choice in entry["LIST"]]
        row["enum"] = [{**choice, "userFieldId": row["id"]} for choice in choices]
    return row


def _upper(field: Mapping[str, Any]) -> Row:
    """Written settings by their older names."""
    names = {new: old for old, new in CONFIG_KEYS.items()} | {"enum": "LIST", "editFormLabel": "EDIT_FORM_LABEL"}
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
    rows = [_config(entity, spec) for entity, spec in _specs(context).values()]
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
    """A new user field, printed whole."""
    _of_crm(params)
    bound(params, "field")
    values = _upper(map_of(bound_array(params, "field", {})))
    entity = ENTITIES.get(php_text(values.get("ENTITY_ID")))
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
    """The user fields of a table, whole; conditions are equalities."""
    entries = [list_entry(spec, entity.uf_entity) for spec in context.store.user_fields(entity.id)]
    wanted = {name.lstrip("="): str(value) for name, value in classic_map(params, "filter").items()}
    rows = [entry for entry in entries if all(str(entry.get(name, value)) == value for name, value in wanted.items())]
    context.rows += len(rows)
    return Result(rows, len(rows))


def get_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """One user field."""
    return Result(list_entry(_owned(entity, params, context), entity.uf_entity))


def add_user_field(entity: EntityType, params: Params, context: Context) -> Result:
    """A new user field; its id. Its code gets the prefix."""
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
