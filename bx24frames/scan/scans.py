"""Scan: an entity's rows as Arrow batches, from one process or many, resumable at any batch.

A scan is a source and a range of ids. Opening one settles the request against the portal's description, so that
everything wrong with it is an error before a row is read; from then on the schema is fixed. Reading, counting and
splitting are questions about a range of ids, so that a part of a scan is a scan, and a checkpoint is the ranges whose
rows were given.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Self, SupportsIndex, TypeAlias

from bx24frames import bridge
from bx24frames.arguments import whole_number
from bx24frames.engine.messages import IdBounds
from bx24frames.errors import ConfigError
from bx24frames.scan.ranges import EVERYTHING, NOTHING, Checkpoint, is_empty, remaining
from bx24frames.scan.rest_source import open_source

if TYPE_CHECKING:
    from types import TracebackType

    import pyarrow as pa

    from bx24frames.portal.connection import Connection
    from bx24frames.portal.plan import Plan
    from bx24frames.scan.request import ReadRequest
    from bx24frames.scan.sources import Source

    Steps: TypeAlias = "AsyncGenerator[tuple[pa.RecordBatch | None, Checkpoint | None], None]"

_CHUNK_SIZE: Final = whole_number(1, "a number of rows of at least 1", None)

__all__ = ["AsyncBatches", "AsyncScan", "Batches", "Scan", "open_scan"]


async def open_scan(connection: Connection, request: ReadRequest) -> AsyncScan:
    """Settle a request into a scan."""
    return AsyncScan(await open_source(connection, request))


class AsyncScan:
    """A scan for ``await``: `Scan` with ``async for`` over its batches; made by ``await aio.Portal.scan(...)``."""

    def __init__(self, source: Source, part: IdBounds = EVERYTHING) -> None:
        self._source = source
        self._part = part

    @property
    def source(self) -> Source:
        """What gives its rows."""
        return self._source

    @property
    def entity(self) -> str:
        """The entity's name."""
        return self._source.name

    @property
    def schema(self) -> pa.Schema:
        """Schema of every batch; see `Scan.schema`."""
        return self._source.schema

    @property
    def key(self) -> str | None:
        """Name of the id column; see `Scan.key`."""
        return self._source.key

    @property
    def cursor(self) -> str | None:
        """Name of the column of the last change; see `Scan.cursor`."""
        return self._source.cursor

    def batches(self, checkpoint: Checkpoint | None = None, *, chunk_size: int | None = None) -> AsyncBatches:
        """Read the rows; see `Scan.batches`."""
        return AsyncBatches(self, checkpoint, chunk_size)

    async def count(self) -> int:
        """Count the rows; see `Scan.count`."""
        return 0 if is_empty(self._part) else await self._source.count(self._part)

    async def plan(self) -> Plan:
        """Estimate what reading takes; see `Scan.plan`."""
        return await self._source.plan(self._part)

    async def splits(self, n: int) -> list[AsyncScan]:
        """Cut the scan into `n` independent ones; see `Scan.splits`."""
        if isinstance(n, bool) or not isinstance(n, SupportsIndex) or n.__index__() < 1:
            raise ConfigError(f"splits(n) takes a number of parts of at least 1, not {n!r:.80}")
        number = n.__index__()
        if is_empty(self._part):
            return [AsyncScan(self._source, NOTHING) for _ in range(number)]
        return [AsyncScan(self._source, part) for part in await self._source.ranges(self._part, number)]

    def begin(self, checkpoint: Checkpoint | None) -> Checkpoint | None:
        """The checkpoint to read from, checked; None where the scan cannot be resumed.

        Raises
        ------
        ConfigError
            The checkpoint is not one, is of another scan, or rows of this one have no id.
        """
        if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
            raise ConfigError(
                f"checkpoint is the value that batches().checkpoint had, not {checkpoint!r:.80}",
                guidance="Text that was kept is read back by Checkpoint.from_json(text).",
            )
        if not self._source.resumable:
            if checkpoint is None:
                return None
            raise ConfigError(f"Rows of {self.entity} have no integer id: its scan cannot be resumed")
        if checkpoint is not None and checkpoint.scan != self._source.fingerprint:
            raise ConfigError(
                f"The checkpoint is of another scan than this one of {self.entity}",
                guidance="Open the scan with the portal, the entity, the filters and the time zone it had before.",
            )
        return checkpoint or Checkpoint(self._source.fingerprint)

    async def steps(self, reached: Checkpoint | None, rows: int | None = None) -> Steps:
        """Each batch with the checkpoint that includes it; after the last one the final checkpoint, with no batch."""
        if reached is None:
            async with aclosing(self._source.batches(self._part, rows)) as found:
                async for batch, _ in found:
                    yield batch, None
            return
        up = self._source.ascending
        for part in remaining(self._part, reached.done)[:: 1 if up else -1]:
            before = reached
            async with aclosing(self._source.batches(part, rows)) as found:
                async for batch, last in found:
                    if last is not None:
                        reached = before.beyond(IdBounds(part.after, last) if up else IdBounds(last - 1, part.upto))
                    yield batch, reached
            if part.upto is not None:
                reached = before.beyond(part)
        yield None, reached

    def __repr__(self) -> str:
        bounds = ""
        if self._part != EVERYTHING:
            low = "" if self._part.after is None else f" from {self._part.after + 1}"
            high = "" if self._part.upto is None else f" to {self._part.upto}"
            bounds = ", no ids" if is_empty(self._part) else f", ids{low}{high}"
        return f"<{type(self).__name__} {self.entity}: {len(self.schema)} columns{bounds}>"


def _row_count(chunk_size: int | None) -> int | None:
    _CHUNK_SIZE("chunk_size", chunk_size)
    return chunk_size


class AsyncBatches(AsyncIterator["pa.RecordBatch"]):
    """The batches of an `AsyncScan`, for ``async for``; ``async with`` closes them, as `aclose` does."""

    def __init__(self, scan: AsyncScan, checkpoint: Checkpoint | None, chunk_size: int | None = None) -> None:
        self._reached = scan.begin(checkpoint)
        self._steps = scan.steps(self._reached, _row_count(chunk_size))

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The place behind the last batch given; None where the entity has no integer id."""
        return self._reached

    async def __anext__(self) -> pa.RecordBatch:
        async for batch, reached in self._steps:
            self._reached = reached
            if batch is not None:
                return batch
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop reading."""
        await self._steps.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Scan:
    """An entity's rows as Arrow batches; made by `Portal.scan`.

    A scan holds no rows and no open connection: it can be read many times, and each read asks the portal anew. It can
    be pickled where its portal can: `Portal` made from a profile's name or the environment, or by `with_secret`.

    Examples
    --------
    >>> from bx24frames import Portal
    >>> scan = Portal("sandbox").scan("deal", columns=["id", "title"])
    >>> scan
    <Scan deal: 2 columns>
    >>> sum(batch.num_rows for batch in scan.batches())
    1200
    """

    def __init__(self, twin: AsyncScan) -> None:
        self._twin = twin

    @property
    def entity(self) -> str:
        """The entity's name."""
        return self._twin.entity

    @property
    def schema(self) -> pa.Schema:
        """Schema of every batch; known before a row is read, the same in all splits."""
        return self._twin.schema

    @property
    def key(self) -> str | None:
        """Name of the id column, the portal's own where it is not among `columns`; None where rows have no id."""
        return self._twin.key

    @property
    def cursor(self) -> str | None:
        """Name of the column of the last change, the one `changed_since` compares; None where the entity has none."""
        return self._twin.cursor

    def batches(self, checkpoint: Checkpoint | None = None, *, chunk_size: int | None = None) -> Batches:
        """Read the rows in order of id.

        Memory is bounded where the list method pages by id; entities that it gives only as a whole, and conditions
        that take several readings, are put together first.

        Parameters
        ----------
        checkpoint : Checkpoint, optional
            Continue behind the rows that an earlier read gave.
        chunk_size : int, optional
            Rows per batch; the last one may have fewer. Default: as the portal's answers arrive, up to 2,500.

        Returns
        -------
        Batches
            An iterator of `pyarrow.RecordBatch` with an attribute ``checkpoint``. No batch where there are no rows.

        Raises
        ------
        ConfigError
            The checkpoint is of another scan, or rows have no integer id.
        PortalError, ResponseError, DecodeError, LimitError, TransportError
            While iterating; there are never fewer rows without an error.
        """
        return Batches(self._twin, checkpoint, chunk_size)

    def count(self) -> int:
        """Count the rows that a read would give now, as `count_entity` does."""
        return bridge.run(self._twin.count())

    def plan(self) -> Plan:
        """Estimate rows, requests and seconds of a read, as `Portal.plan` does."""
        return bridge.run(self._twin.plan())

    def splits(self, n: int) -> list[Scan]:
        """Cut the scan into `n` scans over disjoint ranges of ids that together give its rows once.

        The ranges hold about the same number of rows now; rows created later belong to the last one. Where the
        portal cannot be asked for a range of ids, the first split has all rows; splits without rows make no request.
        Splits of one portal share its request budget within a process; across processes with
        ``Limits(shared="host")``.

        Raises
        ------
        ConfigError
            `n` is not a number of at least 1.
        """
        return [Scan(twin) for twin in bridge.run(self._twin.splits(n))]

    def __repr__(self) -> str:
        return repr(self._twin).replace("AsyncScan", "Scan", 1)


class Batches(Iterator["pa.RecordBatch"]):
    """The batches of a `Scan`; leaving the loop and `close`, which ``with`` calls, stop the requests.

    Attributes
    ----------
    checkpoint : Checkpoint or None
        The place behind the last batch given: keep it once that batch is stored. None where the entity has no
        integer id.
    """

    def __init__(self, scan: AsyncScan, checkpoint: Checkpoint | None, chunk_size: int | None = None) -> None:
        self.checkpoint = scan.begin(checkpoint)
        self._steps: Generator[tuple[pa.RecordBatch | None, Checkpoint | None], None, None]
        self._steps = bridge.iterate(scan.steps(self.checkpoint, _row_count(chunk_size)))

    def __next__(self) -> pa.RecordBatch:
        for batch, reached in self._steps:
            self.checkpoint = reached
            if batch is not None:
                return batch
        raise StopIteration

    def close(self) -> None:
        """Stop reading."""
        self._steps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
