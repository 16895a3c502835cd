"""What an upload would take, told before anything is sent: its calls are made and counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.sizes import GROWTH, TARGET_SECONDS
from bx24frames.portal.plan import least_seconds

if TYPE_CHECKING:
    from bx24frames.entities.schema import Encoded
    from bx24frames.portal.connection import Connection

__all__ = ["Load", "forecast"]


@dataclass(frozen=True, slots=True)
class Load:
    """Calls of one kind. `first`: commands of their first request. `commands`: a fixed number; None lets it grow."""

    calls: Iterable[Encoded]
    first: int
    commands: int | None = None


def forecast(connection: Connection, loads: Iterable[Load], made: int) -> tuple[int, float]:
    """Count the requests that calls would take, and the seconds that the portal's limits make of them.

    Parameters
    ----------
    made : int
        Requests already made, which the upload would make too.

    Returns
    -------
    requests : int
        About: how many rows fit one request is learnt on the way.
    seconds : float
        The least, from a bucket that is empty now.
    """
    requests, work = made, 0.0
    limits = connection.settings.limits
    for load in loads:
        commands: Counter[str] = Counter()
        for encoded in load.calls:
            if encoded.call.direct:
                requests += 1
            else:
                commands[encoded.call.method] += 1
        for method, number in commands.items():
            cost = connection.cost(method)
            most = min(limits.commands_per_batch, MAX_COMMANDS, int(TARGET_SECONDS / cost) if cost else MAX_COMMANDS)
            requests += sum(1 for _ in _sizes(number, load, max(1, most)))
            work += least_seconds(limits, 0, (cost or 0.0) * number)
    return requests, max(least_seconds(limits, requests, 0.0), work)


def _sizes(commands: int, load: Load, most: int) -> Iterator[int]:
    """Commands of each request, until all of them have gone."""
    size = load.commands or min(load.first, most)
    while commands > 0:
        yield min(size, commands)
        commands -= size
        size = load.commands or min(math.ceil(size * GROWTH), most)
