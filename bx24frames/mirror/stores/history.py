"""History of a mirrored table: what the kept columns of a row were, each version with the time it was valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bx24frames.mirror.stores.statements import DatabaseSession, Spelling, column_types, listed_names, quoted
from bx24frames.mirror.type_names import TEXTS
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    from bx24frames.mirror.state import Change

_VERSIONS: Final = "_versions"


def history_name(table: str) -> str:
    """The table that holds the versions of another."""
    return f"{table}_history"


def kept_columns(change: Change) -> list[str]:
    """The columns whose versions are kept, among those that the table has."""
    names = [name for name in change.schema.names if name not in change.table.key]
    if change.history == "rows" or change.history is None:
        return names
    return [name for name in names if name in change.history]


def prepare_history(session: DatabaseSession, spelling: Spelling, change: Change, tables: frozenset[str]) -> None:
    """Create the table of versions, or its new columns; rows that are in the mirror already get their first version."""
    name = history_name(change.table.name)
    kept = kept_columns(change)
    types = {field.name: spelling.type_of(field.type) for field in change.schema}
    if name in tables:
        there = column_types(session, name)
        for column in kept:
            if column not in there:
                session.run(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {types[column]}")
        return
    columns = [f"{PORTAL} {spelling.text} NOT NULL"]
    columns += [f"{quoted(column)} {types[column]}" for column in (*change.table.key, *kept)]
    columns += [f"valid_from {spelling.time}", f"valid_to {spelling.time}"]
    session.run(f"CREATE TABLE {quoted(name)} ({', '.join(columns)})")
    if spelling.key_clause:
        session.run(f"CREATE INDEX ON {quoted(name)} ({listed_names([PORTAL, *change.table.key])})")


def seed_history(session: DatabaseSession, change: Change) -> None:
    """Give the alive rows without a version their first one."""
    name, table = quoted(history_name(change.table.name)), quoted(change.table.name)
    columns = [*change.table.key, *kept_columns(change)]
    began = _began(change, "t")
    session.run(
        f"INSERT INTO {name} (portal, {listed_names(columns)}, valid_from) "
        f"SELECT t.portal, {listed_names(columns, 't.')}, {began} "
        f"FROM {table} t WHERE t.portal = ? AND t._deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM {name} h WHERE "
        f"h.portal = t.portal AND {_same(change, 'h', 't')})",
        *_times(change, began),
        change.portal,
    )


def keep_versions(session: DatabaseSession, change: Change, rows: str) -> None:
    """Close the open versions that the rows of a temporary table differ from, and open new ones.

    A version is valid from the row's modified time; from the mark where it has none, or one that is older than the
    version before: what was between two runs is not known.
    """
    name = quoted(history_name(change.table.name))
    kept = kept_columns(change)
    columns = [*change.table.key, *kept]
    began = _began(change, "i")
    differs = " OR ".join(f"h.{quoted(column)} IS DISTINCT FROM i.{quoted(column)}" for column in kept) or "FALSE"
    last = (
        f"(SELECT max(COALESCE(p.valid_to, p.valid_from)) FROM {name} p WHERE p.portal = ? "
        f"AND {_same(change, 'p', 'i')})"
    )
    session.run(
        f"CREATE TEMPORARY TABLE {_VERSIONS} AS "
        f"SELECT {listed_names(columns, 'i.')}, {began} AS valid_from, {last} AS _last "
        f"FROM {rows} i LEFT JOIN {name} h ON h.portal = ? AND {_same(change, 'h', 'i')} AND h.valid_to IS NULL "
        f"WHERE h.portal IS NULL OR {differs}",
        *_times(change, began),
        change.portal,
        change.portal,
    )
    start = "CASE WHEN v._last >= v.valid_from THEN ? ELSE v.valid_from END"
    session.run(
        f"UPDATE {name} AS h SET valid_to = {start} FROM {_VERSIONS} v WHERE h.portal = ? "
        f"AND {_same(change, 'h', 'v')} AND h.valid_to IS NULL",
        change.mark.at,
        change.portal,
    )
    session.run(
        f"INSERT INTO {name} (portal, {listed_names(columns)}, valid_from) "
        f"SELECT CAST(? AS VARCHAR), {listed_names(columns, 'v.')}, {start} FROM {_VERSIONS} v",
        change.portal,
        change.mark.at,
    )
    session.run(f"DROP TABLE {_VERSIONS}")


def fill_versions(session: DatabaseSession, change: Change, rows: str) -> None:
    """Put the values of new columns into the open versions; what the fields were before that is unknown."""
    filled = set() if change.fill_schema is None else set(change.fill_schema.names)
    new = [name for name in kept_columns(change) if name in filled]
    if not new:
        return
    sets = ", ".join(f"{quoted(name)} = f.{quoted(name)}" for name in new)
    session.run(
        f"UPDATE {quoted(history_name(change.table.name))} AS h SET {sets} FROM {rows} f WHERE h.portal = ? "
        f"AND {_same(change, 'h', 'f')} AND h.valid_to IS NULL",
        change.portal,
    )


def end_versions(session: DatabaseSession, change: Change, rows: str) -> None:
    """Close the open versions of the rows in a temporary table, which are gone."""
    name = quoted(history_name(change.table.name))
    session.run(
        f"UPDATE {name} AS h SET valid_to = ? FROM {rows} g WHERE h.portal = ? AND {_same(change, 'h', 'g')} "
        "AND h.valid_to IS NULL",
        change.mark.at,
        change.portal,
    )


def _began(change: Change, rows: str) -> str:
    """Since when a row is known to be as it is."""
    modified = change.table.modified
    timed = modified is not None and any(
        one.name == modified and TEXTS.of(one.type) == "timestamp" for one in change.schema
    )
    if not timed or modified is None:
        return "CAST(? AS TIMESTAMP WITH TIME ZONE)"
    column = f"{rows}.{quoted(modified)}"
    return f"CASE WHEN {column} IS NULL OR {column} > ? THEN ? ELSE {column} END"


def _times(change: Change, began: str) -> list[object]:
    return [change.mark.at] * began.count("?")


def _same(change: Change, one: str, two: str) -> str:
    return " AND ".join(f"{one}.{quoted(name)} = {two}.{quoted(name)}" for name in change.table.key)
