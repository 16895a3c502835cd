"""Costs: seconds of the portal's work by rate of calls, measured from answers and remembered between runs.

A *rate* names calls of about the same cost: the method, and behind a space what else decides (entity type, width of the
select, conditions). Budgets are kept by method, costs by rate, in a batch and alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.engine.messages import Success

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON, Answer, Call, Parcel

FIRST_COST: Final = 0.05
"""Assumed cost of a command in seconds, before one is measured."""
WEIGHT: Final = 0.3
"""Weight of the newest measurement in the running mean."""
START: Final = 0.02
"""Seconds between the start of a batch and that of its first command, which are not charged: 0.02 to 0.04 in recorded
answers."""
OLDEST: Final = 30 * 86_400.0
"""Seconds after which a remembered cost is dropped."""
BATCHED: Final = "batch"
ALONE: Final = "alone"

Load: TypeAlias = "Mapping[str, int]"
"""Commands of a request by rate."""


@dataclass(slots=True)
class Cost:
    """What a command of one rate takes.

    Parameters
    ----------
    seconds : float
        Running mean of the portal's seconds for one command.
    rows : float
        Rows that a command carries, as a running mean; 0 where nobody counted.
    at : float
        When it was last measured, in seconds since the epoch.
    measured : int
        Requests measured in this process; 0 for a remembered cost, which the first measurement replaces.
    """

    seconds: float
    rows: float = 0.0
    at: float = 0.0
    measured: int = 0

    def take(self, seconds: float, rows: float, at: float) -> None:
        """Take in the mean of the commands of one request."""
        weight = WEIGHT if self.measured else 1.0
        self.seconds += weight * (seconds - self.seconds)
        self.rows += weight * (rows - self.rows)
        self.at = at
        self.measured += 1


@dataclass(slots=True)
class Costs:
    """The costs of one portal and credential.

    `recalled`: whether those of an earlier run were looked for. `kept`: the rates written down by this process, and
    `kept_at` when.
    """

    known: dict[tuple[str, str], Cost] = field(default_factory=dict)
    recalled: bool = False
    kept: set[tuple[str, str]] = field(default_factory=set)
    kept_at: float = 0.0

    def is_due(self, seconds: float) -> bool:
        """Whether to write the costs down; they then count as kept.

        That of a new rate is due at once, since a process may end within so many seconds, others so long after.
        """
        measured = {name: cost.at for name, cost in self.known.items() if cost.measured}
        newest = max(measured.values(), default=0.0)
        if measured.keys() <= self.kept and newest < self.kept_at + seconds:
            return False
        self.kept, self.kept_at = set(measured), newest
        return bool(measured)

    def find(self, rate: str, *, batched: bool) -> Cost | None:
        """What is known of a rate, or else of the same calls sent in the other way; None if nothing is."""
        ways = (BATCHED, ALONE) if batched else (ALONE, BATCHED)
        return next((found for way in ways if (found := self.known.get((rate, way))) is not None), None)

    def seconds(self, rate: str, *, batched: bool) -> float:
        """Seconds of one command: of its rate, else of the newest rate of the same method, else an assumption.

        The wall time of a single call is mostly the way there and back, so that the mean of a batch may be nearer.
        """
        found = self.find(rate, batched=batched)
        if found is not None and not batched and (together := self.known.get((rate, BATCHED))) is not None:
            return min(found.seconds, together.seconds)
        if found is None:
            alike = self.of_method(method_of(rate))
            found = max(alike.values(), key=lambda cost: cost.at, default=None)
        return FIRST_COST if found is None else found.seconds

    def of_method(self, method: str) -> dict[tuple[str, str], Cost]:
        """The costs of every rate of a method."""
        return {name: cost for name, cost in self.known.items() if method_of(name[0]) == method}

    def take(self, rate: str, seconds: float, rows: float, at: float, *, batched: bool) -> None:
        """Take in the mean of the commands of one request."""
        name = (rate, BATCHED if batched else ALONE)
        self.known.setdefault(name, Cost(seconds, rows)).take(seconds, rows, at)

    def to_json(self) -> JSON:
        """What another run can begin with."""
        return [[*name, cost.seconds, cost.rows, cost.at] for name, cost in self.known.items()]

    def remember(self, kept: JSON, now: float) -> None:
        """Begin with the costs of an earlier run; those that are old or damaged are dropped."""
        for entry in kept if isinstance(kept, list) else ():
            if not (isinstance(entry, list) and len(entry) == 5):
                continue
            rate, way, seconds, rows, at = entry
            sound = isinstance(rate, str) and way in (BATCHED, ALONE)
            numbers = [value for value in (seconds, rows, at) if isinstance(value, int | float) and value >= 0]
            if sound and len(numbers) == 3 and now - numbers[2] < OLDEST:
                self.known.setdefault((str(rate), str(way)), Cost(numbers[0], numbers[1], numbers[2]))


def rate_of(call: Call) -> str:
    """The rate of a call; its method where nothing else is known to decide."""
    return call.rate or call.method


def method_of(rate: str) -> str:
    """The method of a rate."""
    return rate.partition(" ")[0].rstrip(",")


def load_of(parcel: Parcel) -> Counter[str]:
    """The commands of a parcel by rate."""
    return Counter(rate_of(command.call) for command in parcel.commands)


def worked(
    parcel: Parcel, answers: Mapping[str, Answer], wall: float, *, batched: bool
) -> dict[str, tuple[float, int]]:
    """Seconds that the successful commands of each rate took together, and their number.

    Parameters
    ----------
    parcel : Parcel
    answers : mapping of str to Answer
    wall : float
        Seconds from sending to the answer.
    batched : bool
        Whether the parcel was sent as a batch.

    Notes
    -----
    The durations in answers may be up to 1 s too long (newer builds round the start down to a whole second), and so is
    the wall time by the way there and back: the shortest of them is the nearest. Where a batch has several rates, their
    own durations only divide it.
    """
    live: Counter[str] = Counter()
    own: dict[str, float] = {}
    whole = [wall]
    for command in parcel.commands:
        answer = answers[command.label]
        if isinstance(answer, Success):
            rate = rate_of(command.call)
            live[rate] += 1
            own[rate] = own.get(rate, 0.0) + (answer.seconds or 0.0)
            told = answer.batch_seconds if batched else answer.seconds
            whole += [told] if told is not None else []
    if not live:
        return {}
    together = max(0.0, min(whole) - (START if batched else 0.0))
    parts: Mapping[str, float] = live
    if all(own.values()):
        parts, together = own, min(together, sum(own.values()))
    return {rate: (together * parts[rate] / sum(parts.values()), number) for rate, number in live.items()}
