"""Operating time: the budget a request is charged to, which depends on the generation of the portal."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Final

from bx24frames.engine.costs import Load, method_of

BATCH: Final = "batch"
"""The budget that newer builds charge batches to."""
BATCH_WEIGHT: Final = 0.5
"""Share of a batch's duration that they charge (rest module: lib/engine/access/loadlimiter.php, 2026)."""
FREE: Final = 0.1
"""Seconds up to which a request is not charged (ib., both generations)."""
_ROUNDING: Final = 1e-6
_OVERHEAD: Final = 0.01
"""Seconds by which the duration of a command may exceed what the limiter measures."""


class Generation(enum.Enum):
    """Which budget the commands of a batch are charged to."""

    UNKNOWN = "not known yet: both budgets are kept"
    BY_METHOD = "each method is charged its commands, the batch nothing"
    BY_BATCH = "the batch is charged, its methods nothing (b24jssdk #459)"


def recognised(
    known: Generation, whole: float | None, commands: Iterable[float | None], duration: float | None
) -> Generation:
    """The generation that the answer to a batch indicates.

    Parameters
    ----------
    known : Generation
        What is known so far.
    whole : float or None
        ``time.operating`` of the envelope. Where methods are charged it is 0 or, in answers recorded in 2022, the sum
        of one of them.
    commands : iterable of float or None
        ``operating`` of the commands' own `time`. Where the batch is charged they count this request only, and
        never exceed its duration; sums over ten minutes do.
    duration : float or None
        Seconds the batch took.

    Examples
    --------
    >>> recognised(Generation.UNKNOWN, 212.4, [1.2, 1.2], 1.3).name
    'BY_BATCH'
    >>> recognised(Generation.UNKNOWN, 1.78, [1.78], 0.07).name
    'BY_METHOD'
    """
    reported = [seconds for seconds in commands if seconds is not None]
    if whole is None or not reported:
        return known
    highest = max(reported)
    if duration is not None and highest > duration + FREE:
        return Generation.BY_METHOD
    if whole > 0:
        return known if whole in reported else Generation.BY_BATCH
    # Newer builds may report up to twice the free share while the weighted batch is still free.
    proven = known is Generation.UNKNOWN and highest > FREE / BATCH_WEIGHT
    return Generation.BY_METHOD if proven else known


def charges(load: Load, cost: Callable[[str], float], generation: Generation, *, batched: bool) -> dict[str, float]:
    """Estimated seconds that a request costs each budget; 0 where it is not charged.

    Parameters
    ----------
    load : mapping of str to int
        Commands of each rate.
    cost : callable
        Seconds one command of a rate takes.
    generation : Generation
    batched : bool
        Whether the commands are sent in a batch.

    Examples
    --------
    >>> charges({"crm.deal.list": 50}, lambda rate: 0.3, Generation.BY_BATCH, batched=True)
    {'batch': 7.5}
    """
    own: dict[str, float] = {}
    for rate, commands in load.items():
        own[method_of(rate)] = own.get(method_of(rate), 0.0) + cost(rate) * commands
    whole = {BATCH: BATCH_WEIGHT * sum(own.values())} if batched else {}
    budgets = {
        Generation.UNKNOWN: {**own, **whole},
        Generation.BY_METHOD: own,
        Generation.BY_BATCH: whole or own,
    }[generation]
    return {budget: seconds if seconds > FREE + _ROUNDING else 0.0 for budget, seconds in budgets.items()}


def printed_share(seconds: float | None) -> float:
    """Seconds of a command that the sum printed in its answer certainly includes: not those of up to 0.1 s.

    Examples
    --------
    >>> printed_share(0.3), printed_share(0.08)
    (0.3, 0.0)
    """
    return seconds if seconds is not None and seconds > FREE + _OVERHEAD else 0.0


def free_commands(cost: float, generation: Generation) -> int:
    """How many commands of so many seconds each one batch carries without being charged.

    Examples
    --------
    >>> free_commands(0.03, Generation.BY_METHOD), free_commands(0.03, Generation.BY_BATCH)
    (3, 6)
    """
    return int((FREE + _ROUNDING) / max(cost * charged_share(generation), _ROUNDING))


def charged_share(generation: Generation) -> float:
    """Share of a batch's duration that is charged."""
    return BATCH_WEIGHT if generation is Generation.BY_BATCH else 1.0
