"""What passes between the rooms: calls and commands downwards, answers upwards."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

# Recursive aliases stay strings: Python 3.11 has no `type` statement.
JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Row: TypeAlias = "dict[str, JSON]"
Path: TypeAlias = tuple[str, ...]

MAX_COMMANDS: Final = 50
"""Commands in one batch; the 51st is refused."""


class Witness(Protocol):
    """Is shown the first page of a listing that has rows, and may end the read by an error."""

    @property
    def waiting(self) -> bool:
        """Whether no page has been shown yet."""
        ...

    def look(self, rows: Sequence[Row]) -> None:
        """Take in the rows of the page, each with every key it came with."""
        ...


@dataclass(frozen=True, slots=True)
class RowShape:
    """What is wanted of the rows in an answer: where they stand, and the keys."""

    path: Path
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawRows:
    """The JSON of one result, not read yet: pages are read when it is their turn, to be typed while in the cache."""

    shape: RowShape
    text: memoryview


# --- downwards -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One method with its parameters.

    `repeatable`: carrying it out twice leaves the portal as carrying it out once (reads, plain updates).
    `direct`: it cannot travel inside a batch (a value without a string form, text that looks like a reference).
    `query`: parameters already written as a query string, by a user who writes batches by hand.
    `shape`: what is wanted of the rows it lists, which then may come as records.
    """

    method: str
    params: Mapping[str, JSON]
    repeatable: bool = True
    direct: bool = False
    query: str | None = None
    shape: RowShape | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A call with the label its answer comes back under, and the input positions it carries."""

    label: str
    call: Call
    positions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One HTTP request's worth of commands, in order; `halt` stops the batch at its first failure."""

    commands: tuple[Command, ...]
    halt: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send before `until` (seconds of the runner's clock) or the next answer."""

    until: float


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to send, ever."""


class Paging(enum.Enum):
    """How a list method hands out its rows."""

    KEYSET = "keyset"
    """`>id`, ordered, `start=-1`: no count, no offset."""
    OFFSET = "offset"
    """`start=N`, with a total."""
    WHOLE = "whole"
    """The whole list at once; `start` is ignored."""
    OWN = "own"
    """The answers themselves say what comes behind them."""


@dataclass(frozen=True, slots=True)
class IdBounds:
    """Ids wanted: `after < id <= upto`; None is unbounded."""

    after: int | None = None
    upto: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of one list method are asked for and found; the cursor is the engine's.

    `rows_path`: from `result` to the list of rows, ``()`` or ``("items",)``.
    `id_key`: the id's name in a row. `id_filter`: its name in a condition, after the prefix.
    `filter_path`, `order_path`: where the condition map and the order map stand in the parameters.
    `order`: how an order by id is written at `order_path`, for ``"ASC"``/``"DESC"``, as parameters to merge;
    None means a map ``{id_filter: direction}`` at `order_path`.
    `upward`: a chain of references runs upwards by ``>id``; otherwise downwards by ``<id``, because a broken
    reference would restart an ascending chain.
    `short_page_ends`: a page that is not full proves the end (classic lists; never item lists).
    `select_ids`: the parameters that ask for ids alone.
    `row_key`: the keys that name a row together, where none does alone.
    `page_path`: where the number of a page, from 1, stands, for methods that ignore ``start``.
    `counted`: its `total` is the number of rows.
    `constants`: keys that every row gets which does not carry them (the owner whose rows were asked for).
    `keys`: the keys of a row that are wanted, the id's among them; empty where whole rows are.
    `witness`: is shown the first page that has rows.
    """

    call: Call
    rows_path: Path = ()
    id_key: str = "ID"
    id_filter: str = "ID"
    filter_path: Path = ("filter",)
    order_path: Path = ("order",)
    order: tuple[Mapping[str, JSON], Mapping[str, JSON]] | None = None
    paging: Paging = Paging.KEYSET
    page_size: int = 50
    upward: bool = False
    short_page_ends: bool = True
    wraps: bool = False
    bounds: IdBounds = field(default_factory=IdBounds)
    select_ids: Mapping[str, JSON] = field(default_factory=dict)
    row_key: Path = ()
    page_path: Path = ()
    counted: bool = True
    constants: Mapping[str, JSON] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    witness: Witness | None = field(default=None, compare=False, repr=False)


# --- upwards ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Success:
    """The method answered; `value` may be anything, null included.

    `raw`: the result of a call that has a shape, as it came; `value` is then null.
    """

    value: JSON
    total: int | None = None
    next: int | None = None
    seconds: float | None = None
    """Server time of this command, where the portal reports it."""
    operating: float | None = None
    """Seconds this method has cost the portal in its window."""
    resets_in: float | None = None
    """Seconds until the oldest minute of that window leaves; by the portal's own clock."""
    batch_operating: float | None = None
    """What the envelope of the batch says of the batch itself."""
    batch_resets_in: float | None = None
    batch_seconds: float | None = None
    raw: RawRows | None = None
    began: str | None = None
    """When the portal began with it, by its own clock and in its own zone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The portal said no. `whole`: the request as a whole was refused, not one command of a batch.

    `renewal`: it was not even asked, because there was no token to ask with; what the user can do about that.
    """

    code: str
    text: str
    status: int
    whole: bool = False
    argument: str | None = None
    renewal: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """No usable answer.

    `sent`: the request may have reached the portal, so it may have been carried out. `nowhere`: no such host, and none
    has ever answered: the address is likely to be mistyped.
    `too_large`: the answer was longer than is read. `guidance`: what whoever sees the
    reason can do about it.
    """

    reason: str
    sent: bool = True
    status: int | None = None
    timeout: bool = False
    nowhere: bool = False
    too_large: bool = False
    guidance: str | None = None


Answer: TypeAlias = "Success | Refusal | Lost"
