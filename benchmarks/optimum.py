"""The most pages that a portal's limits allow, as a linear programme (scipy, HiGHS).

Time is cut into the minutes that the portal counts operating time by. In each minute so many requests of each kind are
sent; a kind is a batch of item pages and classic pages, or a single call. The constraints are the portal's request
bucket, the operating time of each budget over ten minutes, and the requests in flight that the client allows itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

BURST, PER_SECOND, IN_FLIGHT, WINDOW, COMMANDS = 50, 2.0, 8, 10, 50
FREE = 0.1 + 1e-9
LATENCY = 0.33
"""Seconds on the way and at the start of a request, as in the virtual portal."""


@dataclass(frozen=True)
class Kind:
    """One kind of request: pages of both families, and what it is charged."""

    pages: int
    seconds: float
    charged: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Optimum:
    """The limits of one portal.

    `spread`: how many times as long the slowest request takes as the fastest one, per page. The distribution is known
    then, and not the cost of any one request; it is charged what such requests are charged in the mean.
    """

    page: float
    newer: bool
    limit: float = 480.0
    families: int = 2
    spread: float = 1.0

    @cached_property
    def kinds(self) -> list[Kind]:
        made = [self._single(name) for name in ("item", "classic")[: self.families]]
        for items in range(COMMANDS + 1):
            for classic in range(COMMANDS + 1 - items if self.families > 1 else 1):
                if items + classic:
                    made.append(self._batch(items, classic))
        return _best(made)

    def _single(self, name: str) -> Kind:
        return Kind(1, self.page, ((name, self._charged(self.page)),))

    def _batch(self, items: int, classic: int) -> Kind:
        seconds = (items + classic) * self.page
        parts = {"batch": seconds / 2} if self.newer else {"item": items * self.page, "classic": classic * self.page}
        return Kind(items + classic, seconds, tuple((key, self._charged(value)) for key, value in parts.items()))

    def _charged(self, mean: float) -> float:
        """What is charged in the mean for so many seconds in the mean, log-uniformly distributed."""
        if self.spread == 1.0:
            return mean if mean > FREE else 0.0
        least = mean * math.log(self.spread) / (self.spread - 1)
        return max(0.0, least * self.spread - max(least, FREE)) / math.log(self.spread)

    def pages(self, seconds: float) -> float:
        """Pages at most in so many seconds from the start of a minute, with an empty bucket and no time spent."""
        slots = math.ceil(seconds / 60)
        lengths = [60.0] * (slots - 1) + [seconds - 60.0 * (slots - 1)]
        kinds, width = self.kinds, len(self.kinds)
        budgets = sorted({key for kind in kinds for key, _ in kind.charged})
        rows: list[tuple[np.ndarray, np.ndarray, float]] = []
        every = np.arange(width)
        for first in range(slots):  # the bucket, over every run of minutes
            for last in range(first, slots):
                columns = np.concatenate([every + slot * width for slot in range(first, last + 1)])
                rows.append((columns, np.ones(len(columns)), BURST + PER_SECOND * sum(lengths[first : last + 1])))
        walls = np.array([kind.seconds + LATENCY for kind in kinds])
        for slot in range(slots):
            rows.append((every + slot * width, walls, IN_FLIGHT * lengths[slot]))
            for budget in budgets:
                cost = np.array([dict(kind.charged).get(budget, 0.0) for kind in kinds])
                first = max(0, slot - WINDOW + 1)
                columns = np.concatenate([every + at * width for at in range(first, slot + 1)])
                rows.append((columns, np.tile(cost, slot + 1 - first), self.limit))
        matrix = lil_matrix((len(rows), width * slots))
        for place, (columns, values, _) in enumerate(rows):
            matrix[place, columns] = values
        gain = -np.tile([kind.pages for kind in kinds], slots).astype(float)
        found = linprog(gain, A_ub=matrix.tocsr(), b_ub=[bound for _, _, bound in rows], method="highs")
        return float(-found.fun)

    def seconds(self, pages: float) -> float:
        """Seconds at least for so many pages."""
        low, high = 1.0, 60.0
        while self.pages(high) < pages:
            low, high = high, high * 2
        while high - low > 0.25:
            middle = (low + high) / 2
            low, high = (low, middle) if self.pages(middle) >= pages else (middle, high)
        return high


def _best(kinds: list[Kind]) -> list[Kind]:
    """The kinds that no other one beats: as many pages, and nothing costs more."""
    found: dict[tuple[object, ...], Kind] = {}
    for kind in sorted(kinds, key=lambda kind: kind.pages):
        found[tuple((key, round(value, 9)) for key, value in kind.charged)] = kind
    kept = list(found.values())
    if len(kept) > 200:  # between the free pages and a full batch everything is linear
        kept = [kind for kind in kept if kind.pages in (1, COMMANDS) or not any(value for _, value in kind.charged)]
    return kept
