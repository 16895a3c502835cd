"""Export to a file: a scan's batches are stored with its checkpoint, then assembled; `--resume` continues."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bx24frames import bridge
from bx24frames.arguments import PORTAL_ZONE, row_of
from bx24frames.cli.output import show
from bx24frames.errors import ConfigError, PortalsError
from bx24frames.files.files_out import check_rows, writing
from bx24frames.files.parts import Parts
from bx24frames.files.sheet_cells import sheet_table
from bx24frames.language import translated
from bx24frames.portal.session import connection_of
from bx24frames.portal.several import portals_named
from bx24frames.scan.ranges import Checkpoint
from bx24frames.scan.raw_methods import is_untyped
from bx24frames.scan.rest_source import RestSource, open_source
from bx24frames.scan.scans import AsyncScan, Batches
from bx24frames.verbs.on_several import iterate_portals

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.files.sheet_style import SheetStyle
    from bx24frames.frames.requests import FrameRead
    from bx24frames.portal.session import PortalLike
    from bx24frames.portal.several import PortalsLike

__all__ = ["SCREEN", "export", "pour"]


SCREEN: Final = "screen"
"""The format of rows in a terminal: an aligned table."""
_READ_BY_PEOPLE: Final = frozenset({SCREEN, "csv", "xlsx"})


def pour(request: FrameRead, target: PortalsLike, path: str, form: str, style: SheetStyle) -> None:
    """Read without a checkpoint: to a stream, such as standard output or the screen, or from several portals.

    Raises
    ------
    PortalsError
        Some of several portals failed; the rows of the others are there.
    """
    _, listed = portals_named(target)
    if not listed:  # several portals may be in several zones, so their times stay in UTC
        request = _in_portal_time(request, form)
    failed: list[PortalsError] = []
    if form == SCREEN:
        for table in _of_the_others(replace(request, progress=False), target, failed):  # a bar would be glued to rows
            show(sheet_table(table, style))
    else:
        with writing(path, form, name=request.entity, style=style) as append:
            for table in _of_the_others(request, target, failed):
                append(table)
    if failed:
        raise failed[0]


def export(request: FrameRead, target: PortalLike, path: str, form: str, style: SheetStyle, *, resume: bool) -> None:
    """Read into a file; the file appears complete or not at all.

    Raises
    ------
    ConfigError
        With `resume`: the checkpoint belongs to another command, or the order of the rows does not allow resuming.
    """
    file = Path(path).resolve()
    request = _in_portal_time(request, form)
    command = _command(connection_of(target).host, request)
    parts = Parts.found(file, command) if resume else None
    source: RestSource | None = None
    try:
        source = _opened(request, target, parts)
        if resume and (source is None or not source.resumable):
            raise ConfigError(
                "--resume works only for reads in order of id", guidance="Leave out --resume, or leave out --order-by."
            )
        columns = request.columns if source is None else source.columns
        parts = parts or Parts.begin(file, command, None if columns is None else list(columns))
        finish = _finish(source)
        if not parts.whole:
            rows = _frames(request, target) if source is None else _batches(source, parts, request.chunk_size)
            _store(parts, rows, form)
        with writing(str(file), form, name=request.entity, draft=parts.draft, style=style) as add:
            _assemble(parts, finish, add)
    except BaseException:
        if parts is not None:
            _leave(parts, resumable=source is not None and source.resumable)
        raise
    parts.discard()
    if request.progress is not False and sys.stderr.isatty():
        print(translated(f"{parts.rows:,} rows: {file}"), file=sys.stderr)  # noqa: T201


def _command(host: str, request: FrameRead) -> dict[str, object]:
    """What determines the rows, for the comparison with an earlier command."""
    given = {one.name: getattr(request, one.name) for one in fields(request) if row_of(one) is not None}
    return {"host": host, "entity": request.entity, **given, "progress": None}


def _of_the_others(
    request: FrameRead, target: PortalsLike, failed: list[PortalsError]
) -> Generator[pa.Table, None, None]:
    """The finished rows of the portals that do not fail, whose error is added to `failed`."""
    try:
        for table, _ in _frames(request, target):
            yield table
    except PortalsError as fault:
        failed.append(fault)


def _frames(request: FrameRead, target: PortalsLike) -> Generator[tuple[pa.Table, str | None], None, None]:
    """The finished rows, chunk by chunk; without a checkpoint."""
    with closing(bridge.iterate(iterate_portals(target, request))) as tables:
        for table in tables:
            yield cast("pa.Table", table), None


def _opened(request: FrameRead, target: PortalLike, parts: Parts | None) -> RestSource | None:
    """The source of what is still to be read; None for a method outside the catalogue, which has no description."""
    if is_untyped(request.entity):
        return None
    if parts is not None:
        left = None if request.limit is None else max(request.limit - parts.rows, 0)
        request = replace(request, columns=parts.columns, limit=left)
    return bridge.run(open_source(connection_of(target).begun(), request))


def _batches(source: RestSource, parts: Parts, chunk_size: int) -> Generator[tuple[pa.Table, str | None], None, None]:
    """The rows behind those stored, each batch with the checkpoint that includes it."""
    import pyarrow as pa

    reached = None if parts.scan is None else Checkpoint.from_json(parts.scan)
    with Batches(AsyncScan(source), reached, chunk_size) as batches:
        for batch in batches:
            checkpoint = batches.checkpoint
            yield pa.Table.from_batches([batch]), None if checkpoint is None else checkpoint.to_json()
    if not parts.rows:
        yield source.schema.empty_table(), None


def _store(parts: Parts, rows: Generator[tuple[pa.Table, str | None], None, None], form: str) -> None:
    with closing(rows):
        for table, checkpoint in rows:
            _give_back()
            check_rows(form, parts.rows + table.num_rows)
            parts.add(table, checkpoint)
    parts.close()


def _give_back() -> None:
    """Return the memory of earlier rows to the system (malloc_trim where Arrow allocates with malloc)."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


def _finish(source: RestSource | None) -> Callable[[pa.Table], pa.Table]:
    """What is done with the rows when the file is assembled; captions are read first, the same for all chunks."""
    if source is None:
        return lambda table: table
    finish = source.finish()
    bridge.run(finish.caption_all())
    return lambda table: bridge.run(finish.table(table))


def _in_portal_time(request: FrameRead, form: str) -> FrameRead:
    """The request with times in the portal's zone, in a format that people read."""
    if form not in _READ_BY_PEOPLE or request.timezone is not None or is_untyped(request.entity):
        return request
    return replace(request, timezone=PORTAL_ZONE)


def _assemble(parts: Parts, finish: Callable[[pa.Table], pa.Table], append: Callable[[pa.Table], None]) -> None:
    _give_back()
    for table in parts.tables():
        append(finish(table))


def _leave(parts: Parts, *, resumable: bool) -> None:
    """After a failure, keep resumable parts and report them; discard any others."""
    if parts.rows and resumable:
        parts.leave()
        note = f"{parts.rows:,} rows are saved in {parts.folder}; run the same command with --resume to continue."
        print(note, file=sys.stderr)  # noqa: T201
    else:
        parts.discard()
