"""Meter: one budget of operating time, from what answers report and from requests that no report includes yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.ledger import MINUTE, WINDOW, BudgetReport, Ledger
from bx24frames.engine.policy import RETRY, RetryPolicy

SLOW_AT: Final = 0.85
"""Share of an operating limit from which its requests are sent one at a time, before their cost is measured."""
DEVIATIONS: Final = 3.0
"""Standard deviations by which requests in flight may exceed their estimates, without the limit being exceeded."""
LEAST_MARGIN: Final = 0.1
"""Share by which they may exceed them at least, however alike they were so far: a portal may slow down as a whole."""
FIRST_DEVIATION: Final = 0.3
"""Assumed deviation of a request from its estimate, as a share of it, before some are measured."""
DEVIATION_WEIGHT: Final = 0.1
"""Weight of the newest deviation in the running mean."""
STOP_AT: Final = 0.98
"""Share of an operating limit that is never exceeded on purpose; the rest is for others and for errors."""
FREE_AT: Final = 0.99
"""Share up to which requests are sent that are not charged: a few of them may be, if they take longer than thought."""
LOOK_EVERY: Final = 30.0
"""Seconds after a report at which a small request may be sent, though others will probably need what is left."""
LOOK_SHARE: Final = 0.005
"""Share of an operating limit that it may cost."""


@dataclass(slots=True)
class Charge:
    """A request of this process: `settled` when it ended, None while it is in flight; `told`: what its answer says."""

    seconds: float
    departed: float
    settled: float | None = None
    told: BudgetReport | None = None

    @property
    def leaves_at(self) -> float:
        """When it leaves the window; infinity while it is in flight."""
        if self.settled is None:
            return math.inf
        return self.settled + WINDOW if self.told is None else self.told.leaves_at(self.settled)


@dataclass(slots=True)
class PrintedSum:
    """What the answer to a request reports, which was sent at `departed`.

    Portals record a request when it has ended, and print the sum as it is then (rest module: loadlimiter.php). A sum
    certainly includes the requests that ended before. Of these only those that also began before its own are taken as
    included, so that the result is not too low on a portal that records a request when it begins.

    `operating`: the seconds of its sum that have not left the window. `leaves_at`: when those of its request leave.
    """

    number: int
    departed: float
    told: BudgetReport
    operating: float
    leaves_at: float

    def precedes(self, other: PrintedSum) -> bool:
        """Whether another report includes all that this one does."""
        before = self.told.precedes(other.told)
        return self.departed <= other.departed if before is None else before

    def included(self, number: int, charge: Charge) -> float:
        """Seconds of a request that the sum certainly includes."""
        if number == self.number:
            return min(self.told.own, charge.seconds)
        if charge.settled is None:
            return 0.0
        before = charge.told.is_in(self.told) if charge.told is not None else None
        before = charge.settled <= self.departed if before is None else before
        return charge.seconds if before else 0.0


@dataclass(slots=True)
class Spread:
    """How far requests deviate from their estimated seconds: the mean of the squared share."""

    variance: float = FIRST_DEVIATION**2

    def take(self, estimate: float, seconds: float) -> None:
        """Take in what a request has taken."""
        self.variance += DEVIATION_WEIGHT * ((seconds / estimate - 1.0) ** 2 - self.variance)

    def margin(self, estimates: Sequence[float]) -> float:
        """Seconds that requests may take beyond their estimates; deviations of several partly cancel out."""
        deviation = math.sqrt(self.variance * sum(seconds * seconds for seconds in estimates))
        return max(LEAST_MARGIN * sum(estimates), DEVIATIONS * deviation)


@dataclass(slots=True)
class Others:
    """Operating time that other programs with the same credential spend, as a mean over about ten minutes.

    `seconds`: their sum, older ones weighted less. `lump`: the largest part of it that came at once, likewise. `since`:
    when they were first watched. `minute`: of the last report.
    """

    seconds: float = 0.0
    lump: float = 0.0
    since: float = 0.0
    at: float = 0.0
    minute: int | None = None

    def watch(self, now: float) -> None:
        """Begin: what was spent before says nothing of a rate."""
        self.seconds, self.lump, self.since, self.at = 0.0, 0.0, now, now

    def take(self, seconds: float, minute: int | None, now: float) -> None:
        """Take in by how much a report differs from what is known; less where an earlier one was too high.

        When a minute turns, a lower sum means that what others spent has left: it is entered later than it was spent.
        """
        faded = math.exp((self.at - now) / WINDOW)
        self.seconds *= faded
        if seconds > 0 or minute == self.minute:
            self.seconds = max(0.0, self.seconds + seconds)
        self.lump = min(self.seconds, max(self.lump * faded, seconds))
        self.at, self.minute = now, minute

    @property
    def rate(self) -> float:
        """Seconds that they spent in a second, up to the last report."""
        watched = max(MINUTE, self.at - self.since)
        return self.seconds / (WINDOW * (1.0 - math.exp(-watched / WINDOW)))


@dataclass(slots=True)
class Meter:
    """One budget of operating time, of a method or of batches.

    What is spent is the sum of `charges`, the requests of this process that are in flight or that some report may not
    include yet, and of `ledger`: what else the portal reports, by minute. `reports` are those of requests that overlap,
    so that none includes all that another one does. Each is an upper bound, so the lowest of them counts.
    `others` are expected to go on spending until the oldest minute leaves, and that much is kept back for them.

    `priced`: the cost of its commands was measured. `known`: an answer has reported it.
    """

    limit: float
    priced: bool = False
    resets_at: float | None = None
    blocked_until: float = 0.0
    known: bool = False
    reports: list[PrintedSum] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    charges: dict[int, Charge] = field(default_factory=dict)
    spread: Spread = field(default_factory=Spread)
    others: Others = field(default_factory=Others)
    turned_at: float = -math.inf
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
        kept = self._kept(now)
        at_most = planned + kept + self.spread.margin([*flying, seconds])
        roomy = at_most <= STOP_AT * self.limit if self.priced else planned <= SLOW_AT * self.limit
        if free or roomy or not spent:
            return now
        # The next answer reports the budget; until then one charged request at a time.
        if any(flying):
            return math.inf
        if planned > STOP_AT * self.limit:
            return self._probe_at(planned, seconds, now)
        return now if planned + kept <= STOP_AT * self.limit else self._look_at(planned, seconds, now)

    def _look_at(self, planned: float, seconds: float, now: float) -> float:
        """When a request may be sent that is held back for others alone.

        What they spend may be less than was thought: the answer to a small request shows it.
        """
        looks = max(now, self.others.at + LOOK_EVERY)
        unheard = self.others.rate * (looks - self.others.at) + self.others.lump
        small = seconds <= LOOK_SHARE * self.limit and planned + unheard <= STOP_AT * self.limit
        return min(looks, self._leaves_at(now)) if small else self._leaves_at(now)

    def _probe_at(self, planned: float, seconds: float, now: float) -> float:
        """When a request may be sent that is beyond what is kept free: once a minute has left.

        What other processes spent is entered when it is first reported, later than the portal dates it. So at the reset
        time that the portal reports, the answer to a request that is certainly within the limit shows what has left.
        """
        if (
            self.resets_at is not None
            and now >= self.resets_at
            and planned + self.spread.margin([seconds]) <= self.limit
        ):
            return now
        return self._leaves_at(now)

    def _leaves_at(self, now: float) -> float:
        """When the oldest minute leaves."""
        times = [minute.leaves_at for minute in self.ledger.minutes[:1]]
        times += [charge.leaves_at for charge in self.charges.values()]
        times += [self.resets_at] if self.resets_at is not None and self.resets_at > now else []
        return min(times, default=now + self.policy.blind_pause)

    def _kept(self, now: float) -> float:
        """Seconds that others have probably spent since the last report, or will before the oldest minute leaves."""
        leaves = self._leaves_at(now) if self.ledger.minutes or self.charges else now + WINDOW
        return self.others.rate * min(WINDOW, leaves - self.others.at) + self.others.lump

    def spent(self, now: float) -> float:
        """Upper bound of the operating time, requests in flight included."""
        self._expire(now)
        return self.ledger.total + sum(charge.seconds for charge in self.charges.values())

    def _expire(self, now: float) -> None:
        for number, charge in list(self.charges.items()):
            if charge.leaves_at <= now:
                self._leave([report.included(number, charge) for report in self.reports], now)
                del self.charges[number]
        if seconds := self.ledger.expire(now):
            self._leave([seconds] * len(self.reports), now)

    def _leave(self, seconds: Sequence[float], now: float) -> None:
        """Take what has left the window off each report."""
        self.turned_at = now
        for report, left in zip(self.reports, seconds, strict=True):
            report.operating -= left

    def left(self, now: float) -> float:
        """Seconds that may still be spent before the window moves."""
        return 0.0 if now < self.blocked_until else max(0.0, STOP_AT * self.limit - self.spent(now) - self._kept(now))

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
            if charge.seconds and seconds:
                self.spread.take(charge.seconds, seconds)
            charge.seconds = seconds
            self._reconcile()

    def report(self, told: BudgetReport, number: int, departed: float, now: float) -> None:
        """Record what the answer to a request reports."""
        first, self.known = not self.known, True
        if told.operating is None:
            self._forget()
            return
        if (own := self.charges.get(number)) is not None:
            own.told = told
        self._expire(now)
        report = PrintedSum(number, departed, told, told.operating, told.leaves_at(now))
        # The sum of a request that began before a minute left may include that minute.
        if departed >= self.turned_at and not any(report.precedes(other) for other in self.reports):
            self.reports = [other for other in self.reports if not other.precedes(report)] + [report]
            self.resets_at = now + told.resets_in if told.resets_in is not None else None
        self._absorb(now)
        before = self.ledger.total
        self._reconcile()
        if first:
            self.others.watch(now)
        self.others.take(self.ledger.total - before if not first else 0.0, told.minute, now)

    def _absorb(self, now: float) -> None:
        """Enter in the ledger the requests that all reports include, and all that are still to come."""
        oldest = min((charge.departed for charge in self.charges.values() if charge.settled is None), default=now)
        for number, charge in list(self.charges.items()):
            if charge.settled is None or charge.settled > oldest or not self.reports:
                continue
            if all(report.included(number, charge) == charge.seconds for report in self.reports):
                told = charge.told or self.reports[-1].told
                self.ledger.enter(charge.seconds, told.minute, told.leaves_at(charge.settled))
                del self.charges[number]

    def _reconcile(self) -> None:
        """Make the ledger what the reports say beside the charges that they include."""
        others = [
            report.operating - sum(report.included(number, charge) for number, charge in self.charges.items())
            for report in self.reports
        ]
        if others:
            newest = self.reports[-1]
            self.ledger.correct(max(0.0, min(others)), newest.told.minute, newest.leaves_at)

    def blocked(self, now: float, *, banned: bool = False) -> None:
        """Record a refusal of this budget: wait for the reset, then probe once.

        `banned`: the refusal is a ban, whose end is not reported and independent of the reset.
        """
        if now < self.blocked_until:
            return
        known = self.resets_at is not None and self.resets_at > now and not banned
        self.blocked_until = self.resets_at if known and self.resets_at is not None else now + self.policy.blind_pause
        # After the pause the old sum is obsolete: the answer to the probe replaces it.
        self._forget()
        self.resets_at = None
        self.known = False

    def _forget(self) -> None:
        """Forget all but the requests in flight."""
        self.ledger.minutes.clear()
        self.reports.clear()
        self.charges = {of: charge for of, charge in self.charges.items() if charge.settled is None}
