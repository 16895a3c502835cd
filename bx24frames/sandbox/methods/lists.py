"""Lists and their elements, the disk, user field settings
(https://apidocs.bitrix24.com/api-reference/lists/, https://apidocs.bitrix24.com/api-reference/disk/).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, map_of
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.methods.plain import CLASSIC, EXACT, View, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.columns import LISTS
from bx24frames.sandbox.shapes.parse import php_int, php_text
from bx24frames.sandbox.store.tables import ENTITY_TYPES

LIST_TYPE: Final = "lists"
PREFIXES: Final = (">=", "<=", "!%", "=", "!", "%", "*", ">", "<")
ELEMENTS: Final = View("list_element", by_code("list_element"), by_code("list_element"), "classic", CLASSIC,
                       prefixes=PREFIXES)  # fmt: skip
COLOURS: Final = {"61": "Красный", "63": "Blue & green"}
# FIELD_ID: (type, caption, multiple)
PROPERTIES: Final[dict[str, tuple[str, str, bool]]] = {
    "PROPERTY_101": ("S", "Заметка", False),
    "PROPERTY_103": ("N", "Вес", False),
    "PROPERTY_105": ("L", "Цвет", False),
    "PROPERTY_107": ("S:Date", "День", False),
    "PROPERTY_109": ("S", "Метки", True),
}


def _required(params: Params, *names: str) -> None:
    missing = [name for name in names if not php_text(params.get(name))]
    if missing:
        raise MethodError(
            "ERROR_REQUIRED_PARAMETERS_MISSING", f"Required parameter `{missing[0]}` is missing"
        )  # fmt: skip


def _site(text: str | None) -> str:
    """A moment, or a day, as a Russian site prints it."""
    if not text:
        return ""
    if len(text) <= 10:
        return datetime.strptime(text, "%Y-%m-%d").strftime("%d.%m.%Y")
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").strftime("%d.%m.%Y %H:%M:%S")


@method("lists.get", "lists")
def list_lists(params: Params, context: Context) -> Result:
    """The lists of a type, engine A."""
    _required(params, "IBLOCK_TYPE_ID")
    rows = [
        {"ID": str(row_id), "TIMESTAMP_X": "12.01.2026 10:00:00", "IBLOCK_TYPE_ID": LIST_TYPE, "LID": "s1",
         "CODE": None, "NAME": name, "ACTIVE": "Y", "SORT": "500", "DESCRIPTION": "", "BIZPROC": "N", "VERSION": "1"}
        for row_id, name in LISTS.items()
        if params["IBLOCK_TYPE_ID"] == LIST_TYPE and php_int(params.get("IBLOCK_ID")) in (0, row_id)
    ]  # fmt: skip
    window = paging.classic(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result(window.of(ordered(rows, map_of(params.get("IBLOCK_ORDER")))), window.total, window.next)


@method("lists.field.get", "lists")
def describe_list(params: Params, _: Context) -> Result:
    """The columns of a list."""
    _required(params, "IBLOCK_TYPE_ID", "IBLOCK_ID")
    if php_int(params["IBLOCK_ID"]) not in LISTS:
        raise MethodError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")
    named = {"FIELD_ID": "NAME", "TYPE": "NAME", "NAME": "Название", "IS_REQUIRED": "Y", "MULTIPLE": "N", "SORT": "10"}
    described: dict[str, Any] = {"NAME": named}
    for field_id, (type_, caption, multiple) in PROPERTIES.items():
        described[field_id] = {
            "FIELD_ID": field_id,
            "SORT": "20",
            "NAME": caption,
            "IS_REQUIRED": "N",
            "MULTIPLE": "Y" if multiple else "N",
            "TYPE": type_,
            "PROPERTY_TYPE": type_[0],
            "PROPERTY_USER_TYPE": type_.partition(":")[2] or False,
        } | ({"DISPLAY_VALUES_FORM": COLOURS} if type_ == "L" else {})
    return Result(described)


@method("lists.element.get", "lists")
def list_elements(params: Params, context: Context) -> Result:
    """A page of elements, engine A; times in the site's format, property values under their own ids."""
    _required(params, "IBLOCK_TYPE_ID", "IBLOCK_ID")
    number = php_int(params["IBLOCK_ID"])
    if number not in LISTS:
        raise MethodError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")
    conditions = map_of(params.get("FILTER"))
    for key in conditions:
        name = split_operator(key, PREFIXES)[1]
        if name not in ELEMENTS.asked:
            raise MethodError("ERROR_ARGUMENT", f"Filter field not allowed: {name}", argument="FILTER")
    if "ELEMENT_ID" in params:
        conditions["=ID"] = params["ELEMENT_ID"]
    order = map_of(params.get("ELEMENT_ORDER"))
    found, window = ELEMENTS.page(context, {**conditions, "=IBLOCK_ID": number}, order)
    return Result([_element(row) for row in found], window.total if found else None, window.next)


def _element(row: dict[str, Any]) -> dict[str, Any]:
    printed = row | {name: _site(row[name]) for name in ("DATE_CREATE", "TIMESTAMP_X")}
    for place, (name, (type_, _, _)) in enumerate(PROPERTIES.items()):
        value = printed.pop(name)
        values = value if isinstance(value, list) else [] if value in (None, "") else [value]
        if values:
            first = 10 * int(row["ID"]) + place
            printed[name] = {
                str(first + at): _site(one) if type_ == "S:Date" else one for at, one in enumerate(values)
            }  # fmt: skip
    return printed


# ---------------------------------------------------------------- disk

STORAGES: Final = View("storage", by_code("storage"), by_code("storage"), "classic", EXACT, prefixes=("%", "="))
ITEMS: Final = View("disk_item", by_code("disk_item"), by_code("disk_item"), "classic", EXACT, prefixes=("%", "="))
NO_OBJECT: Final = MethodError("ERROR_NOT_FOUND", "Could not find entity with id.")


@method("disk.storage.getlist", "disk")
def list_storages(params: Params, context: Context) -> Result:
    """A page of storages, engine C."""
    found, window = STORAGES.page(context, map_of(params.get("filter")), map_of(params.get("order")))
    return Result(found, window.total, window.next)


def _children(params: Params, context: Context, column: str, row_id: int) -> Result:
    conditions = map_of(params.get("filter")) | {f"={column}": row_id}
    found, window = ITEMS.page(context, conditions, map_of(params.get("order")))
    for row in found:
        if row["TYPE"] == "folder":
            del row["FILE_ID"], row["SIZE"]
        else:
            row["DOWNLOAD_URL"] = f"https://example.com/rest/download.json?auth=secret&token=disk{row['ID']}"
    return Result(found, window.total, window.next)


@method("disk.folder.getchildren", "disk")
def list_folder(params: Params, context: Context) -> Result:
    """A page of what a folder holds, engine C."""
    row_id = bound_int(params, "id")
    if context.store.row("disk_item", row_id) is None:
        raise NO_OBJECT
    return _children(params, context, "PARENT_ID", row_id)


@method("disk.storage.getchildren", "disk")
def list_storage(params: Params, context: Context) -> Result:
    """A page of what lies at the top of a storage, engine C."""
    storage = context.store.row("storage", bound_int(params, "id"))
    if storage is None:
        raise NO_OBJECT
    return _children(params, context, "PARENT_ID", storage["rootObjectId"])


# ---------------------------------------------------------------- user fields

CONFIG_KEYS: Final = {
    "ID": "id", "ENTITY_ID": "entityId", "FIELD_NAME": "fieldName", "USER_TYPE_ID": "userTypeId", "XML_ID": "xmlId",
    "SORT": "sort", "MULTIPLE": "multiple", "MANDATORY": "mandatory", "SHOW_FILTER": "showFilter",
    "SHOW_IN_LIST": "showInList", "EDIT_IN_LIST": "editInList", "IS_SEARCHABLE": "isSearchable",
    "SETTINGS": "settings",
}  # fmt: skip


@method("userfieldconfig.list", "userfieldconfig")
def list_user_fields(params: Params, context: Context) -> Result:
    """The user fields of a module, engine B
    (https://apidocs.bitrix24.com/api-reference/crm/universal/userfieldconfig/userfieldconfig-list.html).
    """
    from bx24frames.sandbox.fields import user as fields_user

    if bound(params, "moduleId") != "crm":
        return Result({"fields": []}, 0)
    entries = [
        fields_user.list_entry(spec, entity.uf_entity)
        for entity in ENTITY_TYPES.values()
        for spec in context.store.user_fields(entity.id)
    ]
    rows = [{new: entry.get(old) for old, new in CONFIG_KEYS.items()} for entry in entries]
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
