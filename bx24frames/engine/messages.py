"""Messages between the layers: calls, commands and parcels to send, and their answers."""

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
    """Checks the first non-empty page of a listing, and may end the read with an error."""

    @property
    def waiting(self) -> bool:
        """Whether no page has been checked yet."""
        ...

    def look(self, rows: Sequence[Row]) -> None:
        """Check the rows of the page, each with all its keys."""
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

    `repeatable`: executing it twice has the effect of executing it once (reads, plain updates).
    `direct`: it cannot be sent inside a batch (a value without a string form, text that looks like a reference).
    `query`: parameters that a user has already encoded as a query string.
    `shape`: the keys wanted of the rows it lists, which may then be decoded as records.
    `rate`: the name under which its cost is kept; empty for that of the method (see `engine.costs`).
    """

    method: str
    params: Mapping[str, JSON]
    repeatable: bool = True
    direct: bool = False
    query: str | None = None
    shape: RowShape | None = None
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A call with the label of its answer, and the input positions it carries."""

    label: str
    call: Call
    positions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """The commands of one HTTP request, in order; `halt` stops the batch at its first failure."""

    commands: tuple[Command, ...]
    halt: bool = False

    def explained(self, answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
        """The answers to it; a command that a halted batch did not come to shares the refusal that stopped it."""
        cause = next((answer for answer in answers.values() if isinstance(answer, Refusal)), None)
        if cause is None or not self.halt:
            return answers
        return {
            label: cause if isinstance(answer, Lost) and not answer.sent else answer
            for label, answer in answers.items()
        }


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due before `until` (seconds of the runner's monotonic clock) or the next answer.

    `limited`: work is held back by the portal's limits alone.
    """

    until: float
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to send."""


class Paging(enum.Enum):
    """How a list method pages."""

    KEYSET = "keyset"
    """`>id`, ordered, `start=-1`: no count, no offset."""
    OFFSET = "offset"
    """`start=N`, with a total."""
    WHOLE = "whole"
    """The whole list at once; `start` is ignored."""
    OWN = "own"
    """Another way: each answer says how to request the next page."""


@dataclass(frozen=True, slots=True)
class IdBounds:
    """Id range: `after < id <= upto`; None is unbounded."""

    after: int | None = None
    upto: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of one list method are requested and found; the engine owns the cursor.

    `rows_path`: from `result` to the list of rows, ``()`` or ``("items",)``.
    `id_key`: the id's name in a row. `id_filter`: its name in a condition, after the prefix.
    `filter_path`, `order_path`: where the condition map and the order map stand in the parameters.
    `order`: how an order by id is written at `order_path`, for ``"ASC"``/``"DESC"``, as parameters to merge;
    None means a map ``{id_filter: direction}`` at `order_path`.
    `upward`: a chain of references runs upwards by ``>id``; otherwise downwards by ``<id``, because a broken
    reference would restart an ascending chain.
    `short_page_ends`: a page that is not full proves the end (classic lists; never item lists).
    `select_ids`: the parameters that ask for ids alone.
    `row_key`: the keys that together identify a row, where none does alone.
    `page_path`: path of the page number, from 1, for methods that ignore ``start``.
    `counted`: its `total` is the number of rows.
    `constants`: keys that are added to rows without them (the owner of the requested rows).
    `keys`: the keys wanted of a row, the id included; empty for whole rows.
    `rate`: the name under which the cost of a page is kept.
    `witness`: checks the first page that has rows.
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
    rate: str = ""
    witness: Witness | None = field(default=None, compare=False, repr=False)

    @property
    def identity(self) -> Path:
        """The keys that identify a row; empty if nothing does."""
        return self.row_key or ((self.id_key,) if self.id_key else ())


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
    """Duration of this command on the server, where the portal reports it."""
    operating: float | None = None
    """Operating time of this method in the current window, in seconds."""
    resets_in: float | None = None
    """Seconds until the oldest minute of that window expires, by the portal's clock."""
    batch_operating: float | None = None
    """Operating time that the envelope reports for the batch itself."""
    batch_resets_in: float | None = None
    batch_seconds: float | None = None
    started: float | None = None
    """When the portal began to process the request, in seconds since the epoch by its own clock."""
    finished: float | None = None
    """When it had processed it, likewise."""
    printed: float | None = None
    """When the portal printed `operating`: at the end of the command, likewise."""
    raw: RawRows | None = None
    began: str | None = None
    """When the portal began to process it, by its own clock and in its own time zone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The portal refused. `whole`: the request as a whole was refused, not one command of a batch.

    `renewal`: the request was not sent, because no token could be obtained; guidance for the user.
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

    `sent`: the request may have reached the portal and been executed. `nowhere`: the host name cannot be resolved and
    the host has never answered: the address is probably mistyped. `too_large`: the reply exceeded the size limit.
    `answered`: the portal itself answered the request, but not this command. `guidance`: what the user can do about it.
    """

    reason: str
    sent: bool = True
    status: int | None = None
    timeout: bool = False
    nowhere: bool = False
    too_large: bool = False
    answered: bool = False
    guidance: str | None = None


Answer: TypeAlias = "Success | Refusal | Lost"
