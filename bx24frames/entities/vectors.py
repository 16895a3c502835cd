"""Vectorized readers: decode a whole column of one kind; unusual values raise, and `cells` takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from bx24frames.entities.arrow import AnyArray, null_array
from bx24frames.entities.cells import FALSE, TRUE
from bx24frames.entities.types import ARROW, MONEY, Kind

NOT_PLAIN: Final = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
"""Errors of Arrow for an irregular column, for example text with one integer in it."""

_FIRST, _LAST = (cast("int", pa.scalar(moment, pa.timestamp("us")).value) for moment in (datetime.min, datetime.max))
"""The datetimes that Python supports, in microseconds since 1970; Arrow also parses others."""
_BOOL_TEXTS: Final = pa.array([*sorted(TRUE), *sorted(FALSE), ""])
_BOOLS: Final = pa.array([True] * len(TRUE) + [False] * len(FALSE) + [None], pa.bool_())
_MONEY: Final = r"^(?P<amount>-?\d+(?:\.\d{0,4})?)\|(?P<currency>[^|]+)$"


def typed(kind: Kind, raw: AnyArray) -> AnyArray:
    """Cast a column of raw texts, numbers or bools to its kind.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowTypeError
        If any value must be decoded individually.
    """
    if pa.types.is_null(raw.type):
        return null_array(len(raw), ARROW[kind])
    if pa.types.is_string(raw.type):
        return _FROM_TEXT[kind](raw)
    if kind in _FROM_NUMBER and pa.types.is_floating(raw.type) | pa.types.is_integer(raw.type):
        return _FROM_NUMBER[kind](raw)
    if kind is Kind.BOOL and pa.types.is_boolean(raw.type):
        return raw
    raise pa.ArrowInvalid(f"{kind.value} from {raw.type}")


def _without(values: AnyArray, none: str | int) -> AnyArray:
    """The values, with null in place of the one that means "no value"."""
    if pc.index(values, none).as_py() < 0:
        return values
    held: AnyArray = pc.if_else(pc.equal(values, pa.scalar(none)), pa.scalar(None, values.type), values)
    return held


def _filled(raw: AnyArray) -> AnyArray:
    """Replace empty text, which the portal returns for no number and no date, by null."""
    return _without(raw, "")


def _number(raw: AnyArray) -> AnyArray:
    return pc.cast(raw, pa.int64())


def _link(raw: AnyArray) -> AnyArray:
    return _without(_number(raw), 0)


def _float(raw: AnyArray) -> AnyArray:
    return pc.cast(raw, pa.float64())


def _float_text(raw: AnyArray) -> AnyArray:
    numbers = _float(_filled(raw))
    if pc.all(pc.is_finite(numbers)).as_py() is False:  # Arrow also parses "inf" and "nan"
        raise pa.ArrowInvalid("not a finite number")
    return numbers


def _bool_text(raw: AnyArray) -> AnyArray:
    places = pc.index_in(raw, value_set=_BOOL_TEXTS)
    if places.null_count != raw.null_count:
        raise pa.ArrowInvalid("neither Y nor N")
    return _BOOLS.take(places)


def _datetime_text(raw: AnyArray) -> AnyArray:
    moments = pc.cast(_filled(raw), ARROW[Kind.DATETIME])
    ends = cast("Mapping[str, pa.TimestampScalar[Any, Any]]", pc.min_max(moments))
    first, last = ends["min"].value, ends["max"].value
    if first is not None and last is not None and not (first >= _FIRST and last <= _LAST):
        raise pa.ArrowInvalid("not a date in the years 1 to 9999")
    return moments


def _date_text(raw: AnyArray) -> AnyArray:
    """A date is midnight of the server's zone in UTC: the UTC date of the datetime (rest module: rest_util.php)."""
    return pc.cast(_datetime_text(raw), ARROW[Kind.DATE])


def _money_text(raw: AnyArray) -> AnyArray:
    parts = pc.extract_regex(_filled(raw), _MONEY)
    if parts.null_count != pc.or_kleene(pc.is_null(raw), pc.equal(raw, pa.scalar(""))).true_count:
        raise pa.ArrowInvalid("not amount|currency")
    amounts, currencies = parts.flatten()
    return pa.StructArray.from_arrays(
        [pc.cast(amounts, MONEY.field("amount").type), currencies], fields=list(MONEY), mask=pc.is_null(parts)
    )


def _only_by_cell(raw: AnyArray) -> AnyArray:
    raise pa.ArrowInvalid(f"no vector form for {raw.type}")


_FROM_TEXT: Final[Mapping[Kind, Callable[[AnyArray], AnyArray]]] = {
    Kind.NUMBER: lambda raw: _number(_filled(raw)),
    Kind.LINK: lambda raw: _link(_filled(raw)),
    Kind.FLOAT: _float_text,
    Kind.TEXT: lambda raw: raw,
    Kind.CODE: _filled,
    Kind.BOOL: _bool_text,
    Kind.DATE: _date_text,
    Kind.DATETIME: _datetime_text,
    Kind.MONEY: _money_text,
    Kind.FILE: _only_by_cell,
    Kind.MULTIFIELD: _only_by_cell,
}
_FROM_NUMBER: Final[Mapping[Kind, Callable[[AnyArray], AnyArray]]] = {
    Kind.NUMBER: _number,
    Kind.LINK: _link,
    Kind.FLOAT: _float,
}
