"""Vectorized coercion of a whole column, where the result provably equals that of its cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

from bx24frames.entities.arrow import null_array
from bx24frames.upload.coerce.cells import INTEGER_FLOATS

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, DecimalType, TimestampArray, TimestampType

    Cast: TypeAlias = Callable[[AnyArray, pa.DataType, ZoneInfo | None], AnyArray | None]

__all__ = ["cast_column", "family", "plain_type"]

# Arrow's text casts also accept 0x1F, inf and nan, so only these spellings are passed to it.
INTEGER_TEXT: Final = r"^-?[0-9]{1,18}$"
DECIMAL_TEXT: Final = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"
DATE_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NAIVE_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$"
AWARE_TEXT: Final = NAIVE_TEXT[:-1] + r"(Z|[+-][0-9]{2}:[0-9]{2})$"
KNOWN_YEARS: Final = (1971, 2036)
SAFE_DIGITS: Final = 15
"""Decimal digits that a double can always hold."""


def family(kind: pa.DataType) -> str:
    """The kind of an Arrow type; all widths within a kind are cast alike."""
    from pyarrow import types

    tests: dict[str, Callable[[pa.DataType], bool]] = {
        "integer": types.is_integer,
        "float": types.is_floating,
        "bool": types.is_boolean,
        "text": types.is_string,
        "date": types.is_date32,
        "moment": types.is_timestamp,
        "decimal": types.is_decimal,
        "list": types.is_list,
        "struct": types.is_struct,
        "null": types.is_null,
    }
    return next((name for name, test in tests.items() if test(kind)), "other")


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The plain form of a type: large, view and dictionary encodings hold the same values."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_date64(kind):
        return pa.date32()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if types.is_struct(kind):
        fields = (kind.field(index) for index in range(kind.num_fields))
        return pa.struct([pa.field(field.name, plain_type(field.type)) for field in fields])
    return kind


def cast_column(column: AnyArray, target: pa.DataType, zone: ZoneInfo | None) -> AnyArray | None:
    """Cast a column, or return None if its cells must be read one by one.

    Parameters
    ----------
    column : pyarrow.Array
        Of a plain type (`plain_type`), NaN already null, blank text already null unless the target is text.
    target : pyarrow.DataType
    zone : ZoneInfo, optional
        Time zone of naive datetimes.
    """
    import pyarrow as pa

    if column.null_count == len(column):
        return null_array(len(column), target)
    cast = _CASTS.get((family(column.type), family(target)))
    try:
        return cast(column, target, zone) if cast else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None  # some cell does not fit; reading cell by cell finds it


def _safe(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray:
    return column.cast(target, safe=True)


def _finite(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow.compute as pc

    return column.cast(target, safe=True) if pc.all(pc.is_finite(column)).as_py() else None


def _integral(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    """Cast integral floats, up to the limit where a float stands for only one integer."""
    import pyarrow as pa
    import pyarrow.compute as pc

    single = pc.all(pc.less_equal(pc.abs(column), pa.scalar(float(INTEGER_FLOATS)))).as_py()
    return column.cast(target, safe=True) if single else None


def _integral_text(column: AnyArray, target: pa.DataType, zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow as pa

    whole = _integral(column, pa.int64(), zone)
    return None if whole is None else whole.cast(target)


def _scaled(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray:
    """Cast integers through the widest decimal: Arrow requires room for every possible int64."""
    import pyarrow as pa

    return column.cast(pa.decimal128(38, cast("DecimalType", target).scale)).cast(target, safe=True)


def _zero_or_one(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_in(column, value_set=pa.array([0, 1], column.type), skip_nulls=False)
    return column.cast(target) if pc.all(pc.or_(known, pc.is_null(column))).as_py() else None


def _spelled(pattern: str) -> Cast:
    def cast(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
        return column.cast(target, safe=True) if _all_match(column, pattern) else None

    return cast


def _all_match(column: AnyArray, pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _short_numbers(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow.compute as pc

    short = pc.max(pc.utf8_length(cast("pa.StringArray", column))).as_py() <= SAFE_DIGITS
    return column.cast(target) if short and _all_match(column, DECIMAL_TEXT) else None


def _moments(column: AnyArray, target: pa.DataType, zone: ZoneInfo | None) -> AnyArray | None:
    """Cast datetimes; naive ones are interpreted in `zone`, where each must exist exactly once."""
    import pyarrow.compute as pc

    naive, wanted_naive = column.type.tz is None, cast("TimestampType", target).tz is None
    if naive == wanted_naive:
        return column.cast(target, safe=True)
    if wanted_naive or zone is None or not _known_clocks(column, zone.key):
        return None
    placed = pc.assume_timezone(cast("TimestampArray", column), zone.key, ambiguous="raise", nonexistent="raise")
    return placed.cast(target, safe=True)


def _known_clocks(column: AnyArray, zone: str | None) -> bool:
    """Whether Arrow has the zone's clock changes for the whole column: it ends at 2037, zoneinfo does not."""
    import pyarrow.compute as pc

    if zone in (None, "UTC"):
        return True
    years = cast("dict[str, int]", pc.min_max(pc.year(cast("TimestampArray", column))).as_py())
    return bool(years["min"] >= KNOWN_YEARS[0] and years["max"] <= KNOWN_YEARS[1])


def _written_moments(column: AnyArray, target: pa.DataType, zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow as pa

    if _all_match(column, AWARE_TEXT):
        return _moments(column.cast(pa.timestamp("us", "UTC")), target, zone)
    return _moments(column.cast(pa.timestamp("us")), target, zone) if _all_match(column, NAIVE_TEXT) else None


def _midnights(column: AnyArray, target: pa.DataType, zone: ZoneInfo | None) -> AnyArray | None:
    import pyarrow as pa

    return _moments(column.cast(pa.timestamp("us")), target, zone)


def _days(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    """Cast midnights in the column's own zone; Arrow's cast alone would drop a time of day."""
    import pyarrow.compute as pc

    if not _known_clocks(column, column.type.tz):
        return None
    wall = column if column.type.tz is None else pc.local_timestamp(cast("TimestampArray", column))
    days = wall.cast(target, safe=False)
    return days if pc.all(pc.equal(days.cast(wall.type), wall)).as_py() else None


def _same(column: AnyArray, target: pa.DataType, _zone: ZoneInfo | None) -> AnyArray | None:
    """Return nested values of the same type unchanged, unless they contain NaN or infinity."""
    return column if column.type == target and _finite_inside(column) else None


def _finite_inside(column: AnyArray) -> bool:
    import pyarrow.compute as pc

    kind = family(column.type)
    if kind == "float":
        return pc.all(pc.is_finite(column)).as_py() is not False  # None if there are no values
    if kind == "list":
        return _finite_inside(cast("pa.ListArray[Any]", column).flatten())
    return kind != "struct" or all(_finite_inside(part) for part in cast("pa.StructArray", column).flatten())


_CASTS: Final[dict[tuple[str, str], Cast]] = {
    ("integer", "integer"): _safe,
    ("integer", "float"): _safe,
    ("integer", "decimal"): _scaled,
    ("integer", "bool"): _zero_or_one,
    ("integer", "text"): _safe,
    ("float", "integer"): _integral,
    ("float", "float"): _finite,
    ("float", "text"): _integral_text,
    ("bool", "bool"): _safe,
    ("text", "text"): _safe,
    ("text", "integer"): _spelled(INTEGER_TEXT),
    ("text", "float"): _short_numbers,
    ("text", "decimal"): _spelled(DECIMAL_TEXT),
    ("text", "date"): _spelled(DATE_TEXT),
    ("text", "moment"): _written_moments,
    ("date", "date"): _safe,
    ("date", "moment"): _midnights,
    ("date", "text"): _safe,
    ("moment", "moment"): _moments,
    ("moment", "date"): _days,
    ("decimal", "decimal"): _safe,
    ("decimal", "integer"): _safe,
    ("list", "list"): _same,
    ("struct", "struct"): _same,
}
"""Pairs of types that are cast as a column; all others go cell by cell."""
