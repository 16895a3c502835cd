"""The governor's arithmetic: the request bucket and the operating time of each method; no clock of its own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from bx24frames.engine.charging import BATCH, FREE, Generation, charges, recognised
from bx24frames.engine.policy import RETRY, RetryPolicy

ARRIVAL_GRACE: Final = 2.0
"""Seconds after which a request that left is taken to have reached the portal, if no answer proved it before."""
SLOW_AT: Final = 0.85
"""Share of a method's operating limit from which its requests go one at a time."""
STOP_AT: Final = 0.97
"""Share of a method's operating limit that is never planned beyond."""
WINDOW: Final = 600.0
"""Seconds of the window that operating time is summed over (docs: limits.md)."""
LEDGER_STEP: Final = 10.0
FIRST_COST: Final = 0.05
"""Seconds a command is taken to cost before any has been measured."""
WEIGHT: Final = 0.3
"""Of the newest measurement in a running mean."""


class RequestBucket(Protocol):
    """The portal's request bucket, kept in memory or shared between the processes of a machine."""

    def ready_at(self, now: float) -> float:
        """When one more request may leave; `now` or earlier means at once."""
        ...

    def depart(self, now: float) -> float | None:
        """Charge one request that leaves now; its ticket, or None if there is no place for it."""
        ...

    def arrived(self, ticket: float, now: float) -> None:
        """An answer to this request came, so it has reached the portal."""
        ...

    def recalled(self, ticket: float, now: float) -> None:
        """This request has certainly not been sent: its place is free again."""
        ...

    def refused(self, now: float) -> None:
        """The portal found its bucket full: so it is, whoever filled it."""
        ...

    def accepted(self) -> None:
        """A request was let in."""
        ...


@dataclass(slots=True)
class Bucket:
    """The portal's leaky bucket as it can at most stand, seen from here.

    A request counts from the moment it leaves. It begins to leak only when it has certainly arrived (its answer
    came, or the grace is over): a request that is delayed on the way arrives at a fuller bucket.
    One place is never used, since the portal's clock and ours need not agree on a boundary.
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
        """Places that may be used."""
        return max(1, self.burst - 1)

    def limit(self, burst: int, per_second: float) -> None:
        """The newest limits hold: a smaller bucket never stood higher than its brim."""
        self.burst, self.per_second = burst, per_second
        self.level = min(self.level, float(burst))

    def ready_at(self, now: float) -> float:
        """When one more request may leave; `now` or earlier means at once. Asking changes nothing that matters."""
        self._advance(now)
        over = self.level + len(self.travelling) + 1 - self.capacity
        if over <= 0:
            return max(now, self.paused_until)
        if self.level >= over:
            return max(self.at + over / self.per_second, self.paused_until)
        return max(self.travelling[0] + ARRIVAL_GRACE, self.paused_until)

    def depart(self, now: float) -> float | None:
        """Charge one request that leaves now; its ticket, or None if there is no place for it."""
        if self.ready_at(now) > now:
            return None
        self.travelling.append(now)
        return now

    def arrived(self, ticket: float, now: float) -> None:
        """An answer to this request came, so it has reached the portal."""
        self._advance(now)
        if ticket in self.travelling:
            self.travelling.remove(ticket)
            self.level += 1

    def recalled(self, ticket: float, now: float) -> None:
        """This request has certainly not been sent: its place is free again."""
        self._advance(now)
        if ticket in self.travelling:
            self.travelling.remove(ticket)
        else:
            self.level = max(0.0, self.level - 1)

    def refused(self, now: float) -> None:
        """The portal found its bucket full: so it is, whoever filled it.

        They may go on filling it: after the pause there is one place, and from then on those that leak away.
        """
        self._advance(now)
        if now >= self.paused_until:
            self.paused_until = now + self.policy.pause(self.refusals)
            self.refusals += 1
        left = self.burst - (self.paused_until - now) * self.per_second
        self.level, self.at = max(self.capacity - 1.0, left), self.paused_until

    def accepted(self) -> None:
        """A request was let in."""
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
    """Seconds of a request that has come back; answers to requests that left before that may not count them."""

    settled: float
    departed: float
    seconds: float


@dataclass(slots=True)
class Meter:
    """One budget of operating time, a method's or that of batches: what the answers report, plus what is under way.

    `cost` is what one command of the method takes, `priced` whether that has been measured.

    `ledger` holds what the reports have risen by, and when: each of it has certainly left the portal's window once
    the window has passed, whatever else is known. `late` holds what came back while others were under way: their
    answers do not know of it (rest module: lib/engine/access/loadlimiter.php sums up when a request begins).
    """

    limit: float
    operating: float = 0.0
    cost: float = FIRST_COST
    priced: bool = False
    under_way: float = 0.0
    parcels: int = 0
    resets_at: float | None = None
    blocked_until: float = 0.0
    known: bool = False
    ledger: deque[tuple[float, float]] = field(default_factory=deque)
    late: list[Late] = field(default_factory=list)
    policy: RetryPolicy = RETRY

    def ready_at(self, seconds: float, now: float) -> float:
        """When a request that costs `seconds` may leave; infinity while an answer has to come first."""
        if now < self.blocked_until:
            return self.blocked_until
        if self.parcels and not self.known:
            # What earlier processes have spent shows in the first answer: it is waited for.
            return math.inf
        spent = self.standing(now) + self.under_way + sum(late.seconds for late in self.late)
        planned = spent + seconds
        if planned <= SLOW_AT * self.limit or not spent:
            return now
        if self.parcels:
            # The next answer tells more; until then one request at a time.
            return math.inf
        reset = self.resets_at is not None and now >= self.resets_at
        if planned <= (1.0 if reset else STOP_AT) * self.limit:
            return now
        leaves = self.ledger[0][0] + WINDOW if self.ledger else now + self.policy.blind_pause
        return leaves if reset or self.resets_at is None else min(leaves, self.resets_at)

    def standing(self, now: float) -> float:
        """The operating time as it can at most stand."""
        while self.ledger and self.ledger[0][0] + WINDOW <= now:
            self.operating = max(0.0, self.operating - self.ledger.popleft()[1])
        while self.late and self.late[0].settled + WINDOW <= now:
            self.late.pop(0)
        return self.operating

    def depart(self, seconds: float) -> None:
        """Charge a request that leaves."""
        self.under_way += seconds
        self.parcels += 1

    def settle(self, seconds: float, departed: float, now: float, *, sent: bool = True) -> None:
        """A request came back, with whatever answer, or was never sent."""
        self.parcels -= 1
        self.under_way = 0.0 if not self.parcels else max(0.0, self.under_way - seconds)
        if sent and seconds:
            self.late.append(Late(now, departed, seconds))

    def report(self, operating: float | None, resets_in: float | None, departed: float, now: float) -> None:
        """Take in the operating time an answer names; of answers that overtook each other the higher one counts."""
        self.known = True
        if operating is None:
            self.late.clear()
            return
        # Commands up to 0.1 s are recorded when their batch ends, and its own answer does not show them yet.
        shown = self.cost > FREE or not self.priced
        self.late = [
            late for late in self.late if late.settled > departed and not (shown and late.departed == departed)
        ]
        standing = self.standing(now)
        if operating >= standing:
            self._enter(operating - standing, now)
        elif self.resets_at is None or now >= self.resets_at:
            # A minute has left the window while others were added: what is left may be of any age.
            self.ledger.clear()
            self._enter(operating, now)
        else:
            return
        self.operating = operating
        self.resets_at = now + resets_in if resets_in is not None else None

    def _enter(self, seconds: float, now: float) -> None:
        """Note a rise; those of the same ten seconds share an entry, at the later time."""
        if self.ledger and self.ledger[-1][0] // LEDGER_STEP == now // LEDGER_STEP:
            seconds += self.ledger.pop()[1]
        if seconds:
            self.ledger.append((now, seconds))

    def measured(self, seconds: float) -> None:
        """Take in what one command has cost, in wall time: what answers report of it may be up to 1 s too much."""
        self.cost += WEIGHT * (seconds - self.cost)
        self.priced = True

    def blocked(self, now: float, *, banned: bool = False) -> None:
        """The portal refused this budget: wait for the reset, then probe once.

        `banned`: the refusal is a ban, whose end no answer has told and which has nothing to do with the reset.
        """
        if now < self.blocked_until:
            return
        known = self.resets_at is not None and self.resets_at > now and not banned
        self.blocked_until = self.resets_at if known and self.resets_at is not None else now + self.policy.blind_pause
        # After the pause the old sum says nothing any more: the probe's answer will.
        self.operating = 0.0
        self.ledger.clear()
        self.late.clear()
        self.resets_at = None
        self.known = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to send one request; given back when its answer is in."""

    departed: float
    charged: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of a budget: seconds used, seconds until its oldest minute leaves, seconds this call took."""

    operating: float | None
    resets_in: float | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Governor:
    """One bucket, a meter a budget of operating time, and a ceiling on requests under way."""

    bucket: RequestBucket
    operating: float
    max_in_flight: int
    meters: dict[str, Meter] = field(default_factory=dict)
    in_flight: int = 0
    slow: list[int] = field(default_factory=list)
    generation: Generation = Generation.UNKNOWN
    policy: RetryPolicy = RETRY

    def room_at(self, now: float) -> float | None:
        """When any request may leave; None while an answer has to come first."""
        if self.in_flight >= min([self.max_in_flight, *self.slow]):
            return None
        return self.bucket.ready_at(now)

    def ready_at(self, methods: Mapping[str, int], now: float, *, batched: bool = False) -> float | None:
        """When a request with these commands may leave; None while an answer has to come first."""
        room_at = self.room_at(now)
        if room_at is None:
            return None
        charged = self._charges(methods, batched=batched)
        ready_at = max([room_at, *(self.meter(budget).ready_at(seconds, now) for budget, seconds in charged.items())])
        return ready_at if math.isfinite(ready_at) else None

    def depart(self, methods: Mapping[str, int], now: float, *, batched: bool = False) -> Ticket | None:
        """Charge a request that leaves now; None if it may not."""
        ready_at = self.ready_at(methods, now, batched=batched)
        departed = self.bucket.depart(now) if ready_at is not None and ready_at <= now else None
        if departed is None:
            return None
        self.in_flight += 1
        charged = tuple(self._charges(methods, batched=batched).items())
        for budget, seconds in charged:
            self.meter(budget).depart(seconds)
        return Ticket(departed, charged)

    def settle(self, ticket: Ticket, now: float, *, sent: bool = True) -> None:
        """The request is over, answered or not; one that was never sent has cost the portal nothing."""
        self.in_flight -= 1
        (self.bucket.arrived if sent else self.bucket.recalled)(ticket.departed, now)
        for budget, seconds in ticket.charged:
            self.meter(budget).settle(seconds, ticket.departed, now, sent=sent)

    def heard(self, whole: Told | None, commands: Iterable[tuple[str, Told]], departed: float, now: float) -> None:
        """Take in what a request's answer says of operating time.

        Parameters
        ----------
        whole : Told or None
            What the envelope of a batch says; None for a call of its own.
        commands : iterable of str and Told
            What is said of each method. A batch that is charged itself has nothing to say of them.
        departed, now : float
            When the request left and when its answer came.
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
        """The portal refused a budget for its operating time: what it holds up waits, nothing else."""
        self.meter(budget).blocked(now, banned=self.generation is Generation.BY_BATCH)

    def meter(self, budget: str) -> Meter:
        """The operating time of a method, or of batches, as far as it is known."""
        return self.meters.setdefault(budget, Meter(self.operating, policy=self.policy))

    def limit_operating(self, seconds: float) -> None:
        """Change the limit of every budget."""
        self.operating = seconds
        for meter in self.meters.values():
            meter.limit = seconds

    def _charges(self, methods: Mapping[str, int], *, batched: bool) -> dict[str, float]:
        return charges(methods, lambda method: self.meter(method).cost, self.generation, batched=batched)
