"""Property tests: casting a column equals casting its cells, and a frame read back in is unchanged."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from narrowing import to_arrow

from bx24frames.frames.give import to_backend
from bx24frames.options import Backend, DtypeBackend
from bx24frames.upload.coerce.narrow import _by_cell, _narrow

MONEY = pa.struct([("amount", pa.decimal128(18, 4)), ("currency", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("sum", pa.float64()),
        ("opened", pa.bool_()),
        ("title", pa.string()),
        ("created", pa.timestamp("us", "UTC")),
        ("begin", pa.date32()),
        ("tags", pa.list_(pa.string())),
        ("money", MONEY),
        ("numbers", pa.list_(pa.int64())),
    ]
)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
moments = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(9999, 1, 1), timezones=st.just(dt.UTC))
dates = st.dates(dt.date(1700, 1, 1), dt.date(9999, 1, 1))
amounts = st.decimals(-(10**13), 10**13, places=4)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": integers,
            "sum": st.none() | floats,
            "opened": st.none() | st.booleans(),
            "title": st.none() | texts,
            "created": st.none() | moments,
            "begin": st.none() | dates,
            "tags": st.none() | st.lists(st.none() | texts, max_size=3),
            "money": st.none() | st.fixed_dictionaries({"amount": amounts, "currency": texts}),
            "numbers": st.none() | st.lists(integers, max_size=3),
        }
    ),
    max_size=5,
)
WAYS: list[tuple[Backend, DtypeBackend | None]] = [
    ("pandas", None),
    ("pandas", "pyarrow"),
    ("pandas", "numpy_nullable"),
    ("polars", None),
    ("pyarrow", None),
]


@pytest.mark.parametrize(("backend", "dtype_backend"), WAYS)
@given(given_rows=rows)
@settings(deadline=None, max_examples=60)
def test_what_went_out_comes_in_unchanged(
    backend: Backend, dtype_backend: DtypeBackend | None, given_rows: list[dict[str, object]]
) -> None:
    table = pa.Table.from_pylist(given_rows, schema=SCHEMA)
    frame = to_backend(table, backend, dtype_backend=dtype_backend)
    done = to_arrow(frame, target=dict(zip(SCHEMA.names, SCHEMA.types, strict=True)))
    assert done.faults == ()
    assert done.table.to_pylist() == table.to_pylist()


digits = st.from_regex(r"[ +-]?[0-9]{1,20}(\.[0-9]{0,6})?(e[0-9]{1,2})?", fullmatch=True)
odd = st.sampled_from(
    ["", " ", "inf", "nan", "0x1F", "true", "Y", "n", "1", "0", "2026-01-31", "2026-02-30", "31.12.2026"]
)
stamps = moments.map(lambda moment: moment.isoformat()) | st.datetimes().map(lambda moment: moment.isoformat(" "))
SOURCES = {
    "integer": (pa.int64(), integers | st.sampled_from([0, 1])),
    "float": (pa.float64(), floats | st.just(-0.0) | st.integers(-9, 9).map(float)),
    "bool": (pa.bool_(), st.booleans()),
    "number text": (pa.string(), digits),
    "odd text": (pa.string(), odd),
    "time text": (pa.string(), stamps | dates.map(str)),
    "moment": (pa.timestamp("us", "UTC"), moments),
    "naive": (pa.timestamp("us"), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(9999, 1, 1))),
    "midnight": (pa.timestamp("us"), dates.map(lambda day: dt.datetime.combine(day, dt.time()))),
    "date": (pa.date32(), dates),
    "decimal": (pa.decimal128(38, 6), st.decimals(-(10**20), 10**20, places=6)),
}
TARGETS = [
    pa.int64(),
    pa.int32(),
    pa.float64(),
    pa.bool_(),
    pa.string(),
    pa.date32(),
    pa.timestamp("us", "UTC"),
    pa.decimal128(18, 4),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_column_gives_what_its_cells_give(source: str, target: pa.DataType, data: st.DataObject) -> None:
    kind, cells = SOURCES[source]
    values = data.draw(st.lists(st.none() | cells, min_size=1, max_size=4))
    column = pa.array(values, kind)
    zone = data.draw(st.sampled_from([None, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")]))
    whole, whole_faults = _narrow(column, target, zone)
    single, single_faults = _by_cell(column.to_pylist(), target, zone)
    assert whole.type == single.type == target
    assert whole.to_pylist() == single.to_pylist()
    assert whole_faults == single_faults


@given(amount=amounts)
def test_money_text_is_the_portals_own(amount: Decimal) -> None:
    done = to_arrow(pa.table({"m": [f"{amount}|EUR"]}), target={"m": MONEY})
    assert done.table["m"].to_pylist() == [{"amount": amount, "currency": "EUR"}]
