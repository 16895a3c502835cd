"""Conditions on task fields: their names, and how the portal treats them; the description gives neither.

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
"""Names of fields in conditions: a condition on STATUS filters by `subStatus`, in which an overdue task has another
status than the one returned as `status`."""

ALONE: Final = frozenset({"MEMBER", "DOER", "DEPENDS_ON", "ONLY_ROOT_TASKS", "FAVORITE", "SPRINT_ID", "BACKLOG_ID"})
"""Names of conditions for which the description may have no field."""

PARTS: Final = frozenset({"TITLE", "GUID"})
"""Fields for which a condition matches rows that contain the text, and with ``!`` rows that do not."""

ASKED: Final = frozenset({
    "ID", "PARENT_ID", "GROUP_ID", "STAGE_ID", "SPRINT_ID", "BACKLOG_ID", "PRIORITY", "MARK", "XML_ID", "SITE_ID",
    "CREATED_BY", "RESPONSIBLE_ID", "CHANGED_BY", "STATUS_CHANGED_BY", "DEPENDS_ON", "FORUM_TOPIC_ID",
    "FORKED_BY_TEMPLATE_ID", "TIME_ESTIMATE", "ADD_IN_REPORT", "ALLOW_TIME_TRACKING", "ALLOW_CHANGE_DEADLINE",
    "MATCH_WORK_TIME", "CREATED_DATE", "CHANGED_DATE", "CLOSED_DATE", "ACTIVITY_DATE", "DATE_START", "DEADLINE",
    "START_DATE_PLAN", "END_DATE_PLAN", "IS_MUTED", "IS_PINNED", "IS_PINNED_IN_GROUP",
    *CONDITIONS,
})  # fmt: skip
"""Fields that can be filtered by, besides user fields."""


def asking(name: str) -> Asking:
    """How the portal treats conditions on a field."""
    if name in PARTS:
        return Asking.PART
    return Asking.EXACT if name in ASKED or name.startswith("UF_") else Asking.NEVER
