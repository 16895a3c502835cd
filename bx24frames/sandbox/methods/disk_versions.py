"""Versions of files, storages as a whole, rights and attached files of the disk
(https://apidocs.bitrix24.com/api-reference/disk/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.disk import STORAGES
from bx24frames.sandbox.methods.disk_write import (
    DISK,
    FILE,
    absent,
    argument,
    change_object,
    content_of,
    keep,
    object_of,
    storage_of,
)
from bx24frames.sandbox.methods.plain import EXACT, View, by_code
from bx24frames.sandbox.methods.task_actions import ATTACHED
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import Row

_VERSIONS: Final = View("disk_version", by_code("disk_version"), by_code("disk_version"), "classic", EXACT,
                       prefixes=("%", "="))  # fmt: skip


def _version(row_id: Any, context: Context) -> Row:
    found = _VERSIONS.one(context, {"=ID": php_int(row_id)})
    if found is None:
        raise absent(row_id)
    return _addressed(found)


def _addressed(row: Row) -> Row:
    return row | {"DOWNLOAD_URL": f"https://example.com/rest/download.json?auth=secret&token=version{row['ID']}"}


def _renewed(row: Row, kept: Row, context: Context) -> Row:
    """Replace the content of a file; the previous one becomes a version."""
    number = (row["globalContentVersion"] or 1) + 1
    version = {"objectId": row["id"], "name": row["name"], "globalContentVersion": number, "size": kept["size"],
               "createTime": context.store.local_time(context.now), "createdBy": context.user_id,
               "fileId": kept["fileId"]}  # fmt: skip
    context.store.insert_row("disk_version", version)
    return change_object(row, {**kept, "globalContentVersion": number}, context) | {"GLOBAL_CONTENT_VERSION": number}


@method("disk.file.uploadversion", DISK)
def upload_version(params: Params, context: Context) -> Result:
    """Upload the content of a file, printed whole; without content, an address to upload to."""
    row = object_of(argument(params, 0, "id"), FILE, context)
    if "fileContent" not in params:
        address = f"https://example.com/rest/upload.json?token=disk{row['id']}"
        return Result({"field": "file", "uploadUrl": address})
    name, text = content_of(params["fileContent"])
    return Result(_renewed(row, keep(name or row["name"], text, context), context))


@method("disk.file.getversions", DISK)
def list_versions(params: Params, context: Context) -> Result:
    """The versions of a file, the newest first."""
    row = object_of(argument(params, 0, "id"), FILE, context)
    conditions = map_of(params.get("filter")) | {"=OBJECT_ID": row["id"]}
    found, window = _VERSIONS.page(context, conditions, map_of(params.get("order")) or {"ID": "DESC"})
    return Result([_addressed(one) for one in found], window.total, window.next)


@method("disk.file.restorefromversion", DISK)
def restore_version(params: Params, context: Context) -> Result:
    """Restore the content of a version of a file, as a new version."""
    row = object_of(argument(params, 0, "id"), FILE, context)
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
    """Rename the storage of an application; other storages cannot be renamed."""
    row = storage_of(params, context)
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
