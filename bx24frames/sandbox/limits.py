"""Limits of the portal: the request bucket, the operating time of each method, the cut at 60 s."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

BUCKETS: Final = 10
BUCKET_SECONDS: Final = 60
_WINDOW: Final = BUCKETS * BUCKET_SECONDS
UNRECORDED: Final = 0.1
"""Seconds of a method in one request up to which nothing is recorded."""


@dataclass(frozen=True, slots=True)
class _Generation:
    """How a build counts operating time [rest module: lib/engine/access/loadlimiter.php, states of 2025 and 2026].

    Parameters
    ----------
    batch_weight : float or None
        Share of a batch's duration that is charged to ``batch`` itself, instead of to the methods in it; None charges
        the methods, and ``batch`` nothing.
    ban : float or None
        Seconds for which a method beyond its limit is refused, its sum cleared; None refuses it while the sum is above.
    """

    batch_weight: float | None = None
    ban: float | None = None


BY_METHOD: Final = _Generation()
"""Builds until mid-2026."""
BY_BATCH: Final = _Generation(batch_weight=0.5, ban=300.0)
"""The newest builds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of a tariff (https://apidocs.bitrix24.com/limits.html).

    Parameters
    ----------
    burst : int or None
        Capacity of the request bucket; None switches the bucket off.
    per_second : float
        Requests a second that leak from it.
    operating : float or None
        Seconds one method may cost in ten minutes; None: no load limiter, and answers carry no ``operating``.
    cut : float or None
        Seconds after which a request is cut.
    """

    burst: int | None = 50
    per_second: float = 2.0
    operating: float | None = 480.0
    cut: float | None = 60.0


PLANS: Final[dict[str, Plan]] = {
    "standard": Plan(),
    "enterprise": replace(Plan(), burst=250, per_second=5.0),
    "self_hosted": Plan(burst=None, operating=None, cut=None),
    # no real tariff: a portal without limits, for tests
    "unlimited": Plan(burst=None, operating=float("inf"), cut=None),
}


@dataclass(slots=True)
class LeakyBucket:
    """The request rate limit of one client address; a batch counts as one request.

    >>> bucket = LeakyBucket(capacity=2, per_second=1.0)
    >>> [bucket.admit(at) for at in (0.0, 0.0, 0.5, 1.0)]
    [True, True, False, True]
    """

    capacity: int
    per_second: float
    level: float = 0.0
    seen: float = float("-inf")

    def admit(self, now: float) -> bool:
        """Whether a request at `now` (seconds) is admitted; a refused one is not counted."""
        passed = max(0.0, now - self.seen) if self.seen > float("-inf") else 0.0
        self.level = max(0.0, self.level - passed * self.per_second)
        self.seen = max(now, self.seen)
        if self.level + 1 > self.capacity:
            return False
        self.level += 1
        return True


_Key: TypeAlias = tuple[str, str]
"""Credential and method."""


@dataclass(slots=True)
class _Bucket:
    """One minute of a method: `recorded` seconds, and those of requests that have begun but not ended, by their end."""

    expires: float
    recorded: float = 0.0
    coming: list[tuple[float, float]] = field(default_factory=list)

    def seconds(self, at: float) -> float:
        """Seconds recorded by a time."""
        return self.recorded + sum(seconds for ends, seconds in self.coming if ends <= at)

    def advance(self, now: float) -> None:
        """Record the requests that have ended."""
        self.recorded = self.seconds(now)
        self.coming = [(ends, seconds) for ends, seconds in self.coming if ends > now]


@dataclass(slots=True)
class OperatingTime:
    """Seconds of work per credential and method, in ten one-minute buckets [rest module: lib/engine/access].

    A request takes the number of its minute when it begins (``getNumBucket`` keeps it). It reads the sums whenever a
    method is checked or an answer printed (``is``, ``getRestTime``), and its own seconds are recorded in the bucket of
    its minute after it has ended (``finalize``, a background job). Both generations do. A bucket leaves 600 s after its
    first hit, or when it is not among the last ten minutes.

    The sandbox carries out a request at the time it begins. So its checks and its answer lack the seconds of requests
    that begin after it and end before it.
    """

    limit: float
    _spent: dict[_Key, dict[int, _Bucket]] = field(default_factory=dict)
    _bans: dict[_Key, float] = field(default_factory=dict)

    def ban(self, key: _Key, now: float, seconds: float) -> None:
        """Refuse a method for some seconds; what is recorded is cleared, not what requests in flight will add."""
        self._bans[key] = now + seconds
        for bucket in self._spent.get(key, {}).values():
            bucket.advance(now)
            bucket.recorded = 0.0

    def banned(self, key: _Key, now: float) -> bool:
        """Whether a method is banned, regardless of its usage."""
        return now < self._bans.get(key, 0.0)

    def _live(self, key: _Key, began: float) -> list[_Bucket]:
        last = int(began // BUCKET_SECONDS)
        buckets = self._spent.get(key, {})
        gone = [minute for minute, bucket in buckets.items() if minute <= last - BUCKETS or bucket.expires <= began]
        for minute in gone:
            del buckets[minute]
        return [buckets[minute] for minute in sorted(buckets)]

    def used(self, key: _Key, began: float, at: float | None = None) -> float:
        """Seconds recorded by `at` in the window of a request that began at `began`; default: as it begins."""
        at = began if at is None else at
        return sum(bucket.seconds(at) for bucket in self._live(key, began))

    def reset_at(self, key: _Key, began: float, at: float | None = None) -> int | None:
        """When a ban ends or the oldest bucket leaves, seconds since the epoch; None when nothing is recorded."""
        at = began if at is None else at
        if self.banned(key, at):
            return int(self._bans[key])
        return next((int(bucket.expires) for bucket in self._live(key, began) if bucket.seconds(at)), None)

    def record(self, key: _Key, seconds: float, *, began: float, first_hit: float, ends: float) -> None:
        """Add one request's work of a method to the bucket of the minute it began in, from its end on."""
        minute = int(began // BUCKET_SECONDS)
        bucket = self._spent.setdefault(key, {}).setdefault(minute, _Bucket(first_hit + _WINDOW))
        bucket.advance(began)
        bucket.coming.append((ends, seconds))

    def end_all(self) -> None:
        """Record all requests as ended: their answers were sent without the delay of their work."""
        for buckets in self._spent.values():
            for bucket in buckets.values():
                bucket.advance(float("inf"))


@dataclass(slots=True)
class Meter:
    """The load limiter during one request: what it did so far counts, and is recorded when it ends.

    `at`, of several methods: the time, between the beginning and the end of the request.
    """

    spent: OperatingTime
    began: float
    generation: _Generation = BY_METHOD
    _hits: dict[_Key, list[float]] = field(default_factory=dict)
    _first: dict[_Key, float] = field(default_factory=dict)
    _inside: float | None = None
    """Seconds of the commands of a batch that is charged as a whole; None outside such a batch."""
    _frozen: float = 0.0

    def operating(self, key: _Key, at: float) -> float:
        """What answers report: recorded seconds plus this request's own single hits above 0.1 s.

        The commands of a batch that is charged itself all report what it had come to at the first of them above
        0.1 s (b24jssdk #459, #539).
        """
        if self._inside is not None:
            return self._frozen
        return self.spent.used(key, self.began, at) + sum(hit for hit in self._hits.get(key, ()) if hit > UNRECORDED)

    def blocks(self, key: _Key, at: float) -> bool:
        """Whether the method is refused now."""
        if self._inside is not None:
            return False
        if self.spent.banned(key, at):
            return True
        over = self.operating(key, at) > self.spent.limit
        if over and self.generation.ban is not None:
            self.spent.ban(key, at, self.generation.ban)
        return over

    def reset_at(self, key: _Key, at: float) -> int | None:
        """When the method's oldest bucket leaves; without one, 600 s after this request's first call."""
        recorded = self.spent.reset_at(key, self.began, at)
        if recorded is not None or not self._first:
            return recorded
        return int(next(iter(self._first.values())) + _WINDOW)

    def start(self, key: _Key, at: float) -> None:
        """A method begins; one that then fails is never charged."""
        if self._inside is None:
            self._first.setdefault(key, at)

    def finish(self, key: _Key, seconds: float) -> None:
        """A method succeeded after `seconds` of work."""
        if self._inside is None:
            self._hits.setdefault(key, []).append(seconds)
            return
        self._inside += seconds
        if seconds > UNRECORDED and not self._frozen:
            self._frozen = self._inside

    def enter_batch(self) -> None:
        """A batch that is charged itself begins: what follows are its commands."""
        self._inside, self._frozen = 0.0, 0.0

    def leave_batch(self, key: _Key, seconds: float) -> None:
        """A batch that is charged itself ends after `seconds` of work."""
        self._inside = None
        self.finish(key, seconds * (self.generation.batch_weight or 0.0))

    def settle(self, at: float) -> None:
        """The request is over: record each method whose work sums up to more than 0.1 s."""
        for key, hits in self._hits.items():
            total = sum(hits)
            if total > UNRECORDED:
                self.spent.record(key, total, began=self.began, first_hit=self._first[key], ends=at)
