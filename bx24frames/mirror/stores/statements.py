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
LABEL_KEY: Final = ("portal", "dictionary", "code")
"""The key of `LABELS`, by which the views find captions."""

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


def make_views(session: DatabaseSession, spelling: Spelling, change: Change) -> None:
    """Create or renew ``TABLE_now`` and ``TABLE_labels``.

    The columns are in the order of the table, where new ones are the last: PostgreSQL replaces a view only by one that
    has further columns at its end.
    """
    name = change.table.name
    types = column_types(session, name)
    del types[DELETED]
    alive = f"t.{DELETED} IS NULL"
    table = f"{quoted(name)} t"
    _make_view(session, f"{name}_now", types, f"SELECT {listed_names([*types], 't.')} FROM {table} WHERE {alive}")
    if change.labels is None:
        return
    labels = {column: change.labels[column] for column in types if column in change.labels}
    worded = ", ".join(
        f"{_caption(f'l{place}', column)} AS {quoted(column)}" if column in labels else f"t.{quoted(column)}"
        for place, column in enumerate(types)
    )
    captions = [
        f"LEFT JOIN {LABELS} l{place} ON l{place}.portal = t.portal AND l{place}.dictionary = "
        f"{literal(labels[column])} AND l{place}.code = {_code(column)}"
        for place, column in enumerate(types)
        if column in labels
    ]
    query = f"SELECT {worded} FROM {' '.join([table, *captions])} WHERE {alive}"
    _make_view(session, labels_view(name), types | dict.fromkeys(labels, spelling.text), query)


def _make_view(session: DatabaseSession, name: str, types: Mapping[str, str], query: str) -> None:
    """Create or replace a view; one in which a column had another type is dropped first, as PostgreSQL wants it."""
    there = column_types(session, name)
    if any(types[column].lower() != kind.lower() for column, kind in there.items()):
        session.run(f"DROP VIEW {quoted(name)}")
    session.run(f"CREATE OR REPLACE VIEW {quoted(name)} AS {query}")


def column_types(session: DatabaseSession, table: str) -> dict[str, str]:
    """The columns of a table or view with their types, in order."""
    rows = session.run(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND table_name = ? ORDER BY ordinal_position",
        table,
    )
    return {str(name): str(kind) for name, kind in rows}


def _code(column: str) -> str:
    return f"CAST(t.{quoted(column)} AS VARCHAR)"


def _caption(labels: str, column: str) -> str:
    """The caption of a code, or its text where none is known."""
    return f"COALESCE({labels}.title, {_code(column)})"
