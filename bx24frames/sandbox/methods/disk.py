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
    return Result([_printed(row) for row in found], window.total, window.next)


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    """A folder has no content; a file's is behind an address."""
    if row["TYPE"] == "folder":
        return {name: value for name, value in row.items() if name not in ("FILE_ID", "SIZE")}
    return row | {"DOWNLOAD_URL": f"https://example.com/rest/download.json?auth=secret&token=disk{row['ID']}"}


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


@method("disk.storage.get", "disk")
def get_storage(params: Params, context: Context) -> Result:
    """One storage."""
    found, _ = STORAGES.page(context, {"=ID": bound_int(params, "id")}, {})
    if not found:
        raise NO_OBJECT
    return Result(found[0])


def _one(kind: str) -> Handler:
    def get(params: Params, context: Context) -> Result:
        found, _ = ITEMS.page(context, {"=ID": bound_int(params, "id"), "=TYPE": kind}, {})
        if not found:
            raise NO_OBJECT
        return Result(_printed(found[0]))

    return get


def _described(view: View) -> Handler:
    described = {
        code: {"TYPE": spec.type, "USE_IN_FILTER": True, "USE_IN_SHOW": True} for code, spec in view.printed.items()
    }
    return lambda _, __: Result(described)


for _kind in ("folder", "file"):
    method(f"disk.{_kind}.get", "disk")(_one(_kind))
    method(f"disk.{_kind}.getfields", "disk")(_described(ITEMS))
method("disk.storage.getfields", "disk")(_described(STORAGES))
