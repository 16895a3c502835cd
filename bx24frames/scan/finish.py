"""Finishing of decoded rows: inserted columns, schema checks, time zones, captions, titles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bx24frames.entities.arrow import null_array
from bx24frames.entities.columns import unique_titles
from bx24frames.entities.faults import validation_error
from bx24frames.scan.captions import Captions, WantedCaptions, captioned_type, captions_of, wanted_labels
from bx24frames.scan.zones import in_zone

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.entities.faults import Fault
    from bx24frames.portal.connection import Connection
    from bx24frames.scan.preparation import Reading
    from bx24frames.scan.request import ReadRequest


class Finish:
    """Finishes the tables of one reading.

    Parameters
    ----------
    connection : Connection
    reading : Reading
    request : ReadRequest

    Raises
    ------
    UnknownColumn, ConfigError
        A column cannot be captioned.
    ValidationError
        The schema no longer matches the entity; raised before any data request.
    """

    def __init__(self, connection: Connection, reading: Reading, request: ReadRequest) -> None:
        self._connection = connection
        self._reading = reading
        self._request = request
        self._wanted = self._to_caption()
        self._captions: dict[str, Captions] = {}
        self._inserted = _inserted(reading, request)
        self._rows = 0
        self.titles = titles_of(reading) if request.titles else {}
        if request.schema is not None:
            faults = request.schema.drift(reading.names, self._with_inserted(reading.arrow.empty_table()))
            self._raise(faults, "The schema does not match the entity")

    async def caption_all(self) -> None:
        """Get all possible captions, so that all chunks of a read have the same categories."""
        for wanted in self._wanted:
            self._captions[wanted.name] = await captions_of(self._connection, wanted, None)

    async def table(self, table: pa.Table) -> pa.Table:
        """Finish the next rows."""
        table = self._with_inserted(table)
        if self._request.schema is not None:
            self._raise(self._request.schema.failing(table, self._rows))
        self._rows += table.num_rows
        table = in_zone(table, self._reading.timezone, self._reading.table.entity)
        for wanted in self._wanted:
            if wanted.name not in self._captions:
                self._captions[wanted.name] = await captions_of(self._connection, wanted, table)
            captions = self._captions[wanted.name].column(table.column(wanted.name))
            table = _captioned(table, wanted, captions)
        return table.rename_columns([self.titles.get(name, name) for name in table.column_names])

    @property
    def timezone(self) -> str:
        """The zone of the times of the finished tables."""
        return self._reading.timezone or "UTC"

    @property
    def schema(self) -> pa.Schema:
        """The schema of the finished tables, known before any row or caption is read."""
        empty = self._with_inserted(self._reading.arrow.empty_table())
        empty = in_zone(empty, self._reading.timezone, self._reading.table.entity)
        for wanted in self._wanted:
            kind = captioned_type(empty.schema.field(wanted.name).type)
            empty = _captioned(empty, wanted, null_array(0, kind))
        return empty.rename_columns([self.titles.get(name, name) for name in empty.column_names]).schema

    @property
    def columns(self) -> list[str]:
        """The columns of the finished tables."""
        return self.schema.names

    @property
    def id_column(self) -> str:
        """The id's name in the finished table; the portal's name if the id is not read."""
        key = self._reading.table.entity.listing.id_key
        name = next((name for name, field in self._reading.fields.items() if field.code == key), key)
        return self.titles.get(name, name)

    def _to_caption(self) -> tuple[WantedCaptions, ...]:
        reading = self._reading
        number = reading.table.entity.coded_type or reading.where.arguments.get("entityTypeId")
        known = None if number is None else int(str(number))
        labels = self._request.labels
        if isinstance(labels, Mapping):
            labels = {name: beside for name, beside in labels.items() if name not in reading.missing}
        elif not isinstance(labels, bool | str):
            labels = [name for name in labels if name not in reading.missing]
        return wanted_labels(labels, reading.fields, reading.names, known)

    def _with_inserted(self, table: pa.Table) -> pa.Table:
        for name, kind in self._inserted.items():
            table = table.append_column(name, null_array(table.num_rows, kind))
        spelled = self._reading.spelled
        return table.select([*spelled, *(name for name in self._inserted if name not in spelled)])

    def _raise(self, faults: list[Fault], headline: str = "The rows read do not match the schema") -> None:
        if faults:
            entity = self._reading.table.entity.name
            raise validation_error(faults, entity=entity, headline=headline)


def titles_of(reading: Reading) -> Mapping[str, str]:
    """The title of each column that the portal has, by the column's name; no title is there twice."""
    named = unique_titles(reading.table.fields)
    fields = reading.fields
    times = Counter(field.code for field in fields.values())
    return {
        name: named[field.code] if times[field.code] == 1 else f"{field.title} ({name})"
        for name, field in fields.items()
    }


def _captioned(table: pa.Table, wanted: WantedCaptions, captions: AnyArray | AnyChunkedArray) -> pa.Table:
    """The table with captions in place of the codes of a column, or in a new column after it."""
    place = table.schema.get_field_index(wanted.name)
    if wanted.beside:
        return table.add_column(place + 1, wanted.beside, captions)
    return table.set_column(place, wanted.name, captions)


def _inserted(reading: Reading, request: ReadRequest) -> dict[str, pa.DataType]:
    """The columns to insert: requested columns and schema columns that are not fields; text unless a type is given."""
    import pyarrow as pa

    if request.missing_columns != "insert":
        return {}
    kinds = request.schema.types() if request.schema is not None else {}
    more = {name: kind for name, kind in kinds.items() if reading.names.find(name) is None}
    return {name: given or kinds.get(name, pa.string()) for name, given in {**more, **reading.missing}.items()}
