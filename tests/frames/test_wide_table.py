"""An entity with 300 user fields, some with the same camelCase name: read, described, checked, written back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.frames.validate import check
from bx24frames.options import Backend

TYPES = ("string", "integer", "double", "date", "datetime", "enumeration", "money", "boolean", "url", "employee")
TWINS = ("UF_CRM_PAIR_ED", "UF_CRM_PAIRED")
"""Names that differ only in `_`: the portal keeps them in capitals (crm module: lib/controller/base.php)."""
ROWS = 6
WIDE = [f"UF_CRM_W_{number}" for number in range(298)]


@pytest.fixture(scope="module")
def portal() -> Iterator[bx.Portal]:
    with bx.Sandbox(plan="unlimited", real_time=False, sizes={"deal": 0}) as box:
        for number, code in enumerate([*WIDE, *TWINS]):
            kind = TYPES[number % len(TYPES)]
            kind = "string" if code == TWINS[0] else "integer" if code == TWINS[1] else kind
            items = ("Red", "Green", "Blue") if kind == "enumeration" else ()
            box.store.add_user_field(2, code, kind, multiple=number % 7 == 0 and code not in TWINS, items=items)
        box.store.insert(2, [{"title": f"Deal {number}", TWINS[0]: "a", "UF_CRM_W_2": 2.0} for number in range(ROWS)])
        with bx.Portal(box.url, limits=FAST) as opened:
            yield opened


def test_every_backend_reads_it(portal: bx.Portal, backend: Backend) -> None:
    frame: Any = bx.read_entity("deal", portal, backend=backend, progress=False)
    columns = frame.column_names if backend == "pyarrow" else list(frame.columns)
    assert {*WIDE, *TWINS} <= set(columns)
    schema = bx.entity_schema("deal", portal, backend=backend)
    assert check(frame, schema) == []
    if backend == "pyarrow":
        none = bx.read_entity("deal", portal, filters={">id": 10**9}, backend="pyarrow", progress=False)
        assert none.schema == frame.schema


def test_it_is_written_back(portal: bx.Portal) -> None:
    rows = bx.read_entity("deal", portal, columns=["id", *WIDE, *TWINS], progress=False)
    edited = rows.assign(**{TWINS[1]: range(ROWS), "UF_CRM_W_1": 7, "UF_CRM_W_3": pd.Timestamp("2026-03-01")})
    report = bx.write_entity(edited, "deal", portal, mode="update", progress=False, resume=False)
    assert report.updated == ROWS
    again = bx.read_entity("deal", portal, columns=["id", "UF_CRM_W_1", "UF_CRM_W_3", *TWINS], progress=False)
    assert again[TWINS[0]].tolist() == ["a"] * ROWS
    assert again["UF_CRM_W_1"].tolist() == [7] * ROWS
    assert again["UF_CRM_W_3"].tolist() == [pd.Timestamp("2026-03-01")] * ROWS
