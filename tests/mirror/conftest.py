"""A portal whose clock stands where a test puts it, and what every test compares: the mirror with the portal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from clocks import HandClock
from unlimited import FAST

import bx24frames as bx

SIZES = {"deal": 70, "contact": 30, "company": 12, "lead": 10}
ZONE = "UTC"


@dataclass
class World:
    """A portal, a store, and the rows of both."""

    box: bx.Sandbox
    portal: bx.Portal
    store: Path

    def sync(self, entities: str | Sequence[str] = "deal", **options: object) -> bx.SyncReport:
        return bx.sync_entities(entities, self.portal, store=self.store, progress=False, **options)  # type: ignore[arg-type]

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.store), read_only=True) as connection:
            found: list[tuple[object, ...]] = connection.execute(query).fetchall()
            return found

    def call(self, method: str, **params: object) -> object:
        return self.portal.call(method, params)

    def update(self, row_id: int, entity_type_id: int = 2, **fields: object) -> None:
        self.call("crm.item.update", entityTypeId=entity_type_id, id=row_id, fields=fields)

    def delete(self, *ids: int, entity_type_id: int = 2) -> None:
        for row_id in ids:
            self.call("crm.item.delete", entityTypeId=entity_type_id, id=row_id)

    def ids(self, entity: str = "deal") -> list[int]:
        table = bx.read_entity(entity, self.portal, columns=["id"], backend="pyarrow", progress=False)
        return [int(str(one)) for one in table.column(0).to_pylist()]

    def mirrored(self, table: str = "deal") -> pa.Table:
        with duckdb.connect(str(self.store), read_only=True) as connection:
            columns = [
                row[0]
                for row in connection.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position",
                    [table],
                ).fetchall()
                if row[0] not in ("portal", "_synced_at", "_deleted_at")
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            query = f'SELECT {names} FROM "{table}" WHERE _deleted_at IS NULL ORDER BY "{columns[0]}"'
            return connection.sql(query).to_arrow_table()

    def is_equal(self, entity: str = "deal", table: str | None = None) -> None:
        """Every cell of the mirror is that of the portal."""
        there = bx.read_entity(entity, self.portal, backend="pyarrow", progress=False)
        here = self.mirrored(table or entity)
        key = there.column_names[0] if there.column_names[0].lower() == "id" else "id"
        assert here.column(0).to_pylist() == sorted(there.column(key).to_pylist()), "the ids differ"
        for name in there.column_names:
            assert here.column(name).to_pylist() == there.column(name).to_pylist(), f"{entity}.{name} differs"


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES) as opened:
        yield opened


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def world(box: bx.Sandbox, tmp_path: Path) -> World:
    return World(box, bx.Portal(box.url, limits=FAST), tmp_path / "crm.duckdb")
