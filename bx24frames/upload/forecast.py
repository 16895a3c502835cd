"""Forecast of an upload (dry run): its calls are encoded and counted without being sent."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.engine.charges import Generation, charged_share, charges
from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.sizes import GROWTH, TARGET_SECONDS
from bx24frames.engine.usage import Usage, allowed_requests
from bx24frames.portal.plan import generation_of, least_seconds

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
    starting with an empty bucket. `basis`: the measured or assumed cost of a row to the portal. `usage`: shares of the
    budgets of ten minutes; None where a cost is assumed.
    """

    requests: int
    seconds: float
    basis: str = ""
    usage: Usage | None = None


def forecast(connection: Connection, loads: Iterable[CallLoad], made: int, remedies: tuple[str, ...]) -> Forecast:
    """Count the requests for the calls, and the seconds they need under the portal's limits.

    Parameters
    ----------
    made : int
        Requests already made that the upload would also make.
    remedies : tuple of str
        What helps where server time binds.
    """
    limits, generation = connection.settings.limits, generation_of(connection)
    requests, seconds, measured = made, 0.0, True
    charged: defaultdict[str, float] = defaultdict(float)
    bases: dict[str, None] = {}
    for group in _groups(loads):
        cost = connection.cost(group.method)
        sizes = group.sizes(limits.commands_per_batch, cost)
        sent = len(sizes) + group.singles
        requests += sent
        if cost is None:
            measured, work = False, ROW_SECONDS * group.rows
        else:
            work = cost * (group.commands + group.singles)
            for budget, amount in group.charged(sizes, cost, generation):
                charged[budget] += amount
        each = work / group.rows
        bases[f"{each:.3f} s a row (assumed)" if cost is None else f"{each:.3f} s a row (measured)"] = None
        seconds += least_seconds(limits, sent, work, share=charged_share(generation))
    seconds = max(least_seconds(limits, requests, 0.0), seconds)
    server = max(charged.values(), default=0.0) / limits.operating
    usage = Usage(server, requests / allowed_requests(limits.burst, limits.per_second), seconds, remedies)
    return Forecast(requests, seconds, ", ".join(bases), usage if measured else None)


@dataclass(slots=True)
class _Group:
    """Calls of one method of a load: its commands in batches, its single calls, and the rows of both."""

    method: str
    load: CallLoad
    commands: int = 0
    singles: int = 0
    rows: int = 0

    def sizes(self, ceiling: int, cost: float | None) -> list[int]:
        """Commands in each batch; they grow to what fits into the target duration at a cost per command."""
        most = min(ceiling, MAX_COMMANDS, int(TARGET_SECONDS / cost) if cost else MAX_COMMANDS)
        return list(_sizes(self.commands, self.load, max(1, most)))

    def charged(self, sizes: list[int], cost: float, generation: Generation) -> Iterator[tuple[str, float]]:
        """Seconds that each batch and each single call costs each budget."""
        for size in sizes:
            yield from charges({self.method: size}, lambda _: cost, generation, batched=True).items()
        for _ in range(self.singles):
            yield from charges({self.method: 1}, lambda _: cost, generation, batched=False).items()


def _groups(loads: Iterable[CallLoad]) -> Iterator[_Group]:
    """Count the calls of each load by method."""
    for load in loads:
        groups: dict[str, _Group] = {}
        for encoded in load.calls:
            group = groups.setdefault(encoded.call.method, _Group(encoded.call.method, load))
            group.rows += len(encoded.positions)
            group.singles += encoded.call.direct
            group.commands += not encoded.call.direct
        yield from groups.values()


def _sizes(commands: int, load: CallLoad, most: int) -> Iterator[int]:
    """Commands in each request, until all are sent."""
    size = load.commands or min(load.first, most)
    while commands > 0:
        yield min(size, commands)
        commands -= size
        size = load.commands or min(math.ceil(size * GROWTH), most)
