"""Frame input: each cell is converted to its field's type without loss, or reported as a fault."""

from __future__ import annotations

import datetime as dt
import math
import time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from narrowing import to_arrow

from bx24frames.errors import ConfigError

INT, FLOAT, BOOL, TEXT, DATE = pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32()
MOMENT = pa.timestamp("us", "UTC")
DECIMAL = pa.decimal128(18, 4)
MONEY = pa.struct([("amount", DECIMAL), ("currency", TEXT)])
PHONE = pa.list_(pa.struct([("id", INT), ("value", TEXT), ("value_type", TEXT)]))
UPLOAD = pa.struct([("id", INT), ("name", TEXT), ("content", TEXT)])
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
NAIVE = dt.datetime(2026, 1, 1, 12)
DAY = dt.date(2026, 1, 31)
MIDNIGHT = dt.datetime(2026, 1, 31)


def cell(value: object, kind: pa.DataType, timezone: str | None = None) -> Any:
    """The single cell of an object column, or the reason of its fault."""
    done = to_arrow(pd.DataFrame({"x": pd.Series([value], dtype=object)}), target={"x": kind}, timezone=timezone)
    return done.faults[0].reason if done.faults else done.table["x"][0].as_py()


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (3, INT, 3),
        (3.0, INT, 3),
        (np.int32(3), INT, 3),
        ("3", INT, 3),
        (" 3.0 ", INT, 3),
        ("1e3", INT, 1000),
        (Decimal("3.00"), INT, 3),
        ("007", INT, 7),
        ("", INT, None),
        (float("nan"), INT, None),
        (pd.NA, INT, None),
        (pd.NaT, DATE, None),
        (Decimal("NaN"), DECIMAL, None),
        (np.datetime64("NaT", "s"), MOMENT, None),
        (1, FLOAT, 1.0),
        ("0.1", FLOAT, 0.1),
        (Decimal("0.1"), FLOAT, 0.1),
        (0.1 + 0.2, FLOAT, 0.1 + 0.2),
        (True, BOOL, True),
        (np.bool_(True), BOOL, True),
        ("N", BOOL, False),
        ("TRUE", BOOL, True),
        (0, BOOL, False),
        (1.0, BOOL, True),
        ("1", BOOL, True),
        (38, TEXT, "38"),
        (38.0, TEXT, "38"),
        (3.5, TEXT, "3.5"),
        (79990000000.0, TEXT, "79990000000"),
        (12345678901234.568, DECIMAL, Decimal("12345678901234.5680")),
        (1e-7, TEXT, "0.0000001"),
        (Decimal("1.50"), TEXT, "1.5"),
        (DAY, TEXT, "2026-01-31"),
        ("", TEXT, ""),
        (" a ", TEXT, " a "),
        (DAY, DATE, DAY),
        (MIDNIGHT, DATE, DAY),
        (pd.Timestamp(MIDNIGHT, tz="Asia/Tokyo"), DATE, DAY),
        ("2026-01-31", DATE, DAY),
        ("2026-01-31T00:00:00", DATE, DAY),
        (NOON, MOMENT, NOON),
        (pd.Timestamp("2026-01-01 12:00", tz="UTC"), MOMENT, NOON),
        ("2026-01-01T15:00:00+03:00", MOMENT, NOON),
        ("2026-01-01T12:00Z", MOMENT, NOON),
        (0.1 + 0.2, DECIMAL, Decimal("0.3000")),
        ("1500.50", DECIMAL, Decimal("1500.5000")),
        ("1500.50|EUR", MONEY, {"amount": Decimal("1500.5000"), "currency": "EUR"}),
        ((1500.5, "EUR"), MONEY, {"amount": Decimal("1500.5000"), "currency": "EUR"}),
        ({"AMOUNT": 1, "currency": "EUR"}, MONEY, {"amount": Decimal("1.0000"), "currency": "EUR"}),
        ("", MONEY, None),
        ("+7", PHONE, [{"id": None, "value": "+7", "value_type": None}]),
        (79990000000, PHONE, [{"id": None, "value": "79990000000", "value_type": None}]),
        (["+7"], PHONE, [{"id": None, "value": "+7", "value_type": None}]),
        (
            [{"ID": "5", "VALUE": "+7", "valueType": "WORK", "TYPE_ID": "PHONE"}],
            PHONE,
            [{"id": 5, "value": "+7", "value_type": "WORK"}],
        ),
        ([], PHONE, []),
        (np.array([1.0, 2.0]), pa.list_(INT), [1, 2]),
        (("1", None, 3), pa.list_(INT), [1, None, 3]),
        ([["1"], [2]], pa.list_(pa.list_(INT)), [[1], [2]]),
        (("a.pdf", "QQ=="), UPLOAD, {"id": None, "name": "a.pdf", "content": "QQ=="}),
        ({"id": 5, "url": "https://x"}, UPLOAD, {"id": 5, "name": None, "content": None}),
    ],
)
def test_fits_without_loss(value: object, kind: pa.DataType, wanted: object) -> None:
    assert cell(value, kind) == wanted


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (3.5, INT, "not a whole number"),
        ("3.5", INT, "not a whole number"),
        (math.inf, INT, "infinite"),
        (-math.inf, FLOAT, "infinite"),
        ("inf", FLOAT, "not a number"),
        ("nan", FLOAT, "not a number"),
        ("0x1F", INT, "not a number"),
        ("1_000", INT, "not a number"),
        ("1,5", FLOAT, "not a number"),
        ("٣", INT, "not a number"),
        (2**63, INT, "outside the range of int64"),
        ("1e999", INT, "outside the range of int64"),
        ("1e999", FLOAT, "outside the range of a double"),
        (2**53 + 1, FLOAT, "more digits than a double can hold"),
        (True, INT, "a bool, not a number"),
        (2, BOOL, "not true/false, Y/N or 1/0"),
        ("maybe", BOOL, "not true/false, Y/N or 1/0"),
        (True, TEXT, "a bool, not a number"),
        (b"a", TEXT, "a bytes, not text"),
        (math.inf, TEXT, "infinite"),
        ("31.12.2026", DATE, "not a date (2026-12-31 or 31.12.2026)"),
        ("2026-02-30", DATE, "not a date (2026-12-31 or 31.12.2026)"),
        (20260131, DATE, "not a date (2026-12-31 or 31.12.2026)"),
        (NOON, DATE, "has a time of day, but the field is a date"),
        (NAIVE, MOMENT, "has no time zone: add one, or pass timezone="),
        ("2026-01-01 12:00:00", MOMENT, "has no time zone: add one, or pass timezone="),
        ("2026-01-01T12:00:00.0000001Z", MOMENT, "finer than a microsecond"),
        (pd.Timestamp(1, unit="ns", tz="UTC"), MOMENT, "finer than a microsecond"),
        (np.datetime64(1, "ns"), MOMENT, "finer than a microsecond"),
        (1e20, TEXT, "more digits than a double can hold"),
        (2.0**60, INT, "more digits than a double can hold"),
        (12345678.12345, DECIMAL, "more than 4 decimals"),
        (1.23456, DECIMAL, "more than 4 decimals"),
        (1e15, DECIMAL, "more than 14 digits before the point"),
        ("1500.50", MONEY, "money without a currency: write '1500.50|EUR', a pair or a struct"),
        (5, MONEY, "not '1500.50|EUR', a pair (amount, currency) or a struct"),
        ({"amount": 1, "colour": 2}, MONEY, "unknown parts colour; allowed are amount, currency"),
        ((math.inf, "EUR"), MONEY, "amount: infinite"),
        ("a", pa.list_(TEXT), "not a list"),
        ([1, 2.5], pa.list_(INT), "element 1: not a whole number"),
        ([math.inf], pa.list_(FLOAT), "element 0: infinite"),
        (pd.Period("2026-01"), INT, "not a number"),
        (dt.timedelta(1), FLOAT, "not a number"),
    ],
)
def test_a_fault_says_why(value: object, kind: pa.DataType, reason: str) -> None:
    assert cell(value, kind) == reason


class TestZones:
    def test_naive_times_are_placed(self) -> None:
        assert cell(NAIVE, MOMENT, "Europe/Moscow") == NOON - dt.timedelta(hours=3)
        assert cell(DAY, MOMENT, "UTC") == dt.datetime(2026, 1, 31, tzinfo=dt.UTC)

    @pytest.mark.parametrize("make", [lambda s: s, lambda s: s.astype(object)], ids=["column", "cells"])
    def test_clock_changes_are_not_guessed(self, make: Any) -> None:
        times = pd.Series([dt.datetime(2026, 3, 29, 2, 30), dt.datetime(2026, 10, 25, 2, 30)])
        done = to_arrow(pd.DataFrame({"x": make(times)}), target={"x": MOMENT}, timezone="Europe/Berlin")
        assert [fault.reason.split(" in ")[0] for fault in done.faults] == ["does not exist", "occurs twice"]

    def test_mixed_zones_in_one_column(self) -> None:
        mixed = pd.DataFrame({"x": pd.Series([NOON, NAIVE], dtype=object)})
        done = to_arrow(mixed, target={"x": MOMENT})
        assert [fault.position for fault in done.faults] == [1]

    def test_arrows_switch_for_ignoring_zones_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYARROW_IGNORE_TIMEZONE", "1")
        assert cell("2026-01-01T15:00:00+03:00", MOMENT) == NOON
        assert cell(NAIVE, MOMENT, "Europe/Moscow") == NOON - dt.timedelta(hours=3)
        aware = pd.DataFrame({"x": [NOON.astimezone(ZoneInfo("Asia/Tokyo"))]})
        assert to_arrow(aware, target={"x": MOMENT}).table["x"].to_pylist() == [NOON]

    def test_years_beyond_the_calendar(self) -> None:
        assert cell(dt.datetime(1, 1, 1), MOMENT, "Europe/Moscow") == "outside the years 1 to 9999"

    def test_unknown_zone(self) -> None:
        with pytest.raises(ConfigError, match="Moskau"):
            to_arrow(pd.DataFrame({"x": [NAIVE]}), target={"x": MOMENT}, timezone="Moskau")


class TestColumns:
    def test_lists_of_numbers_are_taken_whole_unless_one_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kinds = {"list": pa.list_(FLOAT), "struct": pa.list_(pa.struct([("amount", FLOAT)]))}
        sound = pa.table({"list": pa.array([[1.5, None], [], None], kinds["list"])})
        odd = pa.table({"list": pa.array([[1.5], [2.0, math.inf]], kinds["list"])})
        assert [fault.position for fault in to_arrow(odd, target=kinds).faults] == [1]
        monkeypatch.setattr("bx24frames.upload.coerce.narrow._by_cell", None)  # a column that goes cell by cell raises
        assert to_arrow(sound, target=kinds).table["list"].to_pylist() == [[1.5, None], [], None]
        nested = pa.table({"struct": pa.array([[{"amount": 1.5}], [{"amount": None}]], kinds["struct"])})
        assert to_arrow(nested, target=kinds).table.equals(nested)
        with pytest.raises(TypeError):
            to_arrow(odd, target=kinds)

    def test_one_bad_cell_costs_one_cell(self) -> None:
        done = to_arrow(pl.DataFrame({"a": ["1", "x", None, "4"], "b": [1, 2, 3, 4]}), target={"a": INT, "b": INT})
        assert done.table["a"].to_pylist() == [1, None, None, 4]
        assert [(fault.position, fault.column, fault.value) for fault in done.faults] == [(1, "a", "x")]
        assert done.rows == 4

    def test_nan_is_null_in_every_library(self) -> None:
        values = [1.0, float("nan")]
        for frame in (pd.DataFrame({"x": values}), pl.DataFrame({"x": values}), pa.table({"x": values})):
            assert to_arrow(frame, target={"x": FLOAT}).table["x"].to_pylist() == [1.0, None]

    def test_a_long_value_is_clipped_in_the_fault(self) -> None:
        done = to_arrow(pd.DataFrame({"x": ["y" * 1000]}), target={"x": INT})
        assert len(done.faults[0].value) == 80

    def test_categories_are_read_by_their_text(self) -> None:
        for frame in (
            pd.DataFrame({"x": pd.Categorical(["1", None, "2"])}),
            pl.DataFrame({"x": pl.Series(["1", None, "2"], dtype=pl.Categorical)}),
            pa.table({"x": pa.array(["1", None, "2"]).dictionary_encode()}),
        ):
            assert to_arrow(frame, target={"x": INT}).table["x"].to_pylist() == [1, None, 2]

    def test_a_dictionary_target_is_its_values(self) -> None:
        done = to_arrow(pl.DataFrame({"x": ["New"]}), target={"x": pa.dictionary(pa.int32(), TEXT)})
        assert done.table["x"].to_pylist() == ["New"]

    def test_arrow_dtypes_of_pandas(self) -> None:
        money = pd.Series([{"amount": Decimal(1), "currency": "EUR"}, None], dtype=pd.ArrowDtype(MONEY))
        done = to_arrow(pd.DataFrame({"m": money}), target={"m": MONEY})
        assert done.table["m"].to_pylist() == [{"amount": Decimal("1.0000"), "currency": "EUR"}, None]

    def test_infinity_inside_a_typed_list_is_found(self) -> None:
        done = to_arrow(pl.DataFrame({"x": [[1.0, math.inf]]}), target={"x": pa.list_(FLOAT)})
        assert done.faults[0].reason == "element 1: infinite"

    def test_odd_pandas_columns_are_faults_not_numbers(self) -> None:
        odd = {"p": pd.Series(pd.period_range("2026", periods=1, freq="M")), "c": pd.Series([1j])}
        done = to_arrow(pd.DataFrame(odd), target={"p": INT, "c": FLOAT})
        assert [(fault.column, fault.reason) for fault in done.faults] == [("p", "not a number"), ("c", "not a number")]

    def test_a_type_no_field_has(self) -> None:
        with pytest.raises(ConfigError, match="duration"):
            to_arrow(pd.DataFrame({"x": [1]}), target={"x": pa.duration("s")})

    def test_python_objects_in_polars(self) -> None:
        frame = pl.DataFrame({"x": pl.Series([Decimal(1), "2"], dtype=pl.Object)})
        assert to_arrow(frame, target={"x": INT}).table["x"].to_pylist() == [1, 2]

    def test_no_rows(self) -> None:
        kinds = {"a": INT, "b": MOMENT, "c": MONEY, "d": PHONE, "e": DATE, "f": BOOL}
        for frame in (pd.DataFrame({name: [] for name in kinds}), pl.DataFrame(schema=dict.fromkeys(kinds, pl.Null))):
            assert to_arrow(frame, target=kinds).table.schema.types == list(kinds.values())


def test_a_hundred_thousand_rows_take_no_cell_by_cell() -> None:
    """Whole columns are a hundred times faster than single cells; the bound is far from both."""
    rows = 100_000
    frame = pd.DataFrame(
        {
            "i": np.arange(rows, dtype=float),
            "t": [f"title {n}" for n in range(rows)],
            "d": ["2026-01-31"] * rows,
            "m": pd.date_range("2020", periods=rows, freq="min", tz="UTC"),
            "b": [0, 1] * (rows // 2),
            "s": ["12.5"] * rows,
        }
    )
    kinds = {"i": INT, "t": TEXT, "d": DATE, "m": MOMENT, "b": BOOL, "s": FLOAT}
    started = time.process_time()
    done = to_arrow(frame, target=kinds)
    spent = time.process_time() - started
    assert done.faults == ()
    assert done.table.schema.types == list(kinds.values())
    assert spent < 1.0
