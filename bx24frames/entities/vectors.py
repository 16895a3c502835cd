"""Vectorized readers: decode a whole column of one kind; unusual values raise, and `cells` takes over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.entities.arrow import AnyArray
from bx24frames.entities.cells import FALSE, HALF_A_DAY, NO_DATE, TRUE

NOT_PLAIN: Final = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
"""Errors of Arrow for an irregular column, for example text with one integer in it."""

_FIRST, _LAST = (cast("int", pa.scalar(moment, pa.timestamp("us")).value) for moment in (datetime.min, datetime.max))
"""The datetimes that Python supports, in microseconds since 1970; Arrow also parses others."""
_BOOL_TEXTS: Final = pa.array([*sorted(TRUE), *sorted(FALSE), ""])
_BOOLS: Final = pa.array([True] * len(TRUE) + [False] * len(FALSE) + [None], pa.bool_())
MONEY: Final = pa.struct([pa.field("amount", pa.decimal128(18, 4)), pa.field("currency", pa.string())])
_MONEY_TEXT: Final = r"^(?P<amount>-?\d+(?:\.\d{0,4})?)\|(?P<currency>[^|]+)$"


def _without(values: AnyArray, none: str | int) -> AnyArray:
    """The values, with null in place of the one that means "no value"."""
    if pc.index(values, none).as_py() < 0:
        return values
    held: AnyArray = pc.if_else(pc.equal(values, pa.scalar(none)), pa.scalar(None, values.type), values)
    return held


def filled(raw: AnyArray) -> AnyArray:
    """Replace empty text, which the portal returns for no number and no date, by null."""
    return _without(raw, "")


def number_vector(raw: AnyArray) -> AnyArray:
    """Integers from numbers."""
    return pc.cast(raw, pa.int64())


def number_text(raw: AnyArray) -> AnyArray:
    """Integers from text."""
    return number_vector(filled(raw))


def link_text(raw: AnyArray) -> AnyArray:
    """Ids from text."""
    return link_vector(filled(raw))


def same(raw: AnyArray) -> AnyArray:
    """Values that need no conversion."""
    return raw


def link_vector(raw: AnyArray) -> AnyArray:
    """Ids; 0 means no link."""
    return _without(number_vector(raw), 0)


def float_vector(raw: AnyArray) -> AnyArray:
    """Doubles from numbers."""
    return pc.cast(raw, pa.float64())


def float_text(raw: AnyArray) -> AnyArray:
    """Doubles from text."""
    numbers = float_vector(filled(raw))
    if pc.all(pc.is_finite(numbers)).as_py() is False:  # Arrow also parses "inf" and "nan"
        raise pa.ArrowInvalid("not a finite number")
    return numbers


def bool_text(raw: AnyArray) -> AnyArray:
    """Bools from Y/N, 1/0, true/false."""
    places = pc.index_in(raw, value_set=_BOOL_TEXTS)
    if places.null_count != raw.null_count:
        raise pa.ArrowInvalid("neither Y nor N")
    return _BOOLS.take(places)


def datetime_text(raw: AnyArray) -> AnyArray:
    """Datetimes from ISO text, as UTC."""
    return _of_python(pc.cast(filled(raw), pa.timestamp("us", tz="UTC")))


def _of_python(moments: AnyArray) -> AnyArray:
    """The moments, if Python has all of them."""
    ends = cast("Mapping[str, pa.TimestampScalar[Any, Any]]", pc.min_max(moments))
    first, last = ends["min"].value, ends["max"].value
    if first is not None and last is not None and not (first >= _FIRST and last <= _LAST):
        raise pa.ArrowInvalid(NO_DATE)
    return moments


def day_text(raw: AnyArray) -> AnyArray:
    """Dates from ISO text: the nearest midnight in UTC; see `cells.read_date`."""
    return pc.cast(_of_python(pc.add(datetime_text(raw), pa.scalar(HALF_A_DAY))), pa.date32())


def money_column(raw: AnyArray) -> AnyArray:
    """Amounts and currencies from ``1500.50|EUR``."""
    parts = pc.extract_regex(filled(raw), _MONEY_TEXT)
    if parts.null_count != pc.or_kleene(pc.is_null(raw), pc.equal(raw, pa.scalar(""))).true_count:
        raise pa.ArrowInvalid("not amount|currency")
    amounts, currencies = parts.flatten()
    return pa.StructArray.from_arrays(
        [pc.cast(amounts, MONEY.field("amount").type), currencies], fields=list(MONEY), mask=pc.is_null(parts)
    )
