"""Writing the disk: folders, files and their versions (https://apidocs.bitrix24.com/api-reference/disk/)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.disk import ITEMS, printed_object
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import Row

FOLDER, FILE = "folder", "file"
LIVE, TRASHED = 0, 3
"""DELETED_TYPE of objects in place, and of those moved to the recycle bin."""
_NUMBERS: Final = ("ID", "REAL_OBJECT_ID", "DELETED_TYPE", "FILE_ID", "GLOBAL_CONTENT_VERSION")
"""Fields of a new object that are printed as numbers."""
DISK: Final = "disk"
_TAKEN: Final = "DISK_OBJ_22000"


def absent(row_id: Any) -> MethodError:
    """The error for an unknown object."""
    return MethodError("ERROR_NOT_FOUND", f"Could not find entity with id `{php_text(row_id)}`.", 400)


def argument(params: Params, place: int, *names: str) -> Any:
    """An argument of an action, by any of its names.

    Raises
    ------
    MethodError
        It is missing.
    """
    for name in names:
        if name in params:
            return params[name]
    raise MethodError("ERROR_ARGUMENT", f"Invalid value of parameter {{Parameter #{place}}}")


def object_of(row_id: Any, kind: str, context: Context) -> Row:
    """A folder or a file; an error if there is none of that kind."""
    row = context.store.row("disk_item", php_int(row_id))
    if row is None or row["type"] != kind:
        raise absent(row_id)
    return row


def storage_of(params: Params, context: Context) -> Row:
    """The storage that ``id`` names."""
    row_id = argument(params, 0, "id")
    row = context.store.row("storage", php_int(row_id))
    if row is None:
        raise absent(row_id)
    return row


def _shown(row_id: int, context: Context, *, fresh: bool = False) -> Row:
    found = ITEMS.one(context, {"=ID": row_id})
    if found is None:
        raise absent(row_id)
    row = printed_object(found)
    return {name: int(one) if fresh and name in _NUMBERS and one is not None else one for name, one in row.items()}


def _sibling(parent: int, name: str, context: Context, besides: int = 0) -> bool:
    sql = "SELECT 1 FROM disk_item WHERE parentId = ? AND fold(name) = fold(?) AND deletedType = 0 AND id <> ?"
    return context.store.scalar(sql, (parent, name, besides)) is not None


def _name(parent: int, name: str, context: Context, *, unique: bool = False, kind: str = FILE, besides: int = 0) -> str:
    """A name that is free in a folder; made unique if requested."""
    if not name.strip():
        raise MethodError("ERROR_ARGUMENT", "Invalid value of parameter {NAME}")
    if not _sibling(parent, name, context, besides):
        return name
    if not unique:
        word = "Файл" if kind == FILE else "Папка"
        raise MethodError(_TAKEN, f"{word} с таким именем уже есть")
    stem, dot, tail = name.rpartition(".")
    return next(
        free
        for place in range(1, 10_000)
        if not _sibling(parent, free := f"{stem or tail} ({place}){dot if stem else ''}{tail if stem else ''}", context)
    )


def _add(parent: Row, kind: str, name: str, context: Context, **values: Any) -> int:
    now = context.store.local_time(context.now)
    row = {
        "name": name, "storageId": parent["storageId"], "type": kind, "parentId": parent["id"], "deletedType": LIVE,
        "createTime": now, "updateTime": now, "createdBy": context.user_id, "updatedBy": context.user_id,
        "detailUrl": f"https://example.com/disk/{kind}/{name}", **values,
    }  # fmt: skip
    row_id = context.store.insert_row("disk_item", row)
    context.store.update_row("disk_item", row_id, {"realObjectId": row_id})
    context.writes += 1
    return row_id


def change_object(row: Row, values: Row, context: Context) -> Row:
    """Change columns of an object and record the user; returns the object as printed."""
    kept = {"updateTime": context.store.local_time(context.now), "updatedBy": context.user_id}
    context.store.update_row("disk_item", row["id"], kept | values)
    context.writes += 1
    return _shown(row["id"], context)


def _inside(row_id: int, context: Context) -> Iterator[Row]:
    """Everything below a folder."""
    for (number,) in context.store.query("SELECT id FROM disk_item WHERE parentId = ?", (row_id,)):
        row = context.store.row("disk_item", number)
        if row is not None:
            yield row
            yield from _inside(number, context)


# ---------------------------------------------------------------- new folders and files


def _root(params: Params, context: Context) -> Row:
    return object_of(storage_of(params, context)["rootObjectId"], FOLDER, context)


def _parent(params: Params, context: Context) -> Row:
    return object_of(argument(params, 0, "id"), FOLDER, context)


def _add_folder(params: Params, context: Context, parent: Row) -> Result:
    data = map_of(argument(params, 1, "data"))
    name = _name(parent["id"], php_text(data.get("NAME")), context, kind=FOLDER)
    row_id = _add(parent, FOLDER, name, context, code=data.get("CODE") or None)
    return Result(_shown(row_id, context, fresh=True))


def content_of(value: Any) -> tuple[str, str]:
    """The name and the text of a file: a pair, or the text alone, in base64."""
    parts = [php_text(one) for one in values_of(value)]
    name, text = (parts[0], parts[-1]) if len(parts) > 1 else ("", parts[0] if parts else "")
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise MethodError("ERROR_ARGUMENT", "Invalid value of parameter {fileContent}") from None
    return name, text


def _size(text: str) -> int:
    return len(base64.b64decode(text))


def keep(name: str, text: str, context: Context) -> Row:
    """Store the content of a file; returns its columns."""
    return {"fileId": context.store.insert_row("file", {"name": name, "content": text}), "size": _size(text)}


def _upload(params: Params, context: Context, parent: Row) -> Result:
    data = map_of(params.get("data"))
    if "fileContent" not in params:
        address = f"https://example.com/rest/upload.json?token=disk{parent['id']}"
        return Result({"field": "file", "uploadUrl": address})
    given, text = content_of(params["fileContent"])
    unique = params.get("generateUniqueName") not in (None, False, "", "0", 0, "N", "false")
    name = _name(parent["id"], php_text(data.get("NAME")) or given, context, unique=unique)
    kept = keep(name, text, context)
    return Result(_shown(_add(parent, FILE, name, context, globalContentVersion=1, **kept), context, fresh=True))


@method("disk.folder.addsubfolder", DISK)
def add_subfolder(params: Params, context: Context) -> Result:
    """Create a folder in a folder, printed whole."""
    return _add_folder(params, context, _parent(params, context))


@method("disk.storage.addfolder", DISK)
def add_folder(params: Params, context: Context) -> Result:
    """Create a folder at the top of a storage, printed whole."""
    return _add_folder(params, context, _root(params, context))


@method("disk.folder.uploadfile", DISK)
def upload_to_folder(params: Params, context: Context) -> Result:
    """A new file in a folder; without content, an address to upload to."""
    return _upload(params, context, _parent(params, context))


@method("disk.storage.uploadfile", DISK)
def upload_to_storage(params: Params, context: Context) -> Result:
    """A new file at the top of a storage; without content, an address to upload to."""
    return _upload(params, context, _root(params, context))


# ---------------------------------------------------------------- what is done to both


def _rename(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = object_of(argument(params, 0, "id"), kind, context)
        wanted = php_text(argument(params, 1, "newName"))
        name = _name(row["parentId"], wanted, context, kind=kind, besides=row["id"])
        return Result(change_object(row, {"name": name}, context))

    return handle


def _trash(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = object_of(argument(params, 0, "id"), kind, context)
        if not row["parentId"]:
            raise MethodError(_TAKEN, "Нельзя удалить корневую папку")
        moment = context.store.local_time(context.now)
        gone = {"deletedType": TRASHED, "deleteTime": moment, "deletedBy": context.user_id}
        return Result(change_object(row, gone, context) | {"DELETED_TYPE": TRASHED})

    return handle


def _restore(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = object_of(argument(params, 0, "id"), kind, context)
        back = {"deletedType": LIVE, "deleteTime": None, "deletedBy": 0}
        return Result(change_object(row, back, context) | {"DELETED_TYPE": LIVE})

    return handle


def _target(params: Params, context: Context) -> Row:
    return object_of(argument(params, 1, "targetFolderId", "toFolderId"), FOLDER, context)


def _move(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, target = object_of(argument(params, 0, "id"), kind, context), _target(params, context)
        elsewhere = row["storageId"] != target["storageId"]
        if elsewhere and kind == FOLDER and context.has("folder_keeps_its_drive"):
            return Result(value=False)
        name = _name(target["id"], row["name"], context, kind=kind, besides=row["id"])
        if elsewhere:
            for one in _inside(row["id"], context):
                context.store.update_row("disk_item", one["id"], {"storageId": target["storageId"]})
        changed = {"parentId": target["id"], "storageId": target["storageId"], "name": name}
        return Result(change_object(row, changed, context) | {"PARENT_ID": target["id"]})

    return handle


def _copied(row: Row, target: Row, context: Context) -> int:
    kept = {name: row[name] for name in ("code", "fileId", "size") if row[name] is not None}
    version = {"globalContentVersion": 1} if row["type"] == FILE else {}
    row_id = _add(target, row["type"], row["name"], context, **kept, **version)
    if row["type"] == FOLDER:
        copy = object_of(row_id, FOLDER, context)
        children = context.store.query("SELECT id FROM disk_item WHERE parentId = ? AND id <> ?", (row["id"], row_id))
        for (number,) in children:
            _copied(context.store.row("disk_item", number) or {}, copy, context)
    return row_id


def _copy(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, target = object_of(argument(params, 0, "id"), kind, context), _target(params, context)
        _name(target["id"], row["name"], context, kind=kind)
        return Result(_shown(_copied(row, target, context), context, fresh=True))

    return handle


def _link(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = object_of(argument(params, 0, "id"), kind, context)
        return Result(f"https://example.com/~{row['id']:05x}")

    return handle


def _share(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        object_of(argument(params, 0, "id"), kind, context)
        if context.store.row("user", php_int(argument(params, 1, "userId"))) is None:
            raise absent(params["userId"])
        context.writes += 1
        return Result(value=True)

    return handle


@method("disk.folder.deletetree", DISK)
def delete_tree(params: Params, context: Context) -> Result:
    """Delete a folder permanently, with everything in it."""
    row = object_of(argument(params, 0, "id"), FOLDER, context)
    if not row["parentId"]:
        raise MethodError(_TAKEN, "Нельзя удалить корневую папку")
    for one in [*_inside(row["id"], context), row]:
        _drop(one, context)
    return Result(value=True)


@method("disk.file.delete", DISK)
def delete_file(params: Params, context: Context) -> Result:
    """Delete a file permanently."""
    _drop(object_of(argument(params, 0, "id"), FILE, context), context)
    return Result(value=True)


def _drop(row: Row, context: Context) -> None:
    context.store.database.change("DELETE FROM disk_item WHERE id = ?", (row["id"],))
    context.store.database.change("DELETE FROM disk_version WHERE objectId = ?", (row["id"],))
    context.writes += 1


for _name_, _make in {
    "rename": _rename, "markdeleted": _trash, "restore": _restore, "moveto": _move, "copyto": _copy,
    "getexternallink": _link, "sharetouser": _share,
}.items():  # fmt: skip
    for _kind in (FOLDER, FILE):
        method(f"disk.{_kind}.{_name_}", DISK)(_make(_kind))
