"""Views of a mirrored table: the alive rows, and the same with captions in place of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.mirror.state import DELETED
from bx24frames.mirror.stores.statements import LABELS, Session, literal, quoted

if TYPE_CHECKING:
    from bx24frames.mirror.state import Change


def labels_view(table: str) -> str:
    """The view of a table with captions."""
    return f"{table}_labels"


def make_views(session: Session, change: Change) -> None:
    """Create or renew ``TABLE_now`` and ``TABLE_labels``.

    The columns are in the order of the table, where new ones are the last: PostgreSQL replaces a view only by one that
    has further columns at its end.
    """
    name = change.table.name
    rows = session.run(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ? "
        "ORDER BY ordinal_position",
        name,
    )
    columns = [str(row[0]) for row in rows if row[0] != DELETED]
    alive = f"FROM {quoted(name)} t WHERE t.{DELETED} IS NULL"
    plain = ", ".join(f"t.{quoted(column)}" for column in columns)
    session.run(f"CREATE OR REPLACE VIEW {quoted(f'{name}_now')} AS SELECT {plain} {alive}")
    if change.labels is not None:
        labels = change.labels
        worded = ", ".join(
            f"{_caption(labels[column], column)} AS {quoted(column)}" if column in labels else f"t.{quoted(column)}"
            for column in columns
        )
        session.run(f"CREATE OR REPLACE VIEW {quoted(labels_view(name))} AS SELECT {worded} {alive}")


def _caption(dictionary: str, column: str) -> str:
    """The caption of a code, or its text where none is known."""
    code = f"CAST(t.{quoted(column)} AS VARCHAR)"
    known = (
        f"SELECT min(l.title) FROM {LABELS} l WHERE l.portal = t.portal AND l.dictionary = {literal(dictionary)} "
        f"AND l.code = {code}"
    )
    return f"COALESCE(({known}), {code})"
