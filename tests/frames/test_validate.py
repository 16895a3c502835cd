"""pandera schemas from field descriptions, and faults by row and column."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import pandera.pandas as pap
import pandera.polars as ppl
import polars as pl
import pyarrow as pa
import pytest

from bx24frames.entities.faults import WHOLE_COLUMN, Fault, failures, summary, validation_error
from bx24frames.entities.schema import Choice, Field, TableSchema
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.frames.give import to_backend
from bx24frames.frames.validate import check, failures_in, frame_schema
from bx24frames.options import Backend

ARROW = pa.schema(
    [
        ("id", pa.int64()),
        ("title", pa.string()),
        ("stageId", pa.string()),
        ("ufCrmColour", pa.int64()),
        ("createdTime", pa.timestamp("us", "UTC")),
        ("begindate", pa.date32()),
        ("phone", pa.list_(pa.struct([("id", pa.int64()), ("value", pa.string()), ("value_type", pa.string())]))),
        ("ufCrmSum", pa.struct([("amount", pa.decimal128(18, 4)), ("currency", pa.string())])),
    ]
)
DEAL = TableSchema(
    "deal",
    (
        Field("id", "integer"),
        Field("title", "string", title="Name", required=True),
        Field("stageId", "crm_status", choices=(Choice("NEW", "New"), Choice("WON", "Won"))),
        Field("ufCrmColour", "enumeration", choices=(Choice("44", "Red"),)),
        Field("createdTime", "datetime"),
        Field("begindate", "date"),
        Field("phone", "crm_multifield", multiple=True),
        Field("ufCrmSum", "money"),
    ),
    ARROW,
)


def frame(backend: Backend, rows: list[dict[str, Any]]) -> Any:
    return to_backend(pa.Table.from_pylist(rows, schema=ARROW), backend)


GOOD = {"id": 1, "title": "a", "stageId": "NEW", "ufCrmColour": 44}


def test_a_read_frame_fits_its_own_schema(backend: Backend) -> None:
    schema = frame_schema(DEAL, backend)
    assert check(frame(backend, [GOOD, {"id": 2, "title": "b"}]), schema) == []
    assert check(frame(backend, []), schema) == []


def test_schema_is_native(backend: Backend) -> None:
    native = pap.DataFrameSchema if backend == "pandas" else ppl.DataFrameSchema
    schema = frame_schema(DEAL, backend)
    assert isinstance(schema, native)
    assert schema.name == "deal"
    assert not schema.coerce


def test_faults_name_row_and_column(backend: Backend) -> None:
    bad = frame(backend, [GOOD, {"id": None, "title": None, "stageId": "LOST", "ufCrmColour": 45}])
    found = check(bad, frame_schema(DEAL, backend))
    assert {(fault.position, fault.column, fault.value, fault.reason) for fault in found} == {
        (1, "id", "", "null, but a value is required"),
        (1, "stageId", "LOST", "not one of the field's codes"),
        (1, "ufCrmColour", "45", "not one of the field's codes"),
    }


def test_frame_level_faults_have_no_row(backend: Backend) -> None:
    strange = to_backend(pa.table({"id": ["1"], "colour": [1]}), backend)
    found = {(fault.position, fault.column) for fault in check(strange, frame_schema(DEAL, backend))}
    assert found == {(WHOLE_COLUMN, "id"), (WHOLE_COLUMN, "colour")}


def test_position_is_the_row_whatever_the_index() -> None:
    bad = frame("pandas", [GOOD, {"title": "b"}]).set_axis(["x", "x"], axis=0)
    assert [fault.position for fault in check(bad, frame_schema(DEAL))] == [1]


def test_a_schema_of_the_index_sees_the_index() -> None:
    schema = pap.DataFrameSchema({"a": pap.Column(int)}, index=pap.Index(int, pap.Check.gt(5)))
    assert [fault.position for fault in check(pd.DataFrame({"a": [1, 2]}, index=[7, 3]), schema)] == [1]


def test_a_users_model_is_taken_and_a_lazy_frame_collected() -> None:
    class Deals(ppl.DataFrameModel):
        id: int = ppl.Field(gt=0)

    assert [fault.position for fault in check(pl.LazyFrame({"id": [1, 0]}), Deals)] == [1]


def test_other_schemas_are_refused() -> None:
    with pytest.raises(ConfigError, match="for pandas, the frame is polars"):
        check(pl.DataFrame({"id": [1]}), frame_schema(DEAL, "pandas"))
    with pytest.raises(ConfigError, match="dict"):
        check(pl.DataFrame({"id": [1]}), {"id": int})


def test_summary_is_short_however_many_cells_are_bad() -> None:
    faults = [Fault(n, f"column{n % 30}", "x" * 500, "not a number") for n in range(100_000)]
    text = summary(faults)
    assert len(text.splitlines()) <= 10
    assert max(len(line) for line in text.splitlines()) <= 160
    assert "100,000 faults" in text
    assert "and 22 other kinds of fault" in text


def test_failures_are_a_table() -> None:
    made = failures([Fault(3, "id", "x", "not a number"), Fault(WHOLE_COLUMN, "colour", "", "no such field")])
    assert made.to_pylist() == [
        {"position": 3, "column": "id", "value": "x", "reason": "not a number"},
        {"position": None, "column": "colour", "value": "", "reason": "no such field"},
    ]
    assert failures([]).num_rows == 0


def test_the_error_carries_every_fault(backend: Backend) -> None:
    with pytest.raises(ValidationError) as caught, failures_in(backend):
        raise validation_error([Fault(3, "id", "x", "not a number")], entity="deal")
    error = caught.value
    assert error.rows == (3,)
    assert "id: not a number (1x, first in row 3: 'x')" in str(error)
    assert type(error.failures) is type(to_backend(failures([]), backend))


def test_making_a_schema_leaves_the_process_as_it_was() -> None:
    code = (
        "import os, pyarrow as pa\n"
        "from bx24frames.entities.schema import TableSchema\n"
        "from bx24frames.frames.validate import frame_schema\n"
        "before = dict(os.environ)\n"
        "frame_schema(TableSchema('deal', (), pa.schema([])))\n"
        "assert dict(os.environ) == before, set(os.environ) - set(before)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
