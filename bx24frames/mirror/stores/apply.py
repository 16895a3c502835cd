"""Applying a change to a database: one transaction of statements that DuckDB and PostgreSQL share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Final

from bx24frames.mirror.state import DELETED, LAYOUT, SYNCED, Applied, Change, Mark, StoreColumn
from bx24frames.mirror.stores.history import end_versions, fill_versions, keep_versions, prepare_history, seed_history
from bx24frames.mirror.stores.statements import (
    COLUMNS,
    CONTROL,
    LABEL_KEY,
    LABELS,
    LOG,
    META,
    OURS,
    STATE,
    DatabaseSession,
    Spelling,
    column_types,
    labels_view,
    listed_names,
    literal,
    make_views,
    quoted,
)
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    import pyarrow as pa

INCOMING: Final = "_incoming"
CHANGED: Final = "_changed"
GONE: Final = "_gone"
FILLS: Final = "_fills"
OWNERS: Final = "_owners"


def apply(session: DatabaseSession, spelling: Spelling, change: Change, tables: frozenset[str]) -> Applied:
    """Apply a change inside a transaction that the caller begins and ends.

    Columns and views come before rows: where readers hold a table, a transaction fails before its work is done.

    Parameters
    ----------
    session : Session
    spelling : Spelling
    change : Change
    tables : frozenset of str
        The tables that exist.
    """
    if META not in tables:
        begin_store(session, spelling)
    name = change.table.name
    if name not in tables:
        _create(session, spelling, change)
    else:
        _add_columns(session, spelling, change)
    if change.history is not None:
        prepare_history(session, spelling, change, tables)
    captioned = change.labels is None or labels_view(name) in tables
    if change.drift or not captioned or not _has_columns(session, change):
        _describe(session, change)
        make_views(session, spelling, change)
    deleted = 0
    if session.run(f"SELECT 1 FROM {quoted(name)} WHERE portal = ? LIMIT 1", change.portal):
        inserted, updated = _take_rows(session, change)
        deleted = _take_deletions(session, change)
        _fill(session, change)
    else:
        constants = {PORTAL: change.portal, SYNCED: change.mark.at}
        inserted, updated = session.append(name, change.schema, change.rows, constants), 0
    if change.history is not None:
        seed_history(session, change)
    applied = Applied(inserted, updated, deleted)
    _write_labels(session, change)
    _write_state(session, change, applied)
    return applied


def begin_store(session: DatabaseSession, spelling: Spelling) -> None:
    """Create the control tables."""
    for name, columns in CONTROL.items():
        spelled = columns.format(text=spelling.text, time=spelling.time)
        session.run(f"CREATE TABLE {quoted(name)} ({spelled})")
    if spelling.key_clause:
        session.run(f"ALTER TABLE {LABELS} ADD PRIMARY KEY ({listed_names(LABEL_KEY)})")
    session.run(f"INSERT INTO {quoted(META)} VALUES ('made by', ?), ('layout', ?)", OURS, str(LAYOUT))


def _create(session: DatabaseSession, spelling: Spelling, change: Change) -> None:
    types = {field.name: spelling.type_of(field.type) for field in change.schema}
    order = [*change.table.key, *(name for name in types if name not in change.table.key)]
    columns = [f"{quoted(PORTAL)} {spelling.text} NOT NULL"]
    columns += [f"{quoted(name)} {types[name]}" for name in order]
    columns += [f"{quoted(SYNCED)} {spelling.time}", f"{quoted(DELETED)} {spelling.time}"]
    if spelling.key_clause:
        columns.append(f"PRIMARY KEY ({listed_names([PORTAL, *change.table.key])})")
    session.run(f"CREATE TABLE {quoted(change.table.name)} ({', '.join(columns)})")


def _add_columns(session: DatabaseSession, spelling: Spelling, change: Change) -> None:
    there = column_types(session, change.table.name)
    for field in change.schema:
        if field.name not in there:
            spelled = spelling.type_of(field.type)
            session.run(f"ALTER TABLE {quoted(change.table.name)} ADD COLUMN {quoted(field.name)} {spelled}")


def _take_rows(session: DatabaseSession, change: Change) -> tuple[int, int]:
    """Insert new rows and update those that differ; rows that are as they were are not touched."""
    table, names = quoted(change.table.name), change.schema.names
    session.load(INCOMING, change.schema, change.rows)
    same = _same_key(change.table.key, "t", "i")
    rest = [name for name in names if name not in change.table.key] or list(change.table.key)
    differs = " OR ".join(f"t.{quoted(name)} IS DISTINCT FROM i.{quoted(name)}" for name in rest)
    session.run(
        f"CREATE TEMPORARY TABLE {CHANGED} AS SELECT i.*, t.portal IS NULL AS _new FROM {INCOMING} i "
        f"LEFT JOIN {table} t ON t.portal = ? AND {same} WHERE t.portal IS NULL OR t._deleted_at IS NOT NULL "
        f"OR {differs}",
        change.portal,
    )
    [(inserted, updated)] = session.run(
        f"SELECT count(*) FILTER (WHERE _new), count(*) FILTER (WHERE NOT _new) FROM {CHANGED}"
    )
    if change.history is not None:
        keep_versions(session, change, CHANGED)
    sets = ", ".join(f"{quoted(name)} = i.{quoted(name)}" for name in rest)
    if updated:
        session.run(
            f"UPDATE {table} AS t SET {sets}, {SYNCED} = ?, {DELETED} = NULL FROM {CHANGED} i "
            f"WHERE NOT i._new AND t.portal = ? AND {same}",
            change.mark.at,
            change.portal,
        )
    if inserted:
        session.run(
            f"INSERT INTO {table} (portal, {listed_names(names)}, {SYNCED}) "
            f"SELECT CAST(? AS VARCHAR), {listed_names(names)}, ? FROM {CHANGED} WHERE _new",
            change.portal,
            change.mark.at,
        )
    session.run(f"DROP TABLE {CHANGED}")
    return int(str(inserted)), int(str(updated))


def _take_deletions(session: DatabaseSession, change: Change) -> int:
    """Mark or delete what is proven to be gone."""
    if change.deletions == "keep" or not (change.gone or change.replaced):
        _drop_incoming(session)
        return 0
    table, key = quoted(change.table.name), change.table.key
    if change.replaced is not None:
        session.run(f"CREATE TEMPORARY TABLE {GONE} AS {_absent(session, change)}", change.portal)
    else:
        import pyarrow as pa

        ids = pa.table({key[0]: pa.array(change.gone, pa.int64())})
        session.load(GONE, ids.schema, partial(_batches, ids))
    same = _same_key(key, "t", "g")
    alive = f"t.portal = ? AND {same} AND t.{DELETED} IS NULL"
    [(deleted,)] = session.run(f"SELECT count(*) FROM {table} t JOIN {GONE} g ON {alive}", change.portal)
    if change.history is not None:
        end_versions(session, change, GONE)
    if change.deletions == "delete":
        session.run(f"DELETE FROM {table} t USING {GONE} g WHERE t.portal = ? AND {same}", change.portal)
    else:
        session.run(
            f"UPDATE {table} AS t SET {DELETED} = ?, {SYNCED} = ? FROM {GONE} g WHERE {alive}",
            change.mark.at,
            change.mark.at,
            change.portal,
        )
    session.run(f"DROP TABLE {GONE}")
    _drop_incoming(session)
    return int(str(deleted))


def _drop_incoming(session: DatabaseSession) -> None:
    session.run(f"DROP TABLE IF EXISTS {INCOMING}")


def _absent(session: DatabaseSession, change: Change) -> str:
    """The query for the keys of alive rows that a complete reading does not have."""
    replaced = change.replaced
    within = ""
    if replaced is not None and replaced.owner_column is not None:
        import pyarrow as pa

        owners = pa.table({"owner": pa.array(replaced.owners, pa.int64())})
        session.run(f"DROP TABLE IF EXISTS {OWNERS}")
        session.load(OWNERS, owners.schema, partial(_batches, owners))
        within = f" AND t.{quoted(replaced.owner_column)} IN (SELECT owner FROM {OWNERS})"
    return (
        f"SELECT {listed_names(change.table.key, 't.')} FROM {quoted(change.table.name)} t WHERE t.portal = ? AND "
        f"t.{DELETED} IS NULL{within} AND NOT EXISTS "
        f"(SELECT 1 FROM {INCOMING} i WHERE {_same_key(change.table.key, 't', 'i')})"
    )


def _fill(session: DatabaseSession, change: Change) -> None:
    """Put the values of new columns into the rows that did not change."""
    if change.fills is None or change.fill_schema is None:
        return
    session.load(FILLS, change.fill_schema, change.fills)
    new = [name for name in change.fill_schema.names if name not in change.table.key]
    sets = ", ".join(f"{quoted(name)} = f.{quoted(name)}" for name in new)
    same = _same_key(change.table.key, "t", "f")
    session.run(
        f"UPDATE {quoted(change.table.name)} AS t SET {sets} FROM {FILLS} f WHERE t.portal = ? AND {same}",
        change.portal,
    )
    if change.history is not None:
        fill_versions(session, change, FILLS)
    session.run(f"DROP TABLE {FILLS}")


def _has_columns(session: DatabaseSession, change: Change) -> bool:
    found = session.run(
        f"SELECT 1 FROM {COLUMNS} WHERE portal = ? AND entity = ? LIMIT 1", change.portal, change.table.name
    )
    return bool(found)


def _describe(session: DatabaseSession, change: Change) -> None:
    """Write the columns into the control table, and the titles of fields into the comments of columns."""
    who = (change.portal, change.table.name)
    session.run(f"DELETE FROM {COLUMNS} WHERE portal = ? AND entity = ?", *who)
    for place, one in enumerate(change.columns):
        session.run(
            f"INSERT INTO {COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *who,
            place,
            *(one.code, one.name, one.title, one.type, one.first_seen, one.gone_at),
        )
        if one.title:
            target = f"{quoted(change.table.name)}.{quoted(one.name)}"
            session.run(f"COMMENT ON COLUMN {target} IS {literal(comment_of(one))}")
    session.run(f"COMMENT ON TABLE {quoted(change.table.name)} IS {literal(change.table.title)}")


def comment_of(column: StoreColumn) -> str:
    """The comment of a column: the title of its field, and since when the portal has no such field."""
    return column.title if column.gone_at is None else f"{column.title} (removed, seen on {column.gone_at:%Y-%m-%d})"


def _write_labels(session: DatabaseSession, change: Change) -> None:
    """Replace the dictionaries whose captions differ; one that came empty is left as it was."""
    import pyarrow as pa

    for name, titles in change.dictionaries.items():
        who = (change.portal, name)
        there = session.run(f"SELECT code, title FROM {LABELS} WHERE portal = ? AND dictionary = ?", *who)
        if not titles or set(there) == set(titles.items()):
            continue
        session.run(f"DELETE FROM {LABELS} WHERE portal = ? AND dictionary = ?", *who)
        columns = {"code": list(titles), "title": list(titles.values())}
        table = pa.table({column: pa.array(texts, pa.string()) for column, texts in columns.items()})
        constants = {"portal": change.portal, "dictionary": name}
        session.append(LABELS, table.schema, partial(_batches, table), constants)


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    return iter(table.to_batches())


def insert_mark(session: DatabaseSession, portal: str, table: str, mark: Mark) -> None:
    """Insert the mark of a table."""
    values = (mark.at, mark.max_id, mark.schema, mark.form, mark.reread.upto, mark.reread.ended)
    session.run(f"INSERT INTO {STATE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", portal, table, *values)


def _write_state(session: DatabaseSession, change: Change, applied: Applied) -> None:
    who = (change.portal, change.table.name)
    mark = change.mark
    session.run(f"DELETE FROM {STATE} WHERE portal = ? AND entity = ?", *who)
    insert_mark(session, *who, mark)
    drift = json.dumps([asdict(one) for one in change.drift], ensure_ascii=False) if change.drift else None
    counts = (change.read, applied.inserted, applied.updated, applied.deleted)
    session.run(
        f"INSERT INTO {LOG} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *who,
        mark.at,
        *counts,
        drift,
        change.requests,
        change.seconds,
    )


def _same_key(key: Sequence[str], one: str, two: str) -> str:
    return " AND ".join(f"{one}.{quoted(name)} = {two}.{quoted(name)}" for name in key)
