"""Governor: the request bucket and the operating time of each method; times are passed in."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from bx24frames.engine.charges import BATCH, FREE, Generation, charges, recognised
from bx24frames.engine.costs import FIRST_COST, WEIGHT, Costs, Load, method_of
from bx24frames.engine.policy import RETRY, RetryPolicy

ARRIVAL_GRACE: Final = 2.0
"""Seconds after which a request is assumed to have reached the portal, if it is not answered earlier."""
SLOW_AT: Final = 0.85
"""Share of a method's operating limit from which its requests are sent one at a time, before its cost is measured."""
CAUTION: Final = 1.5
"""How many times their estimated cost requests in flight may take, without the limit being exceeded."""
STOP_AT: Final = 0.98
"""Share of a method's operating limit that is never exceeded on purpose; the rest is for others and for errors."""
FREE_AT: Final = 0.99
"""Share up to which requests are sent that are not charged: a few of them may be, if they take longer than thought."""
WINDOW: Final = 600.0
"""Seconds of the window that operating time is summed over (docs: limits.md)."""
LEDGER_STEP: Final = 10.0


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
        if self.level >= over:
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
class Late:
    """Cost of a finished request, which answers to requests sent before its end may not include yet."""

    settled: float
    departed: float
    seconds: float


@dataclass(slots=True)
class Meter:
    """One budget of operating time, of a method or of batches: what answers report, plus what is in flight.

    `cost`: seconds of one command of the method; `priced`: whether it was measured. `parcels`: requests in flight, of
    which `burdens` are charged. `ledger`: by how much reports have
    risen, and when; an entry has certainly left the portal's window once the window has passed. `late`: requests that
    ended while others were in flight, whose answers do not include them (rest module: lib/engine/access/loadlimiter.php
    sums up when a request begins).
    """

    limit: float
    operating: float = 0.0
    cost: float = FIRST_COST
    priced: bool = False
    under_way: float = 0.0
    parcels: int = 0
    burdens: int = 0
    resets_at: float | None = None
    blocked_until: float = 0.0
    known: bool = False
    ledger: deque[tuple[float, float]] = field(default_factory=deque)
    late: list[Late] = field(default_factory=list)
    policy: RetryPolicy = RETRY

    def ready_at(self, seconds: float, now: float) -> float:
        """When a request that costs `seconds` may be sent; infinity while an answer is needed first."""
        if now < self.blocked_until:
            return self.blocked_until
        if self.parcels and not self.known:
            # The first answer reports what earlier processes have spent: wait for it.
            return math.inf
        spent = self.spent(now)
        free = self.known and not seconds and spent <= FREE_AT * self.limit
        planned = spent + seconds
        at_most = planned + (CAUTION - 1.0) * (self.under_way + seconds)
        roomy = at_most <= STOP_AT * self.limit if self.priced else planned <= SLOW_AT * self.limit
        if free or roomy or not spent:
            return now
        # The next answer reports the budget; until then one charged request at a time.
        return math.inf if self.burdens else self._leaves_room(planned, now)

    def _leaves_room(self, planned: float, now: float) -> float:
        """When so many seconds are within the budget, with nothing charged in flight."""
        reset = self.resets_at is not None and now >= self.resets_at
        if planned <= (1.0 if reset else STOP_AT) * self.limit:
            return now
        leaves = self.ledger[0][0] + WINDOW if self.ledger else now + self.policy.blind_pause
        return leaves if reset or self.resets_at is None else min(leaves, self.resets_at)

    def spent(self, now: float) -> float:
        """Upper bound of the operating time, requests in flight included."""
        return self.standing(now) + self.under_way + sum(late.seconds for late in self.late)

    def left(self, now: float) -> float:
        """Seconds that may still be spent before the window moves."""
        return 0.0 if now < self.blocked_until else max(0.0, STOP_AT * self.limit - self.spent(now))

    def standing(self, now: float) -> float:
        """Upper bound of the operating time, as reported."""
        while self.ledger and self.ledger[0][0] + WINDOW <= now:
            self.operating = max(0.0, self.operating - self.ledger.popleft()[1])
        while self.late and self.late[0].settled + WINDOW <= now:
            self.late.pop(0)
        return self.operating

    def depart(self, seconds: float) -> None:
        """Charge a request that is sent."""
        self.under_way += seconds
        self.parcels += 1
        self.burdens += seconds > 0

    def settle(self, seconds: float, departed: float, now: float, *, sent: bool = True) -> None:
        """Settle a request that has ended, answered or not, or was never sent."""
        self.parcels -= 1
        self.burdens -= seconds > 0
        self.under_way = 0.0 if not self.parcels else max(0.0, self.under_way - seconds)
        if sent and seconds:
            self.late.append(Late(now, departed, seconds))

    def report(self, operating: float | None, resets_in: float | None, departed: float, now: float) -> None:
        """Record a reported operating time; of answers that arrive out of order the higher one counts."""
        self.known = True
        if operating is None:
            self.late.clear()
            return
        # Commands up to 0.1 s are recorded when their batch ends; its own answer does not include them.
        shown = self.cost > FREE or not self.priced
        self.late = [
            late for late in self.late if late.settled > departed and not (shown and late.departed == departed)
        ]
        standing = self.standing(now)
        if operating >= standing:
            self._enter(operating - standing, now)
        elif self.resets_at is None or now >= self.resets_at:
            # A minute has left the window while others were added: the remainder may be of any age.
            self.ledger.clear()
            self._enter(operating, now)
        else:
            return
        self.operating = operating
        self.resets_at = now + resets_in if resets_in is not None else None

    def _enter(self, seconds: float, now: float) -> None:
        """Record an increase; increases within ten seconds share an entry, at the later time."""
        if self.ledger and self.ledger[-1][0] // LEDGER_STEP == now // LEDGER_STEP:
            seconds += self.ledger.pop()[1]
        if seconds:
            self.ledger.append((now, seconds))

    def measured(self, seconds: float) -> None:
        """Record the wall time of one command; what answers report may be up to 1 s too much."""
        self.cost += WEIGHT * (seconds - self.cost)
        self.priced = True

    def blocked(self, now: float, *, banned: bool = False) -> None:
        """Record a refusal of this budget: wait for the reset, then probe once.

        `banned`: the refusal is a ban, whose end is not reported and independent of the reset.
        """
        if now < self.blocked_until:
            return
        known = self.resets_at is not None and self.resets_at > now and not banned
        self.blocked_until = self.resets_at if known and self.resets_at is not None else now + self.policy.blind_pause
        # After the pause the old sum is obsolete: the answer to the probe replaces it.
        self.operating = 0.0
        self.ledger.clear()
        self.late.clear()
        self.resets_at = None
        self.known = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to send one request; settled when it has ended."""

    departed: float
    charged: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """A budget as an answer reports it: seconds used, seconds until its oldest minute expires, duration of the call."""

    operating: float | None
    resets_in: float | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Governor:
    """One bucket, one meter per budget of operating time, and a limit of requests in flight."""

    bucket: RequestBucket
    operating: float
    max_in_flight: int
    meters: dict[str, Meter] = field(default_factory=dict)
    in_flight: int = 0
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
        charged = tuple(self.charges(load, batched=batched).items())
        for budget, seconds in charged:
            self.meter(budget).depart(seconds)
        return Ticket(departed, charged)

    def settle(self, ticket: Ticket, now: float, *, sent: bool = True) -> None:
        """Settle a request that has ended; one that was never sent costs nothing."""
        self.in_flight -= 1
        (self.bucket.arrived if sent else self.bucket.recalled)(ticket.departed, now)
        for budget, seconds in ticket.charged:
            self.meter(budget).settle(seconds, ticket.departed, now, sent=sent)

    def heard(
        self, whole: BudgetReport | None, commands: Iterable[tuple[str, BudgetReport]], departed: float, now: float
    ) -> None:
        """Record the operating time that the answer to a request reports.

        Parameters
        ----------
        whole : BudgetReport or None
            Report of the envelope of a batch; None for a plain call.
        commands : iterable of str and BudgetReport
            Reports by method. Where the batch itself is charged they are ignored.
        departed, now : float
            When the request was sent, and when it was answered.
        """
        told = list(commands)
        if whole is not None:
            nested = [of.operating for _, of in told]
            self.generation = recognised(self.generation, whole.operating, nested, whole.seconds)
            self.meter(BATCH).report(whole.operating, whole.resets_in, departed, now)
        if whole is None or self.generation is not Generation.BY_BATCH:
            for method, of in told:
                self.meter(method).report(of.operating, of.resets_in, departed, now)

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

    def measured(self, rate: str, seconds: float, rows: float, at: float, *, batched: bool) -> None:
        """Record what a command of a rate took, as the mean of one request; `at`: seconds since the epoch."""
        self.costs.take(rate, seconds, rows, at, batched=batched)
        self.meter(method_of(rate)).measured(seconds)

    def charges(self, load: Load, *, batched: bool) -> dict[str, float]:
        """Estimated seconds that a request costs each budget."""
        return charges(load, lambda rate: self.costs.seconds(rate, batched=batched), self.generation, batched=batched)
