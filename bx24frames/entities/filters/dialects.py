"""What can be asked of a list method, and how each dialect spells it (wire prefixes before a field's name)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from bx24frames.entities.schema import Dialect, Entity, Family


class Op(enum.Enum):
    """A comparison, in the caller's words."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    NOT_IN = "not in"
    NONE_OF = "none of"
    """As `NOT_IN`, and nulls are treated as `NE` treats them."""
    LIKE = "like"
    NOT_LIKE = "not like"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    BETWEEN = "between"
    NOT_BETWEEN = "not between"
    NULL = "is null"
    NOT_NULL = "not null"
    SEARCH = "search"


WORDS: Final[Mapping[str, Op]] = {
    **{op.value: op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN, Op.NOT_IN, Op.LIKE)},
    "==": Op.EQ,
    "is null": Op.NULL,
    "not null": Op.NOT_NULL,
}
"""The operators of a condition written as a tuple."""

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
"""The prefixes of a condition written as the portal's documentation does, the longer ones first."""

_ORDERED: Final[Mapping[Op, str]] = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}

# No prefix on an item's text is LIKE with live % and _: `=` and `@` are exact (crm module: validator/filter.php).
# `!` drops nulls and is what "filled" is spelled with; `!=` keeps them on text.
_ITEM: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "@",
    Op.NOT_IN: "!@",
    Op.NONE_OF: "!@",
    Op.LIKE: "=%",
    Op.NOT_LIKE: "!=%",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
    Op.NULL: "=",
    Op.NOT_NULL: "!",
}
# crm module: classes/general/restservice.php, main module: classes/general/sql_util.php
_CLASSIC: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "@",
    Op.NOT_IN: "!@",
    Op.NONE_OF: "!=",  # nulls stay in, which `!@` drops
    Op.LIKE: "=%",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NULL: "=",
    Op.NOT_NULL: "!",
    Op.SEARCH: "?",
}
# docs: tasks-task-list.md: an array without a prefix is any of
_TASK: Final[Mapping[Op, str]] = {**_ORDERED, Op.EQ: "", Op.IN: "", Op.NE: "!", Op.CONTAINS: "%"}
# docs: voximplant-statistic-get.md: no lists
_CALL: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
    Op.SEARCH: "?",
}
# docs: lists-element-get.md: no lists, and any other prefix is refused
_LIST: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
}
# docs: rest-v3/index.md; the engine writes the prefixes as operators
_API: Final[Mapping[Op, str]] = {**_ORDERED, Op.EQ: "=", Op.NE: "!=", Op.IN: "@"}
# docs: call-followup-list.md; both ends belong to it, and the engine puts them in one object
_PERIOD: Final[Mapping[Op, str]] = {Op.GE: "from ", Op.LE: "to "}

SPELLINGS: Final[Mapping[Dialect, Mapping[Op, str]]] = {
    Dialect.ITEM: _ITEM,
    Dialect.CLASSIC: _CLASSIC,
    Dialect.ORM: _ITEM,
    Dialect.TASK: _TASK,
    Dialect.CALL: _CALL,
    Dialect.LIST: _LIST,
    Dialect.EQUAL: {Op.EQ: ""},
    Dialect.API: _API,
    Dialect.API_ID: _API,
    Dialect.PERIOD: _PERIOD,
    Dialect.NONE: {},
}

_OF_FAMILY: Final[Mapping[Family, Dialect]] = {
    Family.ITEM: Dialect.ITEM,
    Family.CLASSIC: Dialect.CLASSIC,
    Family.OTHER: Dialect.ORM,
}


def dialect(entity: Entity) -> Dialect:
    """How a table's conditions are spelled."""
    return entity.dialect or _OF_FAMILY[entity.family]


def split_key(key: str) -> tuple[str, Op, str]:
    """Take a key of the portal's filter map apart: prefix, comparison, field.

    Examples
    --------
    >>> split_key(">=createdTime")
    ('>=', <Op.GE: '>='>, 'createdTime')
    """
    prefix = next(prefix for prefix in PREFIXES if key.startswith(prefix))
    return prefix, PREFIXES[prefix], key.removeprefix(prefix)
