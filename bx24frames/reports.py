"""Reports that errors carry: what they offer, as protocols; `frames` has the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Action", "Report", "SyncReported"]

Action: TypeAlias = Literal["inserted", "updated", "deleted", "unchanged", "failed", "unknown", "skipped"]
"""The outcome of a row in one word."""

Input = TypeVar("Input")


class Report(Protocol):
    """The report that an error of an upload carries: a `bx24frames.WriteReport`, whose reference has every member."""

    @property
    def outcomes(self) -> pa.Table:
        """One row per input row, in input order."""
        ...

    @property
    def entity(self) -> str:
        """The entity written to."""
        ...

    @property
    def host(self) -> str:
        """The portal."""
        ...

    @property
    def mode(self) -> str:
        """How the rows were written."""
        ...

    @property
    def dry_run(self) -> bool:
        """Whether nothing was sent."""
        ...

    @property
    def robots_ran(self) -> bool | None:
        """Whether the CRM's automation ran; None where that is not known."""
        ...

    @property
    def requests(self) -> int:
        """HTTP requests that the upload took."""
        ...

    @property
    def seconds(self) -> float:
        """Wall time in seconds."""
        ...

    @property
    def journal(self) -> Path | None:
        """The file in which the upload is recorded."""
        ...

    @property
    def inserted(self) -> int:
        """Rows created."""
        ...

    @property
    def updated(self) -> int:
        """Rows changed."""
        ...

    @property
    def deleted(self) -> int:
        """Rows deleted."""
        ...

    @property
    def unchanged(self) -> int:
        """Rows that already were as wanted."""
        ...

    @property
    def failed(self) -> int:
        """Rows refused."""
        ...

    @property
    def unknown(self) -> int:
        """Rows whose outcome is not known."""
        ...

    @property
    def skipped(self) -> int:
        """Rows not sent."""
        ...

    def __len__(self) -> int: ...

    def count(self, action: Action) -> int:
        """Number of rows with one outcome."""
        ...

    @overload
    def frame(self, backend: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def frame(self, backend: Literal["polars"]) -> pl.DataFrame: ...
    @overload
    def frame(self, backend: Literal["pyarrow"]) -> pa.Table: ...
    def frame(self, backend: Literal["pandas", "polars", "pyarrow"] = ...) -> pd.DataFrame | pl.DataFrame | pa.Table:
        """One row per input row, in input order, as a frame."""
        ...

    def failed_rows(self, frame: Input) -> Input:
        """The rows of the input that failed."""
        ...

    def rows(self, frame: Input, *actions: Action) -> Input:
        """The rows of the input with one of these outcomes."""
        ...

    def ids(self, *actions: Action) -> list[int | str]:
        """The portal's ids of the rows with one of these outcomes."""
        ...

    def positions(self, *actions: Action) -> pa.Array[pa.Int64Scalar]:
        """The positions of the rows with one of these outcomes."""
        ...

    def raise_for_errors(self) -> None:
        """Raise `WriteError` unless every row was written or left out on purpose."""
        ...


class SyncReported(Protocol):
    """The report of a sync, as `SyncError` carries it: a `bx24frames.SyncReport`."""

    @property
    def tables(self) -> pa.Table:
        """One row per table."""
        ...
