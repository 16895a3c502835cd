"""Reads a list method completely by id: chained pages, in lanes, without a count and without an offset."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from bx24frames.engine.codes import Reaction, error_of, meaning
from bx24frames.engine.messages import Answer, Command, Done, Listing, Lost, Parcel, Refusal, Success, Wait
from bx24frames.engine.outlook import POLL, Outlook
from bx24frames.engine.pages.beside import Beside
from bx24frames.engine.pages.cursor import Cursor, ids_in, in_order, page_in, rows_in, show, size_of
from bx24frames.engine.pages.lanes import MARGIN, SEGMENT_ROWS, Block, Lane, Line
from bx24frames.engine.pages.mix import Demand, Offer, Route, is_long, offers, rows_of_lane, wakes
from bx24frames.engine.pages.strand import Strand
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.records import Rows, Take
from bx24frames.engine.retry import Tries, is_passing
from bx24frames.engine.sizes import FIRST_READS, Sizes
from bx24frames.errors import ResponseError

P = TypeVar("P")
T = TypeVar("T")

MAX_LANES: Final = 8
SMALLEST_CHAIN: Final = 4
"""Slots of a request below which a further lane is not begun in it."""
DOUBTS: Final = 3
"""Empty pages before a row that the same list names, after which it is not believed."""


@dataclass(slots=True)
class Chain(Generic[P, T]):
    """The pages of one lane inside one parcel; `sounding`: only the ids where its rows begin."""

    lane: Lane
    labels: list[str]
    route: Route[P, T]
    sounding: bool = False


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
        self._far: int | None = None
        self._far_label: str | None = None
        self._far_asked = self._far_wanted = limit is None and not listing.call.direct
        """The far end; with a limit, or where a page is a request of its own, asked for when a page is short."""
        self._trusting = True
        """No page has been short, or behind a broken reference empty, in the midst of the table."""
        self._far_tries = Tries()
        self._far_later = 0.0
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
        self._lane_rows = rows_of_lane(self._first, self._line.rows_left(self._far), sizes)
        if sizes.outlook is not None and self._is_mixed(sizes):
            return self._due_mixed(now, sizes, sizes.outlook)
        return Wait(math.inf) if self._under_way >= self._needed(sizes) else self._due_alike(now, sizes)

    def _needed(self, sizes: Sizes) -> int:
        """Batches that may be in flight; ends of lanes wait for each other, where one batch can carry them all."""
        rows = sum(self._line.expected(lane, self._far) for lane in self._line.lanes() if not lane.busy)
        carried = sizes.of(self._listing.call.method, FIRST_READS).now * self._listing.page_size
        return self._wanted if rows >= min(carried, self._lane_rows) / 2 else 1

    def _due_alike(self, now: float, sizes: Sizes) -> Parcel | Wait:
        """The next batch of chained pages, whatever the budgets: the governor holds it back."""
        alone = self._alone or self._listing.call.direct
        if self._far_wanted and (alone or self._held is not None):
            if now < self._far_later:
                return Wait(self._far_later)
            self._under_way += 1
            return Parcel((self._ask_far_end(),))
        slots = 1 if alone else sizes.of(self._listing.call.method, FIRST_READS).now
        chains = self._chains_for(self._first, slots, now)
        if not chains:
            return Wait(self._lane_due(now))
        self._under_way += 1
        far = [self._ask_far_end()] if self._far_wanted and not alone else []
        commands = far + [command for chain in chains for command in chain]
        return Parcel(tuple(commands), halt=len(chains) == 1 and not self._listing.short_page_ends)

    def _is_mixed(self, sizes: Sizes) -> bool:
        """Whether requests of several kinds may be sent: not before the first answer, nor for a few rows."""
        alike = self._left is not None or self._alone or self._listing.call.direct or sizes.ceiling < SMALLEST_CHAIN
        known = self._fed and math.isfinite(self._line.rows_left(self._far))
        return known and not (alike or self._far_wanted or self._held is not None)

    def _due_mixed(self, now: float, sizes: Sizes, outlook: Outlook) -> Parcel | Wait:
        """The next request by what the budgets allow: a proof, a batch, or a light request."""
        pages = self._line.rows_left(self._far) / self._listing.page_size
        batches = self._under_way - len(self._light)
        lane = math.ceil(self._lane_rows / self._listing.page_size)
        demand = Demand(pages, lane, batches, self._needed(sizes), settled=self._beside.settled)
        routes = self._beside.routes
        if self._far is not None and self._is_proof_due(pages, outlook, now):
            self._under_way += 1
            return self._beside.proof(self._label, self._listing.bounds, self._far)
        for offer in offers(routes, demand, sizes, outlook, now):
            if (parcel := self._offered(offer, now)) is not None:
                return parcel
        times = [at for at in wakes(routes, demand, sizes, outlook, now) if at > now]
        until = min([*times, self._lane_due(now)])
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

    def _ask_far_end(self) -> Command:
        self._far_wanted = False
        self._far_label = self._label()
        bounds = self._listing.bounds
        return Command(self._far_label, self._cursor.far_end(bounds.after, bounds.upto))

    def _next_lane(self, open_to: Callable[[Lane], bool], now: float, rows: int, *, filling: bool) -> Lane | None:
        """The first lane that may be worked on, cut to size; a request that leaves anyway is filled."""
        for lane, near in self._line.in_window(self._far):
            if lane.busy or lane.not_before > now or not open_to(lane):
                continue
            return self._cut(lane, rows) if near or filling else None
        return None

    def _suits(self, lane: Lane, route: Route[P, T], *, ends: bool) -> bool:
        """Whether a lane may be worked on by a route; the second one reads where rows are expected."""
        if route is self._first:
            return lane.barred or not ends
        return not (lane.barred or lane.lost) and self._line.expected(lane, self._far) >= 1

    def _lane_due(self, now: float) -> float:
        """When a lane that waits may be gone on with; one that the window holds back is freed by an answer alone."""
        return min((lane.not_before for lane in self._line.lanes() if lane.not_before > now), default=math.inf)

    def _cut(self, lane: Lane, rows: int) -> Lane:
        """Split a lane where others should work beside it, or where it would have to be held back too long."""
        if not self._sent or lane.lost:
            return lane
        expected = self._line.expected(lane, self._far)
        beside = self._wanted > 1 and self._left is None and expected > 1.5 * rows
        held_back = not self._line.along and expected > 1.5 * rows
        if beside or held_back:
            return self._line.split(lane, rows, self._far) or lane
        return lane

    def _pages_of(self, lane: Lane, route: Route[P, T]) -> int:
        size = self._listing.page_size
        if route is not self._first:  # pages behind its rows would begin the table again
            return max(1, int(self._line.expected(lane, self._far) / size))
        if self._left is not None:
            return math.ceil(self._left / size)
        expected = self._line.expected(lane, self._far) if self._sent else math.inf
        if math.isinf(expected) and self._listing.short_page_ends:
            # Nothing is known of the table yet, and what lies behind the end of a classic chain runs all the same.
            return FIRST_READS
        pages = math.ceil(min(expected, SEGMENT_ROWS) * MARGIN / size) + 1
        upto = lane.upto if lane.upto is not None else self._far
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
        answers = _with_cause(answers) if parcel.halt else answers
        if self._refused_together(labels, answers, now):
            return []
        if self._far_label is not None and self._far_label in labels:
            self._take_far_end(answers[labels[0]], now)
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
        if math.isfinite(self._line.rows_left(self._far)) and self._left is None:
            return MAX_LANES
        return min(MAX_LANES, self._wanted * 2) if full else max(1, self._wanted - 1)

    def _refused_together(self, labels: list[str], answers: Mapping[str, Answer], now: float) -> bool:
        """Whether a batch was refused as a whole, for good: one page by itself then shows what is wrong."""
        first = answers[labels[0]]
        self._alone = (
            len(labels) > 1 and isinstance(first, Refusal) and first.whole and meaning(first).reaction is Reaction.FAIL
        )
        if self._alone:
            self._far_label, self._far_wanted = None, False
            for chain in [self._chains.pop(label) for label in labels if label in self._chains]:
                chain.lane.busy, chain.lane.not_before = False, now
        return self._alone

    def _take_far_end(self, answer: Answer, now: float) -> None:
        self._far_label = None
        if isinstance(answer, Success):
            ids = ids_in(self._listing, rows_in(self._listing, answer.value))
            in_order(self._listing, ids, up=not self._cursor.up)
            self._far = ids[0] if ids else None
            self._release()
            return
        later = self._far_tries.again(answer, now, self._retry)
        if later is None:
            raise error_of(answer, self._listing.call.method)
        self._far_wanted, self._far_later = True, later

    def _release(self) -> None:
        """Close the lane that waited for the far end, or go on with it."""
        if (lane := self._held) is None:
            return
        self._held, lane.busy = None, False
        if self._told_of_more(lane, None):
            self._trusting = False
        else:
            self._line.close(lane)

    def _feed_beside(self, chain: Chain[P, T], answers: Mapping[str, Answer], now: float) -> bool:
        """Read a chain of the second route; True when every page was full."""
        before = self._beside.in_doubt
        found = self._beside.read(chain.route, chain.lane, [answers[label] for label in chain.labels], now)
        doubted = self._beside.in_doubt and not before
        if found is None or found[0].last_id is None:
            self._bar(chain.lane, doubted=doubted)
            return False
        strand, rows = found
        self._line.advance(chain.lane, strand.first_id, found[0].last_id, Block(rows, strand.count, strand.size))
        chain.lane.tries.progress()
        if self._reached(chain.lane, found[0].last_id):
            self._line.close(chain.lane)
        else:
            self._bar(chain.lane, doubted=doubted)
        return True

    def _bar(self, lane: Lane, *, doubted: bool) -> None:
        """Leave the page that has to be compared to the first route."""
        if doubted:
            part = self._line.split(lane, self._listing.page_size, self._far)
            (part or lane).barred = True

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
                self._advance(
                    chain.lane, strand, ended=self._ends(chain.lane, strand.last_id, len(page), first=place == 0)
                )
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
            ended = ended or self._reached(lane, strand.last_id)
        if ended:
            self._line.close(lane)

    def _ends(self, lane: Lane, last_id: int | None, rows: int, *, first: bool) -> bool:
        """Whether nothing lies behind a page that is not full; `first`: it was asked for by an id, not by a reference.

        Where the far end tells of a row behind it, a short page was cut otherwise than to its size, and an empty one
        hangs on a reference that found no row (rows may come as a map by their keys): no such page is trusted again.
        """
        if rows > self._listing.page_size:
            return False
        if not self._far_asked:  # one page is no proof
            self._far_asked = self._far_wanted = True
            self._held, lane.busy = lane, True
            return False
        if self._told_of_more(lane, last_id):
            self._trusting = False
            if first and not rows:
                self._doubt(lane)
            return False
        if not self._trusting:
            return first and not rows
        return self._listing.short_page_ends or not rows

    def _doubt(self, lane: Lane) -> None:
        """Ask for an empty page again, and for the far end, which may be gone by now."""
        lane.doubts += 1
        self._far_wanted = True
        if lane.doubts > DOUBTS:
            raise ResponseError(
                "The list method gives no rows, though it has some",
                method=self._listing.call.method,
                guidance="Some rows may be hidden from this user: ask for a range of ids, or as another user.",
            )

    def _told_of_more(self, lane: Lane, last_id: int | None) -> bool:
        """Whether the far end lies in what a lane has not read yet."""
        if self._far is None:
            return False
        after, upto = lane.after, lane.upto
        if last_id is not None:
            after, upto = (last_id, upto) if self._cursor.up else (after, last_id - 1)
        return after < self._far and (upto is None or self._far <= upto)

    def _reached(self, lane: Lane, last_id: int) -> bool:
        """Whether nothing can lie behind the last id: the far end, or the lane's own."""
        if self._cursor.up:
            return any(end is not None and last_id >= end for end in (lane.upto, self._far))
        return last_id - 1 <= lane.after or (self._far is not None and last_id <= self._far)

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


def _with_cause(answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
    """The answers to a batch that halts: a command that it did not come to shares the refusal that stopped it."""
    cause = next((answer for answer in answers.values() if isinstance(answer, Refusal)), None)
    if cause is None:
        return answers
    return {
        label: cause if isinstance(answer, Lost) and not answer.sent else answer for label, answer in answers.items()
    }
