"""Writing the disk: folders, files and their versions (https://apidocs.bitrix24.com/api-reference/disk/)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.disk import ITEMS, STORAGES, printed
from bx24frames.sandbox.methods.plain import EXACT, View, by_code
from bx24frames.sandbox.methods.task_actions import ATTACHED
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import php_int, php_text
from bx24frames.sandbox.shapes.write import values_of

Row = dict[str, Any]
FOLDER, FILE = "folder", "file"
LIVE, TRASHED = 0, 3
"""DELETED_TYPE of what lies in its place, and of what was thrown away by itself."""
NUMBERS: Final = ("ID", "REAL_OBJECT_ID", "DELETED_TYPE", "FILE_ID", "GLOBAL_CONTENT_VERSION")
"""Fields of an object just made that are printed as numbers."""
VERSIONS: Final = View("disk_version", by_code("disk_version"), by_code("disk_version"), "classic", EXACT,
                       prefixes=("%", "="))  # fmt: skip
DISK: Final = "disk"
TAKEN: Final = "DISK_OBJ_22000"


def absent(row_id: Any) -> MethodError:
    """No such object."""
    return MethodError("ERROR_NOT_FOUND", f"Could not find entity with id `{php_text(row_id)}`.", 400)


def argument(params: Params, place: int, *names: str) -> Any:
    """An argument of an action, by any of its names.

    Raises
    ------
    MethodError
        It was not sent.
    """
    for name in names:
        if name in params:
            return params[name]
    raise MethodError("ERROR_ARGUMENT", f"Invalid value of parameter {{Parameter #{place}}}")


def _object(row_id: Any, kind: str, context: Context) -> Row:
    row = context.store.row("disk_item", php_int(row_id))
    if row is None or row["type"] != kind:
        raise absent(row_id)
    return row


def _storage(params: Params, context: Context) -> Row:
    row_id = argument(params, 0, "id")
    row = context.store.row("storage", php_int(row_id))
    if row is None:
        raise absent(row_id)
    return row


def _shown(row_id: int, context: Context, *, fresh: bool = False) -> Row:
    found = ITEMS.one(context, {"=ID": row_id})
    if found is None:
        raise absent(row_id)
    row = printed(found)
    return {name: int(one) if fresh and name in NUMBERS and one is not None else one for name, one in row.items()}


def _sibling(parent: int, name: str, context: Context, besides: int = 0) -> bool:
    sql = "SELECT 1 FROM disk_item WHERE parentId = ? AND fold(name) = fold(?) AND deletedType = 0 AND id <> ?"
    return context.store.scalar(sql, (parent, name, besides)) is not None


def _name(parent: int, name: str, context: Context, *, unique: bool = False, kind: str = FILE, besides: int = 0) -> str:
    """A name that is free in a folder; a unique one is made where asked for."""
    if not name.strip():
        raise MethodError("ERROR_ARGUMENT", "Invalid value of parameter {NAME}")
    if not _sibling(parent, name, context, besides):
        return name
    if not unique:
        word = "Файл" if kind == FILE else "Папка"
        raise MethodError(TAKEN, f"{word} с таким именем уже есть")
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


def _change(row: Row, values: Row, context: Context) -> Row:
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
    return _object(_storage(params, context)["rootObjectId"], FOLDER, context)


def _parent(params: Params, context: Context) -> Row:
    return _object(argument(params, 0, "id"), FOLDER, context)


def _add_folder(params: Params, context: Context, parent: Row) -> Result:
    data = map_of(argument(params, 1, "data"))
    name = _name(parent["id"], php_text(data.get("NAME")), context, kind=FOLDER)
    row_id = _add(parent, FOLDER, name, context, code=data.get("CODE") or None)
    return Result(_shown(row_id, context, fresh=True))


def _content(value: Any) -> tuple[str, str]:
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


def _keep(name: str, text: str, context: Context) -> Row:
    return {"fileId": context.store.insert_row("file", {"name": name, "content": text}), "size": _size(text)}


def _upload(params: Params, context: Context, parent: Row) -> Result:
    data = map_of(params.get("data"))
    if "fileContent" not in params:
        address = f"https://example.com/rest/upload.json?token=disk{parent['id']}"
        return Result({"field": "file", "uploadUrl": address})
    given, text = _content(params["fileContent"])
    unique = params.get("generateUniqueName") not in (None, False, "", "0", 0, "N", "false")
    name = _name(parent["id"], php_text(data.get("NAME")) or given, context, unique=unique)
    kept = _keep(name, text, context)
    return Result(_shown(_add(parent, FILE, name, context, globalContentVersion=1, **kept), context, fresh=True))


@method("disk.folder.addsubfolder", DISK)
def add_subfolder(params: Params, context: Context) -> Result:
    """A new folder in a folder, printed whole."""
    return _add_folder(params, context, _parent(params, context))


@method("disk.storage.addfolder", DISK)
def add_folder(params: Params, context: Context) -> Result:
    """A new folder at the top of a storage, printed whole."""
    return _add_folder(params, context, _root(params, context))


@method("disk.folder.uploadfile", DISK)
def upload_to_folder(params: Params, context: Context) -> Result:
    """A new file in a folder; without content, an address to send it to."""
    return _upload(params, context, _parent(params, context))


@method("disk.storage.uploadfile", DISK)
def upload_to_storage(params: Params, context: Context) -> Result:
    """A new file at the top of a storage; without content, an address to send it to."""
    return _upload(params, context, _root(params, context))


# ---------------------------------------------------------------- what is done to both


def _rename(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = _object(argument(params, 0, "id"), kind, context)
        wanted = php_text(argument(params, 1, "newName"))
        name = _name(row["parentId"], wanted, context, kind=kind, besides=row["id"])
        return Result(_change(row, {"name": name}, context))

    return handle


def _trash(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = _object(argument(params, 0, "id"), kind, context)
        if not row["parentId"]:
            raise MethodError(TAKEN, "Нельзя удалить корневую папку")
        moment = context.store.local_time(context.now)
        gone = {"deletedType": TRASHED, "deleteTime": moment, "deletedBy": context.user_id}
        return Result(_change(row, gone, context) | {"DELETED_TYPE": TRASHED})

    return handle


def _restore(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = _object(argument(params, 0, "id"), kind, context)
        back = {"deletedType": LIVE, "deleteTime": None, "deletedBy": 0}
        return Result(_change(row, back, context) | {"DELETED_TYPE": LIVE})

    return handle


def _target(params: Params, context: Context) -> Row:
    return _object(argument(params, 1, "targetFolderId", "toFolderId"), FOLDER, context)


def _move(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, target = _object(argument(params, 0, "id"), kind, context), _target(params, context)
        elsewhere = row["storageId"] != target["storageId"]
        if elsewhere and kind == FOLDER and context.has("folder_keeps_its_drive"):
            return Result(value=False)
        name = _name(target["id"], row["name"], context, kind=kind, besides=row["id"])
        if elsewhere:
            for one in _inside(row["id"], context):
                context.store.update_row("disk_item", one["id"], {"storageId": target["storageId"]})
        changed = {"parentId": target["id"], "storageId": target["storageId"], "name": name}
        return Result(_change(row, changed, context) | {"PARENT_ID": target["id"]})

    return handle


def _copied(row: Row, target: Row, context: Context) -> int:
    kept = {name: row[name] for name in ("code", "fileId", "size") if row[name] is not None}
    version = {"globalContentVersion": 1} if row["type"] == FILE else {}
    row_id = _add(target, row["type"], row["name"], context, **kept, **version)
    if row["type"] == FOLDER:
        copy = _object(row_id, FOLDER, context)
        children = context.store.query("SELECT id FROM disk_item WHERE parentId = ? AND id <> ?", (row["id"], row_id))
        for (number,) in children:
            _copied(context.store.row("disk_item", number) or {}, copy, context)
    return row_id


def _copy(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, target = _object(argument(params, 0, "id"), kind, context), _target(params, context)
        _name(target["id"], row["name"], context, kind=kind)
        return Result(_shown(_copied(row, target, context), context, fresh=True))

    return handle


def _link(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = _object(argument(params, 0, "id"), kind, context)
        return Result(f"https://example.com/~{row['id']:05x}")

    return handle


def _share(kind: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        _object(argument(params, 0, "id"), kind, context)
        if context.store.row("user", php_int(argument(params, 1, "userId"))) is None:
            raise absent(params["userId"])
        context.writes += 1
        return Result(value=True)

    return handle


@method("disk.folder.deletetree", DISK)
def delete_tree(params: Params, context: Context) -> Result:
    """Delete a folder for good, with everything in it."""
    row = _object(argument(params, 0, "id"), FOLDER, context)
    if not row["parentId"]:
        raise MethodError(TAKEN, "Нельзя удалить корневую папку")
    for one in [*_inside(row["id"], context), row]:
        _drop(one, context)
    return Result(value=True)


@method("disk.file.delete", DISK)
def delete_file(params: Params, context: Context) -> Result:
    """Delete a file for good."""
    _drop(_object(argument(params, 0, "id"), FILE, context), context)
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


# ---------------------------------------------------------------- versions


def _version(row_id: Any, context: Context) -> Row:
    found = VERSIONS.one(context, {"=ID": php_int(row_id)})
    if found is None:
        raise absent(row_id)
    return _addressed(found)


def _addressed(row: Row) -> Row:
    return row | {"DOWNLOAD_URL": f"https://example.com/rest/download.json?auth=secret&token=version{row['ID']}"}


def _renewed(row: Row, kept: Row, context: Context) -> Row:
    """A file with a new content; what it had becomes a version."""
    number = (row["globalContentVersion"] or 1) + 1
    version = {"objectId": row["id"], "name": row["name"], "globalContentVersion": number, "size": kept["size"],
               "createTime": context.store.local_time(context.now), "createdBy": context.user_id,
               "fileId": kept["fileId"]}  # fmt: skip
    context.store.insert_row("disk_version", version)
    return _change(row, {**kept, "globalContentVersion": number}, context) | {"GLOBAL_CONTENT_VERSION": number}


@method("disk.file.uploadversion", DISK)
def upload_version(params: Params, context: Context) -> Result:
    """A new content of a file, printed whole; without content, an address to send it to."""
    row = _object(argument(params, 0, "id"), FILE, context)
    if "fileContent" not in params:
        address = f"https://example.com/rest/upload.json?token=disk{row['id']}"
        return Result({"field": "file", "uploadUrl": address})
    name, text = _content(params["fileContent"])
    return Result(_renewed(row, _keep(name or row["name"], text, context), context))


@method("disk.file.getversions", DISK)
def list_versions(params: Params, context: Context) -> Result:
    """The versions of a file, the newest first."""
    row = _object(argument(params, 0, "id"), FILE, context)
    conditions = map_of(params.get("filter")) | {"=OBJECT_ID": row["id"]}
    found, window = VERSIONS.page(context, conditions, map_of(params.get("order")) or {"ID": "DESC"})
    return Result([_addressed(one) for one in found], window.total, window.next)


@method("disk.file.restorefromversion", DISK)
def restore_version(params: Params, context: Context) -> Result:
    """Give a file the content of one of its versions, as a new one."""
    row = _object(argument(params, 0, "id"), FILE, context)
    version = context.store.row("disk_version", php_int(argument(params, 1, "versionId")))
    if version is None or version["objectId"] != row["id"]:
        raise absent(params["versionId"])
    return Result(_renewed(row, {"fileId": version["fileId"], "size": version["size"]}, context))


@method("disk.version.get", DISK)
def get_version(params: Params, context: Context) -> Result:
    """One version."""
    return Result(_version(argument(params, 0, "id"), context))


# ---------------------------------------------------------------- storages and the rest

SYSTEM_STORAGES: Final = ("user", "common", "group")


@method("disk.storage.rename", DISK)
def rename_storage(params: Params, context: Context) -> Result:
    """Rename the storage of an application; the others keep their names."""
    row = _storage(params, context)
    if row["entityType"] in SYSTEM_STORAGES:
        raise MethodError("ACCESS_DENIED", "Access denied (invalid type of storage)", 403)
    context.store.update_row("storage", row["id"], {"name": php_text(argument(params, 1, "newName"))})
    return Result(STORAGES.one(context, {"=ID": row["id"]}))


@method("disk.storage.gettypes", DISK)
def list_storage_types(_: Params, __: Context) -> Result:
    """The kinds of storages."""
    return Result(list(SYSTEM_STORAGES))


@method("disk.storage.getforapp", DISK)
def get_app_storage(_: Params, __: Context) -> Result:
    """The storage of the calling application, which a webhook is not."""
    raise MethodError("ACCESS_DENIED", "Access denied! Application context required", 403)


@method("disk.rights.gettasks", DISK)
def list_rights(_: Params, __: Context) -> Result:
    """The rights that can be given to folders and files."""
    rights = ((79, "full", "Полный доступ"), (75, "edit", "Редактирование"), (71, "read", "Чтение"))
    return Result([{"ID": str(one), "NAME": f"disk_access_{name}", "TITLE": title} for one, name, title in rights])


@method("disk.attachedobject.get", DISK)
def get_attached(params: Params, context: Context) -> Result:
    """A file attached to a row of some table."""
    row_id = php_int(argument(params, 0, "id"))
    row = ATTACHED.row(context.store, row_id)
    file = context.store.row("disk_item", int(row["OBJECT_ID"])) if row else None
    if row is None or file is None:
        raise absent(row_id)
    address = (
        f"https://example.com/bitrix/tools/disk/uf.php?attachedId={row_id}&auth[auth]=secret&action=download&ncc=1"
    )
    created = f"{row['CREATE_TIME']}{context.store.server_zone}"
    more = {"CREATE_TIME": created, "DOWNLOAD_URL": address, "NAME": file["name"], "SIZE": str(file["size"])}
    return Result(row | more)
