"""Export to a file: chunks are saved to a checkpoint as they arrive and assembled at the end; `--resume` continues."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bx24frames.cli.conditions import conditions
from bx24frames.errors import ConfigError
from bx24frames.files.files_out import check_rows, writing
from bx24frames.scan.checkpoint import Kept

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.options import Progress
    from bx24frames.scan.reading import Reading

__all__ = ["Asked", "export", "pour"]

Order = tuple[str, Literal["asc", "desc"]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Arguments of the `read` command that determine its rows."""

    entity: str
    columns: list[str] | None
    filters: list[str]
    order_by: Order | None
    limit: int | None
    changed_since: str | None
    timezone: str | None
    labels: bool
    titles: bool
    missing_columns: Literal["raise", "insert"]
    on_bad_value: Literal["raise", "null"]
    chunk_size: int


def _tables(
    asked: Asked, target: str | None, progress: Progress, beyond: tuple[str, int] | None = None
) -> Iterator[pa.Table]:
    """Read in chunks; `beyond` is a condition on the id such as ``(">id", 500)``."""
    from bx24frames.verbs.read import iter_entity

    filters = conditions(asked.filters)
    if beyond is not None:
        key, last = beyond
        column = key[1:]
        filters = {**filters, key: last} if isinstance(filters, dict) else [*filters, (column, key[0], last)]
    return iter_entity(
        asked.entity,
        target,
        columns=asked.columns,
        filters=filters or None,
        order_by=asked.order_by,
        limit=asked.limit,
        changed_since=asked.changed_since,
        timezone=asked.timezone,
        labels=asked.labels,
        titles=asked.titles,
        missing_columns=asked.missing_columns,
        on_bad_value=asked.on_bad_value,
        backend="pyarrow",
        chunk_size=asked.chunk_size,
        progress=progress,
    )


def pour(asked: Asked, target: str | None, path: str, form: str, progress: Progress) -> None:
    """Read to a stream, such as standard output, without a checkpoint."""
    with writing(path, form, name=asked.entity) as append:
        for table in _tables(asked, target, progress):
            append(table)


def export(asked: Asked, target: str | None, path: str, form: str, *, resume: bool, progress: Progress) -> None:
    """Read into a file; the file appears complete or not at all.

    Raises
    ------
    ConfigError
        With `resume`: the checkpoint belongs to another command, or the order of the rows does not allow resuming.
    """
    file = Path(path).resolve()
    host, reading = _settled(asked, target)
    way = None if reading is None else _way(reading)
    if resume and way is None:
        raise ConfigError(
            "--resume works only for reads in order of id",
            guidance="Leave out --resume, or leave out --order-by and lists of values that need several reads.",
        )
    command = {"host": host, **asdict(asked)}
    columns = asked.columns if reading is None else list(reading.spelled)
    kept = (Kept.found(file, command) if resume else None) or Kept.begin(file, command, columns)
    try:
        if not kept.whole:
            _keep(kept, replace(asked, columns=kept.columns), target, way, form, progress)
        _put_together(kept, file, form, asked.entity)
    except BaseException:
        _leave(kept, goes_on=way is not None)
        raise
    kept.discard()
    if progress is not False and sys.stderr.isatty():
        print(f"{kept.rows:,} rows: {file}", file=sys.stderr)  # noqa: T201


@dataclass(frozen=True, slots=True)
class _Way:
    """How to resume a read in order of id: after the last id, from the column at `place` or from an extra column."""

    key: str
    sign: str
    place: int | None


def _settled(asked: Asked, target: str | None) -> tuple[str, Reading | None]:
    """Return the host and the prepared read, so that invalid arguments fail before any row is requested.

    A method outside the catalogue has no description, so there is nothing to prepare.
    """
    from bx24frames import bridge
    from bx24frames.portal.session import connection_of
    from bx24frames.scan.reading import prepare
    from bx24frames.scan.request import ReadRequest
    from bx24frames.scan.untyped import is_untyped

    connection = connection_of(target)
    if is_untyped(asked.entity):
        return connection.host, None
    request = ReadRequest(
        asked.entity,
        asked.columns,
        conditions(asked.filters) or None,
        asked.order_by,
        asked.limit,
        asked.changed_since,
        asked.timezone,
        missing_columns=asked.missing_columns,
    )
    return connection.host, bridge.run(prepare(connection, request))


def _way(reading: Reading) -> _Way | None:
    from bx24frames.engine.messages import Paging

    listing, order = reading.table.entity.listing, reading.order
    by_id = order.field is None and order.remote is None and not reading.whole and reading.where.owners is None
    if not by_id or listing.paging is not Paging.KEYSET:
        return None
    codes = {name: field.code for name, field in reading.fields.items()}
    place = next((at for at, name in enumerate(reading.spelled) if codes.get(name) == listing.id_key), None)
    return _Way(listing.id_key, ">" if order.ascending else "<", place)


def _keep(kept: Kept, asked: Asked, target: str | None, way: _Way | None, form: str, progress: Progress) -> None:
    limit = asked.limit
    if limit is not None:
        asked = replace(asked, limit=limit - kept.rows)
    besides = way is not None and way.place is None
    if way is not None and besides:
        asked = replace(asked, columns=[*(kept.columns or ()), way.key])
    beyond = None if way is None or kept.last_id is None else (f"{way.sign}{way.key}", kept.last_id)
    for table in _tables(asked, target, progress, beyond):
        _give_back()
        last = _last_id(table, way)
        check_rows(form, kept.rows + table.num_rows)
        if table.num_rows or not kept.rows:
            kept.add(table.drop_columns(table.column_names[-1:]) if besides else table, last)
    kept.close()


def _give_back() -> None:
    """Return the memory of earlier rows to the system (malloc_trim where Arrow allocates with malloc)."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


def _last_id(table: pa.Table, way: _Way | None) -> int | None:
    if way is None or not table.num_rows:
        return None
    return int(table.column(table.num_columns - 1 if way.place is None else way.place)[-1].as_py())


def _put_together(kept: Kept, file: Path, form: str, name: str) -> None:
    _give_back()
    with writing(str(file), form, name=name, draft=kept.draft) as append:
        for table in kept.tables():
            append(table)


def _leave(kept: Kept, *, goes_on: bool) -> None:
    """After a failure, keep a resumable checkpoint and report it; discard any other."""
    if kept.rows and goes_on:
        kept.leave()
        note = f"{kept.rows:,} rows are saved in {kept.folder}; run the same command with --resume to continue."
        print(note, file=sys.stderr)  # noqa: T201
    else:
        kept.discard()
