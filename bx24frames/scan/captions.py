"""Columns of codes become columns of captions, and captions in a frame to write become codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bx24frames.entities.captions import UNASKED, Dictionary, Lookup, Origin, lookup_of
from bx24frames.entities.columns import Names
from bx24frames.entities.types import is_list
from bx24frames.errors import AuthError, ConfigError, UnknownColumn
from bx24frames.portal.dictionaries import dictionary

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection

    Labels: TypeAlias = bool | Sequence[str]

__all__ = ["Captions", "Wanted", "captions_of", "wanted_labels"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column to caption: its name in the frame, its field and the dictionary that it reads."""

    name: str
    field: Field
    lookup: Lookup


def wanted_labels(
    labels: Labels, fields: Mapping[str, Field], names: Names, entity_type_id: int | None
) -> tuple[Wanted, ...]:
    """Find the columns to caption among those read.

    Parameters
    ----------
    labels : bool or sequence of str
        True: whatever has a dictionary of its own; names: those columns, links to other tables' rows as well.
    fields : mapping of str to Field
        The columns read, by their spelling in the frame.
    names : Names
        Every spelling of the table's fields.
    entity_type_id : int, optional

    Raises
    ------
    UnknownColumn
        A name is no field, or is not read.
    ConfigError
        `labels` is neither, or a column has no captions.
    """
    if isinstance(labels, str) or not isinstance(labels, bool | Iterable):
        raise ConfigError(f"labels is True, False or a list of columns, not {labels!r}")
    lookups = {field.code: lookup_of(field, entity_type_id) for field in fields.values()}
    asked = _asked(labels, lookups, names, list(fields))
    return tuple(
        Wanted(name, field, lookup)
        for name, field in fields.items()
        if field.code in asked and (lookup := lookups[field.code]) is not None
    )


def _asked(labels: Labels, lookups: Mapping[str, Lookup | None], names: Names, columns: Sequence[str]) -> set[str]:
    if isinstance(labels, bool):
        own = {code for code, lookup in lookups.items() if lookup is not None and lookup.origin in UNASKED}
        return own if labels else set()
    codes = {names.lookup(name).code: name for name in labels}
    for code, name in codes.items():
        if code not in lookups:
            read = f"Columns read: {', '.join(columns)}."
            raise UnknownColumn(f"labels names {name!r}, which is not read", entity=names.entity, guidance=read)
        if lookups[code] is None:
            raise ConfigError(f"labels names {name!r}, whose values are no codes", entity=names.entity)
    return set(codes)


async def captions_of(connection: Connection, wanted: Wanted, table: pa.Table | None) -> Captions:
    """Get the captions for a column; those of another table's rows for the ids in `table`, for all without one."""
    ids = None
    if table is not None and wanted.lookup.origin is Origin.ROWS:
        ids = _ids(table.column(wanted.name), multiple=is_list(wanted.field))
    try:
        return Captions(await dictionary(connection, wanted.field, wanted.lookup, ids))
    except AuthError as error:
        error.guidance = f"The captions of {wanted.name!r} need it; to do without them name the others: labels=[...]."
        raise


def _ids(column: AnyChunkedArray, *, multiple: bool) -> list[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = pc.list_flatten(column) if multiple else column
    return [value for value in pc.unique(flat.cast(pa.int64())).to_pylist() if value is not None]


class Captions:
    """Captions of one column, the same for every chunk of it.

    Parameters
    ----------
    dictionary : Dictionary
        Its captions, each once, are the categories in that order; an unknown code is added behind them as its text.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        import pyarrow as pa

        self._titles = dict(dictionary.titles)
        self._built: tuple[AnyArray, AnyArray, AnyArray] | None = None
        self.type = pa.dictionary(pa.int32(), pa.string())

    def column(self, values: AnyChunkedArray) -> AnyChunkedArray:
        """Caption a column: dictionary<int32, string>, or lists of text where a cell has several codes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_list(values.type):
            captioned = [None if cell is None else [self._title(code) for code in cell] for cell in values.to_pylist()]
            return pa.chunked_array([pa.array(captioned, pa.list_(pa.string()))])
        text = values.combine_chunks().cast(pa.string())
        for code in pc.unique(text).to_pylist():
            if code is not None and code not in self._titles:
                self._titles[code] = code
                self._built = None
        codes, places, captions = self._built = self._built or self._build()
        indices = pc.take(places, pc.index_in(text, value_set=codes))
        return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, captions)])

    def _build(self) -> tuple[AnyArray, AnyArray, AnyArray]:
        """All codes, the place of each one's caption, and the captions, each once."""
        import pyarrow as pa

        captions = list(dict.fromkeys(self._titles.values()))
        place = {caption: index for index, caption in enumerate(captions)}
        places = [place[caption] for caption in self._titles.values()]
        codes = pa.array(list(self._titles), pa.string())
        return codes, pa.array(places, pa.int32()), pa.array(captions, pa.string())

    def _title(self, code: object) -> str | None:
        return None if code is None else self._titles.get(str(code), str(code))
