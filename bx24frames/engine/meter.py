"""Meter: one budget of operating time, from what answers report and from requests that no report includes yet."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.policy import RETRY, RetryPolicy

SLOW_AT: Final = 0.85
"""Share of an operating limit from which its requests are sent one at a time, before their cost is measured."""
CAUTION: Final = 1.5
"""How many times their estimated cost requests in flight may take, without the limit being exceeded."""
STOP_AT: Final = 0.98
"""Share of an operating limit that is never exceeded on purpose; the rest is for others and for errors."""
FREE_AT: Final = 0.99
"""Share up to which requests are sent that are not charged: a few of them may be, if they take longer than thought."""
WINDOW: Final = 600.0
"""Seconds of the window that operating time is summed over (docs: limits.md)."""
LEDGER_STEP: Final = 10.0
"""Seconds whose requests are added up, where answers do not say in which minute the portal began them."""
ROUNDED: Final = 1.0
"""Seconds by which newer builds overstate a duration at most: they round the start down."""


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """A budget as an answer reports it.

    Parameters
    ----------
    operating : float or None
        Seconds in the window of ten minutes, this request's own included as far as `own` says.
    resets_in : float or None
        Seconds until the oldest minute expires.
    seconds : float or None
        Duration of the request.
    started, finished : float or None
        When the portal began to process the request and when it had, in seconds since the epoch by its own clock.
    own : float
        Seconds of this request that `operating` certainly includes.
    """

    operating: float | None
    resets_in: float | None = None
    seconds: float | None = None
    started: float | None = None
    finished: float | None = None
    own: float = math.inf

    @property
    def minute(self) -> int | None:
        """Minute of the portal's clock that the request is charged to."""
        return None if self.started is None else int(self.started // 60)

    def first_hit(self, now: float) -> float:
        """When the portal began the request at the latest."""
        return now - max(0.0, (self.seconds or 0.0) - ROUNDED)


@dataclass(order=True, slots=True)
class Minute:
    """Operating time that leaves the window together; `number`: minute of the portal's clock, None if unknown."""

    leaves_at: float
    seconds: float = field(compare=False)
    number: int | None = field(compare=False, default=None)


@dataclass(slots=True)
class Ledger:
    """The reported operating time by minute, as the portal adds it up (rest module: lib/engine/access/loadlimiter.php).

    A minute leaves 600 s after its first request, or earlier. Seconds whose minute is not known are entered at the
    latest one possible: they leave too late rather than too early.
    """

    minutes: list[Minute] = field(default_factory=list)

    @property
    def total(self) -> float:
        """Seconds of all minutes."""
        return sum(minute.seconds for minute in self.minutes)

    def expire(self, now: float) -> None:
        """Drop the minutes that have left."""
        while self.minutes and self.minutes[0].leaves_at <= now:
            self.minutes.pop(0)

    def enter(self, seconds: float, number: int | None, first_hit: float) -> None:
        """Add seconds of a request that began in a minute, at `first_hit` or earlier."""
        if seconds <= 0:
            return
        leaves_at = first_hit + WINDOW
        if number is None:  # the portal prints no start
            leaves_at = math.ceil(leaves_at / LEDGER_STEP) * LEDGER_STEP
        for minute in self.minutes:
            if minute.number == number and (number is not None or minute.leaves_at == leaves_at):
                minute.seconds += seconds
                return
        insort(self.minutes, Minute(leaves_at, seconds, number))

    def correct(self, operating: float, number: int | None, first_hit: float) -> None:
        """Make the sum what a report says: what is missing is new, and what is too much was the oldest."""
        surplus = self.total - operating
        self.enter(-surplus, number, first_hit)
        while surplus > 0 and self.minutes:
            oldest = self.minutes[0]
            if oldest.seconds > surplus:
                oldest.seconds -= surplus
                return
            surplus -= self.minutes.pop(0).seconds


@dataclass(slots=True)
class Charge:
    """A request of this process: `settled` when it ended, None while it is in flight; `told`: what its answer says."""

    seconds: float
    departed: float
    settled: float | None = None
    told: BudgetReport | None = None

    def ended_before(self, departed: float, told: BudgetReport) -> bool:
        """Whether it had ended when another request began, which was sent at `departed`.

        By the portal's clock where it is known: by ours, answers on their way seem to be requests in flight.
        """
        if self.settled is None:
            return False
        if self.told is not None and self.told.finished is not None and told.started is not None:
            return self.told.finished <= told.started
        return self.settled <= departed


@dataclass(frozen=True, slots=True)
class Reporter:
    """The request whose report counts."""

    number: int
    departed: float
    told: BudgetReport

    def began_before(self, departed: float, told: BudgetReport) -> bool:
        """Whether it began before another request, or with it: by the portal's clock where it is known."""
        if self.told.started is not None and told.started is not None:
            return self.told.started <= told.started
        return self.departed <= departed


@dataclass(slots=True)
class Meter:
    """One budget of operating time, of a method or of batches.

    A report says what was recorded when its request began (ib.). So the report that counts is that of the request that
    began last (`newest`), and requests that had not ended when it began are added: those in flight by their estimate.

    `priced`: the cost of its commands was measured. `known`: an answer has reported it.
    """

    limit: float
    priced: bool = False
    resets_at: float | None = None
    blocked_until: float = 0.0
    known: bool = False
    newest: Reporter | None = None
    ledger: Ledger = field(default_factory=Ledger)
    charges: dict[int, Charge] = field(default_factory=dict)
    policy: RetryPolicy = RETRY

    def ready_at(self, seconds: float, now: float) -> float:
        """When a request that costs `seconds` may be sent; infinity while an answer is needed first."""
        if now < self.blocked_until:
            return self.blocked_until
        flying = [charge.seconds for charge in self.charges.values() if charge.settled is None]
        if flying and not self.known:
            # The first answer reports what earlier processes have spent: wait for it.
            return math.inf
        spent = self.spent(now)
        free = self.known and not seconds and spent <= FREE_AT * self.limit
        planned = spent + seconds
        at_most = planned + (CAUTION - 1.0) * (sum(flying) + seconds)
        roomy = at_most <= STOP_AT * self.limit if self.priced else planned <= SLOW_AT * self.limit
        if free or roomy or not spent:
            return now
        # The next answer reports the budget; until then one charged request at a time.
        return math.inf if any(flying) else self._leaves_room(spent, seconds, now)

    def _leaves_room(self, spent: float, seconds: float, now: float) -> float:
        """When a request that costs `seconds` is within the budget, with nothing charged in flight.

        The sum may be lower than assumed: requests that had ended may be counted twice, or the oldest minute has left.
        The answer to one request that is certainly within the limit shows it.
        """
        reset = self.resets_at is not None and now >= self.resets_at
        likely = reset or self.ledger.total + seconds <= STOP_AT * self.limit
        if spent + seconds <= STOP_AT * self.limit or (likely and spent + CAUTION * seconds <= self.limit):
            return now
        leaves = self.ledger.minutes[0].leaves_at if self.ledger.minutes else now + self.policy.blind_pause
        return leaves if reset or self.resets_at is None else min(leaves, self.resets_at)

    def spent(self, now: float) -> float:
        """Upper bound of the operating time, requests in flight included."""
        self.ledger.expire(now)
        for of, charge in list(self.charges.items()):
            if charge.settled is not None and charge.settled + WINDOW <= now:
                del self.charges[of]
        newest = self.newest
        shown = self.charges.get(newest.number) if newest is not None else None
        twice = min(newest.told.own, shown.seconds) if newest is not None and shown is not None else 0.0
        return self.ledger.total + sum(charge.seconds for charge in self.charges.values()) - twice

    def left(self, now: float) -> float:
        """Seconds that may still be spent before the window moves."""
        return 0.0 if now < self.blocked_until else max(0.0, STOP_AT * self.limit - self.spent(now))

    def depart(self, number: int, seconds: float, now: float) -> None:
        """Charge a request that is sent."""
        self.charges[number] = Charge(seconds, now)

    def settle(self, number: int, now: float, *, sent: bool = True) -> None:
        """Settle a request that has ended, answered or not, or was never sent."""
        charge = self.charges[number]
        charge.settled = now
        if not (sent and charge.seconds):
            del self.charges[number]

    def took(self, number: int, seconds: float) -> None:
        """Record what a request that was answered has really cost."""
        self.priced = True
        if (charge := self.charges.get(number)) is not None:
            charge.seconds = seconds

    def report(self, told: BudgetReport, number: int, departed: float, now: float) -> None:
        """Record what the answer to a request reports."""
        self.known = True
        if told.operating is None:
            self._forget_settled()
            return
        if (own := self.charges.get(number)) is not None:
            own.told = told
        if self.newest is not None and not self.newest.began_before(departed, told):
            if own is not None and own.ended_before(self.newest.departed, self.newest.told):
                del self.charges[number]
            return
        self.newest = Reporter(number, departed, told)
        self.ledger.expire(now)
        for of, charge in list(self.charges.items()):
            if charge.settled is not None and charge.ended_before(departed, told):
                its = charge.told or told
                self.ledger.enter(charge.seconds, its.minute, its.first_hit(charge.settled))
                del self.charges[of]
        self.ledger.correct(told.operating, told.minute, told.first_hit(now))
        self.resets_at = now + told.resets_in if told.resets_in is not None else None

    def blocked(self, now: float, *, banned: bool = False) -> None:
        """Record a refusal of this budget: wait for the reset, then probe once.

        `banned`: the refusal is a ban, whose end is not reported and independent of the reset.
        """
        if now < self.blocked_until:
            return
        known = self.resets_at is not None and self.resets_at > now and not banned
        self.blocked_until = self.resets_at if known and self.resets_at is not None else now + self.policy.blind_pause
        # After the pause the old sum is obsolete: the answer to the probe replaces it.
        self.ledger.minutes.clear()
        self._forget_settled()
        self.resets_at = None
        self.known = False

    def _forget_settled(self) -> None:
        self.charges = {of: charge for of, charge in self.charges.items() if charge.settled is None}
