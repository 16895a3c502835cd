"""Spark data source: the format ``bitrix24``, and the reader that gives Spark the rows of portals.

Filters of a query are not pushed down. PySpark 4.3 keeps those of the query planned last for all queries over one
DataFrame (``df.where("k = 1").union(df.where("k = 2"))`` gives rows of the second twice), and has no pruning of columns
(https://github.com/apache/spark/pull/50472): the options `filters` and `columns` say what is asked of the portal.
"""

from __future__ import annotations

import pickle
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from bx24frames import bridge
from bx24frames.connectors.spark_errors import one_line, unread
from bx24frames.connectors.spark_options import SparkRead, SparkWrite
from bx24frames.connectors.spark_types import fitting, requested_columns, spark_schema
from bx24frames.connectors.spark_writer import PortalWriter
from bx24frames.errors import ConfigError, UnknownColumn
from bx24frames.portal.base import PortalBase
from bx24frames.portal.several import connections_of, on_each
from bx24frames.scan.rest_source import open_source
from bx24frames.scan.scans import AsyncScan, Scan
from bx24frames.scan.united import Union

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

    from bx24frames.portal.connection import Connection
    from bx24frames.scan.rest_source import RestSource

__all__ = ["PortalPartition", "PortalReader", "PortalSource"]

_T = TypeVar("_T")


class PortalSource(DataSource):
    """The format ``bitrix24``: an entity of one or several portals."""

    @classmethod
    def name(cls) -> str:
        """The name for ``format()``."""
        return "bitrix24"

    def schema(self) -> StructType:
        """The columns, by the description of the portals; the first one is the portal."""
        with one_line():
            return spark_schema(bridge.run(_united(SparkRead.parse(self.options))))

    def reader(self, schema: StructType) -> PortalReader:
        """The reader of a schema: that of `schema`, or the caller's."""
        with one_line():
            return PortalReader(SparkRead.parse(self.options), schema)

    def writer(self, schema: StructType, overwrite: bool) -> PortalWriter:
        """The writer of a DataFrame."""
        with one_line():
            if overwrite:
                raise ConfigError(
                    "A portal is not overwritten: rows are inserted, updated or upserted",
                    guidance='Write .mode("append") with .option("mode", "insert"), "update" or "upsert".',
                )
            return PortalWriter(SparkWrite.parse(self.options), schema)


class PortalPartition(InputPartition):
    """The rows of a portal, or of a range of ids in it: a scan, which opens the portal by its name.

    Parameters
    ----------
    host : str
        The portal.
    scan : bytes
        The pickled connection and scan. Spark unpickles partitions where no error of theirs names the portal.
    """

    def __init__(self, host: str, scan: bytes) -> None:
        super().__init__(None)
        self.host = host
        self.scan = scan


class PortalReader(DataSourceReader):
    """The partitions of a read, and their rows."""

    def __init__(self, options: SparkRead, schema: StructType) -> None:
        self._options = options
        self._columns = requested_columns(schema)
        self._united = fitting(schema)

    def partitions(self) -> Sequence[InputPartition]:
        """A partition for each portal, or `splits` of them."""
        with one_line():
            return bridge.run(_partitions(self._options, self._columns))

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """The rows of a partition. A repeated task reads them again: each once, as the portal has them by then."""
        if not isinstance(partition, PortalPartition):
            raise TypeError(f"a partition of another reader: {type(partition).__name__}")
        with one_line(partition.host), _reopened(partition) as scan, closing(scan.batches()) as batches:
            for batch in batches:
                yield self._fitted(batch, partition.host)

    def _fitted(self, batch: pa.RecordBatch, host: str) -> pa.RecordBatch:
        import pyarrow as pa

        [fitted] = self._united.fit(pa.Table.from_batches([batch]), host).combine_chunks().to_batches()
        return fitted


@contextmanager
def _reopened(partition: PortalPartition) -> Iterator[Scan]:
    """The scan of a partition, on an executor."""
    connection, scan = pickle.loads(partition.scan)  # noqa: S301 (the driver has sent it)
    try:
        yield Scan(scan)
    finally:
        bridge.run(connection.close())


async def _united(options: SparkRead) -> pa.Schema:
    """The schema of the rows of all portals."""
    union = Union(options.entity, options.type_conflicts)
    async with _opened(options, options.columns) as sources:
        for place, source in enumerate(sources):
            union.add(place, source.connection.host, source.schema.empty_table(), {})
    return union.united().empty.schema


async def _partitions(options: SparkRead, columns: Sequence[str]) -> list[InputPartition]:
    async with _opened(options, columns) as sources:
        by_host = {source.connection.host: source for source in sources}

        async def of(connection: Connection) -> list[AsyncScan]:
            return await AsyncScan(by_host[connection.host]).splits(options.splits)

        found = await _of_all([source.connection for source in sources], of)
        return [
            PortalPartition(source.connection.host, pickle.dumps((source.connection, split)))
            for source, splits in zip(sources, found, strict=True)
            for split in splits
        ]


@asynccontextmanager
async def _opened(options: SparkRead, columns: Sequence[str] | None) -> AsyncGenerator[list[RestSource], None]:
    """What gives the rows of each portal, in the order of the portals; their connections are closed in the end.

    Raises
    ------
    UnknownColumn
        No portal has one of the columns.
    """
    limits = options.limits()
    connections = connections_of([PortalBase(name, limits=limits) for name in options.portals])
    several = len(connections) > 1

    async def source_of(connection: Connection) -> RestSource:
        source = await open_source(connection.begun(), options.request(columns))
        # a column that this portal lacks is null; one that it has must come in the rows
        return replace(source, reading=replace(source.reading, forgiving=False)) if several else source

    try:
        sources = await _of_all(connections, source_of)
        for name in columns or ():
            if all(name in source.reading.missing for source in sources):
                raise UnknownColumn(f"None of the portals has the column {name!r}", entity=options.entity)
        yield sources
    finally:
        for connection in connections:
            await connection.close()


async def _of_all(connections: Sequence[Connection], work: Callable[[Connection], Awaitable[_T]]) -> list[_T]:
    """The results of some work on each portal, in their order.

    Raises
    ------
    BX24Error
        It failed on some portals; the message has the reason of each.
    """
    found = await on_each(connections, work)
    if found.failures:
        raise unread(found.failures, len(connections))
    return list(found.results.values())
