"""Write reports: the outcome of each row of an upload, counts, and the rows to retry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast, overload

from bx24frames.display import clipped, table_html
from bx24frames.errors import ConfigError, WriteError
from bx24frames.frames.accept import accept
from bx24frames.frames.give import to_backend
from bx24frames.language import figure, term, translated
from bx24frames.options import Backend
from bx24frames.reports import Action
from bx24frames.upload.outcomes import ACTIONS, BAD

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.engine.usage import Usage
    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.frames.give import Frame

__all__ = ["WriteReport"]

_F = TypeVar("_F")

REASON_WIDTH: Final = 300
"""Characters of a reason that an error names: no message of this package is longer."""
REASONS: Final = 3
"""Distinct reasons of failure that an error names."""
FIRST: Final = 5
"""Failures shown; the rest are counted."""
_WIDTH: Final = 22
"""Characters of an outcome and its number."""
ROBOTS: Final = {True: "robots ran", False: "robots did not run", None: ""}
FAILURE_COLUMNS: Final = ("position", "label", "id", "action", "code", "message", "column")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class WriteReport:
    """The outcome of each row of an upload.

    Attributes
    ----------
    outcomes : pyarrow.Table
        One row per input row, in input order: ``position`` int64, ``label`` (the index value, or the position),
        ``id`` int64 or string, ``attempts`` int64; ``action``, ``code``, ``message``, ``column``, ``path`` string.
    entity, host : str
        The entity and the portal.
    mode : str
        ``"insert"``, ``"update"``, ``"upsert"`` or ``"delete"``.
    dry_run : bool
        Whether nothing was sent; the actions then say what would be done.
    robots_ran : bool or None
        Whether the CRM's automation ran for the rows; None if unknown, if nothing was written, or if the entity is not
        a CRM item.
    requests : int
        HTTP requests used; for a dry run, an estimate.
    seconds : float
        Wall time in seconds; for a dry run, the minimum that the portal's limits allow.
    basis : str
        For a dry run: the cost of a row behind the estimate, measured by this process or assumed.
    counted : bool
        Whether a file was written, and ``label`` is the number of a row in it.
    journal : pathlib.Path or None
        The file in which the upload is recorded.
    usage : Usage or None
        For a dry run: shares of the budgets of ten minutes that the upload takes; `binds` names the one that limits
        it, and `advice` what would help. None until every method of the upload has been measured on the portal.
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
    counted: bool = False
    usage: Usage | None = None

    def count(self, action: Action) -> int:
        """Number of rows with one outcome."""
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
        """Rows that already had the values sent."""
        return self.count("unchanged")

    @property
    def failed(self) -> int:
        """Rows refused."""
        return self.count("failed")

    @property
    def unknown(self) -> int:
        """Rows whose answer was lost and whose outcome could not be determined."""
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
        """Return the outcomes as a frame, one row per input row, in input order.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}

        Returns
        -------
        pandas.DataFrame, polars.DataFrame or pyarrow.Table
            Columns position, label, id, action, code, message, column, attempts, path.
        """
        return to_backend(self.outcomes, backend, id_columns=("position", "attempts"))

    def failed_rows(self, frame: _F) -> _F:
        """Select the failed rows of the frame that was written; they are not in the portal.

        Unknown rows may be in the portal: check ``rows(frame, "unknown")`` before sending them again.

        Parameters
        ----------
        frame : pandas, polars or pyarrow frame
            The frame that was written: the same number of rows in the same order.

        Returns
        -------
        A frame of the input's type, order and index.
        """
        return self.rows(frame, "failed")

    def rows(self, frame: _F, *actions: Action) -> _F:
        """Select the rows with one of the outcomes `actions` from the frame that was written; see `failed_rows`.

        Raises
        ------
        ConfigError
            An unknown action, not a frame, or a frame with a different number of rows.
        """
        odd = [action for action in actions if action not in ACTIONS]
        if odd or not actions:
            raise ConfigError(f"actions must be among {', '.join(ACTIONS)}, not {odd}")
        return _take(frame, self.positions(*actions), len(self))

    def ids(self, *actions: Action) -> list[int | str]:
        """Return the portal's ids of the rows with one of the outcomes `actions`, in input order."""
        chosen: AnyChunkedArray = self.outcomes["id"].take(self.positions(*actions)).drop_null()
        return cast("list[int | str]", chosen.to_pylist())

    def positions(self, *actions: Action) -> pa.Array[pa.Int64Scalar]:
        """Return the positions of the rows with one of the outcomes `actions`, as an int64 array."""
        import pyarrow as pa
        import pyarrow.compute as pc

        mask = pc.is_in(self.outcomes["action"], value_set=pa.array(actions, pa.string()))
        return self.outcomes["position"].filter(mask).combine_chunks()

    def raise_for_errors(self) -> None:
        """Raise `WriteError` unless every row was written or skipped on purpose.

        Raises
        ------
        WriteError
            Some rows failed or are unknown; the message has their number and the most frequent reasons.
        """
        if not (self.failed or self.unknown):
            return
        raise WriteError(
            "\n  ".join([self._shortfall(), *self._reasons()]),
            report=self,
            guidance="The error's .report.frame() lists every row; .report.failed_rows(frame) selects the failed ones.",
        )

    def _shortfall(self) -> str:
        """Say how many rows were not written, and whether they may be in the portal."""
        failed, unknown, rows = self.failed, self.unknown, len(self)
        counts = ", ".join(f"{action}: {count:,}" for action, count in _counts(self))
        bad = failed + unknown
        if not unknown:
            return f"{self.entity}: {bad:,} of {rows:,} rows failed ({counts})"
        if not failed:
            return (
                f"{self.entity}: {bad:,} of {rows:,} rows are unknown: they may or may not be in the portal ({counts})"
            )
        return (
            f"{self.entity}: {bad:,} of {rows:,} rows failed or are unknown: they may or may not be in the portal "
            f"({counts})"
        )

    def _reasons(self) -> list[str]:
        """Return the distinct reasons of failure, most frequent first, at most `REASONS`."""
        bad = self.outcomes.take(self.positions(*BAD))
        groups = bad.group_by(["code", "message"], use_threads=False).aggregate(
            [("position", "count"), ("position", "min")]
        )
        lines = sorted(groups.to_pylist(), key=lambda line: (-line["position_count"], line["position_min"]))
        more = [f"and {len(lines) - REASONS} other reasons"] if len(lines) > REASONS else []
        return [_reason(line) for line in lines[:REASONS]] + more

    def __str__(self) -> str:
        return _as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _as_html(self)


def _take(frame: _F, positions: AnyArray, rows: int) -> _F:
    """Select rows of any frame; the result is lazy if the frame was."""
    source = accept(frame)
    if source.rows != rows:
        raise ConfigError(
            f"The report has {rows:,} rows, but the frame has {source.rows:,}",
            guidance="Pass the frame that was written, with the same rows in the same order.",
        )
    return cast("_F", source.take(positions))


def _reason(line: Mapping[str, object]) -> str:
    reason = ": ".join(str(part) for part in (line["code"], line["message"]) if part) or "no reason given"
    return clipped(f"{line['position_count']:,} x {reason}", REASON_WIDTH)


def _as_text(report: WriteReport) -> str:
    """Format the counts and the first failures as text."""
    counts = [f"  {(word := term(action))}{figure(count):>{_WIDTH - len(word)}}" for action, count in _counts(report)]
    return "\n".join([_title(report), *counts, *map(_failure, _failures(report)), *_notes(report)])


def _as_html(report: WriteReport) -> str:
    """Format the counts and the first failures as HTML tables; texts of the portal are escaped."""
    counts = [(term(action), count) for action, count in _counts(report)]
    parts = [table_html(("action", "rows"), counts, title=_title(report))]
    failures = _failures(report)
    if failures:
        shown = ([_cell(name, line[name]) for name in FAILURE_COLUMNS] for line in failures)
        parts.append(table_html(FAILURE_COLUMNS, shown, title=translated("Failed rows")))
    parts += [f"<p>{escape(line.strip())}</p>" for line in _notes(report)]
    return "\n".join(parts)


def _title(report: WriteReport) -> str:
    facts = ", ".join(note for note in (_spent(report), ROBOTS[report.robots_ran]) if note)
    rows = len(report)
    return translated(
        f"{term(report.mode)} of {rows:,} row{'' if rows == 1 else 's'}, {report.entity} at {report.host} ({facts})"
    )


def _spent(report: WriteReport) -> str:
    """Say what the upload took, or would take at least."""
    plural = "" if report.requests == 1 else "s"
    if not report.dry_run:
        return f"{report.requests:,} request{plural} in {report.seconds:.1f} s"
    if report.seconds < 1:
        return f"dry run: nothing was sent; about {report.requests:,} request{plural}"
    return (
        f"dry run: nothing was sent; about {report.requests:,} request{plural}, "
        f"at least {report.seconds:,.0f} s at {report.basis}"
    )


def _counts(report: WriteReport) -> list[tuple[str, int]]:
    return [(action, count) for action in ACTIONS if (count := report.count(action))]


def _failures(report: WriteReport) -> list[dict[str, object]]:
    """The first rows that were not written: place, outcome, column, code, message."""
    bad = report.outcomes.take(report.positions(*BAD)[:FIRST])
    place = "label" if report.counted else "position"
    lines: list[dict[str, object]] = bad.to_pylist()
    return [{**line, "place": line[place]} for line in lines]


def _failure(line: Mapping[str, object]) -> str:
    """Format a row that was not written as a line; the message is translated before it is shortened."""
    said = (term(str(line["action"])), line["column"], line["code"], translated(str(line["message"] or "")))
    reason = clipped(": ".join(str(part) for part in said if part))
    return f"  {term('row')} {line['place']}: {reason}"


def _cell(name: str, value: object) -> str:
    """Format a cell as text, since positions and ids are not amounts."""
    if value is None:
        return ""
    return clipped(
        term(str(value)) if name == "action" else translated(str(value)) if name == "message" else str(value)
    )


def _notes(report: WriteReport) -> list[str]:
    """The lines below the counts and the failures."""
    return [f"  {line}" for line in (*_rest(report), *_limits(report), *_journal(report))]


def _rest(report: WriteReport) -> list[str]:
    more = report.failed + report.unknown - FIRST
    return [translated(f"and {more:,} more: .frame() lists every row")] if more > 0 else []


def _limits(report: WriteReport) -> list[str]:
    """Name the limit that binds the upload of a dry run, and what would help; nothing if it takes under a second."""
    if not report.dry_run or report.seconds < 1:
        return []
    if report.usage is None:
        return [translated("the limit that binds is not known: such a write has not been measured on this portal yet")]
    advice = "; ".join(map(translated, report.usage.advice))
    return [str(report.usage), *([f"{term('what would help')}: {advice}"] if advice else [])]


def _journal(report: WriteReport) -> list[str]:
    return [translated(f"journal {report.journal}")] if report.journal else []
