"""Names of column types in the dialects of a mirror: DuckDB, PostgreSQL, and the text in its control tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TEXTS", "TypeNames"]


@dataclass(frozen=True, slots=True)
class TypeNames:
    """What one dialect calls the types of columns.

    Parameters
    ----------
    scalars : mapping of str to str
        Names by Arrow's text of a type.
    moment, decimal : str
        Names of a timestamp, and of a decimal before its digits.
    of_list : callable
        Makes the name of a list from the name of its elements.
    of_struct : callable
        Makes the name of a struct from the names and types of its fields.

    Examples
    --------
    >>> import pyarrow as pa
    >>> TEXTS.of(pa.list_(pa.int64())), TEXTS.of(pa.timestamp("us", "UTC"))
    ('list(int64)', 'timestamp')
    """

    scalars: Mapping[str, str]
    moment: str
    decimal: str
    of_list: Callable[[str], str]
    of_struct: Callable[[Sequence[tuple[str, str]]], str]

    def of(self, kind: pa.DataType) -> str:
        """The name of an Arrow type."""
        import pyarrow as pa

        if pa.types.is_list(kind):
            return self.of_list(self.of(kind.value_type))
        if pa.types.is_struct(kind):
            inner = [kind.field(place) for place in range(kind.num_fields)]
            return self.of_struct([(one.name, self.of(one.type)) for one in inner])
        if pa.types.is_decimal(kind):
            return f"{self.decimal}({kind.precision}, {kind.scale})"
        return self.moment if pa.types.is_timestamp(kind) else self.scalars[str(kind)]


TEXTS: Final = TypeNames(
    {"int64": "int64", "double": "double", "bool": "bool", "string": "text", "date32[day]": "date"},
    moment="timestamp",
    decimal="decimal",
    of_list="list({})".format,
    of_struct=lambda inner: f"struct({', '.join(f'{name} {kind}' for name, kind in inner)})",
)
"""Texts of the control tables, which do not depend on the version of pyarrow."""
