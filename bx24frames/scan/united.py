"""United schema: one schema for the rows of several portals, whose fields differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.entities.arrow import null_array
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray

TypeConflicts: TypeAlias = Literal["raise", "text"]

PORTAL: Final = "portal"
"""The first column: the portal's host, as in the tables of a mirror."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one portal adds: its host, its columns without rows, and the titles that they shall have."""

    host: str
    empty: pa.Table
    titles: Mapping[str, str]


class Union:
    """The columns of several portals, which are added in any order; `united` then gives the schema of their rows.

    A column that a portal lacks is null there; a column of type null is one that the portal lacks. Columns stand in the
    order of the first portal; one that it lacks follows the column it follows in a later portal. A column is titled as
    in the first portal that has it.

    Parameters
    ----------
    entity : str
        For messages.
    conflicts : {"raise", "text"}
        What becomes of a column with different types.

    Examples
    --------
    >>> import pyarrow as pa
    >>> union = Union("deal")
    >>> union.add(1, "b.example", pa.table({"id": [1], "UF_CRM_1": ["x"]}).slice(0, 0), {})
    >>> union.add(0, "a.example", pa.table({"id": [1], "title": ["x"]}).slice(0, 0), {})
    >>> union.united().empty.column_names
    ['portal', 'id', 'UF_CRM_1', 'title']
    """

    def __init__(self, entity: str, conflicts: TypeConflicts = "raise") -> None:
        self._entity = entity
        self._conflicts = conflicts
        self._parts: dict[int, _Part] = {}
        self._types: dict[str, tuple[pa.DataType, str]] = {}
        """The type of each column so far, with the portal that it is from."""

    def add(self, place: int, host: str, empty: pa.Table, titles: Mapping[str, str]) -> None:
        """Add the portal at a place of the list, by a table of its rows that has none.

        Raises
        ------
        ConfigError
            A column has another type in a portal added before.
        """
        import pyarrow as pa

        self._parts[place] = _Part(host, empty, titles)
        for field in empty.schema:
            before, other = self._types.get(field.name, (pa.null(), host))
            if pa.types.is_null(before):
                self._types[field.name] = field.type, host
            elif before != field.type and not pa.types.is_null(field.type):
                if self._conflicts == "raise":
                    raise self._conflict(field.name, {other: before, host: field.type})
                self._types[field.name] = pa.string(), other

    def united(self) -> UnitedSchema:
        """The schema of the rows of all portals added; a column that none of them has is text.

        Raises
        ------
        ConfigError
            A column has the name of the column with the portals.
        """
        import pyarrow as pa

        names = self._names()
        titles = self._titles(names)
        if PORTAL in titles.values():
            raise ConfigError(
                f"A column is named {PORTAL!r}, as is the column with the portals",
                entity=self._entity,
                guidance="Leave it out of columns=, or read without titles.",
            )
        types = {titles[name]: self._types[name][0] for name in names}
        fields = {
            PORTAL: pa.string(),
            **{name: pa.string() if pa.types.is_null(one) else one for name, one in types.items()},
        }
        plain = UnitedSchema(pa.schema(fields).empty_table(), titles)
        together = [plain.fit(part.empty, part.host) for _, part in sorted(self._parts.items())]
        return UnitedSchema(pa.concat_tables([plain.empty, *together]).unify_dictionaries(), titles)

    def _names(self) -> list[str]:
        """The names of all columns in order."""
        names: list[str] = []
        places: dict[str, int] = {}
        for one in dict.fromkeys(tuple(part.empty.column_names) for _, part in sorted(self._parts.items())):
            at = 0
            for name in one:
                if name not in places:
                    names.insert(at, name)
                    places = {known: place for place, known in enumerate(names)}
                at = places[name] + 1
        return names

    def _titles(self, names: Sequence[str]) -> dict[str, str]:
        """The title of each column by its name, which is added to a title that another column has."""
        known: dict[str, str] = {}
        for _, part in sorted(self._parts.items(), reverse=True):
            known.update(part.titles)
        found: dict[str, str] = {}
        for name in names:
            title = known.get(name, name)
            found[name] = f"{title} ({name})" if title in found.values() else title
        return found

    def _conflict(self, name: str, types: Mapping[str, pa.DataType]) -> ConfigError:
        (one, first), (other, second) = types.items()
        return ConfigError(
            f"column {name!r} is {first} in {one} and {second} in {other}",
            entity=self._entity,
            guidance=f"Leave it out of columns=, give its type in schema_overrides={{{name!r}: ...}}, or read such "
            "columns as text: type_conflicts='text'.",
        )


@dataclass(frozen=True, slots=True)
class UnitedSchema:
    """The schema of the rows of several portals.

    Attributes
    ----------
    empty : pyarrow.Table
        A table without rows: the portal, then the columns under their titles, each with all its categories.
    titles : mapping of str to str
        The titles of these columns by their names in the portals' tables, in order.
    """

    empty: pa.Table
    titles: Mapping[str, str]

    def fit(self, table: pa.Table, host: str) -> pa.Table:
        """The rows of a portal in this schema."""
        import pyarrow as pa

        schema = self.empty.schema
        columns: list[AnyArray | AnyChunkedArray] = [pa.repeat(host, table.num_rows)]
        for place, name in enumerate(self.titles, 1):
            kind = schema.field(place).type
            at = table.schema.get_field_index(name)
            columns.append(null_array(table.num_rows, kind) if at < 0 else _retyped(table.column(at), kind))
        fitted = pa.Table.from_arrays(columns, schema=schema)
        return pa.concat_tables([self.empty, fitted]).unify_dictionaries()


def _retyped(column: AnyChunkedArray, kind: pa.DataType) -> AnyArray | AnyChunkedArray:
    """A column in the type of the united schema: its own, or text, or any if the portal lacks it."""
    import pyarrow as pa

    if column.type == kind:
        return column
    if pa.types.is_null(column.type):
        return null_array(len(column), kind)
    if pa.types.is_nested(column.type):
        cells = (
            None if one is None else json.dumps(one, ensure_ascii=False, default=str) for one in column.to_pylist()
        )
        return pa.array(cells, kind)
    return column.cast(kind)
