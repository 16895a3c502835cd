"""Coercion of one cell to a number, bool or text, without loss."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import DecimalType

__all__ = [
    "BOOLEANS",
    "BadCell",
    "Read",
    "amount",
    "double",
    "is_null",
    "python_value",
    "text",
    "truth",
    "whole",
]

Read: TypeAlias = Callable[[object], object]
"""Converts a non-null cell to the value that Arrow takes; raises `BadCell`."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
BOOLEANS: Final = {"true": True, "y": True, "1": True, "false": False, "n": False, "0": False}
WIDE: Final = Context(prec=80)
NOISE: Final = 4
"""Units in the last place by which a computed float may differ from a decimal."""
INTEGER_FLOATS: Final = 2**53
"""Beyond this a float may stand for several integers."""


class BadCell(ValueError):
    """A cell that the target type cannot hold without loss; the message is the reason."""


def is_null(value: object) -> bool:
    """Whether a cell is None, NaN, NaT or `pandas.NA`."""
    if value is None:
        return True
    name = type(value).__name__
    if isinstance(value, (float, Decimal)) or name == "datetime64":
        return bool(value != value)  # noqa: PLR0124 - NaN and NaT alone are unequal to themselves
    return name in ("NAType", "NaTType")


class _NumpyValue(Protocol):
    def astype(self, dtype: str) -> _NumpyValue: ...

    def tolist(self) -> object: ...


def python_value(value: object) -> object:
    """Convert a numpy scalar or array to a Python value; other values are returned unchanged.

    `datetime64[ns].item()` is an integer, so numpy's times go through microseconds.
    """
    kind = getattr(value, "dtype", None)
    if kind is None or not hasattr(value, "tolist"):
        return value
    numpy_value = cast("_NumpyValue", value)
    if getattr(kind, "kind", "") == "M":
        fine = numpy_value.astype("datetime64[us]")
        if not (fine == value):
            raise BadCell("finer than a microsecond")
        return fine.tolist()
    return numpy_value.tolist()


def exact(value: object) -> int | Decimal:
    """Read a number exactly as written; a float by its shortest decimal form."""
    if isinstance(value, bool):
        raise BadCell("a bool, not a number")
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        value = Decimal(repr(float(value)))
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, Decimal):
        raise BadCell("not a number")
    if not value.is_finite():
        raise BadCell("infinite")
    return value


def whole(kind: pa.DataType) -> Read:
    """Integers: 3, 3.0 and ``"3"`` are 3; 3.5 is an error."""
    unsigned = str(kind).startswith("u")
    high = 2 ** (kind.bit_width - (not unsigned)) - 1
    low = 0 if unsigned else -high - 1

    def read(value: object) -> int:
        number = exact(value)
        if not low <= number <= high:
            raise BadCell(f"outside the range of {kind}")
        if isinstance(number, Decimal) and number != number.to_integral_value():
            raise BadCell("not a whole number")
        _refuse_rounded(value)
        return int(number)

    return read


def _refuse_rounded(value: object) -> None:
    """Refuse a float that may be a rounded number: long ids that passed through a float column."""
    if isinstance(value, float) and abs(value) > INTEGER_FLOATS:
        raise BadCell("more digits than a double can hold")


def double(kind: pa.DataType) -> Read:  # noqa: ARG001 - every reader is made from its type
    """Floats; text and decimals only if a double prints the same digits."""

    def read(value: object) -> float:
        number = exact(value)
        try:
            result = float(number)
        except OverflowError:
            result = math.inf
        if math.isinf(result):
            raise BadCell("outside the range of a double")
        if Decimal(repr(result)) != number:
            raise BadCell("more digits than a double can hold")
        return result

    return read


def amount(kind: pa.DataType) -> Read:
    """Decimals; a float within `NOISE` steps of one becomes it, so that 0.1 + 0.2 is 0.3."""
    decimal = cast("DecimalType", kind)
    step = Decimal(1).scaleb(-decimal.scale)
    limit = Decimal(10) ** (decimal.precision - decimal.scale)

    def read(value: object) -> Decimal:
        number = Decimal(exact(value))
        if abs(number) >= limit:
            raise BadCell(f"more than {decimal.precision - decimal.scale} digits before the point")
        near = number.quantize(step, context=WIDE)
        noise = Decimal(NOISE * math.ulp(value)) if isinstance(value, float) else 0
        if abs(near - number) > noise:
            raise BadCell(f"more than {decimal.scale} decimals")
        return near

    return read


def truth(kind: pa.DataType) -> Read:  # noqa: ARG001 - every reader is made from its type
    """Bools: true/false, Y/N, 1/0, in any case."""

    def read(value: object) -> bool:
        if isinstance(value, bool):
            return value
        key = value.strip().lower() if isinstance(value, str) else _digits(value)
        if key not in BOOLEANS:
            raise BadCell("not true/false, Y/N or 1/0")
        return BOOLEANS[key]

    return read


def _digits(value: object) -> str:
    number = exact(value)
    return str(int(number)) if number in (0, 1) else ""


def text(kind: pa.DataType) -> Read:  # noqa: ARG001 - every reader is made from its type
    """Text; numbers and dates in the form that is read back unchanged."""

    def read(value: object) -> str:
        if isinstance(value, str):
            return _unicode(str(value))
        if isinstance(value, (dt.datetime, dt.date)):
            return value.isoformat()
        number = exact(value) if isinstance(value, (int, float, Decimal)) else None
        if number is None:
            raise BadCell(f"a {type(value).__name__}, not text")
        _refuse_rounded(value)
        return str(number) if isinstance(number, int) else _shortest(number)

    return read


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadCell("text that is not valid Unicode") from None
    return value


def _shortest(number: Decimal) -> str:
    """38 for 38.0, 3.5 for 3.5 and 0 for -0.0; never an exponent."""
    written = f"{number:zf}"
    return written.rstrip("0").rstrip(".") if "." in written else written
