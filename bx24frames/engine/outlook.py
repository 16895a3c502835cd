"""Outlook: what a machine may ask of the governor before it makes a request, for each way of sending it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bx24frames.engine.charges import Generation, free_commands
from bx24frames.engine.ledger import WINDOW
from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.throttle import Governor

POLL: Final = 0.05
"""Seconds between checks of a budget that another thread or process may release."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The budgets of a credential, as they are when asked.

    Parameters
    ----------
    governor, lock :
        Shared by all runners of this portal and credential, in any thread.
    """

    governor: Governor
    lock: threading.Lock

    @property
    def generation(self) -> Generation:
        """Whom the portal charges, as far as its answers show."""
        return self.governor.generation

    @property
    def most_in_flight(self) -> int:
        """Requests that may be in flight at once."""
        return min([self.governor.max_in_flight, *self.governor.slow])

    @property
    def requests_per_second(self) -> float:
        """Requests a second that leak from the request bucket."""
        return self.governor.bucket.per_second

    def cost(self, rate: str, *, batched: bool) -> float:
        """Seconds of one command of a rate."""
        with self.lock:
            return self.governor.costs.seconds(rate, batched=batched)

    def commands_in(self, seconds: float, rate: str) -> float:
        """Commands of a rate that a batch has in so many seconds; infinity where they take none."""
        cost = self.cost(rate, batched=True)
        return seconds / cost if cost else math.inf

    def measured(self, rate: str) -> bool:
        """Whether a rate was measured in this process."""
        with self.lock:
            found = self.governor.costs.find(rate, batched=True)
            return found is not None and found.measured > 0

    def most(self, rate: str, wanted: int, now: float, *, batched: bool) -> int:
        """How many commands of a rate may be sent in one request now, up to `wanted`; 0 if none."""
        with self.lock:
            low, high = 0, wanted
            while low < high:
                middle = (low + high + 1) // 2
                ready_at = self.governor.ready_at({rate: middle}, now, batched=batched)
                low, high = (middle, high) if ready_at is not None and ready_at <= now else (low, middle - 1)
            return low

    def ready_at(self, rate: str, commands: int, now: float, *, batched: bool) -> float:
        """When a request with these commands may be sent; infinity while an answer is needed first."""
        with self.lock:
            ready_at = self.governor.ready_at({rate: commands}, now, batched=batched)
        return math.inf if ready_at is None else ready_at

    def free(self, rate: str) -> int:
        """How many commands of a rate a batch carries without being charged."""
        return min(MAX_COMMANDS, free_commands(self.cost(rate, batched=True), self.generation))

    def free_alone(self, seconds: float) -> bool:
        """Whether a single call of so many seconds is not charged."""
        return free_commands(seconds, Generation.BY_METHOD) > 0

    def places(self, now: float) -> float:
        """Requests that the request bucket admits at once."""
        with self.lock:
            return self.governor.bucket.places(now)

    def share(self, part: float, rate: str) -> int:
        """Commands of a rate that a part of its budget of operating time carries; 0 where nothing is limited."""
        with self.lock:
            seconds = max(self._cheapest([rate]).values(), default=0.0)
            whole = self.governor.operating
            return math.ceil(part * whole / seconds) if seconds and math.isfinite(whole) else 0

    def affordable(self, rates: Iterable[str], now: float) -> float:
        """Commands that batches may still carry before the windows move: of the cheapest rate of each budget."""
        with self.lock:
            return sum(
                self.governor.meter(budget).left(now) / seconds if seconds else math.inf
                for budget, seconds in self._cheapest(rates).items()
            )

    def batches_per_second(self, rates: Iterable[str]) -> float:
        """Full batches a second that the operating time allows in the long run."""
        with self.lock:
            return sum(
                self.governor.operating / WINDOW / (seconds * MAX_COMMANDS) if seconds else math.inf
                for seconds in self._cheapest(rates).values()
            )

    def _cheapest(self, rates: Iterable[str]) -> dict[str, float]:
        """Seconds that a command of a full batch costs each budget, by the cheapest of the rates."""
        found: dict[str, float] = {}
        for rate in rates:
            for budget, seconds in self.governor.charges({rate: MAX_COMMANDS}, batched=True).items():
                one = seconds / MAX_COMMANDS
                found[budget] = min(found.get(budget, math.inf), one)
        return found
