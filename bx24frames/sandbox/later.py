"""Work that the portal does later: requests that waited in a queue, and changes whose commit takes time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class Later:
    """Pending work in the order of its time.

    Examples
    --------
    >>> later, done = Later(), []
    >>> later.at(5.0, done.append)
    >>> later.run(4.0)
    >>> later.run(6.0)
    >>> done
    [5.0]
    """

    _work: list[tuple[float, int, Callable[[float], object]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._work)

    def at(self, due: float, work: Callable[[float], object]) -> None:
        """Do something at a time of the portal's clock; `work` is given that time."""
        heapq.heappush(self._work, (due, next(self._numbers), work))

    def run(self, now: float) -> None:
        """Do what is due, each at its own time."""
        while self._work and self._work[0][0] <= now:
            due, _, work = heapq.heappop(self._work)
            work(due)
