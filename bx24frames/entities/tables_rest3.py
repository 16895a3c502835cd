"""The catalogue's tables of REST 3.0: tasks and the event log (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""

from __future__ import annotations

from typing import Final

from bx24frames.engine.messages import Call, Listing
from bx24frames.entities import static
from bx24frames.entities.schema import Dialect, Entity, Family, FieldsSource
from bx24frames.transport.address import API


def _listing(method: str, page_size: int) -> Listing:
    """Rows under ``items``, no total, no next; a page may be shorter than its limit, which is capped in silence."""
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


_TASK: Final = Entity(
    name="task.v3",
    title="Tasks (REST 3.0)",
    family=Family.OTHER,
    listing=_listing("tasks.task.list", 50),
    fields=FieldsSource(static=static.TASK_V3),
    get_method=f"{API}tasks.task.get",
    created="created",
    # `changed` is printed, and no condition can be put on it (docs: rest-v3/tasks/tasks-task-list.md)
    scope="tasks",
    dialect=Dialect.API_ID,
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
    dialect=Dialect.API,
)

ROWS: Final[tuple[Entity, ...]] = (_TASK, _EVENT_LOG)
"""The tables of REST 3.0, in the order they are shown."""
