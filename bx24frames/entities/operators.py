"""Comparison operators in the words of a caller and as prefixes of the portal's filter keys, and how kinds compare."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, TypeVar

_Member = TypeVar("_Member", bound=enum.Enum)
_Row = TypeVar("_Row")


class Op(enum.Enum):
    """A comparison operator."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    NONE_OF = "none of"
    """As `NOT_IN`, but with nulls treated as `NE` treats them."""
    LIKE = "like"
    NOT_LIKE = "not like"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    BETWEEN = "between"
    NOT_BETWEEN = "not between"
    NULL = "is null"
    NOT_NULL = "not null"
    SEARCH = "search"


PRESENCE: Final = frozenset({Op.NULL, Op.NOT_NULL})
PATTERNS: Final = frozenset({Op.LIKE, Op.NOT_LIKE, Op.CONTAINS, Op.NOT_CONTAINS, Op.SEARCH})
EQUALITY: Final = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.NONE_OF, *PRESENCE})
ORDERING: Final = frozenset({*EQUALITY, Op.LT, Op.LE, Op.GT, Op.GE, Op.NOT_BETWEEN})
"""The operators of values that the portal sorts."""


WORDS: Final[Mapping[str, Op]] = {
    **{op.value: op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN, Op.NOT_IN, Op.LIKE)},
    "==": Op.EQ,
    "is null": Op.NULL,
    "not null": Op.NOT_NULL,
}
"""The operators in conditions written as tuples."""

PREFIXES: Final[Mapping[str, Op]] = {
    "!=%": Op.NOT_LIKE,
    "!%=": Op.NOT_LIKE,
    "!><": Op.NOT_BETWEEN,
    "><": Op.BETWEEN,
    ">=": Op.GE,
    "<=": Op.LE,
    "!@": Op.NOT_IN,
    "!%": Op.NOT_CONTAINS,
    "!=": Op.NE,
    "==": Op.EQ,
    "=%": Op.LIKE,
    "%=": Op.LIKE,
    "*=": Op.SEARCH,
    "*%": Op.SEARCH,
    ">": Op.GT,
    "<": Op.LT,
    "@": Op.IN,
    "%": Op.CONTAINS,
    "!": Op.NE,
    "=": Op.EQ,
    "?": Op.SEARCH,
    "*": Op.SEARCH,
    "": Op.EQ,
}
"""The prefixes of keys in the portal's own filter map, longer ones first."""


def split_key(key: str) -> tuple[str, Op, str]:
    """Split a key of the portal's filter map into prefix, operator and field.

    Examples
    --------
    >>> split_key(">=createdTime")
    ('>=', <Op.GE: '>='>, 'createdTime')
    """
    prefix = next(prefix for prefix in PREFIXES if key.startswith(prefix))
    return prefix, PREFIXES[prefix], key.removeprefix(prefix)


class Comparison(enum.Enum):
    """How the values of a kind are compared."""

    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"
    NONE = "none"
    """Not at all: values with several parts, and files."""


NUMBERS: Final = frozenset({Comparison.INTEGER, Comparison.FLOAT})
TIMED: Final = frozenset({Comparison.DAY, Comparison.MOMENT})
SORTED: Final = frozenset({*NUMBERS, *TIMED, Comparison.FLAG})
"""Values that every database sorts in the same order."""


def exhaustive(members: type[_Member], table: Mapping[_Member, _Row]) -> Mapping[_Member, _Row]:
    """A table with a row for each member of an enumeration.

    Raises
    ------
    LookupError
        If a row is missing.
    """
    missing = [member.name for member in members if member not in table]
    if missing:
        raise LookupError(f"no row for {', '.join(missing)}")
    return table
