"""Slow filters: a warning where conditions make a page cost the portal far more than a page without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bx24frames.caller import warn
from bx24frames.portal.listing import FILTERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bx24frames.engine.costs import Cost
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.preparation import Reading

TIMES: Final = 3.0
"""How many times as long as a page without conditions is slow: answers of one kind vary by two to three times."""
NOTICED: Final = 0.1
"""Seconds per page from which it matters: portals charge nothing for a call of up to 0.1 s."""
REQUESTS: Final = 3
"""Requests that have to be measured before the filter is blamed."""


def tell_slow_filter(connection: Connection, reading: Reading) -> None:
    """After the last row, warn once per entity where the conditions of a read were slow, and name quicker forms."""
    entity = reading.table.entity
    name = f"slow_filter:{entity.name}"
    if not reading.where.params or connection.metadata.noted(name, keep=False):
        return
    found = slow_filter(connection.costs().of_method(entity.listing.call.method))
    if found is None:
        return
    connection.metadata.note(name, True, keep=False)
    with_them, without = found
    warn(
        f"Pages of {entity.name} with these conditions cost the portal {with_them:.2f} s each, without conditions "
        f"{without:.2f} s. A condition on the id or on the time of modification is quicker, or a read without "
        "conditions of which the frame is filtered"
    )


def slow_filter(costs: Mapping[tuple[str, str], Cost]) -> tuple[float, float] | None:
    """Seconds per page with conditions and without, where the former were slow; None elsewhere.

    Parameters
    ----------
    costs : mapping of tuple to Cost
        The costs of one list method by rate and way of sending. A rate with conditions is compared with the same table
        and width of select without them.

    Examples
    --------
    >>> from bx24frames.engine.costs import Cost
    >>> plain = {("crm.item.list of 2, 1-8 columns", "batch"): Cost(0.05, measured=9)}
    >>> slow_filter({**plain, ("crm.item.list of 2, 1-8 columns, filtered", "batch"): Cost(0.6, measured=4)})
    (0.6, 0.05)
    >>> slow_filter({**plain, ("crm.item.list of 2, 1-8 columns, filtered", "batch"): Cost(0.12, measured=4)})
    """
    pairs = [
        (cost.seconds, plain.seconds)
        for (rate, way), cost in costs.items()
        if rate.endswith(FILTERED) and cost.measured >= REQUESTS
        if (plain := costs.get((rate.removesuffix(FILTERED), way))) is not None
    ]
    slow = [(seconds, plain) for seconds, plain in pairs if seconds > max(NOTICED, TIMES * plain)]
    return max(slow, default=None)
