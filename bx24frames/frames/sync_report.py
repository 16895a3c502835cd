"""Sync report: what a sync did to each table of a mirror."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, overload

from bx24frames.display import table_html
from bx24frames.frames.give import to_backend
from bx24frames.language import term, translated
from bx24frames.mirror.outcome import Synced, failed_tables, sync_error, table_outcomes
from bx24frames.portal.several import portals_error

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.errors import BX24Error, SyncError
    from bx24frames.frames.give import Frame
    from bx24frames.options import Backend, OnError

__all__ = ["SyncReport", "sync_report_of"]

_SHOWN: Final = ("table", "status", "read", "inserted", "updated", "deleted", "message")
_KEPT: Final = "Each of them still has its last complete state; the others are up to date."


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SyncReport:
    """What a sync did, one row per table.

    Attributes
    ----------
    tables : pyarrow.Table
        ``portal, table, entity, status, message`` string; ``read, inserted, updated, deleted`` int64, in rows;
        ``mark``, the portal's time that the copy reaches, timestamp[us, UTC]; ``drift``, a list of
        struct{kind, column, before, after}. Status is ``"synced"``, ``"failed"`` (the table has its last complete
        state) or ``"skipped"`` (the credential cannot read the entity).
    store : str
        Name of the store, without secrets.
    requests : int
        HTTP requests used.
    seconds : float
        Wall time in seconds.
    """

    tables: pa.Table
    store: str
    requests: int
    seconds: float

    @property
    def inserted(self) -> int:
        """Rows that are new in the mirror."""
        return self._sum("inserted")

    @property
    def updated(self) -> int:
        """Rows that differed from the mirror."""
        return self._sum("updated")

    @property
    def deleted(self) -> int:
        """Rows proven to be deleted."""
        return self._sum("deleted")

    @property
    def failed(self) -> list[str]:
        """The tables that were not brought up to date."""
        rows = zip(self.tables["table"].to_pylist(), self.tables["status"].to_pylist(), strict=True)
        return [str(table) for table, status in rows if status == "failed"]

    @overload
    def frame(self, backend: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def frame(self, backend: Literal["polars"]) -> pl.DataFrame: ...
    @overload
    def frame(self, backend: Literal["pyarrow"]) -> pa.Table: ...
    def frame(self, backend: Backend = "pandas") -> Frame:
        """The tables as a frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}
        """
        return to_backend(self.tables, backend)

    def raise_for_errors(self) -> None:
        """Raise `SyncError` if a table failed.

        Raises
        ------
        SyncError
            With this report.
        """
        if self.failures:
            raise sync_error(self, self.failures, _KEPT)

    @property
    def failures(self) -> dict[str, list[str]]:
        """The tables that were not brought up to date, each with the message of its error, by portal."""
        return failed_tables(self.tables)

    def portal_errors(self) -> dict[str, SyncError]:
        """An error for each portal with tables that failed."""
        return {portal: sync_error(self, [portal], _KEPT) for portal in self.failures}

    def __len__(self) -> int:
        return self.tables.num_rows

    def __repr__(self) -> str:
        tables, requests, failed = len(self), self.requests, len(self.failed)
        facts = [
            f"{tables:,} table{'' if tables == 1 else 's'}",
            *([f"{failed:,} failed"] if failed else []),
            f"{self.inserted:,} inserted, {self.updated:,} updated, {self.deleted:,} deleted",
            f"{requests:,} request{'' if requests == 1 else 's'}",
            f"{self.seconds:.1f} s",
        ]
        return f"<SyncReport {self.store}: {', '.join(map(translated, facts))}>"

    def _repr_html_(self) -> str:
        lines: list[dict[str, object]] = self.tables.select(_SHOWN).to_pylist()
        said = (
            {**line, "status": term(str(line["status"])), "message": translated(str(line["message"] or ""))}
            for line in lines
        )
        rows = [list(line.values()) for line in said]
        return table_html(_SHOWN, rows, title=repr(self).strip("<>"))

    def _sum(self, name: str) -> int:
        return sum(int(str(one)) for one in self.tables[name].to_pylist())


def sync_report_of(done: Synced, on_error: OnError, portals: Sequence[str], *, listed: bool) -> SyncReport:
    """The report of a sync of these hosts; raises for its failures unless they are only to be reported."""
    report = SyncReport(table_outcomes(done.outcomes), done.store, done.requests, done.seconds)
    if on_error == "report":
        return report
    if not listed:
        report.raise_for_errors()
        return report
    failures: dict[str, BX24Error] = {**report.portal_errors(), **done.failures}
    if failures:
        ordered = {host: failures[host] for host in portals if host in failures}
        raise portals_error(ordered, len(portals), report=report)
    return report
