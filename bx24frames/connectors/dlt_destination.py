"""Destination: the rows that a dlt pipeline has loaded, read through the pipeline's own SQL client."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.connectors.dlt_outbox import IS_GONE, RowKey
from bx24frames.errors import StoreError
from bx24frames.mirror.state import SYNCED
from bx24frames.scan.united import PORTAL

if TYPE_CHECKING:
    from dlt import Pipeline, Schema
    from dlt.common.typing import TLoaderFileFormat

Among: TypeAlias = "tuple[str, Collection[int]]"
"""A column, and its values in the rows that are wanted."""
FORMATS: Final[Mapping[str, TLoaderFileFormat]] = {"dlt.destinations.postgres": "insert_values"}
"""Formats of load files, by type of destination, where dlt's choice for Arrow loses values: CSV, in which an empty text
arrives as null (dlt 1.31: FORCE_NULL in `PostgresCsvCopyJob`)."""
_AT_ONCE: Final = 50_000
"""Rows fetched at once."""
_LISTED: Final = 1_000
"""Values of one condition; Oracle takes no more."""
_MANY: Final = 10_000
"""Values above which all rows are read instead."""


class Destination:
    """The destination of a pipeline.

    Parameters
    ----------
    pipeline : dlt.Pipeline
    schema : dlt.Schema
        That of the source: it says how the destination spells the names of tables and columns.

    Attributes
    ----------
    name : str
    file_format : str or None
        The format of load files to ask dlt for; None: as dlt chooses.

    Raises
    ------
    StoreError
        The destination cannot be queried.
    """

    def __init__(self, pipeline: Pipeline, schema: Schema) -> None:
        from dlt.common.destination.exceptions import SqlClientNotAvailable

        self.name = f"dlt pipeline {pipeline.pipeline_name}, dataset {pipeline.dataset_name}"
        self.file_format = FORMATS.get(pipeline.destination.destination_type)
        self._naming = schema.naming
        try:
            self._client = pipeline.sql_client(*([schema.name] if schema.name in pipeline.schemas else []))
        except SqlClientNotAvailable:
            raise StoreError(
                f"The destination of {self.name} cannot be queried, so rows that are deleted cannot be found",
                guidance="Use a destination with SQL, or the filesystem, which dlt queries with DuckDB.",
            ) from None

    def rows(
        self,
        table: str,
        key: Sequence[str],
        columns: Sequence[str],
        portal: str | None = None,
        among: Among | None = None,
    ) -> Iterator[RowKey]:
        """The given columns of the latest version of each row that is not deleted; nothing before the first load.

        Parameters
        ----------
        table : str
        key : sequence of str
            What identifies a row besides the portal.
        columns : sequence of str
        portal : str, optional
            Its rows alone.
        among : tuple of str and collection of int, optional
            One of the columns, and its values in the rows that are wanted; others may come as well.
        """
        from dlt.destinations.exceptions import DatabaseUndefinedRelation

        values = [] if portal is None else [portal]
        with self._client as client:
            if not client.has_dataset():
                return
            for within in self._conditions(among):
                query = self._query(table, key, columns, portal is not None, within)
                try:
                    with client.execute_query(query, *values) as cursor:
                        while found := cursor.fetchmany(_AT_ONCE):
                            yield from (tuple(row[:-1]) for row in found if not row[-1])
                except DatabaseUndefinedRelation:
                    return

    def _conditions(self, among: Among | None) -> Iterator[str]:
        """The conditions that name the wanted values, a part of them in each; an empty one where they are too many."""
        if among is None or len(among[1]) > _MANY:
            yield ""
            return
        column, values = self._column(among[0]), sorted(among[1])
        for at in range(0, len(values), _LISTED):
            yield " AND " + column + " IN (" + ", ".join(map(str, values[at : at + _LISTED])) + ")"

    def _query(self, table: str, key: Sequence[str], columns: Sequence[str], one_portal: bool, within: str) -> str:
        """The query for the latest versions; what is wanted of them is tested on these, not on earlier versions."""
        source = self._client.make_qualified_table_name(self._naming.normalize_table_identifier(table))
        wanted = [self._column(name) for name in (*columns, IS_GONE)]
        same = ", ".join(self._column(name) for name in dict.fromkeys((PORTAL, *key)))
        versions = (
            f"SELECT {', '.join(dict.fromkeys(wanted))}, ROW_NUMBER() OVER (PARTITION BY {same} "  # noqa: S608
            f"ORDER BY {self._column(SYNCED)} DESC) AS bx24_age FROM {source}"
        )
        if one_portal:
            versions += " WHERE " + self._column(PORTAL) + " = %s"
        return f"SELECT {', '.join(wanted)} FROM ({versions}) versions WHERE bx24_age = 1{within}"  # noqa: S608

    def _column(self, name: str) -> str:
        return self._client.escape_column_name(self._naming.normalize_path(name))
