"""SQL of a mirror: names, control tables, views, and what a database has to offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from bx24frames.mirror.state import DELETED

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.mirror.state import Batches, Change

META: Final = "_sync_meta"
STATE: Final = "_sync_state"
COLUMNS: Final = "_sync_columns"
LOG: Final = "_sync_log"
LABELS: Final = "_sync_labels"
OURS: Final = "bx24frames mirror"
CONTROL: Final[Mapping[str, str]] = {
    META: "name {text} NOT NULL, value {text}",
    STATE: (
        "portal {text} NOT NULL, entity {text} NOT NULL, mark {time} NOT NULL, max_id BIGINT, schema_hash {text}, "
        "form {text}, reread_upto BIGINT, reread_ended {time}"
    ),
    COLUMNS: (
        'portal {text} NOT NULL, entity {text} NOT NULL, position BIGINT, code {text}, "column" {text}, title {text}, '
        "type {text}, first_seen {time}, gone_at {time}"
    ),
    LOG: (
        "portal {text} NOT NULL, entity {text} NOT NULL, mark {time}, rows_read BIGINT, inserted BIGINT, "
        "updated BIGINT, deleted BIGINT, drift {text}, requests BIGINT, seconds DOUBLE PRECISION"
    ),
    LABELS: "portal {text} NOT NULL, dictionary {text} NOT NULL, code {text}, title {text}",
}
"""The control tables, and their columns."""

TypeOf: TypeAlias = "Callable[[pa.DataType], str]"


class DatabaseSession(Protocol):
    """An open connection of one database."""

    def run(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Run a statement with ``?`` for values; gives its rows, none for a statement without."""
        ...

    def load(self, name: str, schema: pa.Schema, batches: Batches) -> None:
        """Put rows into a temporary table."""
        ...

    def append(self, target: str, schema: pa.Schema, batches: Batches, constants: Mapping[str, object]) -> int:
        """Append rows to a table, with constants in further columns, without a temporary table; gives their number."""
        ...


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a database spells what differs between databases.

    `text`, `time`: types. `type_of`: the type of a column. `key_clause`: whether mirrored tables get a primary key.
    """

    text: str
    time: str
    type_of: TypeOf
    key_clause: bool


def quoted(name: str) -> str:
    """An identifier in quotes.

    Examples
    --------
    >>> quoted("stageId")
    '"stageId"'
    """
    return '"' + name.replace('"', '""') + '"'


def listed_names(names: Sequence[str], prefix: str = "") -> str:
    """Identifiers with commas between them.

    Examples
    --------
    >>> listed_names(["a", "b"], "t.")
    't."a", t."b"'
    """
    return ", ".join(prefix + quoted(name) for name in names)


def literal(text: str) -> str:
    """A text in quotes, for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def labels_view(table: str) -> str:
    """The view of a table with captions."""
    return f"{table}_labels"


def make_views(session: DatabaseSession, change: Change) -> None:
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
