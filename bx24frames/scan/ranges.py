"""Ranges of ids: which of them a scan has given, what is left of it, and where it can be cut into parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

from bx24frames.engine.messages import IdBounds
from bx24frames.errors import ConfigError

EVERYTHING: Final = IdBounds()
NOTHING: Final = IdBounds(0, 0)
CELLS: Final = 50
"""Ranges counted by one request to find cuts: the commands of a batch."""
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The place from which an interrupted scan continues: the ranges of ids whose rows have been given.

    A value: `Batches.checkpoint` is a new one after each batch. Checkpoints of the parts of one scan are joined by
    ``|``, and the result continues the scan in however many parts.

    Attributes
    ----------
    scan : str
        Fingerprint of portal, entity and conditions, by which a checkpoint of another scan is refused.
    done : tuple of IdBounds
        Ranges ``after < id <= upto``, ascending and apart.

    Examples
    --------
    >>> Checkpoint("f00d", (IdBounds(None, 50),)) | Checkpoint("f00d", (IdBounds(50, 90),))
    Checkpoint(scan='f00d', done=(IdBounds(after=None, upto=90),))
    """

    scan: str
    done: tuple[IdBounds, ...] = ()

    def __or__(self, other: Checkpoint) -> Checkpoint:
        if not isinstance(other, Checkpoint):
            return NotImplemented
        if other.scan != self.scan:
            raise ConfigError("These checkpoints are of two different scans")
        return Checkpoint(self.scan, union([*self.done, *other.done]))

    def beyond(self, part: IdBounds) -> Checkpoint:
        """The same with one more range given."""
        return Checkpoint(self.scan, union([*self.done, part]))

    def to_json(self) -> str:
        """A line of text to keep in a file or a database; `from_json` reads it back."""
        done = [[part.after, part.upto] for part in self.done]
        return json.dumps({"version": _VERSION, "scan": self.scan, "done": done})

    @classmethod
    def from_json(cls, text: str) -> Checkpoint:
        """Read a checkpoint back.

        Raises
        ------
        ConfigError
            The text is not that of a checkpoint.

        Examples
        --------
        >>> kept = Checkpoint("f00d", (IdBounds(None, 50),)).to_json()
        >>> kept
        '{"version": 1, "scan": "f00d", "done": [[null, 50]]}'
        >>> Checkpoint.from_json(kept)
        Checkpoint(scan='f00d', done=(IdBounds(after=None, upto=50),))
        """
        try:
            found = json.loads(text)
            scan, version = found["scan"], found["version"]
            done = [IdBounds(_bound(after), _bound(upto)) for after, upto in found["done"]]
        except (ValueError, TypeError, KeyError):
            scan, version, done = None, None, []
        if not isinstance(scan, str) or version != _VERSION:
            raise ConfigError(f"This is not the text of a checkpoint: {text!r:.80}")
        return cls(scan, union(done))


def _bound(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError(value)
    return value


def is_empty(part: IdBounds) -> bool:
    """Whether no id can be in a range."""
    return _low(part) >= _high(part)


def overlap(one: IdBounds, two: IdBounds) -> IdBounds:
    """The ids in both ranges."""
    afters = [bound for bound in (one.after, two.after) if bound is not None]
    uptos = [bound for bound in (one.upto, two.upto) if bound is not None]
    return IdBounds(max(afters, default=None), min(uptos, default=None))


def union(parts: Iterable[IdBounds]) -> tuple[IdBounds, ...]:
    """The same ids in as few ranges as can be, ascending.

    Examples
    --------
    >>> union([IdBounds(10, 20), IdBounds(None, 5), IdBounds(20, 30)])
    (IdBounds(after=None, upto=5), IdBounds(after=10, upto=30))
    """
    found: list[IdBounds] = []
    for part in sorted((part for part in parts if not is_empty(part)), key=_low):
        if found and _low(part) <= _high(found[-1]):
            widest = max(found[-1], part, key=_high)
            found[-1] = IdBounds(found[-1].after, widest.upto)
        else:
            found.append(part)
    return tuple(found)


def remaining(part: IdBounds, done: Iterable[IdBounds]) -> list[IdBounds]:
    """What of a range is in none of those done, ascending.

    Examples
    --------
    >>> remaining(IdBounds(None, 90), [IdBounds(None, 50), IdBounds(60, 70)])
    [IdBounds(after=50, upto=60), IdBounds(after=70, upto=90)]
    """
    left = []
    after = part.after
    for one in union(done):
        if _high(one) <= (-inf if after is None else after):
            continue
        left.append(overlap(part, IdBounds(after, one.after)) if one.after is not None else NOTHING)
        after = one.upto
        if after is None:
            break
    else:
        left.append(IdBounds(after, part.upto))
    return [one for one in left if not is_empty(one)]


def cells(low: int, high: int, number: int) -> list[IdBounds]:
    """The ids from `low` to `high` in ranges of nearly one width, at most `number` of them.

    Examples
    --------
    >>> cells(1, 10, 3)
    [IdBounds(after=0, upto=3), IdBounds(after=3, upto=6), IdBounds(after=6, upto=10)]
    """
    width = high - low + 1
    number = max(1, min(number, width))
    edges = [low - 1 + width * place // number for place in range(number + 1)]
    return [IdBounds(after, upto) for after, upto in pairwise(edges)]


def finer(counted: Sequence[tuple[IdBounds, int]], parts: int, number: int) -> list[IdBounds]:
    """The ranges with each that holds too many rows for cuts between ranges divided further; `number` new ones."""
    total = sum(count for _, count in counted)
    heavy = {part: count for part, count in counted if count * 4 * parts > total and _width(part) > 1}
    share = sum(heavy.values())
    found: list[IdBounds] = []
    for part, _ in counted:
        if part in heavy and part.after is not None and part.upto is not None:
            found += cells(part.after + 1, part.upto, max(2, number * heavy[part] // share))
        else:
            found.append(part)
    return found


def cuts(counted: Sequence[tuple[IdBounds, int]], parts: int) -> Iterator[int]:
    """The ids after which a scan is cut so that its parts hold about the same number of rows; fewer than `parts`.

    Examples
    --------
    >>> counted = [(IdBounds(0, 10), 9), (IdBounds(10, 20), 1), (IdBounds(20, 30), 10)]
    >>> list(cuts(counted, 2))
    [20]
    """
    total = sum(count for _, count in counted)
    given, made = 0, 1
    for part, count in counted[:-1]:
        given += count
        if made < parts and given * parts >= total * made and count and part.upto is not None:
            yield part.upto
            made = max(made + 1, given * parts // total + 1)


def cut_range(part: IdBounds, edges: Iterable[int], number: int) -> list[IdBounds]:
    """A range cut at some ids, filled up with empty ranges to `number` parts."""
    afters = [part.after, *edges]
    found = [IdBounds(after, upto) for after, upto in zip(afters, [*afters[1:], part.upto], strict=True)]
    return found + [NOTHING] * (number - len(found))


def _width(part: IdBounds) -> float:
    return _high(part) - _low(part)


def _low(part: IdBounds) -> float:
    return -inf if part.after is None else part.after


def _high(part: IdBounds) -> float:
    return inf if part.upto is None else part.upto
