"""Mix: which requests a read sends next, of all ways to send a page, under the budgets that bind now.

Full batches carry most rows per request, so they come first as long as operating time is left for them. Where it is
operating time that runs short, requests are left over: these carry what is not charged (both generations charge nothing
for up to 0.1 s a request) or what newer builds charge to another budget (single calls).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, Protocol, TypeVar

from bx24frames.engine.charges import Generation
from bx24frames.engine.messages import MAX_COMMANDS, Listing
from bx24frames.engine.outlook import Outlook
from bx24frames.engine.pages.lanes import SEGMENT_ROWS
from bx24frames.engine.records import Take
from bx24frames.engine.sizes import FIRST_READS, Sizes

P = TypeVar("P")
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

LEFT_OVER: Final = 0.5
"""Share of the requests that batches in all places have to leave, for light ones to be given one of the places: they
bring pages that nothing else does, and batches use up the operating time a little later."""
SMALLEST_BATCH: Final = 4
"""Pages from which a batch is sent where operating time is shorter than requests; half a full one elsewhere."""
RESERVED: Final = 4
"""Places in the request bucket that light requests leave to batches."""
SPARE_RATE: Final = 0.05
"""Requests a second that have to be left over before light ones are sent."""
KEPT_FOR_ENDS: Final = 0.01
"""Share of the first route's budget that is kept for the ends of lanes, which it alone can confirm."""
LANE_SECONDS: Final = 2.0
"""Seconds of the portal's work below which a lane is not cut shorter for others to work beside it."""
LIGHT_ROWS: Final = 2_000
"""Rows that the lane of light requests is cut to: every lane ends in a page that is not full."""
WORTH_PROVING: Final = 200
"""Pages still to be read from which it pays to compare two lists."""


class Judge(Protocol[T_contra]):
    """Decides whether the rows of another list method are those of the first."""

    def alike(self, first: T_contra, other: T_contra) -> bool:
        """Compare the same rows from both lists; what is seen to be alike counts for `unseen`."""
        ...

    def unseen(self, rows: T_contra) -> int | None:
        """Place of the first row of the other list with something that was not seen to be alike; None without one."""
        ...


@dataclass(frozen=True, slots=True)
class Route(Generic[P, T]):
    """A list method that gives the rows of a read.

    Parameters
    ----------
    listing : Listing
    take : Take
        Turns its rows into what the read gives out.
    judge : Judge or None
        Compares it with the first route; None for the first.
    """

    listing: Listing
    take: Take[P, T]
    judge: Judge[T] | None = None

    @property
    def rate(self) -> str:
        """The rate of its pages."""
        return self.listing.rate or self.listing.call.method


@dataclass(frozen=True, slots=True)
class Part(Generic[P, T]):
    """Pages of a request by one route; `rows`: what lanes are cut to for it, or 0 for the usual length."""

    route: Route[P, T]
    pages: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Offer(Generic[P, T]):
    """A request that may be sent now.

    `light`: it is not a full batch. `ends`: only ends of lanes may be read, which no other route can.
    """

    parts: tuple[Part[P, T], ...]
    light: bool = False
    ends: bool = False


@dataclass(slots=True)
class Demand:
    """What is wanted: `pages` to be read, of which a lane has `lane`, batches in flight, and how many there may be.

    `settled`: whether it is known which routes there are.
    """

    pages: float
    lane: int
    batches: int
    wanted: int
    settled: bool = True


def offers(
    routes: Sequence[Route[P, T]], demand: Demand, sizes: Sizes, outlook: Outlook, now: float
) -> Iterator[Offer[P, T]]:
    """The requests that may be sent now, the best first."""
    first = routes[0]
    short = _is_short(routes, demand, outlook)
    places = outlook.most_in_flight - (short and _leave_requests(routes, demand, sizes, outlook))
    room = demand.batches < max(1, min(demand.wanted, places))
    open_now = False
    for route in sorted(routes, key=lambda route: -outlook.affordable([route.rate], now)):
        full = _full(route, demand, sizes)
        kept = outlook.share(KEPT_FOR_ENDS, route.rate) if route is first and len(routes) > 1 else 0
        pages = outlook.most(route.rate, full + kept, now, batched=full > 1) - kept
        if pages >= _least(full, short=short):
            open_now = True
            if room:
                yield Offer(_with_free(_batch(route, pages, full), routes, outlook, now))
    if short and outlook.places(now) >= (RESERVED if open_now else 1):
        yield from _light_offers(routes, outlook, now)
    if len(routes) > 1 and room:
        full = _full(first, demand, sizes)
        pages = outlook.most(first.rate, full, now, batched=True)
        if pages:
            yield Offer((_batch(first, pages, full),), ends=True)
        if pages >= _least(full, short=short):
            yield Offer((_batch(first, pages, full),))


def wakes(routes: Sequence[Route[P, T]], demand: Demand, sizes: Sizes, outlook: Outlook, now: float) -> list[float]:
    """When requests may be sent that may not be sent now."""
    times = [outlook.ready_at(route.rate, _full(route, demand, sizes), now, batched=True) for route in routes]
    if _is_short(routes, demand, outlook):
        times += [outlook.ready_at(route.rate, 1, now, batched=False) for route in routes]
    return times


def is_long(routes: Sequence[Route[P, T]], pages: float, outlook: Outlook, now: float) -> bool:
    """Whether a read is long enough for another route to be worth its proof."""
    return pages >= WORTH_PROVING and 2 * pages > outlook.affordable([route.rate for route in routes], now)


def rows_of_lane(route: Route[P, T], rows_left: float, sizes: Sizes) -> int:
    """Rows that the next lane is cut to, so that all requests in flight have work, and lanes are soon complete.

    Where pages are so slow that a request has few, it reads a lane to its end. What is left is divided among the
    requests that may be in flight, unless the portal reads a lane within `LANE_SECONDS`.
    """
    size, outlook = sizes.of(route.listing.call.method, FIRST_READS).now, sizes.outlook
    page = route.listing.page_size
    carried = size * page if size < sizes.ceiling else SEGMENT_ROWS
    if outlook is None:
        return min(SEGMENT_ROWS, carried)
    quick = outlook.commands_in(LANE_SECONDS, route.rate) * page
    return math.ceil(min(SEGMENT_ROWS, carried, max(rows_left / outlook.most_in_flight, quick)))


def _batch(route: Route[P, T], pages: int, full: int) -> Part[P, T]:
    """The pages of a batch; where the operating time allows fewer than a full one has, their lane ends with them.

    The rest of a longer lane would wait for operating time, and with it what was read behind it.
    """
    return Part(route, pages, pages * route.listing.page_size if pages < full else 0)


def _full(route: Route[P, T], demand: Demand, sizes: Sizes) -> int:
    size = sizes.of(route.listing.call.method, FIRST_READS).now
    return max(1, int(min(size, demand.lane, math.ceil(demand.pages) + 1)))


def _least(full: int, *, short: bool) -> float:
    """Pages from which a batch is worth a request."""
    return min(full, SMALLEST_BATCH) if short else full / 2


def _is_short(routes: Sequence[Route[P, T]], demand: Demand, outlook: Outlook) -> bool:
    """Whether operating time is shorter than requests in the long run."""
    if outlook.generation is Generation.UNKNOWN or not demand.settled:
        return False
    return outlook.batches_per_second([route.rate for route in routes]) < outlook.requests_per_second - SPARE_RATE


def _leave_requests(routes: Sequence[Route[P, T]], demand: Demand, sizes: Sizes, outlook: Outlook) -> bool:
    """Whether batches in all places leave so many requests that light ones in one of the places bring more."""
    seconds = _full(routes[0], demand, sizes) * outlook.cost(routes[0].rate, batched=True)
    return outlook.most_in_flight < seconds * outlook.requests_per_second * LEFT_OVER


def _with_free(
    charged: Part[P, T], routes: Sequence[Route[P, T]], outlook: Outlook, now: float
) -> tuple[Part[P, T], ...]:
    """The pages of a batch, some of them by methods that are not charged for so few."""
    if outlook.generation is not Generation.BY_METHOD:
        return (charged,)
    free = [Part(other, outlook.free(other.rate)) for other in routes if other is not charged.route]
    free = [part for part in free if 0 < part.pages < charged.pages and _allowed(part, outlook, now)]
    room = MAX_COMMANDS - sum(part.pages for part in free)
    return (replace(charged, pages=min(charged.pages, room)), *free)


def _allowed(part: Part[P, T], outlook: Outlook, now: float) -> bool:
    """Whether a batch may have all of its pages now."""
    return outlook.most(part.route.rate, part.pages, now, batched=True) == part.pages


def _light_offers(routes: Sequence[Route[P, T]], outlook: Outlook, now: float) -> Iterator[Offer[P, T]]:
    free = [Part(route, outlook.free(route.rate), LIGHT_ROWS) for route in routes]
    if outlook.generation is Generation.BY_BATCH:
        free = free[:1]  # all pages of a batch are charged together, so the cheapest route alone
    free = [part for part in free if part.pages and _allowed(part, outlook, now)]
    if sum(part.pages for part in free) > 1:
        yield Offer(tuple(free), light=True)
    for route in routes:
        charged = outlook.cost(route.rate, batched=False)
        own = outlook.generation is Generation.BY_BATCH or outlook.free_alone(charged)
        if own and outlook.most(route.rate, 1, now, batched=False):
            yield Offer((Part(route, 1, LIGHT_ROWS),), light=True)
