"""Progress bar of reads and writes."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO, cast

from bx24frames.engine.runner import PACKAGE_LOG
from bx24frames.language import term, translated
from bx24frames.options import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tqdm import tqdm

    from bx24frames.portal.connection import Connection

__all__ = ["Bar", "ProgressMeter", "SharedBars"]

PORTALS_PER_BAR: Final = 10
"""Portals that share a progress bar."""


class Bar:
    """Shows rows done, requests, time spent waiting and failures; on stderr, or as a widget in a notebook.

    A finished bar stays on a terminal and leaves a notebook.

    Parameters
    ----------
    title : str
        Description of the operation, such as ``"deal: read"``.
    total : int, optional
        Rows expected; None if unknown. `expect` can set it later.
    progress : {"auto", True, False}
        ``"auto"`` shows no bar if stderr is not a terminal (https://tqdm.github.io/docs/tqdm/: ``disable=None``); False
        does not import tqdm.
    shared : bool
        Whether several portals count into the bar, each of which knows its own rows alone: it has no total.
    file : text stream, optional
        Output stream; default: stderr, and stdout in a notebook without ipywidgets.

    Examples
    --------
    >>> with Bar("deal: read", total=100, progress=False) as bar:
    ...     bar.update(rows=50, requests=1)
    """

    def __init__(
        self,
        title: str,
        *,
        total: int | None = None,
        progress: Progress = "auto",
        shared: bool = False,
        file: TextIO | None = None,
    ) -> None:
        self._shared = shared
        self._requests = 0
        self._waiting = 0.0
        self._limits = ""
        self._failed = 0
        self._tqdm: tqdm[object] | None = None
        if progress is not False:
            self._tqdm = _tqdm(title, total, progress, file)
        self._lines = (
            _Lines(self._tqdm) if self._tqdm is not None and self.shown and not PACKAGE_LOG.hasHandlers() else None
        )
        if self._lines is not None:
            PACKAGE_LOG.addHandler(self._lines)

    def update(
        self, *, rows: int = 0, requests: int = 0, waiting_seconds: float = 0.0, failed: int = 0, limits: str = ""
    ) -> None:
        """Add the progress since the last call.

        Parameters
        ----------
        rows : int
            Rows done, failed ones included.
        requests : int
            HTTP requests sent.
        waiting_seconds : float
            Seconds spent waiting for the portal's limits.
        failed : int
            Rows refused.
        limits : str
            The budget that binds, in words; shown once there was something to wait for.
        """
        self._limits = limits or self._limits
        self._requests += requests
        self._waiting += waiting_seconds
        self._failed += failed
        if self._tqdm is not None:
            self._tqdm.set_postfix_str(self._beside(), refresh=False)
            self._tqdm.update(rows)

    @property
    def shown(self) -> bool:
        """Whether the bar is displayed."""
        return self._tqdm is not None and not self._tqdm.disable

    @property
    def has_total(self) -> bool:
        """Whether the bar shows how many rows are expected."""
        return self.shown and not self._shared

    def expect(self, total: int | None) -> None:
        """Set the number of rows to expect."""
        if self._tqdm is not None:
            done = self._tqdm.n
            self._tqdm.reset(total)  # a widget takes a new total from this call alone
            self._tqdm.update(done)
            self._tqdm.refresh()

    def close(self) -> None:
        """Close the bar; a second call does nothing."""
        if self._lines is not None:
            PACKAGE_LOG.removeHandler(self._lines)
        if self._tqdm is not None:
            self._tqdm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tqdm is not None and kind is None:
            self._tqdm.total = self._tqdm.n  # the total was an estimate; a widget below it would turn red
        elif self._tqdm is not None:
            self._tqdm.leave = False  # a half-finished bar above a traceback adds no information
        self.close()

    def _beside(self) -> str:
        parts = [translated(f"{self._requests:,} request{'' if self._requests == 1 else 's'}")]
        if self._waiting >= 1:
            parts.append(translated(f"waited {self._waiting:.0f} s"))
        if self._waiting >= 1 and self._limits:
            parts.append(self._limits)
        if self._failed:
            parts.append(translated(f"{self._failed:,} failed"))
        return ", ".join(parts)


class _Lines(logging.Handler):
    """Prints log records above a bar, where Python would print them to stderr and so behind it."""

    def __init__(self, bar: tqdm[object]) -> None:
        super().__init__(logging.WARNING)
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        self._bar.write(self.format(record), file=sys.stderr)


def _tqdm(title: str, total: int | None, progress: Progress, file: TextIO | None) -> tqdm[object]:
    notebook = file is None and in_notebook()
    if notebook and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as kind
    else:
        from tqdm import tqdm as kind  # type: ignore[assignment]
    if file is None:
        file = sys.stdout if notebook else sys.stderr  # a notebook shows stderr as an error
    return cast("Callable[..., tqdm[object]]", kind)(
        desc=translated(title),
        total=total,
        unit=f" {term('unit|rows')}",
        file=file,
        disable=None if progress == "auto" and not notebook else False,
        leave=not notebook,  # the frame below says what was read
        dynamic_ncols=not notebook,
    )


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel: Jupyter, VS Code, Colab."""
    kernel = sys.modules.get("ipykernel.zmqshell")
    if kernel is None:
        return False
    from IPython import get_ipython

    return isinstance(get_ipython(), kernel.ZMQInteractiveShell)


class ProgressMeter:
    """Updates a bar with rows, and with the requests and waits that a connection counted meanwhile."""

    def __init__(self, connection: Connection, bar: Bar) -> None:
        self._connection = connection
        self._stats = connection.stats
        self.bar = bar
        self._requests = self._stats.requests
        self._waited = self._stats.waited

    def rows(self, count: int, failed: int = 0) -> None:
        """Count finished rows."""
        requests, waited = self._stats.requests, self._stats.waited
        limits = str(self._connection.usage()) if self.bar.shown and waited > self._waited else ""
        self.bar.update(
            rows=count,
            requests=requests - self._requests,
            waiting_seconds=waited - self._waited,
            failed=failed,
            limits=limits,
        )
        self._requests, self._waited = requests, waited


class SharedBars:
    """The progress bars of work on several portals, each for `PORTALS_PER_BAR` portals that follow one another.

    Parameters
    ----------
    connections : sequence of Connection
    title : str
        Description of the work, which the portals of a bar follow.
    progress : {"auto", True, False}
    """

    def __init__(self, connections: Sequence[Connection], title: str, progress: Progress) -> None:
        self._connections = connections
        self._title = title
        self._progress: Progress = progress
        self._bars: dict[int, Bar] = {}
        self._running = Counter(place // PORTALS_PER_BAR for place in range(len(connections)))

    def meter(self, place: int) -> ProgressMeter:
        """What counts the rows of a portal into its bar."""
        number = place // PORTALS_PER_BAR
        if number not in self._bars:
            first = number * PORTALS_PER_BAR + 1
            last = min(first + PORTALS_PER_BAR - 1, len(self._connections))
            title = f"{self._title}: portals {first} to {last}"
            self._bars[number] = Bar(title, progress=self._progress, shared=True)
        return ProgressMeter(self._connections[place], self._bars[number])

    def ended(self, place: int) -> None:
        """Close the bar of a portal with the last of its portals."""
        number = place // PORTALS_PER_BAR
        self._running[number] -= 1
        if not self._running[number] and number in self._bars:
            self._bars[number].close()

    def close(self) -> None:
        """Close all bars."""
        for bar in self._bars.values():
            bar.close()
