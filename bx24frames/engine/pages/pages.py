"""Reads a list method completely by id: chained pages, in lanes, without a count and without an offset."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Generic, TypeVar

from bx24frames.engine.codes import Reaction, error_of, meaning
from bx24frames.engine.messages import Answer, Command, Done, Listing, Lost, Parcel, Refusal, Wait
from bx24frames.engine.outlook import POLL, Outlook
from bx24frames.engine.pages.beside import Beside
from bx24frames.engine.pages.cursor import Cursor, ids_in, in_order, page_in, show, size_of
from bx24frames.engine.pages.far_end import FarEnd
from bx24frames.engine.pages.lanes import MARGIN, SEGMENT_ROWS, Block, Lane, Line
from bx24frames.engine.pages.mix import Demand, Offer, Route, is_long, offers, rows_of_lane, wakes
from bx24frames.engine.pages.strand import Chain, Strand
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.records import Rows, Take
from bx24frames.engine.retry import is_passing
from bx24frames.engine.sizes import FIRST_READS, Sizes

P = TypeVar("P")
T = TypeVar("T")

MAX_LANES: Final = 8
SMALLEST_CHAIN: Final = 4
"""Slots of a request below which a further lane is not begun in it."""


class KeysetPages(Generic[P, T]):
    """A machine that gives the rows of a listing in order of id, each once.

    Parameters
    ----------
    listing : Listing
        Where the rows and ids are; `listing.bounds` limits the ids.
    take : Take
        Turns the rows of consecutive pages, in output order, into what is given out.
    token : str
        Unguessable start of every label: text of the portal's users must not look like a reference.
    ascending : bool
        Order of the output.
    limit : int, optional
        Rows wanted; no more pages are asked for than that takes, and the far end where a short page ends the read.
    beside : Route, optional
        Another list method for the same rows, used where it saves time once it is proven (see `pages.beside`).
    """

    def __init__(
        self,
        listing: Listing,
        take: Take[P, T],
        *,
        token: str,
        ascending: bool = True,
        limit: int | None = None,
        retry: RetryPolicy = RETRY,
        beside: Route[P, T] | None = None,
    ) -> None:
        self._retry = retry
        self._listing = listing
        self._take = take
        self._token = token
        self._left = limit
        # With a limit the chain runs along the output, even where its end costs wasted pages (classic lists).
        up = ascending and (listing.upward or limit is not None)
        self._cursor = Cursor(listing, up=up)
        self._line: Line[T] = Line(up=ascending, chain_up=up)
        self._line.items.append(Lane(listing.bounds.after or 0, listing.bounds.upto))
        self._far = FarEnd(listing, self._cursor, retry, wanted=limit is None and not listing.call.direct)
        self._trusting = True
        """No page has been short, or behind a broken reference empty, in the midst of the table."""
        self._held: Lane | None = None
        """The lane whose last page was its end, if the far end says so too."""
        self._chains: dict[str, Chain[P, T]] = {}
        self._first = Route(listing, take)
        usable = up and ascending and limit is None and not listing.call.direct
        self._beside = Beside(self._first, beside if usable else None, retry=retry)
        self._under_way = 0
        self._light: set[str] = set()
        """First labels of the light requests in flight."""
        self._fed = False
        self._wanted = 1
        self._lane_rows = SEGMENT_ROWS
        self._sent = 0
        self._alone = False

    # --- what is due ---------------------------------------------------------------------------

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel of chained pages."""
        if not self._line.items or self._left == 0:
            return Done()
        self._lane_rows = rows_of_lane(self._first, self._line.rows_left(self._far.id), sizes)
        if sizes.outlook is not None and self._is_mixed(sizes):
            return self._due_mixed(now, sizes, sizes.outlook)
        return Wait(math.inf) if self._under_way >= self._needed(sizes) else self._due_alike(now, sizes)

    def _needed(self, sizes: Sizes) -> int:
        """Batches that may be in flight; ends of lanes wait for each other, where one batch can carry them all."""
        rows = sum(self._line.expected(lane, self._far.id) for lane in self._line.lanes() if not lane.busy)
        carried = sizes.of(self._listing.call.method, FIRST_READS).now * self._listing.page_size
        return self._wanted if rows >= min(carried, self._lane_rows) / 2 else 1

    def _due_alike(self, now: float, sizes: Sizes) -> Parcel | Wait:
        """The next batch of chained pages, whatever the budgets: the governor holds it back."""
        alone = self._alone or self._listing.call.direct
        if self._far.wanted and (alone or self._held is not None):
            if now < self._far.not_before:
                return Wait(self._far.not_before)
            self._under_way += 1
            return Parcel((self._far.command(self._label()),))
        slots = 1 if alone else sizes.of(self._listing.call.method, FIRST_READS).now
        chains = self._chains_for(self._first, slots, now)
        if not chains:
            return Wait(self._line.due(now))
        self._under_way += 1
        far = [self._far.command(self._label())] if self._far.wanted and not alone else []
        commands = far + [command for chain in chains for command in chain]
        return Parcel(tuple(commands), halt=len(chains) == 1 and not self._listing.short_page_ends)

    def _is_mixed(self, sizes: Sizes) -> bool:
        """Whether requests of several kinds may be sent: not before the first answer, nor for a few rows."""
        alike = self._left is not None or self._alone or self._listing.call.direct or sizes.ceiling < SMALLEST_CHAIN
        known = self._fed and math.isfinite(self._line.rows_left(self._far.id))
        return known and not (alike or self._far.wanted or self._held is not None)

    def _due_mixed(self, now: float, sizes: Sizes, outlook: Outlook) -> Parcel | Wait:
        """The next request by what the budgets allow: a proof, a batch, or a light request."""
        pages = self._line.rows_left(self._far.id) / self._listing.page_size
        batches = self._under_way - len(self._light)
        lane = math.ceil(self._lane_rows / self._listing.page_size)
        demand = Demand(pages, lane, batches, self._needed(sizes), settled=self._beside.settled)
        routes = self._beside.routes
        if self._far.id is not None and self._is_proof_due(pages, outlook, now):
            self._under_way += 1
            return self._beside.proof(self._label, self._listing.bounds, self._far.id)
        for offer in offers(routes, demand, sizes, outlook, now):
            if (parcel := self._offered(offer, now)) is not None:
                return parcel
        times = [at for at in wakes(routes, demand, sizes, outlook, now) if at > now]
        until = min([*times, self._line.due(now)])
        if math.isinf(until) and not self._under_way:
            until = now + POLL
        return Wait(until, limited=bool(times) and not math.isinf(min(times)))

    def _is_proof_due(self, pages: float, outlook: Outlook, now: float) -> bool:
        """Whether it pays to compare the two lists, and the budgets allow it."""
        beside, rate = self._beside, self._first.rate
        if not beside.waiting or not (beside.in_doubt or is_long(beside.routes, pages, outlook, now)):
            return False
        return outlook.most(rate, beside.commands, now, batched=True) == beside.commands

    def _offered(self, offer: Offer[P, T], now: float) -> Parcel | None:
        """The request of an offer; None where no lane is free for it."""
        chains = [
            chain
            for part in offer.parts
            for chain in self._chains_for(part.route, part.pages, now, part.rows, ends=offer.ends)
        ]
        if not chains:
            return None
        self._under_way += 1
        commands = tuple(command for chain in chains for command in chain)
        if offer.light:
            self._light.add(commands[0].label)
        alone = len(chains) == len(offer.parts) == 1 and not offer.parts[0].route.listing.short_page_ends
        return Parcel(commands, halt=alone)

    def _chains_for(
        self, route: Route[P, T], slots: int, now: float, rows: int = 0, *, ends: bool = False
    ) -> list[list[Command]]:
        """Chains of pages that fill the slots of a request; see `Part` and `Offer`."""
        rows = rows or self._lane_rows
        open_to = partial(self._suits, route=route, ends=ends)
        chains: list[list[Command]] = []
        while slots >= (SMALLEST_CHAIN if chains else 1):
            if chains and rows < SEGMENT_ROWS:  # a short lane ends with its request
                rows = min(rows, slots * self._listing.page_size)
            if (lane := self._next_lane(open_to, now, rows, filling=bool(chains))) is None:
                break
            lost = lane.lost and not self._line.along
            pages = min(slots, self._pages_of(lane, route))
            chains.append(self._sounding(lane) if lost else self._chain(lane, route, pages))
            slots -= len(chains[-1])
        return chains

    def _next_lane(self, open_to: Callable[[Lane], bool], now: float, rows: int, *, filling: bool) -> Lane | None:
        """The first lane that may be worked on, cut to size; a request that leaves anyway is filled."""
        for lane, near in self._line.in_window(self._far.id):
            if lane.busy or lane.not_before > now or not open_to(lane):
                continue
            return self._cut(lane, rows) if near or filling else None
        return None

    def _suits(self, lane: Lane, route: Route[P, T], *, ends: bool) -> bool:
        """Whether a lane may be worked on by a route; the second one reads where rows are expected."""
        if route is self._first:
            return lane.barred or not ends
        return not (lane.barred or lane.lost) and self._line.expected(lane, self._far.id) >= 1

    def _cut(self, lane: Lane, rows: int) -> Lane:
        """Split a lane where others should work beside it, or where it would have to be held back too long."""
        others = (self._wanted > 1 and self._left is None) or not self._line.along
        long = self._line.expected(lane, self._far.id) > 1.5 * rows
        if not (self._sent and others and long) or lane.lost:
            return lane
        return self._line.split(lane, rows, self._far.id) or lane

    def _pages_of(self, lane: Lane, route: Route[P, T]) -> int:
        size = self._listing.page_size
        if route is not self._first:  # pages behind its rows would begin the table again
            return max(1, int(self._line.expected(lane, self._far.id) / size))
        if self._left is not None:
            return math.ceil(self._left / size)
        expected = self._line.expected(lane, self._far.id) if self._sent else math.inf
        if math.isinf(expected) and self._listing.short_page_ends:
            # Nothing is known of the table yet, and what lies behind the end of a classic chain runs all the same.
            return FIRST_READS
        pages = math.ceil(min(expected, SEGMENT_ROWS) * MARGIN / size) + 1
        upto = lane.upto if lane.upto is not None else self._far.id
        return pages if upto is None else min(pages, math.ceil((upto - lane.after) / size))  # a row has an id

    def _chain(self, lane: Lane, route: Route[P, T], pages: int) -> list[Command]:
        chain = Chain(lane, [self._label() for _ in range(max(1, pages))], route)
        lane.busy = True
        cursor = self._cursor if route is self._first else Cursor(route.listing, up=True)
        calls = [cursor.page(lane.after, lane.upto)]
        calls += [cursor.follower(label, lane.after, lane.upto) for label in chain.labels[:-1]]
        self._chains[chain.labels[0]] = chain
        return [Command(label, call) for label, call in zip(chain.labels, calls, strict=True)]

    def _sounding(self, lane: Lane) -> list[Command]:
        """Look where the rows of a lane begin, which its pages, running the other way, would come to last."""
        chain = Chain(lane, [self._label()], self._first, sounding=True)
        lane.busy = True
        self._chains[chain.labels[0]] = chain
        return [Command(chain.labels[0], self._cursor.far_end(lane.after, lane.upto))]

    def _label(self) -> str:
        self._sent += 1
        return f"{self._token}_{self._sent}"

    # --- what came back ------------------------------------------------------------------------

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Take in the pages of a parcel; gives the rows that are complete, in order."""
        self._under_way -= 1
        self._fed = True
        if self._beside.is_proof(parcel):
            self._beside.compare(parcel, answers)
            return []
        light = parcel.commands[0].label in self._light
        self._light.discard(parcel.commands[0].label)
        labels = [command.label for command in parcel.commands]
        answers = parcel.explained(answers)
        if self._refused_together(labels, answers, now):
            return []
        if self._far.take(answers, now):
            self._release()
        full = True
        for label in labels:
            if (chain := self._chains.pop(label, None)) is not None:
                full &= self._feed_chain(chain, answers, now)
        if not light:
            self._wanted = self._width(full=full, failed=any(lane.not_before > now for lane in self._line.lanes()))
        blocks = list(self._line.complete())
        if self._left is not None:
            self._left -= sum(block.count for block in blocks)
        return [block.rows for block in blocks]

    def _width(self, *, full: bool, failed: bool) -> int:
        """Batches that may be in flight: as many as there is work for, where that is known; fewer after a failure."""
        if failed:
            return max(1, self._wanted // 2)
        if math.isfinite(self._line.rows_left(self._far.id)) and self._left is None:
            return MAX_LANES
        return min(MAX_LANES, self._wanted * 2) if full else max(1, self._wanted - 1)

    def _refused_together(self, labels: list[str], answers: Mapping[str, Answer], now: float) -> bool:
        """Whether a batch was refused as a whole, for good: one page by itself then shows what is wrong."""
        first = answers[labels[0]]
        self._alone = (
            len(labels) > 1 and isinstance(first, Refusal) and first.whole and meaning(first).reaction is Reaction.FAIL
        )
        if self._alone:
            self._far.drop()
            for chain in [self._chains.pop(label) for label in labels if label in self._chains]:
                chain.lane.busy, chain.lane.not_before = False, now
        return self._alone

    def _release(self) -> None:
        """Close the lane that waited for the far end, or go on with it."""
        if (lane := self._held) is None:
            return
        self._held, lane.busy = None, False
        if self._far.lies_in(lane, None):
            self._trusting = False
        else:
            self._line.close(lane)

    def _feed_beside(self, chain: Chain[P, T], answers: Mapping[str, Answer], now: float) -> bool:
        """Read a chain of the second route; True when every page was full."""
        before = self._beside.in_doubt
        found = self._beside.read(chain.route, chain.lane, [answers[label] for label in chain.labels], now)
        doubted = self._beside.in_doubt and not before
        if found is None or (last_id := found[0].last_id) is None:
            if doubted:
                self._line.bar(chain.lane, self._listing.page_size, self._far.id)
            return False
        strand, rows = found
        self._line.advance(chain.lane, strand.first_id, last_id, Block(rows, strand.count, strand.size))
        chain.lane.tries.progress()
        if self._far.is_reached(chain.lane, last_id):
            self._line.close(chain.lane)
        elif doubted:
            self._line.bar(chain.lane, self._listing.page_size, self._far.id)
        return True

    def _feed_chain(self, chain: Chain[P, T], answers: Mapping[str, Answer], now: float) -> bool:
        """Read a chain up to its first page that is not full; True when every page was."""
        chain.lane.busy = False
        if chain.route is not self._first:
            return self._feed_beside(chain, answers, now)
        if chain.sounding:
            self._feed_sounding(chain.lane, page_in(self._listing, answers[chain.labels[0]]), now)
            return True
        strand = Strand(
            self._listing, self._take, chain.lane, up=self._cursor.up, along=self._line.along, limit=self._left
        )
        for place, label in enumerate(chain.labels):
            page = page_in(self._listing, answers[label])
            if isinstance(page, Refusal | Lost):
                self._advance(chain.lane, strand, ended=False)
                self._give_in(chain.lane, page, now, first=place == 0)
                return False
            show(self._listing, answers[label], page)
            strand.add(page, size_of(answers[label]))
            if len(page) != self._listing.page_size:
                ended = self._ends(chain.lane, strand.last_id, len(page), first=place == 0)
                self._advance(chain.lane, strand, ended=ended)
                return False
        self._advance(chain.lane, strand, ended=False)
        return True

    def _feed_sounding(self, lane: Lane, page: Rows | Refusal | Lost, now: float) -> None:
        if isinstance(page, Refusal | Lost):
            self._give_in(lane, page, now, first=True)
            return
        ids = ids_in(self._listing, page)
        in_order(self._listing, ids, up=not self._cursor.up, after=lane.after, upto=lane.upto)
        if ids:
            lane.tries.progress()
            self._line.found(lane, ids[0])
        elif self._ends(lane, None, 0, first=True):
            self._line.close(lane)

    def _advance(self, lane: Lane, strand: Strand[P, T], *, ended: bool) -> None:
        if strand.last_id is not None:
            lane.tries.progress()
            lane.doubts = 0
            block = Block(strand.taken(), strand.count, strand.size)
            self._line.advance(lane, strand.first_id, strand.last_id, block)
            ended = ended or self._far.is_reached(lane, strand.last_id)
        if ended:
            self._line.close(lane)

    def _ends(self, lane: Lane, last_id: int | None, rows: int, *, first: bool) -> bool:
        """Whether nothing lies behind a page that is not full; `first`: it was asked for by an id, not by a reference.

        Where the far end tells of a row behind it, a short page was cut otherwise than to its size, and an empty one
        hangs on a reference that found no row (rows may come as a map by their keys): no such page is trusted again.
        """
        if rows > self._listing.page_size:
            return False
        if not self._far.asked:  # one page is no proof
            self._far.want()
            self._held, lane.busy = lane, True
            return False
        if self._far.lies_in(lane, last_id):
            self._trusting = False
            if first and not rows:
                self._far.doubt(lane)
            return False
        if not self._trusting:
            return first and not rows
        return self._listing.short_page_ends or not rows

    def _give_in(self, lane: Lane, fault: Refusal | Lost, now: float, *, first: bool) -> None:
        """A live page failed: go on from the last good id, later, or give up."""
        if not first and not is_passing(fault):
            # The row referred to may have gone since: ask again, by the id itself.
            lane.not_before = now
            return
        later = lane.tries.again(fault, now, self._retry)
        if later is None:
            raise error_of(fault, self._listing.call.method)
        lane.not_before = later
