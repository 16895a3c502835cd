"""Catalogue of the REST 3.0 entities (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging
from bx24frames.entities.catalog import static_rest3 as static
from bx24frames.entities.schema import Argument, Entity, Family, Field, FieldsSource
from bx24frames.transport.address import API


def _listing(method: str, page_size: int) -> Listing:
    """Rows under ``items``, no total, no next; pages may be shorter than the limit, which is silently capped."""
    return Listing(
        Call(f"{API}{method}", {"pagination": {"limit": page_size}}, direct=True),
        rows_path=("items",),
        id_key="id",
        id_filter="id",
        order=({"order": {"id": "ASC"}}, {"order": {"id": "DESC"}}),
        page_size=page_size,
        upward=True,
        short_page_ends=False,
        select_ids={"select": ["id"]},
        counted=False,
    )


def _own(method: str, params: Mapping[str, JSON]) -> Listing:
    """A list whose answers say what the next page is."""
    call = Call(f"{API}{method}", params, direct=True)
    return replace(_listing(method, 50), call=call, id_filter="", paging=Paging.OWN, select_ids={})


_TASK: Final = Entity(
    name="task.v3",
    title="Tasks (REST 3.0)",
    family=Family.OTHER,
    listing=_listing("tasks.task.list", 50),
    fields=FieldsSource(static=static.TASK_V3),
    get_method=f"{API}tasks.task.get",
    created="created",
    # `changed` is returned, but cannot be filtered by (docs: rest-v3/tasks/tasks-task-list.md)
    scope="tasks",
    unwritten="write its tasks as task",
)

_EVENT_LOG: Final = Entity(
    name="event_log",
    title="Event log",
    family=Family.OTHER,
    listing=_listing("main.eventlog.list", 1000),
    fields=FieldsSource(static=static.EVENT_LOG),
    get_method=f"{API}main.eventlog.get",
    created="timestampX",
    modified="timestampX",  # an entry is never changed
    scope="main",
)

_TIME_RECORD: Final = Entity(
    name="time_record",
    title="Working time records of an employee",
    family=Family.OTHER,
    # only conditions on userId, which is required, and startTime (docs: rest-v3/timeman/timeman-record-list.md)
    listing=replace(_listing("timeman.record.list", 50), paging=Paging.OFFSET),
    fields=FieldsSource(static=static.TIME_RECORD),
    created="startTime",
    scope="timeman",
    arguments=(Argument("userId", ("filter", "userId"), "user", aliases=("ownerId",)),),
)


_TASK_RESULT: Final = Entity(
    name="task_result",
    title="Results of a task",
    family=Family.OTHER,
    listing=_listing("tasks.task.result.list", 50),
    fields=FieldsSource(static=static.TASK_RESULT),
    created="createdAt",
    # `updatedAt` cannot be filtered by (docs: rest-v3/tasks/result/tasks-task-result-list.md)
    scope="tasks",
    arguments=(Argument("taskId", ("filter", "taskId"), "crm_entity", aliases=("ownerId",)),),
)


def _unordered(name: str, title: str, method: str, scope: str, fields: tuple[Field, ...]) -> Entity:
    """A list without conditions, order or select; 50 rows per page is within every method's limit."""
    return Entity(
        name=name,
        title=title,
        family=Family.OTHER,
        listing=replace(_listing(method, 50), id_filter="", paging=Paging.OFFSET, select_ids={}),
        fields=FieldsSource(static=fields),
        scope=scope,
        select=None,
    )


_NODE: Final = replace(
    _unordered(
        "department.v3",
        "Departments or teams (REST 3.0)",
        "humanresources.node.list",
        "humanresources",
        static.STRUCTURE_NODE,
    ),
    created="createdAt",
    select="select",
    unwritten="write its departments as department",
    arguments=(Argument("type", ("type",), "string", default="DEPARTMENT"),),
)

_MAILBOX: Final = _unordered("mailbox", "Mailboxes of the user", "mail.mailbox.list", "mail", static.MAILBOX)

_MAIL_MESSAGE: Final = _unordered(
    "mail_message", "E-mails of the user", "mail.message.list", "mail", static.MAIL_MESSAGE
)

_KNOWLEDGE_BASE: Final = Entity(
    name="knowledge_base",
    title="Knowledge bases",
    family=Family.OTHER,
    # at most 200 rows per page (docs: rest-v3/note/collection/note-collection-list.md)
    listing=_own("note.collection.list", {"pagination": {"limit": 200}}),
    fields=FieldsSource(static=static.KNOWLEDGE_BASE),
    created="createdAt",
    scope="note",
    select=None,
)

_NOTE: Final = Entity(
    name="note",
    title="Documents of a knowledge base",
    family=Family.OTHER,
    # the whole tree at once, without archived documents (docs: rest-v3/note/document/note-document-tree-list.md)
    listing=_own("note.document.tree.list", {}),
    fields=FieldsSource(static=static.NOTE),
    scope="note",
    select=None,
    arguments=(Argument("collectionId", ("collectionId",), "crm_entity", aliases=("ownerId",)),),
)

_CALL_FOLLOWUP: Final = Entity(
    name="call_followup",
    title="Follow-ups of calls",
    family=Family.OTHER,
    # a period is required; 200 rows per page, 20 if a long text is selected (docs: call-followup-list.md)
    listing=replace(
        _own(
            "call.followup.list",
            {
                "filter": {"from startDate": "2000-01-01T00:00:00Z", "to startDate": "2100-01-01T00:00:00Z"},
                "order": {"startDate": "asc"},
                "pagination": {"limit": 200},
            },
        ),
        id_key="callId",
    ),
    fields=FieldsSource(static=static.CALL_FOLLOWUP),
    get_method=f"{API}call.followup.get",
    created="startDate",
    scope="call",
)

REST3_ROWS: Final[tuple[Entity, ...]] = (
    _TASK,
    _TASK_RESULT,
    _EVENT_LOG,
    _TIME_RECORD,
    _NODE,
    _MAILBOX,
    _MAIL_MESSAGE,
    _KNOWLEDGE_BASE,
    _NOTE,
    _CALL_FOLLOWUP,
)
"""The REST 3.0 entities, in display order."""
