"""The id range of one read, cut into lanes: what is wanted, what is under way, what is complete and in order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from bx24frames.engine.retry import Tries

T = TypeVar("T")

SEGMENT_ROWS: Final = 5_000
"""Rows a lane holds at most: two full batches; the chains of other lanes fill the request that its tail is in."""
WINDOW_ROWS: Final = 100_000
"""Rows from the output to the lane that is begun last: those that lie complete behind a slower lane fill the memory."""
WINDOW_BYTES: Final = 96_000_000
"""Bytes that these rows may take, by those that have come: where rows are wide, few of them fill the memory."""
MARGIN: Final = 1.05
"""Pages asked for above those that are expected."""
POOR: Final = 4
"""A lane that held so many times fewer rows than it was cut for ended in a gap of the ids, of any width."""


@dataclass(slots=True, eq=False)
class Lane:
    """Ids still wanted: ``after < id <= upto``; `upto` None is open.

    `source`: the longer one it was cut off, so that what it holds tells how thick ids lie all over its length.
    `number`: of those cut off the same one. `cuts`: parts cut off itself; `taught`: the last of these it learnt from.
    `density`: ids a row takes up, as last seen here or in a part cut off; `measured`: it has been seen.
    `covered`, `rows`: the ids it has been through, and what it found there.
    `doubts`: pages that were empty, one after the other, though the far end tells of a row behind.
    `meant`: rows it was cut for. `barred`: only the first route may go on with it.
    `lost`: a gap lies before it, so that nobody knows where its rows begin: no part is cut off it till that is found.
    """

    after: int
    upto: int | None
    source: Lane | None = None
    number: int = 0
    cuts: int = 0
    taught: int = 0
    density: float = 1.0
    measured: bool = False
    busy: bool = False
    begun: bool = False
    covered: int = 0
    rows: int = 0
    doubts: int = 0
    lost: bool = False
    meant: int = SEGMENT_ROWS
    barred: bool = False
    not_before: float = 0.0
    tries: Tries = field(default_factory=Tries)

    def learn(self, seen: float) -> None:
        """Bring the density nearer to what was just seen."""
        self.density = math.sqrt(self.density * seen) if self.measured else seen
        self.measured = True


@dataclass(slots=True, eq=False)
class Block(Generic[T]):
    """Rows that are complete: `count` of them, decoded, which came in `size` bytes."""

    rows: T
    count: int
    size: int = 0


@dataclass(slots=True)
class Line(Generic[T]):
    """Lanes and blocks in the order of the output.

    `up`: the output rises in id. `chain_up`: the pages of a lane rise in id.
    """

    up: bool
    chain_up: bool
    items: list[Lane | Block[T]] = field(default_factory=list)
    buffered_bytes: int = 0
    come_rows: int = 0
    come_bytes: int = 0

    @property
    def window(self) -> float:
        """Rows that the window holds."""
        return min(WINDOW_ROWS, WINDOW_BYTES * self.come_rows / self.come_bytes if self.come_bytes else math.inf)

    def in_window(self, far: int | None) -> Iterator[tuple[Lane, bool]]:
        """The open lanes, in order, each with whether it begins within the window."""
        ahead, window = 0.0, self.window
        for item in list(self.items):
            if isinstance(item, Block):
                ahead += item.count
            else:
                yield item, ahead < window
                ahead += self.expected(item, far)

    @property
    def along(self) -> bool:
        """Whether pages come in the order of the output."""
        return self.up == self.chain_up

    def lanes(self) -> Iterator[Lane]:
        """The open lanes, in order."""
        return (item for item in self.items if isinstance(item, Lane))

    def due(self, now: float) -> float:
        """When a lane that waits may be gone on with; one that the window holds back is freed by an answer alone."""
        return min((lane.not_before for lane in self.lanes() if lane.not_before > now), default=math.inf)

    def expected(self, lane: Lane, far: int | None) -> float:
        """Rows a lane probably still holds."""
        upto = lane.upto if lane.upto is not None else far
        return math.inf if upto is None else max(0.0, (upto - lane.after) / lane.density)

    def rows_left(self, far: int | None) -> float:
        """Rows that all open lanes probably still hold."""
        return sum(self.expected(lane, far) for lane in self.lanes())

    def split(self, lane: Lane, rows: int, far: int | None) -> Lane | None:
        """Cut about `rows` rows off the side of a lane that the output reaches first; None where it is too short."""
        upto = lane.upto if lane.upto is not None else far
        span = math.ceil(rows * lane.density)
        if upto is None or span <= 0 or upto - lane.after <= span:
            return None
        at = self.items.index(lane)
        if self.up:
            first = Lane(lane.after, lane.after + span)
            lane.after += span
        else:
            first = Lane(upto - span, lane.upto)
            lane.upto = upto - span
        lane.cuts += 1
        first.source, first.number, first.begun, first.meant = lane, lane.cuts, True, rows
        first.density, first.measured = lane.density, lane.measured
        self.items.insert(at, first)
        return first

    def bar(self, lane: Lane, rows: int, far: int | None) -> None:
        """Leave about `rows` rows, which the output reaches first, to the first route."""
        (self.split(lane, rows, far) or lane).barred = True

    def advance(self, lane: Lane, first_id: int, last_id: int, block: Block[T]) -> None:
        """A lane has read up to and including `last_id`."""
        count = block.count
        start = self._edge(lane) if lane.begun else None
        covered = abs(last_id - (first_id if start is None else start)) + 1
        self.learn(lane, covered, count)
        lane.begun, lane.lost = True, False
        lane.covered += covered
        lane.rows += count
        if self.chain_up:
            lane.after = last_id
        else:
            lane.upto = last_id - 1
        at = self.items.index(lane)
        self.items.insert(at if self.along else at + 1, block)
        self.buffered_bytes += block.size
        self.come_rows += count
        self.come_bytes += block.size

    def learn(self, lane: Lane, covered: int, count: int) -> None:
        """Take in what was just seen of a lane: `count` rows in `covered` ids.

        What it was cut off learns from it, unless a part that lies nearer to it has told something before.
        """
        seen = max(1.0, covered / max(count, 0.5))
        lane.learn(seen)
        source = lane.source
        if source is not None and lane.number >= source.taught:
            source.taught = lane.number
            source.learn(seen)

    def close(self, lane: Lane) -> None:
        """A lane holds nothing more; ids it did not find are learnt from."""
        if lane.source is not None and lane.upto is not None:
            self.learn(lane, lane.covered + lane.upto - lane.after, lane.rows)
            self._lose_track(lane, lane.source)
        self.items.remove(lane)

    def _lose_track(self, lane: Lane, source: Lane) -> None:
        """Behind a lane with few rows, have the first row of what it was cut off be found, however far off that is."""
        if lane.rows * POOR < lane.meant and lane.number == source.taught and not source.busy:
            source.lost, source.begun = True, source.begun and not self.along

    def found(self, lane: Lane, first_id: int) -> None:
        """The first row of a lane that the output reaches was looked for, and is this one."""
        lane.lost = False
        lane.after = first_id - 1

    def _edge(self, lane: Lane) -> int | None:
        return lane.after + 1 if self.chain_up else lane.upto

    def complete(self) -> Iterator[Block[T]]:
        """Take the blocks that nothing can come before any more."""
        while self.items and isinstance(block := self.items[0], Block):
            self.items.pop(0)
            self.buffered_bytes -= block.size
            yield block
