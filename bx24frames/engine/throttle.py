"""Governor: the request bucket and the operating time of each budget; times are passed in."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from bx24frames.engine.charges import BATCH, Generation, charges, recognised
from bx24frames.engine.costs import Costs, Load
from bx24frames.engine.ledger import BudgetReport
from bx24frames.engine.meter import Meter
from bx24frames.engine.policy import RETRY, RetryPolicy

ARRIVAL_GRACE: Final = 2.0
"""Seconds after which a request is assumed to have reached the portal, if it is not answered earlier."""


class RequestBucket(Protocol):
    """The portal's request bucket, kept in memory or shared between the processes of a machine."""

    @property
    def burst(self) -> int:
        """Its capacity, in requests."""
        ...

    @property
    def per_second(self) -> float:
        """Requests a second that leak from it."""
        ...

    def ready_at(self, now: float) -> float:
        """When the next request may be sent; `now` or earlier means at once."""
        ...

    def depart(self, now: float) -> float | None:
        """Charge a request that is sent now; its ticket, or None if the bucket is full."""
        ...

    def arrived(self, ticket: float, now: float) -> None:
        """Record that a request has reached the portal: it was answered."""
        ...

    def recalled(self, ticket: float, now: float) -> None:
        """Release the place of a request that was certainly not sent."""
        ...

    def places(self, now: float) -> float:
        """Requests that may be sent at once."""
        ...

    def refused(self, now: float) -> None:
        """Record that the portal refused a request because its bucket is full."""
        ...

    def accepted(self) -> None:
        """Record that a request was accepted."""
        ...


@dataclass(slots=True)
class Bucket:
    """Upper bound of the level of the portal's leaky bucket.

    A request counts from the moment it is sent. It leaks only once it has certainly arrived (it is answered, or
    the grace period is over): a delayed request arrives at a fuller bucket. One place is never used, since the
    portal's clock and ours may disagree at a boundary.
    """

    burst: int
    per_second: float
    level: float = 0.0
    at: float = 0.0
    travelling: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0
    refusals: int = 0
    policy: RetryPolicy = RETRY

    @property
    def capacity(self) -> int:
        """Requests that may be in the bucket at once."""
        return max(1, self.burst - 1)

    def limit(self, burst: int, per_second: float) -> None:
        """Change the limits; the level is at most the new capacity."""
        self.burst, self.per_second = burst, per_second
        self.level = min(self.level, float(burst))

    def ready_at(self, now: float) -> float:
        """When the next request may be sent; `now` or earlier means at once."""
        self._advance(now)
        over = self.level + len(self.travelling) + 1 - self.capacity
        if over <= 0:
            return max(now, self.paused_until)
        if not self.travelling or self.level >= over:  # over may exceed the level by a rounding error
            return max(self.at + over / self.per_second, self.paused_until)
        return max(self.travelling[0] + ARRIVAL_GRACE, self.paused_until)

    def places(self, now: float) -> float:
        """Requests that may be sent at once."""
        return 0.0 if self.ready_at(now) > now else self.capacity - self.level - len(self.travelling)

    def depart(self, now: float) -> float | None:
        """Charge a request that is sent now; its ticket, or None if the bucket is full."""
        if self.ready_at(now) > now:
            return None
        self.travelling.append(now)
        return now

    def arrived(self, ticket: float, now: float) -> None:
        """Record that a request has reached the portal: it was answered."""
        self._advance(now)
        if ticket in self.travelling:
            self.travelling.remove(ticket)
            self.level += 1

    def recalled(self, ticket: float, now: float) -> None:
        """Release the place of a request that was certainly not sent."""
        self._advance(now)
        if ticket in self.travelling:
            self.travelling.remove(ticket)
        else:
            self.level = max(0.0, self.level - 1)

    def refused(self, now: float) -> None:
        """Record that the portal refused a request because its bucket is full.

        Other programs may keep filling it: after the pause one place is assumed, and then those that leak.
        """
        self._advance(now)
        if now >= self.paused_until:
            self.paused_until = now + self.policy.pause(self.refusals)
            self.refusals += 1
        left = self.burst - (self.paused_until - now) * self.per_second
        self.level, self.at = max(self.capacity - 1.0, left), self.paused_until

    def accepted(self) -> None:
        """Record that a request was accepted."""
        self.refusals = 0

    def _advance(self, now: float) -> None:
        while self.travelling and self.travelling[0] + ARRIVAL_GRACE <= now:
            self._leak(self.travelling.popleft() + ARRIVAL_GRACE)
            self.level += 1
        self._leak(now)

    def _leak(self, until: float) -> None:
        if until > self.at:
            self.level = max(0.0, self.level - (until - self.at) * self.per_second)
            self.at = until


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to send one request; settled when it has ended. `number`: of those this governor gave."""

    number: int
    departed: float
    charged: tuple[tuple[str, float], ...]


@dataclass(slots=True)
class Governor:
    """One bucket, one meter per budget of operating time, and a limit of requests in flight."""

    bucket: RequestBucket
    operating: float
    max_in_flight: int
    meters: dict[str, Meter] = field(default_factory=dict)
    in_flight: int = 0
    departures: int = 0
    slow: list[int] = field(default_factory=list)
    generation: Generation = Generation.UNKNOWN
    policy: RetryPolicy = RETRY
    costs: Costs = field(default_factory=Costs)

    def room_at(self, now: float) -> float | None:
        """When any request may be sent; None while an answer is needed first."""
        if self.in_flight >= min([self.max_in_flight, *self.slow]):
            return None
        return self.bucket.ready_at(now)

    def ready_at(self, load: Load, now: float, *, batched: bool = False) -> float | None:
        """When a request with these commands, by rate, may be sent; None while an answer is needed first."""
        room_at = self.room_at(now)
        if room_at is None:
            return None
        charged = self.charges(load, batched=batched)
        ready_at = max([room_at, *(self.meter(budget).ready_at(seconds, now) for budget, seconds in charged.items())])
        return ready_at if math.isfinite(ready_at) else None

    def depart(self, load: Load, now: float, *, batched: bool = False) -> Ticket | None:
        """Charge a request that is sent now; None if it may not be."""
        ready_at = self.ready_at(load, now, batched=batched)
        departed = self.bucket.depart(now) if ready_at is not None and ready_at <= now else None
        if departed is None:
            return None
        self.in_flight += 1
        self.departures += 1
        charged = tuple(self.charges(load, batched=batched).items())
        for budget, seconds in charged:
            self.meter(budget).depart(self.departures, seconds, now)
        return Ticket(self.departures, departed, charged)

    def settle(self, ticket: Ticket, now: float, *, sent: bool = True) -> None:
        """Settle a request that has ended; one that was never sent costs nothing."""
        self.in_flight -= 1
        (self.bucket.arrived if sent else self.bucket.recalled)(ticket.departed, now)
        for budget, _ in ticket.charged:
            self.meter(budget).settle(ticket.number, now, sent=sent)

    def heard(
        self, whole: BudgetReport | None, methods: Mapping[str, Sequence[BudgetReport]], ticket: Ticket, now: float
    ) -> None:
        """Record the operating time that the answer to a request reports.

        Parameters
        ----------
        whole : BudgetReport or None
            Report of the envelope of a batch; None for a plain call.
        methods : mapping of str to sequence of BudgetReport
            Reports of the commands by method, in order. Where the batch itself is charged they are ignored.
        ticket : Ticket
            Of the request.
        now : float
            When it was answered.
        """
        reports = {method: _last(told) for method, told in methods.items()}
        if whole is not None:
            nested = [of.operating for told in methods.values() for of in told]
            self.generation = recognised(self.generation, whole.operating, nested, whole.seconds)
            reports = {} if self.generation is Generation.BY_BATCH else reports
            reports[BATCH] = whole
        for budget, of in reports.items():
            self.meter(budget).report(of, ticket.number, ticket.departed, now)

    def blocked(self, budget: str, now: float) -> None:
        """Record a refusal for operating time: only requests of that budget wait."""
        self.meter(budget).blocked(now, banned=self.generation is Generation.BY_BATCH)

    def meter(self, budget: str) -> Meter:
        """The meter of a method, or of batches."""
        return self.meters.setdefault(budget, Meter(self.operating, policy=self.policy))

    def limit_operating(self, seconds: float) -> None:
        """Change the limit of every budget."""
        self.operating = seconds
        for meter in self.meters.values():
            meter.limit = seconds

    def measured(
        self, took: Mapping[str, tuple[float, int]], rows: float, ticket: Ticket, at: float, *, batched: bool
    ) -> None:
        """Record what the commands of a request took.

        Parameters
        ----------
        took : mapping of str to tuple
            Seconds by rate, and the number of commands.
        rows : float
            Rows of a command, as their mean.
        ticket : Ticket
            Of the request.
        at : float
            Seconds since the epoch.
        batched : bool
            Whether the request was a batch.
        """
        for rate, (seconds, commands) in took.items():
            self.costs.take(rate, seconds / commands, rows, at, batched=batched)
        load = {rate: commands for rate, (_, commands) in took.items()}
        means = {rate: seconds / commands for rate, (seconds, commands) in took.items()}
        for budget, seconds in charges(load, means.__getitem__, self.generation, batched=batched).items():
            self.meter(budget).took(ticket.number, seconds)

    def charges(self, load: Load, *, batched: bool) -> dict[str, float]:
        """Estimated seconds that a request costs each budget."""
        return charges(load, lambda rate: self.costs.seconds(rate, batched=batched), self.generation, batched=batched)


def _last(told: Sequence[BudgetReport]) -> BudgetReport:
    """The report of a method's last command in a request, which includes those before it."""
    return replace(told[-1], own=sum(of.own for of in told))
