"""Captioning: replace the codes in columns that were read by their captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.entities.captions import UNASKED, Dictionary, Lookup, Origin, lookup_of
from bx24frames.entities.columns import Names
from bx24frames.entities.types import is_list
from bx24frames.errors import ConfigError, PortalError, UnknownColumn
from bx24frames.portal.dictionaries import dictionary, withheld

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.request import Labels

__all__ = ["Captions", "WantedCaptions", "captioned_type", "captions_of", "wanted_labels"]


@dataclass(frozen=True, slots=True)
class WantedCaptions:
    """A column to caption: its name in the frame, its field and its dictionary.

    `beside`: the name of a new column for the captions; empty if they replace the codes.
    """

    name: str
    field: Field
    lookup: Lookup
    beside: str = ""


def wanted_labels(
    labels: Labels, fields: Mapping[str, Field], names: Names, entity_type_id: int | None
) -> tuple[WantedCaptions, ...]:
    """Find the columns to caption among those read.

    Parameters
    ----------
    labels : bool, "all", sequence of str or mapping of str to str
        True: all columns with their own dictionary; "all": also links to other entities' rows; names: those columns; a
        mapping: those columns, with the names of new columns for the captions.
    fields : mapping of str to Field
        The columns read, by their spelling in the frame.
    names : Names
        Every spelling of the entity's fields.
    entity_type_id : int, optional

    Raises
    ------
    UnknownColumn
        If a name is not a field, or not a column that is read.
    ConfigError
        If a column has no captions.
    """
    lookups = {field.code: lookup_of(field, entity_type_id) for field in fields.values()}
    asked = _asked(labels, lookups, names, list(fields))
    beside = {names.lookup(name).code: new for name, new in labels.items()} if isinstance(labels, Mapping) else {}
    taken = [new for new in beside.values() if new in fields]
    if taken:
        raise ConfigError(f"labels names the new column {taken[0]!r}, which is read already", entity=names.entity)
    return tuple(
        WantedCaptions(name, field, lookup, beside.get(field.code, ""))
        for name, field in fields.items()
        if field.code in asked and (lookup := lookups[field.code]) is not None
    )


def _asked(labels: Labels, lookups: Mapping[str, Lookup | None], names: Names, columns: Sequence[str]) -> set[str]:
    if isinstance(labels, bool) or labels == "all":
        origins = set(Origin) if labels == "all" else UNASKED
        own = {code for code, lookup in lookups.items() if lookup is not None and lookup.origin in origins}
        return own if labels else set()
    codes = {names.lookup(name).code: name for name in labels}
    for code, name in codes.items():
        if code not in lookups:
            read = f"Columns read: {', '.join(columns)}."
            raise UnknownColumn(f"labels names {name!r}, which is not read", entity=names.entity, guidance=read)
        if lookups[code] is None:
            raise ConfigError(f"labels names {name!r}, whose values are not codes", entity=names.entity)
    return set(codes)


async def captions_of(connection: Connection, wanted: WantedCaptions, table: pa.Table | None) -> Captions:
    """Get the captions for a column; for links, of the ids in `table`, or of all rows without one."""
    ids = None
    if table is not None and wanted.lookup.origin is Origin.ROWS:
        ids = _ids(table.column(wanted.name), multiple=is_list(wanted.field))
    try:
        return Captions(await dictionary(connection, wanted.field, wanted.lookup, ids))
    except PortalError as error:
        if withheld(error):
            needed = (
                f"It is needed for the captions of {wanted.name!r}; to do without, name the other columns in labels=."
            )
            error.guidance = "\n".join(filter(None, [error.guidance, needed]))
        raise


def _ids(column: AnyChunkedArray, *, multiple: bool) -> list[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = pc.list_flatten(column) if multiple else column
    return [value for value in pc.unique(flat.cast(pa.int64())).to_pylist() if value is not None]


def captioned_type(codes: pa.DataType) -> pa.DataType:
    """The type of the captions of a column: categories, or lists of text if a cell has several codes."""
    import pyarrow as pa

    return pa.list_(pa.string()) if pa.types.is_list(codes) else pa.dictionary(pa.int32(), pa.string())


class Captions:
    """Captions of one column, shared by all its chunks.

    Parameters
    ----------
    dictionary : Dictionary
        Its distinct captions are the categories, in its order; an unknown code is appended as its own text.
    """

    def __init__(self, dictionary: Dictionary) -> None:
        self._titles = dict(dictionary.titles)
        self._built: tuple[AnyArray, AnyArray, AnyArray] | None = None

    def column(self, values: AnyChunkedArray) -> AnyChunkedArray:
        """Caption a column; see `captioned_type`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_list(values.type):
            captioned = [None if cell is None else [self._title(code) for code in cell] for cell in values.to_pylist()]
            return pa.chunked_array([pa.array(captioned, captioned_type(values.type))])
        text = values.combine_chunks().cast(pa.string())
        for code in pc.unique(text).to_pylist():
            if code is not None and code not in self._titles:
                self._titles[code] = code
                self._built = None
        codes, places, captions = self._built = self._built or self._build()
        indices = pc.take(places, pc.index_in(text, value_set=codes))
        return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, captions)])

    def _build(self) -> tuple[AnyArray, AnyArray, AnyArray]:
        """All codes, the index of each code's caption, and the distinct captions."""
        import pyarrow as pa

        captions = list(dict.fromkeys(self._titles.values()))
        place = {caption: index for index, caption in enumerate(captions)}
        places = [place[caption] for caption in self._titles.values()]
        codes = pa.array(list(self._titles), pa.string())
        return codes, pa.array(places, pa.int32()), pa.array(captions, pa.string())

    def _title(self, code: object) -> str | None:
        return None if code is None else self._titles.get(str(code), str(code))
