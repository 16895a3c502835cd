"""Warehouse: a dlt pipeline with its destination, beside a mirror of the same portal in the same kind of store."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

import bx24frames as bx
from bx24frames.connectors import dlt as bitrix24
from bx24frames.files.cell_text import exact_json
from bx24frames.mirror.stores.postgres import PostgresStore
from bx24frames.mirror.stores.statements import column_types

DESTINATIONS = ("duckdb", "postgres", "filesystem")
ENTITIES = ("deal", "contact", "user")
KEYS = {
    "deal": ("id",),
    "contact": ("id",),
    "user": ("ID",),
    "deal_product_row": ("id",),
    "deal_contact": ("DEAL_ID", "CONTACT_ID"),
}
SIZES = {"deal": 60, "contact": 20, "company": 5, "lead": 5}
Row = dict[str, Any]


@dataclass
class Warehouse:
    """A pipeline with its destination, and a mirror of the same portal in the same kind of store."""

    kind: str
    folder: Path
    server: str | None
    name: str

    @property
    def address(self) -> str:
        """The PostgreSQL server as dlt wants it: with a password and a host, which libpq does not use."""
        assert self.server is not None
        return self.server.replace("bx@/", "bx:unused@localhost/")

    def pipeline(self) -> Any:
        import dlt

        destinations = {
            "duckdb": lambda: dlt.destinations.duckdb(str(self.folder / "dlt.duckdb")),
            "postgres": lambda: dlt.destinations.postgres(self.address),
            "filesystem": lambda: dlt.destinations.filesystem(str(self.folder / "lake")),
        }
        return dlt.pipeline(
            self.name,
            destination=destinations[self.kind](),
            dataset_name=self.name,
            pipelines_dir=str(self.folder / "pipelines"),
        )

    def load(self, portal: Any, entities: Sequence[str] = ENTITIES, **options: Any) -> Any:
        """Run the pipeline, once more where an earlier run left packages to load."""
        from dlt.pipeline.exceptions import PipelineStepFailed

        pipeline = self.pipeline()
        if pipeline.has_pending_data:
            try:
                pipeline.run()
            except PipelineStepFailed:  # killed between two renames of a package, dlt 1.31 cannot go on with it
                pipeline.drop()
                pipeline = self.pipeline()
        pipeline.run(bitrix24.source(portal, entities, **options), loader_file_format=self.format)
        return pipeline

    @property
    def format(self) -> Any:
        return "parquet" if self.kind == "filesystem" else None

    def loaded(self, table: str) -> list[Row]:
        """The rows of the destination: the latest version of each that is not deleted."""
        with self.pipeline().sql_client("bitrix24") as client:
            query = f"SELECT * FROM {client.make_qualified_table_name(table)}"
            with client.execute_query(query) as cursor:  # closed before its client
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        latest = {}
        for row in sorted(rows, key=lambda row: row["_synced_at"]):
            latest[row["portal"], *(row[one.lower()] for one in KEYS[table])] = row
        if self.kind != "filesystem":
            assert len(rows) == len(latest), "a merge leaves one version of a row"
        return [{name: plain(cell) for name, cell in row.items()} for row in latest.values() if not row["_deleted"]]

    @property
    def store(self) -> Any:
        if self.kind == "postgres":
            return PostgresStore(str(self.server), schema=f"{self.name}_mirror")
        return self.folder / "mirror.duckdb" if self.kind == "duckdb" else f"{self.folder}/mirror/"

    def mirrored(self, table: str) -> list[Row]:
        """The rows of the mirror."""
        store = self.store
        if self.kind == "postgres":
            with store._session() as session:
                columns = column_types(session, table)
                rows = [dict(zip(columns, row, strict=True)) for row in session.run(f'SELECT * FROM "{table}"')]
        elif self.kind == "duckdb":
            with duckdb.connect(str(store), read_only=True) as connection:
                rows = connection.sql(f'SELECT * FROM "{table}"').to_arrow_table().to_pylist()
        else:
            rows = pq.read_table(f"{store}{table}.parquet").to_pylist()
        return [{name: plain(cell) for name, cell in row.items()} for row in rows]

    def equals_mirror(self, portal: Any, *tables: str) -> None:
        """Every cell of a mirror that is synced now is in the destination, and no other row."""
        bx.sync_entities(tables, portal, store=self.store, deletions="delete", progress=False)
        spelled = self.pipeline().default_schema.naming.normalize_path
        for table in tables:
            key = KEYS[table]
            here = {tuple(row[one.lower()] for one in key): row for row in self.loaded(table)}
            there = {tuple(row[one] for one in key): row for row in self.mirrored(table)}
            assert here.keys() == there.keys(), f"{table}: other rows"
            for row_key, row in there.items():
                for name, cell in row.items():
                    if not name.startswith("_"):
                        found = here[row_key][spelled(name)]
                        assert (decoded(found) if isinstance(cell, list | dict) else found) == cell, f"{table}.{name}"


def plain(cell: Any) -> Any:
    """A cell as JSON has it, since dlt keeps lists and structs as JSON."""
    if isinstance(cell, list | dict):
        return json.loads(exact_json(cell))
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC)
    return float(cell) if isinstance(cell, Decimal) else cell


def decoded(cell: Any) -> Any:
    """A list or struct of a destination, which some give as text."""
    return json.loads(cell) if isinstance(cell, str) else cell
