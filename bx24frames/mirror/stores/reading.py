"""Reading a mirror's control tables from a database, and the checks of whose store it is."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bx24frames.errors import StoreError
from bx24frames.mirror.state import DELETED, LAYOUT, Kept, Mark, Reread, StoreColumn
from bx24frames.mirror.stores.statements import COLUMNS, META, OURS, STATE, DatabaseSession, column_types, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.mirror.state import TablePlan


def tables_of(session: DatabaseSession) -> frozenset[str]:
    """The tables and views of the schema."""
    rows = session.run("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
    return frozenset(str(row[0]) for row in rows)


def kept_in(session: DatabaseSession, name: str) -> Kept:
    """Check whose store it is, and read its marks and columns.

    Raises
    ------
    StoreError
        The database has tables that no sync made, or a newer layout.
    """
    tables = tables_of(session)
    if not tables:
        return Kept()
    if META not in tables:
        raise not_ours(name, min(tables))
    facts = {str(row[0]): str(row[1]) for row in session.run(f"SELECT name, value FROM {META}")}
    check_layout(name, facts.get("made by"), facts.get("layout"))
    marks = {
        (str(portal), str(entity)): Mark(
            _moment(at),
            None if max_id is None else int(str(max_id)),
            str(digest),
            str(form or ""),
            Reread(int(str(upto)), None if ended is None else _moment(ended)),
        )
        for portal, entity, at, max_id, digest, form, upto, ended in session.run(
            f"SELECT portal, entity, mark, max_id, schema_hash, form, reread_upto, reread_ended FROM {STATE}"
        )
    }
    columns: dict[tuple[str, str], list[StoreColumn]] = {}
    for portal, entity, code, column, title, kind, first, gone in session.run(
        f'SELECT portal, entity, code, "column", title, type, first_seen, gone_at FROM {COLUMNS} ORDER BY position'
    ):
        one = StoreColumn(
            str(code), str(column), str(title), str(kind), _moment(first), None if gone is None else _moment(gone)
        )
        columns.setdefault((str(portal), str(entity)), []).append(one)
    return Kept(marks, {key: tuple(found) for key, found in columns.items()})


def not_ours(name: str, table: str) -> StoreError:
    """The error for a database that no sync made."""
    return StoreError(
        f"{name} is not a mirror: it holds {table!r}, which no sync made",
        guidance="Name a new file, folder or schema.",
    )


def check_layout(name: str, made_by: str | None, layout: str | None) -> None:
    """Check who made a store, and its layout.

    Raises
    ------
    StoreError
        It is another program's, or of a newer version of this package.
    """
    if made_by != OURS or layout is None or not layout.isdigit():
        raise StoreError(f"{name} is not a mirror of bx24frames", guidance="Name a new file, folder or schema.")
    if int(layout) > LAYOUT:
        raise StoreError(
            f"{name} has layout {layout}, which is newer than this version of bx24frames knows ({LAYOUT})",
            guidance="Upgrade bx24frames here, or name another store.",
        )


def ids_in_store(session: DatabaseSession, portal: str, table: TablePlan) -> array[int]:
    """The ids of alive rows, ascending."""
    key = quoted(table.key[0])
    rows = session.run(
        f"SELECT {key} FROM {quoted(table.name)} WHERE portal = ? AND {DELETED} IS NULL ORDER BY 1", portal
    )
    return array("q", (int(str(row[0])) for row in rows))


def count_in_store(session: DatabaseSession, portal: str, table: TablePlan) -> int:
    """The number of alive rows."""
    [(count,)] = session.run(
        f"SELECT count(*) FROM {quoted(table.name)} WHERE portal = ? AND {DELETED} IS NULL", portal
    )
    return int(str(count))


def linked_in_store(
    session: DatabaseSession, portal: str, table: TablePlan, column: str, ids: Sequence[int]
) -> array[int]:
    """The ids of alive rows with one of some values in a column, or as an element of it."""
    import pyarrow as pa

    wanted = pa.table({"id": pa.array(ids, pa.int64())})
    session.load("_wanted", wanted.schema, lambda: iter(wanted.to_batches()))
    query = (
        f"{_links(session, table, column)} SELECT DISTINCT l.id FROM links l JOIN _wanted w ON w.id = l.link ORDER BY 1"
    )
    rows = session.run(query, portal)
    session.run("DROP TABLE _wanted")
    return array("q", (int(str(row[0])) for row in rows))


def dangling_in_store(
    session: DatabaseSession, portal: str, table: TablePlan, column: str, target: TablePlan
) -> array[int]:
    """The ids of alive rows with a value in a column, or an element of it, that is no alive row of another table."""
    key = quoted(target.key[0])
    query = (
        f"{_links(session, table, column)} SELECT DISTINCT l.id FROM links l WHERE l.link IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {quoted(target.name)} g WHERE g.portal = ? AND g.{key} = l.link AND g.{DELETED} IS NULL) "
        "ORDER BY 1"
    )
    return array("q", (int(str(row[0])) for row in session.run(query, portal, portal)))


def differing_in_store(session: DatabaseSession, portal: str, table: TablePlan, rows: pa.Table) -> array[int]:
    """The ids of those alive rows, given by id with some columns, that have other values."""
    key = quoted(table.key[0])
    session.load("_wanted", rows.schema, lambda: iter(rows.to_batches()))
    columns = [quoted(name) for name in rows.column_names if name != table.key[0]]
    differs = " OR ".join(f"t.{name} IS DISTINCT FROM w.{name}" for name in columns)
    query = (
        f"SELECT t.{key} FROM {quoted(table.name)} t JOIN _wanted w ON w.{key} = t.{key} WHERE t.portal = ? "
        f"AND t.{DELETED} IS NULL AND ({differs}) ORDER BY 1"
    )
    found = session.run(query, portal)
    session.run("DROP TABLE _wanted")
    return array("q", (int(str(row[0])) for row in found))


def _links(session: DatabaseSession, table: TablePlan, column: str) -> str:
    """The alive rows with each of their links, as a named query."""
    kind = column_types(session, table.name).get(column, "").upper()
    value = f"t.{quoted(column)}"
    link = f"unnest({value})" if kind.endswith("[]") or kind == "ARRAY" else value
    return (
        f"WITH links AS (SELECT t.{quoted(table.key[0])} AS id, {link} AS link FROM {quoted(table.name)} t "
        f"WHERE t.portal = ? AND t.{DELETED} IS NULL)"
    )


def _moment(value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    return dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC)
