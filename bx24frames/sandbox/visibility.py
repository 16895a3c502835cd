"""Visible rows: which rows of a table the caller sees at this moment.

Lists, counts and `get` leave out what a role does not read; `add`, `update` and `import` do not ask for it, since the
rights to read, add and change are granted apart (crm module: lib/security).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.sandbox.filters.base import Fragment, all_of
from bx24frames.sandbox.registry import MethodError

if TYPE_CHECKING:
    from bx24frames.sandbox.registry import Context
    from bx24frames.sandbox.store.tables import EntityType

CLASSIC_DENIED: Final = MethodError("", "Access denied.")
ITEM_DENIED: Final = MethodError("ACCESS_DENIED", "Доступ запрещен")


def visible(entity: EntityType, context: Context) -> list[Fragment]:
    """The conditions of the rows, as ``t``, that the caller sees at this moment."""
    shown = [_committed(entity, context), *_permitted(entity, context)]
    return [part for part in shown if part.sql]


def of_visible(entity: EntityType, context: Context) -> list[Fragment]:
    """The condition of rows, as ``t``, whose owner (`ownerId`) the caller sees."""
    shown = visible(entity, context)
    if not shown:
        return []
    both = all_of(shown)
    return [Fragment(f't."ownerId" IN (SELECT t.id FROM "{entity.name}" t WHERE {both.sql})', both.params)]  # noqa: S608


def check_readable(entity: EntityType, row_id: int, context: Context, denied: MethodError) -> None:
    """Raise `denied` if the caller's role does not read an existing row.

    Raises
    ------
    MethodError
        `denied`
    """
    parts = _permitted(entity, context)
    if not parts or context.store.row(entity.name, row_id) is None:
        return
    where = " AND ".join(["t.id = ?", *(part.sql for part in parts)])
    params = (row_id, *(value for part in parts for value in part.params))
    if not context.store.scalar(f'SELECT count(*) FROM "{entity.name}" t WHERE {where}', params):  # noqa: S608
        raise denied


def _permitted(entity: EntityType, context: Context) -> list[Fragment]:
    role = context.store.roles.get(context.user_id)
    if role is None:
        return []
    parts = []
    reads = role.of(entity.name)
    if reads == "none":
        parts.append(Fragment("0"))
    if reads == "own":
        parts.append(Fragment("t.assignedById = ?", (context.user_id,)))
    hidden = role.hidden_categories.get(entity.name, ())
    if hidden and "categoryId" in entity.table.columns:
        parts.append(Fragment(f"coalesce(t.categoryId, 0) NOT IN ({', '.join('?' * len(hidden))})", tuple(hidden)))
    return parts


def uncommitted(entity: EntityType, context: Context) -> Mapping[int, float]:
    """The rows that no reader sees yet: their transaction is open, or the replica lags behind."""
    waiting = context.store.appearing.get(entity.name, {})
    for row_id in [row_id for row_id, at in waiting.items() if at <= context.now]:
        del waiting[row_id]
    return waiting


def _committed(entity: EntityType, context: Context) -> Fragment:
    waiting = uncommitted(entity, context)
    return Fragment(f"t.id NOT IN ({', '.join(map(str, waiting))})") if waiting else Fragment("")
