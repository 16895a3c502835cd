"""What an upload did, a line a row: counts, a frame of outcomes, the rows to try again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast, overload

from bx24frames.errors import ConfigError, WriteError
from bx24frames.frames.accept import accept
from bx24frames.frames.give import to_backend
from bx24frames.frames.report_text import as_html, as_text, clipped
from bx24frames.options import Backend
from bx24frames.upload.outcomes import ACTIONS, Action, Outcome
from bx24frames.upload.table import outcome_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame

__all__ = ["WriteReport"]

F = TypeVar("F")

REASONS: Final = 3


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class WriteReport:
    """What became of each row of an upload.

    Attributes
    ----------
    outcomes : pyarrow.Table
        One row per input row, in input order: ``position`` int64, ``label`` (the index value, or the position),
        ``id`` int64 or string, ``attempts`` int64; ``action``, ``code``, ``message``, ``column``, ``path`` string.
    entity, host : str
        The table and the portal.
    mode : str
        ``"insert"``, ``"update"``, ``"upsert"`` or ``"delete"``.
    dry_run : bool
        Nothing was sent; the actions say what would have been done.
    robots_ran : bool or None
        Whether the CRM's automation ran for the rows; None where it is not known, nothing was written, or the table
        is none of the CRM's items.
    requests : int
        HTTP requests that the upload took; of a dry run, would take, about.
    seconds : float
        Wall time it took, in seconds; of a dry run, the least that the portal's limits allow.
    basis : str
        Of a dry run: what a row is taken to cost the portal, measured by this process or assumed.
    journal : pathlib.Path or None
        Where the upload is recorded.
    """

    outcomes: pa.Table
    entity: str
    host: str
    mode: str
    dry_run: bool = False
    robots_ran: bool | None = None
    requests: int = 0
    seconds: float = 0.0
    journal: Path | None = None
    basis: str = ""

    @classmethod
    def of(
        cls,
        outcomes: Iterable[Outcome],
        *,
        rows: int,
        entity: str,
        host: str,
        mode: str,
        labels: pa.Array | None = None,
        dry_run: bool = False,
        robots_ran: bool | None = None,
        requests: int = 0,
        seconds: float = 0.0,
        journal: Path | None = None,
        basis: str = "",
    ) -> WriteReport:
        """Gather outcomes in any order; a later one of a row replaces an earlier, a row without one is ``skipped``.

        Parameters
        ----------
        outcomes : iterable of Outcome
        rows : int
            Rows of the input.
        labels : pyarrow.Array, optional
            The input's index values, one a row; positions without it.
        """
        table = outcome_table(outcomes, rows, labels)
        return cls(table, entity, host, mode, dry_run, robots_ran, requests, seconds, journal, basis)

    def count(self, action: Action) -> int:
        """How many rows met one fate."""
        return len(self.positions(action))

    @property
    def inserted(self) -> int:
        """Rows created."""
        return self.count("inserted")

    @property
    def updated(self) -> int:
        """Rows changed."""
        return self.count("updated")

    @property
    def deleted(self) -> int:
        """Rows deleted."""
        return self.count("deleted")

    @property
    def unchanged(self) -> int:
        """Rows that already were as wanted."""
        return self.count("unchanged")

    @property
    def failed(self) -> int:
        """Rows refused."""
        return self.count("failed")

    @property
    def unknown(self) -> int:
        """Rows whose answer was lost and not found out."""
        return self.count("unknown")

    @property
    def skipped(self) -> int:
        """Rows not sent."""
        return self.count("skipped")

    def __len__(self) -> int:
        return int(self.outcomes.num_rows)

    @overload
    def frame(self, backend: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def frame(self, backend: Literal["polars"]) -> pl.DataFrame: ...
    @overload
    def frame(self, backend: Literal["pyarrow"]) -> pa.Table: ...
    @overload
    def frame(self, backend: Backend) -> Frame: ...
    def frame(self, backend: Backend = "pandas") -> Frame:
        """One row per input row, in input order, as a frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}

        Returns
        -------
        pandas.DataFrame, polars.DataFrame or pyarrow.Table
            Columns position, label, id, action, code, message, column, attempts, path.
        """
        return to_backend(self.outcomes, backend, id_columns=("position", "attempts"))

    def failed_rows(self, frame: F) -> F:
        """Take the rows that failed out of the frame that was written: they are not in the portal.

        Rows that are unknown may be there: ``rows(frame, "unknown")`` has them, to be looked at before they are sent.

        Parameters
        ----------
        frame : pandas, polars or pyarrow frame
            The very input: the same number of rows in the same order.

        Returns
        -------
        The input's own type, order and index.
        """
        return self.rows(frame, "failed")

    def rows(self, frame: F, *actions: Action) -> F:
        """Take the rows that met one of `actions` out of the frame that was written, as `failed_rows` does.

        Raises
        ------
        ConfigError
            An unknown action, no frame, or one with another number of rows.
        """
        odd = [action for action in actions if action not in ACTIONS]
        if odd or not actions:
            raise ConfigError(f"Name actions out of {', '.join(ACTIONS)}; not {odd or 'none'}")
        return _take(frame, self.positions(*actions), len(self))

    def ids(self, *actions: Action) -> list[int | str]:
        """List the portal's ids of the rows that met one of `actions`, in input order."""
        chosen: pa.Array = self.outcomes["id"].take(self.positions(*actions)).drop_null()
        return cast("list[int | str]", chosen.to_pylist())

    def positions(self, *actions: Action) -> pa.Array:
        """Positions of the rows that met one of `actions`, as an int64 array in input order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        mask = pc.is_in(self.outcomes["action"], value_set=pa.array(actions, pa.string()))
        return self.outcomes["position"].filter(mask).combine_chunks()

    def raise_for_errors(self) -> None:
        """Raise unless every row is written or was meant to be left.

        Raises
        ------
        WriteError
            Some rows are failed or unknown; names how many and the first few reasons.
        """
        if not (self.failed or self.unknown):
            return
        counts = ", ".join(f"{self.count(action):,} {action}" for action in ACTIONS if self.count(action))
        reasons = "".join(f"\n  {line}" for line in self._reasons())
        told = ((self.failed, "failed"), (self.unknown, "are unknown: they may be there or not"))
        what = " or ".join(word for number, word in told if number)
        bad = self.failed + self.unknown
        raise WriteError(
            f"{self.entity}: {bad:,} of {len(self):,} rows {what} ({counts}){reasons}",
            report=self,
            guidance="The error's .report has .frame(), a line a row, and .failed_rows(frame), the rows themselves.",
        )

    def _reasons(self) -> list[str]:
        """Distinct reasons of failure, the commonest first, at most `REASONS` of them."""
        bad = self.outcomes.take(self.positions("failed", "unknown"))
        groups = bad.group_by(["code", "message"], use_threads=False).aggregate(
            [("position", "count"), ("position", "min")]
        )
        lines = sorted(groups.to_pylist(), key=lambda line: (-line["position_count"], line["position_min"]))
        more = [f"and {len(lines) - REASONS} other reasons"] if len(lines) > REASONS else []
        return [_reason(line) for line in lines[:REASONS]] + more

    def __str__(self) -> str:
        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self)


def _take(frame: F, positions: pa.Array, rows: int) -> F:
    """Take rows out of any frame; a lazy one is collected and made lazy again."""
    source = accept(frame)
    if source.rows != rows:
        raise ConfigError(f"The report is of {rows:,} rows, the frame has {source.rows:,}: give the very input")
    return cast("F", source.take(positions.to_numpy()))


def _reason(line: Mapping[str, object]) -> str:
    told = ": ".join(str(part) for part in (line["code"], line["message"]) if part) or "no reason given"
    return clipped(f"{line['position_count']:,} x {told}")
