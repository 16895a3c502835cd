"""Statistics: requests, commands, waiting time, and operating time by method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from bx24frames.display import table_html
from bx24frames.engine.charges import BATCH
from bx24frames.engine.messages import Answer, Lost, Parcel, Refusal, Success
from bx24frames.engine.retry import is_pause
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.language import translated

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.options import Backend

COLUMNS: Final = ("method", "commands", "failed", "seconds", "operating")
_HEADS: Final = ("method", "commands", "unit|failed", "seconds", "operating")


@dataclass(slots=True)
class MethodStats:
    """Figures of one method; seconds are the portal's, so that `seconds` by `commands` is the cost of a command.

    What newer builds charge batches, whatever is in them, stands under ``batch``.
    """

    commands: int = 0
    failed: int = 0
    seconds: float = 0.0
    operating: float = 0.0


@dataclass(slots=True, repr=False)
class Stats:
    """Figures of one portal.

    Attributes
    ----------
    requests, refused : int
        Requests sent; those among them refused for a limit.
    received : int
        Bytes of answers.
    waited : float
        Seconds that work was held back for the limits.
    methods : dict
        Method name to its own figures.
    """

    requests: int = 0
    refused: int = 0
    received: int = 0
    waited: float = 0.0
    methods: dict[str, MethodStats] = field(default_factory=dict)

    @overload
    def to_frame(self, backend: Literal["pandas"] = ...) -> pd.DataFrame: ...
    @overload
    def to_frame(self, backend: Literal["polars"]) -> pl.DataFrame: ...
    @overload
    def to_frame(self, backend: Literal["pyarrow"]) -> pa.Table: ...
    def to_frame(self, backend: Backend = "pandas") -> pd.DataFrame | pl.DataFrame | pa.Table:
        """The figures by method, a row each: method, commands, failed, seconds, operating.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}

        Examples
        --------
        >>> Stats(methods={"profile": MethodStats(commands=2)}).to_frame("pyarrow").num_rows
        1
        """
        import pyarrow as pa

        columns: list[pa.Array[Any]] = [pa.array([*self.methods], pa.string())]
        columns += [
            pa.array([getattr(figures, name) for figures in self.methods.values()], type_)
            for name, type_ in (
                ("commands", pa.int64()),
                ("failed", pa.int64()),
                ("seconds", pa.float64()),
                ("operating", pa.float64()),
            )
        ]
        table = pa.table(columns, names=list(COLUMNS))
        if backend == "pyarrow":
            return table
        if backend in ("pandas", "polars"):
            require(backend)
        if backend == "polars":
            import polars as pl

            return pl.DataFrame(table)
        if backend != "pandas":
            raise ConfigError(f"backend is 'pandas', 'polars' or 'pyarrow', not {backend!r}")
        return table.to_pandas()

    def __repr__(self) -> str:
        seconds = sum(figures.seconds for figures in self.methods.values())
        parts = (
            f"{self.requests:,} request{'' if self.requests == 1 else 's'} ({self.refused:,} refused)",
            f"{sum(figures.commands for figures in self.methods.values()):,} commands",
            f"{self.received / 1e6:,.1f} MB received",
            f"{seconds:,.1f} s of the portal's time",
            f"waited {self.waited:,.1f} s",
        )
        return f"<Stats: {', '.join(map(translated, parts))}>"

    def _repr_html_(self) -> str:
        rows = [(method, of.commands, of.failed, of.seconds, of.operating) for method, of in self.methods.items()]
        return table_html(_HEADS, rows, title=repr(self).strip("<>"))

    def _charged(self, figures: MethodStats, answer: Success) -> None:
        """Note the operating time where it is charged: newer builds charge a batch, not the methods in it."""
        if answer.batch_operating and answer.batch_operating != answer.operating:
            self.methods.setdefault(BATCH, MethodStats()).operating = answer.batch_operating
        elif answer.operating is not None:
            figures.operating = answer.operating

    def take(self, parcel: Parcel, answers: Mapping[str, Answer], received: int) -> None:
        """Count one request with its answers."""
        self.requests += 1
        self.received += received
        first = answers[parcel.commands[0].label]
        together = isinstance(first, Lost) or (isinstance(first, Refusal) and first.whole)
        self.refused += together and not isinstance(first, Success) and is_pause(first)
        for command in parcel.commands:
            answer = answers[command.label]
            if isinstance(answer, Lost) and answer.answered and not answer.sent:
                continue  # the batch halted before it
            figures = self.methods.setdefault(command.call.method, MethodStats())
            figures.commands += 1
            if isinstance(answer, Success):
                figures.seconds += answer.seconds or 0.0
                self._charged(figures, answer)
            else:
                figures.failed += 1
