"""Forecast of an upload (dry run): its calls are encoded and counted without being sent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.sizes import GROWTH, TARGET_SECONDS
from bx24frames.portal.plan import least_seconds

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.portal.connection import Connection

__all__ = ["CallLoad", "Forecast", "forecast"]

ROW_SECONDS: Final = 0.025
"""Assumed portal seconds per row until measured; fast portals need 0.005."""


@dataclass(frozen=True, slots=True)
class CallLoad:
    """Calls of one kind. `first`: commands in the first request. `commands`: a fixed number; None lets it grow."""

    calls: Iterable[Encoded]
    first: int
    commands: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of an upload.

    `requests`: approximate, because the number of rows per request is learnt while sending. `seconds`: the minimum,
    starting with an empty bucket. `basis`: the assumed cost of a row to the portal.
    """

    requests: int
    seconds: float
    basis: str = ""


def forecast(connection: Connection, loads: Iterable[CallLoad], made: int) -> Forecast:
    """Count the requests for the calls, and the seconds they need under the portal's limits.

    Parameters
    ----------
    made : int
        Requests already made that the upload would also make.
    """
    requests, work = made, 0.0
    bases: dict[str, None] = {}
    limits = connection.settings.limits
    for load in loads:
        commands: Counter[str] = Counter()
        rows: Counter[str] = Counter()
        for encoded in load.calls:
            rows[encoded.call.method] += len(encoded.positions)
            if encoded.call.direct:
                requests += 1
            else:
                commands[encoded.call.method] += 1
        for method, number in rows.items():
            cost = connection.cost(method)
            most = min(limits.commands_per_batch, MAX_COMMANDS, int(TARGET_SECONDS / cost) if cost else MAX_COMMANDS)
            requests += sum(1 for _ in _sizes(commands[method], load, max(1, most)))
            seconds = ROW_SECONDS * number if cost is None else cost * commands[method]
            each = seconds / number
            bases[f"{each:.3f} s a row (assumed)" if cost is None else f"{each:.3f} s a row (measured)"] = None
            work += least_seconds(limits, 0, seconds, share=connection.charged_share())
    return Forecast(requests, max(least_seconds(limits, requests, 0.0), work), ", ".join(bases))


def _sizes(commands: int, load: CallLoad, most: int) -> Iterator[int]:
    """Commands in each request, until all are sent."""
    size = load.commands or min(load.first, most)
    while commands > 0:
        yield min(size, commands)
        commands -= size
        size = load.commands or min(math.ceil(size * GROWTH), most)
