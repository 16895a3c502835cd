"""Spark writer: the rows of a DataFrame, written to a portal partition by partition, each row once.

A task that Spark repeats finds the journal of its first attempt and continues it. The rows of a partition are put in an
order of their own first, since a repeated task may get them in another one; other rows than before are an error.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyspark import TaskContext
from pyspark.sql.datasource import DataSourceArrowWriter, WriterCommitMessage

from bx24frames import bridge
from bx24frames.connectors.spark_errors import as_line, one_line, unwritten
from bx24frames.connectors.spark_runs import Facts, Run
from bx24frames.connectors.spark_types import arrow_schema
from bx24frames.errors import BX24Error, CallError, ConfigError
from bx24frames.files.row_report import ROW, report_table
from bx24frames.portal.base import PortalBase
from bx24frames.upload.journal_file import JournalInUse
from bx24frames.upload.outcomes import BAD
from bx24frames.upload.prepare import prepare_upload
from bx24frames.upload.request import row_hashes
from bx24frames.upload.run import write_rows
from bx24frames.upload.source import ArrowSource

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

    from bx24frames.connectors.spark_options import SparkWrite
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.outcomes import Uploaded

__all__ = ["PartitionWritten", "PortalWriter"]

LONGEST_WAIT: Final = 15.0
"""Seconds between two looks at a journal that another attempt of the task has open."""
_MODULO: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class PartitionWritten(WriterCommitMessage):
    """What a task did.

    `counts`: rows by outcome. `digest`: a sum of the hashes of all rows, which no order changes. `fault`: why the rows
    were not written to the end, where no further attempt could do it.
    """

    counts: Mapping[str, int]
    digest: int = 0
    fault: str = ""


class PortalWriter(DataSourceArrowWriter):
    """The save of a DataFrame; made on the driver, where the columns are checked before a task begins.

    Raises
    ------
    UnknownColumn, ValidationError, ConfigError
        A column or an option is invalid.
    """

    def __init__(self, options: SparkWrite, schema: StructType) -> None:
        self._options = options
        self._schema = arrow_schema(schema)
        self._host = bridge.run(self._check())
        self._run = Run.begin(options.journal, options.resume, options.entity)

    def write(self, iterator: Iterator[pa.RecordBatch]) -> PartitionWritten:
        """Write the rows of a partition; all of them are in memory meanwhile."""
        import pyarrow as pa

        partition, batches = self.partition(), list(iterator)
        if not any(batch.num_rows for batch in batches):
            return PartitionWritten({})
        rows, hashes = _ordered(pa.Table.from_batches(batches))
        with one_line(self._host):
            try:
                done = bridge.run(self._upload(rows, partition))
            except CallError:
                raise  # Spark repeats the task, and another attempt may reach the portal
            except BX24Error as error:
                return PartitionWritten({}, fault=as_line(error))
        self._run.report(partition, _failed(rows, done))
        counts = Counter(done.outcomes["action"].to_pylist())
        return PartitionWritten(counts, sum(int.from_bytes(one, "big") for one in hashes) % _MODULO)

    def partition(self) -> int:
        """The number of the partition of this task, the same in each of its attempts."""
        return int(TaskContext.get().partitionId())

    def commit(self, messages: Sequence[WriterCommitMessage | None]) -> None:
        """Finish the run, or raise if rows were not written."""
        written = [one for one in messages if isinstance(one, PartitionWritten)]
        counts: Counter[str] = sum((Counter(one.counts) for one in written), Counter())
        faults = [one.fault for one in written if one.fault]
        failed = any(counts[action] for action in BAD)
        with one_line(self._host):
            if faults:
                raise BX24Error(f"{len(faults)} of {len(written)} partitions were not written: {faults[0]}")
            if failed and self._options.on_error == "raise":
                raise unwritten(self._options.entity, counts, self._run)
        if failed:
            return
        digest = sum(one.digest for one in written) % _MODULO
        repeated = self._run.finish(Facts(self._host, self._options.entity, self._options.mode, counts.total(), digest))
        if repeated is not None and self._options.mode == "insert" and self._options.resume is None:
            warnings.warn(
                f"The same {counts.total():,} rows were inserted into {self._options.entity} at "
                f"{repeated:%Y-%m-%d %H:%M} UTC: they are there twice now",
                stacklevel=2,
            )

    def abort(self, messages: Sequence[WriterCommitMessage | None]) -> None:  # noqa: ARG002 (journals have it all)
        """Keep the journals, by which the run is continued."""
        self._run.abandon()

    async def _check(self) -> str:
        """Find the faults of columns and options; returns the portal's host."""
        connection = self._connection()
        try:
            source = ArrowSource(self._schema.empty_table())
            await prepare_upload(connection.begun(), self._options.request(source, None))
        finally:
            await connection.close()
        return connection.host

    async def _upload(self, rows: pa.Table, partition: int) -> Uploaded:
        connection = self._connection()
        if connection.host != self._host:
            raise ConfigError(
                f"{self._options.portals[0]!r} names {connection.host} on this executor, and another portal on the "
                "driver",
                guidance="Have it name the same portal on the driver and on all executors.",
            )
        request = self._options.request(ArrowSource(rows), str(self._run.journal(partition)))
        guard = None if self._options.mode == "update" else self._run.guard
        wait = 1.0
        try:
            while True:
                try:
                    done = await write_rows(connection.begun(), request, guard=guard)
                except JournalInUse:  # a second attempt of the task, which Spark has begun beside the first
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, LONGEST_WAIT)
                else:
                    break
        finally:
            await connection.close()
        if done.broken is not None:
            raise done.broken
        return done

    def _connection(self) -> Connection:
        return PortalBase(self._options.portals[0], limits=self._options.limits()).connection


def _ordered(rows: pa.Table) -> tuple[pa.Table, list[bytes]]:
    """Rows in the order of their hashes, which depends on nothing but their values, and the hashes."""
    hashes = row_hashes(rows, rows.num_rows)
    return rows.take(sorted(range(rows.num_rows), key=hashes.__getitem__)), hashes


def _failed(rows: pa.Table, done: Uploaded) -> pa.Table:
    """The rows that failed or are unknown, with their outcomes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bad = pc.is_in(done.outcomes["action"], value_set=pa.array(BAD))
    told = report_table(rows.filter(bad), done.outcomes.filter(bad).to_pylist())
    return told.drop_columns([ROW])  # a partition has no numbers of rows
