"""User fields of tasks and users, ``task.item.userfield.*`` and ``user.userfield.*``
(https://apidocs.bitrix24.com/api-reference/tasks/user-field/, /user/userfields/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.user import MISSING, renderer
from bx24frames.sandbox.shapes.write import SKIP, classic_user_cell, values_of, write_context
from bx24frames.sandbox.store.base import Store
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

_LANGUAGES: Final = ("en", "ru")
_LABELS: Final = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL", "ERROR_MESSAGE", "HELP_MESSAGE")
_FLAGS: Final = ("MULTIPLE", "MANDATORY", "SHOW_FILTER", "SHOW_IN_LIST", "EDIT_IN_LIST", "IS_SEARCHABLE")
IMMUTABLE: Final = frozenset({"ID", "ENTITY_ID", "FIELD_NAME", "USER_TYPE_ID", "MULTIPLE"})
_TYPES: Final = {
    "string": "Строка", "integer": "Целое число", "double": "Число", "boolean": "Да/Нет", "enumeration": "Список",
    "datetime": "Дата/Время", "date": "Дата", "money": "Деньги", "url": "Ссылка", "address": "Адрес", "file": "Файл",
    "employee": "Сотрудник", "crm_status": "Справочник CRM", "iblock_section": "Раздел", "iblock_element": "Элемент",
    "crm": "Элементы CRM",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """The declared fields of one table; their values are stored in the JSON document of the rows."""

    entity: str
    table: str
    prefix: str
    code: str = ""

    @property
    def dictionary(self) -> Dictionary:
        """The declarations."""
        return Dictionary(f"declared:{self.entity}", list)

    def specs(self, store: Store) -> list[UserField]:
        """The field by which a written value is cast."""
        return [
            UserField(
                int(row["ID"]), 0, row["FIELD_NAME"], row["USER_TYPE_ID"], row["MULTIPLE"] == "Y",
                items=tuple((int(one["ID"]), one["VALUE"]) for one in row.get("LIST", ())),
                settings=row["SETTINGS"] or {},
            )
            for row in self.dictionary.rows(store)
        ]  # fmt: skip

    def write(self, store: Store, row_id: int, values: Mapping[str, Any]) -> None:
        """Store the values of declared fields."""
        portal, changed = write_context(store), Row()
        for spec in self.specs(store):
            if spec.code in values:
                cell = classic_user_cell(spec, values[spec.code], portal)
                changed |= {} if cell is SKIP else {spec.code: cell}
        if changed:
            row = store.row(self.table, row_id) or {}
            document = (orjson.loads(row["uf"]) if row.get("uf") else {}) | changed
            store.update_row(self.table, row_id, {"uf": orjson.dumps(document).decode()})

    def read(self, store: Store, ids: Iterable[int]) -> dict[int, Row]:
        """The declared fields as printed, by their codes."""
        specs = self.specs(store)
        if not specs:
            return {}
        printers = [(spec.code, renderer(spec, "classic", store.server_zone)) for spec in specs]
        found: dict[int, Row] = {}
        for row_id in ids:
            row = store.row(self.table, row_id) or {}
            document = orjson.loads(row["uf"]) if row.get("uf") else {}
            cells = {code: show(document.get(code)) for code, show in printers}
            found[row_id] = {code: cell for code, cell in cells.items() if cell is not MISSING}
        return found

    # ------------------------------------------------------------ declarations

    def known(self, params: Params, context: Context) -> Row:
        """The declaration that ``ID`` names."""
        row_id = php_int(params.get("ID", params.get("id")))
        if row_id <= 0:
            raise MethodError(self.code, "ID is not defined or invalid.")
        row = self.dictionary.row(context.store, row_id)
        if row is None:
            raise MethodError("ERROR_NOT_FOUND", f"The entity with ID '{row_id}' is not found")
        return row

    def add(self, values: Mapping[str, Any], context: Context) -> int:
        """Declare a field; its id."""
        for name in ("FIELD_NAME", "USER_TYPE_ID"):
            if not php_text(values.get(name)):
                raise MethodError(self.code, f"The '{name}' field is not found.")
        given = php_text(values["FIELD_NAME"]).upper()
        code = given if given.startswith(self.prefix) else self.prefix + given
        if any(row["FIELD_NAME"] == code for row in self.dictionary.rows(context.store)):
            raise MethodError("ERROR_CORE", f"Поле {code} для объекта {self.entity} уже существует.<br>")
        bare: Row = {
            "ENTITY_ID": self.entity, "FIELD_NAME": code, "USER_TYPE_ID": php_text(values["USER_TYPE_ID"]),
            "XML_ID": None, "SORT": "100", **dict.fromkeys(_FLAGS, "N"), "SHOW_IN_LIST": "Y", "EDIT_IN_LIST": "Y",
            "MULTIPLE": "Y" if php_text(values.get("MULTIPLE")) == "Y" else "N", "SETTINGS": {},
            **{name: dict.fromkeys(_LANGUAGES, "") for name in _LABELS},
        }  # fmt: skip
        if bare["USER_TYPE_ID"] == "enumeration":
            bare["LIST"] = []
        context.writes += 1
        return self.dictionary.add(context.store, self._changed(bare, values), text=True)

    def update(self, params: Params, values: Mapping[str, Any], context: Context) -> None:
        """Change a declaration; code, type and multiplicity are kept."""
        self.dictionary.put(context.store, self._changed(self.known(params, context), values))
        context.writes += 1

    def delete(self, params: Params, context: Context) -> None:
        """Delete a declaration."""
        self.dictionary.drop(context.store, self.known(params, context))
        context.writes += 1

    def listed(self, conditions: Row, order: Row, context: Context) -> list[Row]:
        """The declarations, whole."""
        upper = [{php_text(name).upper(): value for name, value in given.items()} for given in (conditions, order)]
        rows = ordered(matching(self.dictionary.rows(context.store), upper[0]), upper[1])
        context.rows += len(rows)
        return rows

    def _changed(self, row: Row, values: Mapping[str, Any]) -> Row:
        changed = dict(row)
        for name, value in values.items():
            if name in _LABELS:
                texts = value if isinstance(value, dict) else dict.fromkeys(_LANGUAGES, value)
                changed[name] = row[name] | {key: php_text(one) for key, one in texts.items()}
            elif name == "LABEL":
                changed |= {label: dict.fromkeys(_LANGUAGES, php_text(value)) for label in _LABELS[:3]}
            elif name == "SETTINGS":
                changed[name] = row[name] | map_of(value)
            elif name == "LIST" and "LIST" in row:
                changed[name] = _choices(row["LIST"], value)
            elif name in row and name not in IMMUTABLE:
                changed[name] = php_text(value)
        return changed


def _choices(known: list[Row], entries: Any) -> list[Row]:
    """The choices after a write: an entry with ID changes or deletes (``DEL``) one, another adds one."""
    kept = {int(one["ID"]): one for one in known}
    last = max(kept, default=0)
    for entry in (one for one in values_of(entries) if isinstance(one, dict)):
        number = php_int(entry.get("ID"))
        if number in kept and entry.get("DEL") == "Y":
            del kept[number]
            continue
        if number not in kept:
            number = last = last + 2
        bare = {"ID": str(number), "SORT": "500", "VALUE": "", "DEF": "N", "XML_ID": f"{number:032x}"}
        written = {name: php_text(value) for name, value in entry.items() if name in bare and name != "ID"}
        kept[number] = {**bare, **kept.get(number, {}), **written}
    return list(kept.values())


TASK_FIELDS: Final = Declared("TASKS_TASK", "task", "UF_", "ERROR_CORE")
USER_FIELDS: Final = Declared("USER", "user", "UF_USR_")
_KINDS: Final = {"ID": "int", "SORT": "int", **dict.fromkeys(_FLAGS, "char")}
_CAPTIONS: Final = (
    "ID", "ENTITY_ID", "FIELD_NAME", "USER_TYPE_ID", "XML_ID", "SORT", *_FLAGS, *_LABELS, "LIST", "SETTINGS",
)  # fmt: skip


@method("task.item.userfield.add", "task")
def add_task_field(params: Params, context: Context) -> Result:
    """Declare a field of tasks; its id."""
    return Result(TASK_FIELDS.add(map_of(params.get("PARAMS")), context))


@method("task.item.userfield.update", "task")
def update_task_field(params: Params, context: Context) -> Result:
    """Change a field of tasks."""
    TASK_FIELDS.update(params, map_of(params.get("DATA")), context)
    return Result(value=True)


@method("task.item.userfield.delete", "task")
def delete_task_field(params: Params, context: Context) -> Result:
    """Delete a field of tasks."""
    TASK_FIELDS.delete(params, context)
    return Result(value=True)


@method("task.item.userfield.get", "task")
def get_task_field(params: Params, context: Context) -> Result:
    """One field of tasks."""
    return Result(TASK_FIELDS.known(params, context))


@method("task.item.userfield.getlist", "task")
def list_task_fields(params: Params, context: Context) -> Result:
    """The fields of tasks, without their labels."""
    rows = TASK_FIELDS.listed(map_of(params.get("FILTER")), map_of(params.get("ORDER")), context)
    return Result([_unlabelled(row) for row in rows], len(rows))


@method("task.item.userfield.gettypes", "task")
def list_field_types(_: Params, __: Context) -> Result:
    """The types of fields."""
    return Result([{"ID": name, "title": title} for name, title in _TYPES.items()])


@method("task.item.userfield.getfields", "task")
def describe_declarations(_: Params, __: Context) -> Result:
    """The keys of a declaration."""
    described: Row = {name: {"type": _KINDS.get(name, "string"), "title": name} for name in _CAPTIONS}
    described["ID"]["isReadOnly"] = True
    for name in ("ENTITY_ID", "FIELD_NAME", "USER_TYPE_ID"):
        described[name]["isImmutable"] = True
    described["LIST"] |= {"type": "uf_enum_element", "isMultiple": True}
    described["SETTINGS"]["type"] = "object"
    return Result(described)


def _unlabelled(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _LABELS}


def _administrator(context: Context) -> None:
    if not context.is_admin:
        raise MethodError("", "Access denied.")


@method("user.userfield.add", "user.userfield", "user")
def add_declared_field(params: Params, context: Context) -> Result:
    """Declare a field of users; its id."""
    _administrator(context)
    return Result(USER_FIELDS.add(map_of(params.get("fields", params.get("FIELDS"))), context))


@method("user.userfield.update", "user.userfield", "user")
def update_declared_field(params: Params, context: Context) -> Result:
    """Change a field of users."""
    _administrator(context)
    USER_FIELDS.update(params, map_of(params.get("fields", params.get("FIELDS"))), context)
    return Result(value=True)


@method("user.userfield.delete", "user.userfield", "user")
def delete_declared_field(params: Params, context: Context) -> Result:
    """Delete a field of users."""
    _administrator(context)
    USER_FIELDS.delete(params, context)
    return Result(value=True)


@method("user.userfield.list", "user.userfield", "user")
def list_declared_fields(params: Params, context: Context) -> Result:
    """The fields of users, without their labels."""
    _administrator(context)
    given = [map_of(params.get(name, params.get(name.upper()))) for name in ("filter", "order")]
    rows = USER_FIELDS.listed(given[0], given[1], context)
    return Result([_unlabelled(row) for row in rows], len(rows))
