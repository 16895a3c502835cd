"""Conversion of Arrow tables to each library: dtypes do not depend on the rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from look import TEXT

from bx24frames.errors import ConfigError
from bx24frames.frames.give import column_type, to_backend
from bx24frames.options import Backend

MONEY = pa.struct([("amount", pa.decimal128(18, 4)), ("currency", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("link", pa.int64()),
        ("sum", pa.float64()),
        ("opened", pa.bool_()),
        ("title", pa.string()),
        ("created", pa.timestamp("us", "UTC")),
        ("begin", pa.date32()),
        ("tags", pa.list_(pa.string())),
        ("money", MONEY),
        ("rate", pa.decimal128(18, 4)),
        ("stage", pa.dictionary(pa.int32(), pa.string())),
        ("at", pa.time64("us")),
    ]
)
FULL = pa.Table.from_pylist(
    [
        {
            "id": 1,
            "link": 7,
            "sum": 1.5,
            "opened": True,
            "title": "a",
            "created": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            "begin": dt.date(2026, 1, 2),
            "tags": ["x", None],
            "money": {"amount": Decimal("1500.50"), "currency": "EUR"},
            "rate": Decimal("0.1"),
            "stage": "New",
            "at": dt.time(1, 2),
        },
        {"id": 2},
    ],
    schema=SCHEMA,
)
EMPTY = FULL.slice(0, 0)
NULLS = pa.table([pa.nulls(2, field.type) for field in SCHEMA], schema=SCHEMA).set_column(
    0, "id", pa.array([1, 2], pa.int64())
)

PANDAS_DEFAULT = {
    "id": "int64",
    "link": "Int64",
    "sum": "float64",
    "opened": "boolean",
    "title": TEXT,
    "created": "datetime64[us, UTC]",
    "begin": "datetime64[us]",
    "tags": "list<item: string>[pyarrow]",
    "money": "struct<amount: decimal128(18, 4), currency: string>[pyarrow]",
    "rate": "decimal128(18, 4)[pyarrow]",
    "stage": "category",
    "at": "time64[us][pyarrow]",
}
PANDAS_NULLABLE = PANDAS_DEFAULT | {"id": "Int64", "sum": "Float64", "title": "string"}


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.mark.parametrize("table", [FULL, EMPTY, NULLS], ids=["full", "empty", "nulls"])
class TestDtypes:
    def test_pandas_default(self, table: pa.Table) -> None:
        assert dtypes(to_backend(table, "pandas")) == PANDAS_DEFAULT

    def test_pandas_nullable(self, table: pa.Table) -> None:
        assert dtypes(to_backend(table, "pandas", dtype_backend="numpy_nullable")) == PANDAS_NULLABLE

    def test_pandas_arrow(self, table: pa.Table) -> None:
        frame = to_backend(table, "pandas", dtype_backend="pyarrow")
        assert all(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes)
        assert [dtype.pyarrow_dtype for dtype in frame.dtypes if isinstance(dtype, pd.ArrowDtype)] == SCHEMA.types

    def test_polars(self, table: pa.Table) -> None:
        schema = to_backend(table, "polars").schema
        assert schema["created"] == pl.Datetime("us", "UTC")
        assert schema["begin"] == pl.Date
        assert schema["stage"] == pl.Categorical
        assert schema["rate"] == pl.Decimal(18, 4)
        assert schema["money"] == pl.Struct({"amount": pl.Decimal(18, 4), "currency": pl.String})
        assert schema["tags"] == pl.List(pl.String)

    def test_pyarrow_is_the_table_itself(self, table: pa.Table) -> None:
        assert to_backend(table, "pyarrow").equals(table)


def test_values_cross_unchanged() -> None:
    row = to_backend(FULL, "pandas").iloc[0]
    assert row["begin"] == pd.Timestamp("2026-01-02")
    assert row["created"] == pd.Timestamp("2026-01-01", tz="UTC")
    assert row["money"] == {"amount": Decimal("1500.5000"), "currency": "EUR"}
    assert to_backend(FULL, "polars").row(0, named=True)["rate"] == Decimal("0.1000")


def test_rows_are_there_without_columns(backend: Backend) -> None:
    frame = to_backend(pa.table({}), backend)
    assert tuple(frame.shape) == (0, 0)


def test_zone_of_the_column_type_is_kept() -> None:
    table = pa.table({"at": pa.array([0], pa.timestamp("us", "Europe/Moscow"))})
    assert dtypes(to_backend(table, "pandas")) == {"at": "datetime64[us, Europe/Moscow]"}
    assert to_backend(table, "polars").schema["at"] == pl.Datetime("us", "Europe/Moscow")


def test_chunks_with_different_dictionaries_become_one_category(backend: Backend) -> None:
    chunks = pa.chunked_array([pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()])
    frame = to_backend(pa.table({"stage": chunks}), backend)
    assert [str(value) for value in frame["stage"]] == ["a", "b"]


def test_attrs_are_strings_beside_the_rows() -> None:
    attrs = {"host": "acme.bitrix24.com", "entity": "deal"}
    assert to_backend(FULL, "pandas", attrs=attrs).attrs == attrs
    assert to_backend(FULL, "pyarrow", attrs=attrs).schema.metadata == {
        b"host": b"acme.bitrix24.com",
        b"entity": b"deal",
    }


def test_index_is_taken_from_the_columns() -> None:
    assert to_backend(FULL, "pandas", index="id").index.name == "id"
    assert to_backend(FULL, "pandas", index=["id", "link"]).index.names == ["id", "link"]
    with pytest.raises(ConfigError, match="nowhere"):
        to_backend(FULL, "pandas", index=["nowhere"])


@pytest.mark.parametrize("other", ["polars", "pyarrow"])
def test_pandas_only_options_are_refused_elsewhere(other: Backend) -> None:
    with pytest.raises(ValueError, match="dtype_backend"):
        to_backend(FULL, other, dtype_backend="pyarrow")
    with pytest.raises(ValueError, match="index"):
        to_backend(FULL, other, index="id")


def test_a_frame_can_be_edited() -> None:
    frame = to_backend(FULL, "pandas")
    frame.loc[0, "sum"] = 7.0
    frame.loc[0, "id"] = 9
    assert (frame.loc[0, "sum"], frame.loc[0, "id"]) == (7.0, 9)


def test_column_type_reads_both_spellings() -> None:
    assert column_type(pa.int32()) == pa.int32()
    assert column_type(pl.Int32) == pa.int32()
    assert column_type(pl.Datetime("us", "UTC")) == pa.timestamp("us", "UTC")
    with pytest.raises(ConfigError):
        column_type("int32")
