"""The disk: storages, folders, files (https://apidocs.bitrix24.com/api-reference/disk/)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.methods.arguments import bound_int, map_of
from bx24frames.sandbox.methods.plain import EXACT, View, by_code
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method

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
    return Result([printed_object(row) for row in found], window.total, window.next)


OF_FILES: Final = ("GLOBAL_CONTENT_VERSION", "FILE_ID", "SIZE")
OF_FOLDERS: Final = ("REAL_OBJECT_ID",)
NOT_ASKED: Final = (
    "REAL_OBJECT_ID",
    "CREATED_BY",
    "UPDATED_BY",
    "DELETED_BY",
    *OF_FILES,
    "MODULE_ID",
    "ROOT_OBJECT_ID",
)
"""Fields that no filter takes."""


def printed_object(row: dict[str, Any]) -> dict[str, Any]:
    """Keys of the content: none for a folder, an address for a file."""
    others = OF_FILES if row["TYPE"] == "folder" else OF_FOLDERS
    row = {name: value for name, value in row.items() if name not in others}
    for name in ("DELETE_TIME",):
        row[name] = row[name] or None
    if row["TYPE"] == "folder":
        return row
    return row | {"DOWNLOAD_URL": f"https://example.com/rest/download.json?auth=secret&token=disk{row['ID']}"}


@method("disk.folder.getchildren", "disk")
def list_folder(params: Params, context: Context) -> Result:
    """A page of the children of a folder, engine C."""
    row_id = bound_int(params, "id")
    if context.store.row("disk_item", row_id) is None:
        raise NO_OBJECT
    return _children(params, context, "PARENT_ID", row_id)


@method("disk.storage.getchildren", "disk")
def list_storage(params: Params, context: Context) -> Result:
    """A page of the root folder of a storage, engine C."""
    storage = context.store.row("storage", bound_int(params, "id"))
    if storage is None:
        raise NO_OBJECT
    return _children(params, context, "PARENT_ID", storage["rootObjectId"])


@method("disk.storage.get", "disk")
def get_storage(params: Params, context: Context) -> Result:
    """One storage."""
    found = STORAGES.one(context, {"=ID": bound_int(params, "id")})
    if found is None:
        raise NO_OBJECT
    return Result(found)


def _one(kind: str) -> Handler:
    def get(params: Params, context: Context) -> Result:
        found = ITEMS.one(context, {"=ID": bound_int(params, "id"), "=TYPE": kind})
        if found is None:
            raise NO_OBJECT
        return Result(printed_object(found))

    return get


def _described(view: View, *others: str) -> Handler:
    described = {
        code: {
            "TYPE": "enum" if code in ("TYPE", "DELETED_TYPE") else spec.type,
            "USE_IN_FILTER": code not in NOT_ASKED,
            "USE_IN_SHOW": True,
        }
        for code, spec in view.printed.items()
        if code not in (*others, "DETAIL_URL")
    }
    return lambda _, __: Result(described)


for _kind, _others in (("folder", OF_FILES), ("file", OF_FOLDERS)):
    method(f"disk.{_kind}.get", "disk")(_one(_kind))
    method(f"disk.{_kind}.getfields", "disk")(_described(ITEMS, *_others))
method("disk.storage.getfields", "disk")(_described(STORAGES))
