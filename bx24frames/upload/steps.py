"""Steps of an upload: the commands that its machine issues, one at a time, and the type of each one's answer."""

from __future__ import annotations

from collections.abc import Collection, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeAlias, TypeVar, cast

from bx24frames.engine.messages import Answer, Call
from bx24frames.portal.metadata import Table
from bx24frames.upload.match import RowId, Values

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.entities.schema import Field
    from bx24frames.reports import Action
    from bx24frames.upload.outcomes import PathTaken

__all__ = ["Author", "CallAnswers", "Delivery", "HighestId", "Note", "RowsAfter", "RowsById", "RowsByKey"]
__all__ += ["RowsLike", "Script", "Send", "TableOf", "UploadStep", "WaitUntil", "answer_to"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class UploadStep(Generic[_T_co]):
    """One command of the machine; the type parameter is that of its answer."""

    label: ClassVar[str] = "step"


Script: TypeAlias = "Generator[UploadStep[object], object, _T]"
"""A part of an upload: it gives steps and is resumed with their answers."""


def answer_to(step: UploadStep[_T]) -> Script[_T]:
    """Issue one step; returns its answer."""
    return cast("_T", (yield step))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How rows are sent.

    `first`: commands in the first request. `done`: the action that a success stands for. `path`: None records "batch".
    `commands`: a fixed number of commands in each request. `closes`: a refusal of the method itself puts its rows back,
    and ends the step if none has passed.
    """

    first: int
    done: Action
    path: PathTaken | None = None
    commands: int | None = None
    closes: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Send(UploadStep[None]):
    """Send the calls that write rows; the answer to each command is fed under its own label."""

    label: ClassVar[str] = "send"
    calls: Iterable[Encoded]
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class WaitUntil(UploadStep[None]):
    """Wait until a moment of the monotonic clock, or until the upload is stopped."""

    label: ClassVar[str] = "sleep"
    until: float


@dataclass(frozen=True, slots=True)
class Note(UploadStep[None]):
    """Record facts in the journal."""

    label: ClassVar[str] = "note"
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Author(UploadStep[int | None]):
    """The id of the credential's user; `asked`: as the portal says, which may differ from the one in the address."""

    label: ClassVar[str] = "author"
    asked: bool = False


@dataclass(frozen=True, slots=True)
class HighestId(UploadStep[int]):
    """The highest id of the entity, or among the rows of some owners; 0 if there are none."""

    label: ClassVar[str] = "highest id"
    of: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsById(UploadStep[dict[RowId, Values]]):
    """Values of some columns of the rows with these ids; absent ids and columns that no row has are left out."""

    label: ClassVar[str] = "rows by id"
    ids: Collection[RowId]
    codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RowsByKey(UploadStep[dict[Hashable, list[tuple[RowId, Values]]]]):
    """The rows whose key columns hold one of the keys, by key; phones and e-mails by the portal's duplicate search."""

    label: ClassVar[str] = "rows by key"
    on: Sequence[Field]
    keys: Collection[Sequence[object]]
    codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RowsAfter(UploadStep[dict[RowId, Values]]):
    """Values of some columns of the rows above an id that fulfil equality conditions."""

    label: ClassVar[str] = "rows after an id"
    high: int
    codes: Sequence[str]
    conditions: Mapping[str, object] = field(default_factory=dict)
    of: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsLike(UploadStep[list[RowId]]):
    """The ids of a few rows that fulfil equality conditions and have nothing in the columns `empty`."""

    label: ClassVar[str] = "a row like these"
    conditions: Mapping[str, object]
    empty: Sequence[str] = ()
    of: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableOf(UploadStep[Table | None]):
    """The description of an entity; None if the portal has none."""

    label: ClassVar[str] = "table"
    entity: str


@dataclass(frozen=True, slots=True)
class CallAnswers(UploadStep[list[Answer]]):
    """The final answers to independent calls, in their order."""

    label: ClassVar[str] = "answers"
    calls: Sequence[Call]
