"""Row tests: conditions evaluated on the Arrow columns that were returned.

Some methods ignore conditions they do not understand and return every row. A row is dropped if its cell shows that it
does not meet the condition; a row whose cell cannot be compared stays. If the method was asked for more rows than
requested, or was not sent the condition at all, the test decides (`strict`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.entities.arrow import AnyArray, AnyScalar
from bx24frames.entities.operators import NUMBERS, Comparison, Op, exhaustive
from bx24frames.entities.schema import Field
from bx24frames.entities.types import comparison, is_list
from bx24frames.where.moments import Period

Bounds: TypeAlias = "tuple[object, ...]"

_REWRITTEN: Final = frozenset({"comments", "COMMENTS", "DESCRIPTION", "description"})
"""Types stored as HTML or BBCode and returned as the other."""
NEGATED: Final = frozenset({Op.NE, Op.NOT_IN, Op.NONE_OF, Op.NOT_LIKE, Op.NOT_CONTAINS, Op.NOT_BETWEEN})
_OPPOSITE: Final[Mapping[Op, Op]] = {
    Op.NE: Op.IN,
    Op.NOT_IN: Op.IN,
    Op.NONE_OF: Op.IN,
    Op.NOT_LIKE: Op.LIKE,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.NOT_BETWEEN: Op.BETWEEN,
}
ROUNDING: Final = 0.005
"""Half the smallest step between returned amounts."""


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on the cells of a field.

    `values`: `Period`s for datetimes; dates, numbers, bools or texts otherwise. `strict`: the test decides, because the
    method was asked for more rows than requested; otherwise it only detects rows that cannot match. `nulls`: an empty
    cell passes a strict test. `within`: an interval was sent, and no empty cell is in one.
    """

    __test__ = False

    field: Field
    op: Op
    values: Bounds
    strict: bool = False
    nulls: bool = False
    within: bool = False

    def holds(self, column: AnyArray) -> AnyArray:
        """Whether each cell meets the condition or cannot be compared; without nulls."""
        if is_list(self.field):
            return self._of_lists(column)
        found = self._cells(column)
        return found.fill_null(self._null_holds())

    def _of_lists(self, column: AnyArray) -> AnyArray:
        """A list meets a condition if any element does, and a negation if no element has the negated value."""
        lengths = pc.list_value_length(column).fill_null(0)
        if self.op in (Op.NULL, Op.NOT_NULL):
            empty = pc.equal(lengths, pa.scalar(0, pa.int32()))
            found = empty if self.op is Op.NULL else pc.invert(empty)
            return found if self.strict else pa.array([True] * len(column), pa.bool_())
        if self.op in NEGATED and not self.strict:
            return pa.array([True] * len(column), pa.bool_())
        one = Test(self.field, _OPPOSITE.get(self.op, self.op), self.values, self.strict)
        flat: AnyArray = one._cells(pc.list_flatten(column)).fill_null(not self.strict)
        met = set(pc.list_parent_indices(column).filter(flat).to_pylist())
        found = pa.array([place in met for place in range(len(column))], pa.bool_())
        return pc.invert(found) if self.op in NEGATED else found

    def _null_holds(self) -> bool:
        """Whether an empty cell passes."""
        if self.op is Op.NULL:
            return True
        if self.op is Op.NOT_NULL:
            return False
        if self.strict:
            return self.nulls
        own = comparison(self.field)
        # a stored 0 is returned as no link, and null text cannot be told from empty text
        zero = own in NUMBERS and self.op not in NEGATED and _zero_meets(self.op, self.values)
        return zero or self.op in NEGATED or own is Comparison.FLAG or (own is Comparison.TEXT and self.op in _PATTERNS)

    def _cells(self, column: AnyArray) -> AnyArray:
        """Whether each cell meets the condition; null for an empty cell."""
        if self.op is Op.NULL:
            blank = _blank(column, comparison(self.field), strict=self.strict)
            return _if_else(pc.is_null(column), True, blank)
        if self.op is Op.NOT_NULL:
            blank = _blank(column, comparison(self.field), strict=True)
            return _if_else(pc.is_null(column), False, pc.invert(blank))
        if self.op in NEGATED:
            met = Test(self.field, _OPPOSITE[self.op], self.values, strict=True)._cells(column)
            if not self.strict and self.op in _UNSURE:
                return _if_else(pc.is_valid(column), True, None)
            return pc.invert(met)
        return _JUDGES[comparison(self.field)](self, column)


def is_testable(field: Field) -> bool:
    """Whether a condition on a field can be evaluated on returned cells."""
    return field.listed and comparison(field) is not Comparison.NONE and field.code not in _REWRITTEN


def _zero_meets(op: Op, values: Bounds) -> bool:
    bounds = [value for value in values if isinstance(value, int | float)]
    compare = _COMPARE.get(op)
    if not bounds or compare is None:
        return False
    return any(compare(0, bound) for bound in bounds)


_COMPARE: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.EQ: lambda zero, bound: zero == bound,
    Op.IN: lambda zero, bound: zero == bound,
    Op.LT: lambda zero, bound: zero < bound,
    Op.LE: lambda zero, bound: zero <= bound,
    Op.GT: lambda zero, bound: zero > bound,
    Op.GE: lambda zero, bound: zero >= bound,
}
_PATTERNS: Final = frozenset({Op.LIKE, Op.CONTAINS, Op.SEARCH})
_UNSURE: Final = frozenset({Op.NOT_LIKE, Op.NOT_CONTAINS, Op.NOT_BETWEEN})
_INCLUSIVE: Final[Mapping[Op, Op]] = {Op.GT: Op.GE, Op.LT: Op.LE}
_ORDER: Final[Mapping[Op, Callable[[AnyArray, AnyScalar], AnyArray]]] = {
    Op.LT: pc.less,
    Op.LE: pc.less_equal,
    Op.GT: pc.greater,
    Op.GE: pc.greater_equal,
}


def _blank(column: AnyArray, own: Comparison, *, strict: bool) -> AnyArray:
    """Whether a non-null cell counts as empty: empty text does; blank text, 0 and false may."""
    if own is Comparison.TEXT:
        return pc.equal(column if strict else pc.utf8_rtrim(column, " "), pa.scalar(""))
    if own in NUMBERS and not strict:
        return pc.equal(column, pa.scalar(0).cast(column.type))
    if own is Comparison.FLAG and not strict:
        return pc.invert(column)
    return pa.array([False] * len(column), pa.bool_())


def _if_else(condition: AnyArray, yes: AnyArray | bool, no: AnyArray | None) -> AnyArray:
    found: AnyArray = pc.if_else(condition, yes, no)
    return found


def _any(parts: Sequence[AnyArray], column: AnyArray) -> AnyArray:
    found = _if_else(pc.is_valid(column), False, None) if not parts else parts[0]
    for part in parts[1:]:
        found = pc.or_(found, part)
    return found


def _moments(test: Test, column: AnyArray) -> AnyArray:
    spans = [value for value in test.values if isinstance(value, Period)]
    if test.op in _ORDER:
        return _ORDER[test.op](column, pa.scalar(spans[0].start, column.type))
    if test.op is Op.BETWEEN:
        low, high = (pa.scalar(one.start, column.type) for one in spans[:2])
        return pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
    within = [
        pc.and_(
            pc.greater_equal(column, pa.scalar(one.start, column.type)),
            pc.less(column, pa.scalar(one.end, column.type)),
        )
        for one in spans
    ]
    return _any(within, column)


def _days(test: Test, column: AnyArray) -> AnyArray:
    days = [value for value in test.values if isinstance(value, date)]
    if test.op in _ORDER:
        # a date stored with a time of day may be later than the start of its day
        op = test.op if test.strict else _INCLUSIVE.get(test.op, test.op)
        return _ORDER[op](column, pa.scalar(days[0], column.type))
    if test.op is Op.BETWEEN:
        low, high = (pa.scalar(one, column.type) for one in days[:2])
        return pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
    return _among(column, days)


def _among(column: AnyArray, values: Sequence[object]) -> AnyArray:
    found = pc.is_in(column, pa.array(values, column.type))
    return _if_else(pc.is_valid(column), found, None)


def _numbers(test: Test, column: AnyArray) -> AnyArray:
    slack = 0.0 if test.strict or comparison(test.field) is not Comparison.FLOAT else ROUNDING
    cells = pc.cast(column, pa.float64()) if slack else column
    bounds = [value + 0 for value in test.values if isinstance(value, int | float)]
    if test.op in (Op.GT, Op.GE):
        return _ORDER[Op.GE if slack else test.op](cells, _scalar(bounds[0] - slack, cells))
    if test.op in (Op.LT, Op.LE):
        return _ORDER[Op.LE if slack else test.op](cells, _scalar(bounds[0] + slack, cells))
    if test.op is Op.BETWEEN:
        low, high = (_scalar(one, cells) for one in bounds[:2])
        return pc.and_(pc.greater_equal(cells, low), pc.less_equal(cells, high))
    if not slack:
        return _among(cells, bounds)
    near = [pc.less_equal(pc.abs(pc.subtract(cells, pa.scalar(float(one)))), pa.scalar(slack)) for one in bounds]
    return _any(near, cells)


def _scalar(value: float, cells: AnyArray) -> AnyScalar:
    """A bound to compare with cells: an integer if the cells are integers (the values then are, too)."""
    bound: AnyScalar = pa.scalar(value, cells.type)
    return bound


def _flags(test: Test, column: AnyArray) -> AnyArray:
    return _among(column, list(test.values))


def collated(text: str) -> str:
    """A text as the portal's database compares it: without case and trailing blanks."""
    return text.rstrip(" ").casefold()


def loose(text: str) -> str:
    """A text without what some collations ignore: also without diacritics and letter variants."""
    parts = unicodedata.normalize("NFKD", text)
    return collated("".join(sign for sign in parts if not unicodedata.combining(sign)))


def _distinct(column: AnyArray, meets: Callable[[str], bool]) -> AnyArray:
    """Evaluate a predicate once per distinct text."""
    coded = column.dictionary_encode()
    words = pa.array([meets(str(word)) for word in coded.dictionary.to_pylist()], pa.bool_())
    return words.take(coded.indices)


def _words(test: Test, column: AnyArray) -> AnyArray:
    texts = [str(value) for value in test.values]
    if test.op in (Op.EQ, Op.IN):
        alike = collated if test.strict else loose
        wanted = {alike(text) for text in texts}
        return _distinct(column, lambda cell: alike(cell) in wanted)
    if test.op in _ORDER:
        if not test.strict:
            return _if_else(pc.is_valid(column), True, None)  # text order depends on the database's collation
        return _distinct(column, lambda cell: _TEXT_ORDER[test.op](collated(cell), collated(texts[0])))
    if test.op is Op.SEARCH:
        return _if_else(pc.is_valid(column), True, None)
    return _distinct(column, _pattern(test, texts[0]))


_TEXT_ORDER: Final[Mapping[Op, Callable[[str, str], bool]]] = {
    Op.LT: lambda one, other: one < other,
    Op.LE: lambda one, other: one <= other,
    Op.GT: lambda one, other: one > other,
    Op.GE: lambda one, other: one >= other,
}


def _pattern(test: Test, text: str) -> Callable[[str], bool]:
    """A predicate: the text matches a pattern of ``%`` and ``_``, or contains the given text."""
    alike = str.casefold if test.strict else loose_pattern
    plain = alike(text)
    if test.op is Op.CONTAINS and test.strict:
        return lambda cell: plain in alike(cell)
    signs = (".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in plain)
    form = re.compile("".join(signs), re.DOTALL)
    if test.op is Op.CONTAINS:
        return lambda cell: plain in alike(cell) or form.search(alike(cell)) is not None
    return lambda cell: form.fullmatch(alike(cell)) is not None


def loose_pattern(text: str) -> str:
    """As `loose`, but keeping trailing blanks."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).casefold()


def _unjudged(_: Test, column: AnyArray) -> AnyArray:
    return _if_else(pc.is_valid(column), True, None)


_JUDGES: Final[Mapping[Comparison, Callable[[Test, AnyArray], AnyArray]]] = exhaustive(
    Comparison,
    {
        Comparison.INTEGER: _numbers,
        Comparison.FLOAT: _numbers,
        Comparison.TEXT: _words,
        Comparison.FLAG: _flags,
        Comparison.DAY: _days,
        Comparison.MOMENT: _moments,
        Comparison.NONE: _unjudged,
    },
)
