"""What conditions on a task's fields are called, and what becomes of them: its description tells neither.

Docs: tasks-task-list.md; tasks module: TaskFilterBuilder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bx24frames.entities.schema import Asking

CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "STATUS": ("REAL_STATUS", "STATUS"),
    "SUB_STATUS": ("STATUS",),
    "ACCOMPLICES": ("ACCOMPLICE",),
    "AUDITORS": ("AUDITOR",),
    "TAGS": ("TAG",),
}
"""What fields are called in conditions: one on STATUS is on `subStatus`, in which an overdue task has another status
than the one that is printed as `status`."""

ALONE: Final = frozenset({"MEMBER", "DOER", "DEPENDS_ON", "ONLY_ROOT_TASKS", "FAVORITE", "SPRINT_ID", "BACKLOG_ID"})
"""Names of conditions that a description may have no field of."""

PARTS: Final = frozenset({"TITLE", "GUID"})
"""Fields of which whatever holds the text is found, and with ``!`` whatever does not."""

ASKED: Final = frozenset({
    "ID", "PARENT_ID", "GROUP_ID", "STAGE_ID", "SPRINT_ID", "BACKLOG_ID", "PRIORITY", "MARK", "XML_ID", "SITE_ID",
    "CREATED_BY", "RESPONSIBLE_ID", "CHANGED_BY", "STATUS_CHANGED_BY", "DEPENDS_ON", "FORUM_TOPIC_ID",
    "FORKED_BY_TEMPLATE_ID", "TIME_ESTIMATE", "ADD_IN_REPORT", "ALLOW_TIME_TRACKING", "ALLOW_CHANGE_DEADLINE",
    "MATCH_WORK_TIME", "CREATED_DATE", "CHANGED_DATE", "CLOSED_DATE", "ACTIVITY_DATE", "DATE_START", "DEADLINE",
    "START_DATE_PLAN", "END_DATE_PLAN", "IS_MUTED", "IS_PINNED", "IS_PINNED_IN_GROUP",
    *CONDITIONS,
})  # fmt: skip
"""Fields that conditions can be put on, beside user fields."""


def asking(name: str) -> Asking:
    """What becomes of conditions on a field."""
    if name in PARTS:
        return Asking.PART
    return Asking.EXACT if name in ASKED or name.startswith("UF_") else Asking.NEVER
