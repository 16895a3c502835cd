"""To which budget of operating time a request is charged: two generations of portals, told apart by their answers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Final

BATCH: Final = "batch"
"""What newer builds charge a batch to."""
BATCH_WEIGHT: Final = 0.5
"""Share of a batch's duration that they charge (rest module: lib/engine/access/loadlimiter.php, 2026)."""
FREE: Final = 0.1
"""Seconds; what one request costs a budget is not counted up to this (ib., both generations)."""


class Generation(enum.Enum):
    """Whose operating time the commands of a batch are."""

    UNKNOWN = "not told yet: both budgets are kept"
    BY_METHOD = "each method is charged its commands, the batch nothing"
    BY_BATCH = "the batch is charged, its methods nothing (b24jssdk #459)"


def recognised(
    known: Generation, whole: float | None, commands: Iterable[float | None], duration: float | None
) -> Generation:
    """What the answer to a batch shows of the generation.

    Parameters
    ----------
    known : Generation
        What was known before.
    whole : float or None
        ``time.operating`` of the envelope. Where methods are charged it is 0 or, in answers recorded in 2022, the sum
        of one of them.
    commands : iterable of float or None
        ``operating`` of the commands' own `time`. Where the batch is charged they tell of this request alone, so they
        never exceed its duration; sums of ten minutes do.
    duration : float or None
        Seconds the batch took.

    Examples
    --------
    >>> recognised(Generation.UNKNOWN, 212.4, [1.2, 1.2], 1.3).name
    'BY_BATCH'
    >>> recognised(Generation.UNKNOWN, 1.78, [1.78], 0.07).name
    'BY_METHOD'
    """
    told = [seconds for seconds in commands if seconds is not None]
    if whole is None or not told:
        return known
    highest = max(told)
    if duration is not None and highest > duration + FREE:
        return Generation.BY_METHOD
    if whole > 0:
        return known if whole in told else Generation.BY_BATCH
    # Newer builds may print up to twice the free share while the batch, weighted, is still free.
    proven = known is Generation.UNKNOWN and highest > FREE / BATCH_WEIGHT
    return Generation.BY_METHOD if proven else known


def charges(
    methods: Mapping[str, int], cost: Callable[[str], float], generation: Generation, *, batched: bool
) -> dict[str, float]:
    """Seconds a request is expected to cost each budget; what is expected to be free is 0.

    Parameters
    ----------
    methods : mapping of str to int
        Commands of each method.
    cost : callable
        Seconds one command of a method takes.
    generation : Generation
    batched : bool
        Whether the commands travel in a batch.

    Examples
    --------
    >>> charges({"crm.deal.list": 50}, lambda method: 0.3, Generation.BY_BATCH, batched=True)
    {'batch': 7.5}
    """
    own = {method: cost(method) * commands for method, commands in methods.items()}
    whole = {BATCH: BATCH_WEIGHT * sum(own.values())} if batched else {}
    budgets = {
        Generation.UNKNOWN: {**own, **whole},
        Generation.BY_METHOD: own,
        Generation.BY_BATCH: whole or own,
    }[generation]
    return {budget: seconds if seconds > FREE else 0.0 for budget, seconds in budgets.items()}
