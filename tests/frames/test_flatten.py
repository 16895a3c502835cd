"""flatten: frames of scalar columns that ordinary tools take."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.sandbox import Sandbox

COLUMNS = ["id", "name", "phone", "createdTime", "UF_CRM_PRICE", "UF_CRM_TAGS"]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_every_column_of_every_library_is_scalar(bx24_sandbox: Sandbox, backend: str):
    frame = bx.read_entity("contact", bx24_sandbox.url, columns=COLUMNS, backend=backend)  # type: ignore[call-overload]
    flat = bx.flatten(frame)
    assert type(flat) is type(frame)
    table = flat if isinstance(flat, pa.Table) else pa.table(flat) if isinstance(flat, pl.DataFrame) else None
    schema = pa.Schema.from_pandas(flat) if table is None else table.schema
    kinds = {field.name: field.type for field in schema}
    assert "UF_CRM_PRICE.amount" in kinds
    assert not any(pa.types.is_nested(kind) or pa.types.is_decimal(kind) for kind in kinds.values())
    assert all(kind.tz is None for kind in kinds.values() if pa.types.is_timestamp(kind))


def test_tools_of_pandas_take_a_flat_frame(bx24_sandbox: Sandbox, tmp_path: Path):
    frame = bx.read_entity("contact", bx24_sandbox.url, columns=COLUMNS, index="id")
    flat = bx.flatten(frame)
    assert flat.index.equals(frame.index)
    assert len(flat.drop_duplicates()) <= len(flat)
    flat.to_excel(tmp_path / "a.xlsx")
    with sqlite3.connect(tmp_path / "a.db") as database:
        flat.to_sql("contact", database)
    assert flat.attrs == frame.attrs
    assert isinstance(flat, pd.DataFrame)
