"""Catalogue of the entities outside the CRM: people, tasks, calls, lists, workgroups, disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging
from bx24frames.entities import tasks
from bx24frames.entities.catalog import static
from bx24frames.entities.catalog.listings import DOWN, UP, controller
from bx24frames.entities.schema import Argument, Entity, Family, Field, FieldsSource, Shape, WriteMethods

SEES_ALL: Final[Mapping[str, Mapping[str, JSON]]] = {
    "user.get": {"ADMIN_MODE": "Y"},
    "sonet_group.get": {"IS_ADMIN": "Y"},
    "socialnetwork.api.workgroup.list": {"params": {"IS_ADMIN": "Y"}},
}
"""The parameter that shows hidden rows to an administrator and is ignored for other users: people without a department
(rest module: lib/api/user.php), secret groups (socialnetwork module: classes/general/rest.php,
lib/controller/workgroup.php).
"""

_USER: Final = Entity(
    name="user",
    title="Users",
    family=Family.OTHER,
    listing=Listing(Call("user.get", SEES_ALL["user.get"]), filter_path=("FILTER",), order_path=(), order=(UP, DOWN)),
    fields=FieldsSource("user.fields", static=static.USER, shape=Shape.CAPTIONS),
    writes=WriteMethods("user.add", "user.update", id_param="ID", fields_param=None),
    created="DATE_REGISTER",  # TIMESTAMP_X is returned as an empty object
    scope="user",
    select=None,
    sparse=True,
)

_DEPARTMENT: Final = Entity(
    name="department",
    title="Departments",
    family=Family.OTHER,
    # conditions are equalities among the other parameters: no keyset (docs: department-get.md)
    listing=Listing(
        Call("department.get", {}), filter_path=(), order_path=(), order=(UP, DOWN), paging=Paging.OFFSET, wraps=True
    ),
    fields=FieldsSource("department.fields", static=static.DEPARTMENT, shape=Shape.CAPTIONS),
    writes=WriteMethods(
        "department.add", "department.update", "department.delete", id_param="ID", fields_param=None
    ),
    scope="department",
    select=None,
)  # fmt: skip

_TASK: Final = Entity(
    name="task",
    title="Tasks",
    family=Family.OTHER,
    # ids are requested as ID and returned as id (docs: tasks-task-list.md)
    listing=Listing(
        Call("tasks.task.list", {}),
        rows_path=("tasks",),
        id_key="id",
        short_page_ends=False,
        select_ids={"select": ["ID"]},
    ),
    fields=FieldsSource(
        "tasks.task.getFields",
        path=("fields",),
        static=static.TASK,
        shape=Shape.TASK,
        extra=static.TASK_MORE,
        beside=static.TASK_BESIDE,
    ),
    writes=WriteMethods(
        "tasks.task.add", "tasks.task.update", "tasks.task.delete", id_param="taskId", id_path=("task", "id")
    ),
    get_method="tasks.task.get",
    created="createdDate",
    modified="changedDate",
    stamped=("activityDate", "changedBy", "statusChangedDate", "statusChangedBy"),
    scope="task",
    conditions=tasks.ALONE,
)

_TASK_TIME: Final = Entity(
    name="task_time",
    title="Time spent on tasks",
    family=Family.OTHER,
    # arguments are matched by order, and an empty one would be lost in transit; with the order first, the task is left
    # out and all tasks are returned; `start` is ignored (tasks module: classes/general/elapseditem.php)
    listing=Listing(
        Call(
            "task.elapseditem.getlist",
            {
                "ORDER": {"ID": "ASC"},
                "FILTER": {">ID": 0},
                "SELECT": ["*"],
                "PARAMS": {"NAV_PARAMS": {"nPageSize": 50, "iNumPage": 1}},
            },
        ),
        filter_path=("FILTER",),
        order_path=("ORDER",),
        page_path=("PARAMS", "NAV_PARAMS", "iNumPage"),
        select_ids={"SELECT": ["ID"]},
    ),
    fields=FieldsSource(static=static.ELAPSED),
    created="CREATED_DATE",
    scope="task",
    select="SELECT",
    names=("elapsed_time",),
    unwritten="the methods of task.elapseditem need the task as well as the id, and take arguments by order",
)

_CALL: Final = Entity(
    name="call",
    title="Calls",
    family=Family.OTHER,
    listing=Listing(
        Call("voximplant.statistic.get", {}),
        filter_path=("FILTER",),
        order_path=(),
        order=({"SORT": "ID", "ORDER": "ASC"}, {"SORT": "ID", "ORDER": "DESC"}),
    ),
    fields=FieldsSource(static=static.CALL),
    created="CALL_START_DATE",
    modified="CALL_START_DATE",  # a call is recorded when it has ended
    scope="telephony",
    select=None,
)

_LIST_TYPE: Final = Argument("IBLOCK_TYPE_ID", ("IBLOCK_TYPE_ID",), "string", default="lists")
_LIST_ID: Final = Argument(
    "IBLOCK_ID", ("IBLOCK_ID",), aliases=("iblockId", "ownerId"), described=("IBLOCK_ID",)
)  # fmt: skip

_LIST: Final = Entity(
    name="list",
    title="Lists",
    family=Family.OTHER,
    # the only documented condition is the list's id (docs: lists-get.md)
    listing=Listing(Call("lists.get", {}), order_path=("IBLOCK_ORDER",), paging=Paging.OFFSET, wraps=True),
    fields=FieldsSource(static=static.LIST),
    scope="lists",
    select=None,
    arguments=(_LIST_TYPE,),
    floating=True,
    unwritten="lists.add creates a list, and lists.delete drops one with all its elements",
)

_LIST_ELEMENT: Final = Entity(
    name="list_element",
    title="Elements of a list",
    family=Family.OTHER,
    listing=Listing(
        Call("lists.element.get", {}), filter_path=("FILTER",), order_path=("ELEMENT_ORDER",), wraps=True
    ),
    fields=FieldsSource(
        "lists.field.get",
        {"IBLOCK_TYPE_ID": "lists"}, static=static.LIST_ELEMENT, extra=static.LIST_ELEMENT, shape=Shape.LIST
    ),
    created="DATE_CREATE",
    modified="TIMESTAMP_X",
    scope="lists",
    select=None,
    floating=True,
    unwritten="lists.element.update clears every field and property that is not sent",
    arguments=(_LIST_ID, Argument(
        _LIST_TYPE.name, _LIST_TYPE.path, _LIST_TYPE.type, described=("IBLOCK_TYPE_ID",), default="lists"
    )),
)  # fmt: skip

_WORKGROUP: Final = Entity(
    name="workgroup",
    title="Workgroups and projects",
    family=Family.OTHER,
    # `total` of socialnetwork.api.workgroup.list counts only the page; sonet_group.get needs no total and has ids
    listing=Listing(
        Call("sonet_group.get", SEES_ALL["sonet_group.get"]), filter_path=("FILTER",), order_path=("ORDER",), wraps=True
    ),
    fields=FieldsSource(static=static.WORKGROUP),
    writes=WriteMethods(
        "sonet_group.create", "sonet_group.update", "sonet_group.delete", id_param="GROUP_ID", fields_param=None
    ),
    created="DATE_CREATE",
    modified="DATE_UPDATE",
    scope="sonet_group",
    select=None,
    names=("group", "sonet_group"),
)  # fmt: skip


def _disk(name: str, title: str, method: str, static_fields: tuple[Field, ...], *arguments: Argument) -> Entity:
    """A list of the disk: exact offsets, equality conditions only (docs: disk-storage-getlist.md,
    disk-folder-getchildren.md).
    """
    timed = "CREATE_TIME" if any(field.code == "CREATE_TIME" for field in static_fields) else None
    return Entity(
        name=name,
        title=title,
        family=Family.OTHER,
        listing=Listing(Call(method, {}), paging=Paging.OFFSET),
        fields=FieldsSource(static=static_fields),
        created=timed,
        modified="UPDATE_TIME" if timed else None,
        scope="disk",
        select=None,
        sparse=True,
        arguments=arguments,
        unwritten="files are uploaded by disk.folder.uploadfile, and no method updates a file as a row",
    )


_SITE_GROUP: Final = Entity(
    name="api_workgroup",
    title="Workgroups (socialnetwork.api)",
    family=Family.OTHER,
    # its total is that of the page (a recorded answer has total 50, next 50)
    listing=replace(
        controller("socialnetwork.api.workgroup.list", "workgroups", more=SEES_ALL["socialnetwork.api.workgroup.list"]),
        id_filter="ID",
        select_ids={"select": ["ID"]},
        counted=False,
    ),
    fields=FieldsSource(static=static.API_WORKGROUP),
    created="dateCreate",
    modified="dateUpdate",
    scope="socialnetwork",
    unwritten="write its groups as workgroup",
)

PORTAL_ROWS: Final[tuple[Entity, ...]] = (
    _USER,
    _DEPARTMENT,
    _TASK,
    _TASK_TIME,
    _CALL,
    _LIST,
    _LIST_ELEMENT,
    _WORKGROUP,
    _SITE_GROUP,
    replace(
        _disk("disk_storage", "Storages of the disk", "disk.storage.getlist", static.DISK_STORAGE),
        names=("disk", "storage"),
    ),
    _disk(
        "disk_item",
        "Files and folders in a folder of the disk",
        "disk.folder.getchildren",
        static.DISK_ITEM,
        Argument("PARENT_ID", ("id",), "crm_entity", aliases=("folderId", "ownerId")),
    ),
    _disk(
        "disk_root_item",
        "Files and folders at the top of a storage of the disk",
        "disk.storage.getchildren",
        static.DISK_ITEM,
        Argument("STORAGE_ID", ("id",), "crm_entity", aliases=("storageId", "ownerId")),
    ),
)
"""The entities outside the CRM, in display order."""
