"""Accepted and refused frames: names, index levels, labels."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from narrowing import to_arrow

from bx24frames.errors import ConfigError, ValidationError
from bx24frames.frames.accept import accept


class Stream:
    """A third-party frame with Arrow's stream interface."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


FRAMES = {
    "pandas": pd.DataFrame({"id": [1, 2]}),
    "polars": pl.DataFrame({"id": [1, 2]}),
    "lazy": pl.LazyFrame({"id": [1, 2]}),
    "table": pa.table({"id": [1, 2]}),
    "batch": pa.record_batch({"id": [1, 2]}),
    "narwhals": nw.from_native(pl.DataFrame({"id": [1, 2]})),
    "stream": Stream(pa.table({"id": [1, 2]})),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_is_a_frame(kind: str) -> None:
    done = to_arrow(FRAMES[kind], target={"id": pa.int64(), "absent": pa.int64()})
    assert done.table.to_pydict() == {"id": [1, 2]}
    assert done.rows == 2


@pytest.mark.parametrize("thing", [[{"id": 1}], {"id": [1]}, "deal", None, pd.Series([1]), pl.Series([1])])
def test_is_no_frame(thing: object) -> None:
    with pytest.raises(ConfigError, match="A frame must be a pandas or polars DataFrame"):
        accept(thing)


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame([[1, 2]], columns=["id", "id"]), pa.table([[1], [2]], names=["id", "id"])],
    ids=["pandas", "pyarrow"],
)
def test_doubled_names_are_named(frame: object) -> None:
    with pytest.raises(ValidationError, match="Duplicate column names: id"):
        accept(frame)


def test_names_that_are_not_text_are_named() -> None:
    with pytest.raises(ValidationError, match="not: 0"):
        accept(pd.DataFrame([[1]]))


class TestIndex:
    def test_a_level_stands_for_a_column(self) -> None:
        frame = pd.DataFrame({"title": ["a"]}, index=pd.Index([7], name="id"))
        assert to_arrow(frame, target={"id": pa.int64()}).table.to_pydict() == {"id": [7]}

    def test_a_level_of_several(self) -> None:
        frame = pd.DataFrame({"id": [1], "year": [2026], "title": ["a"]}).set_index(["id", "year"])
        assert accept(frame).levels == ("id", "year")
        assert to_arrow(frame, target={"id": pa.int64(), "title": pa.string()}).table.to_pydict() == {
            "title": ["a"],
            "id": [1],
        }

    def test_a_name_in_both_places_is_an_error(self) -> None:
        frame = pd.DataFrame({"id": [1]}).set_index("id", drop=False)
        with pytest.raises(ValidationError, match="both for a column and for an index level: id"):
            accept(frame)


@pytest.mark.parametrize(
    ("frame", "labels"),
    [
        (pd.DataFrame({"a": [1, 2]}), [0, 1]),
        (pd.DataFrame({"a": [1, 2]}, index=["x", "y"]), ["x", "y"]),
        (pd.DataFrame({"a": [1, 2]}, index=pd.CategoricalIndex(["x", "y"])), ["x", "y"]),
        (pd.DataFrame({"a": [1, 2]}, index=pd.Index([1, "y"])), ["1", "y"]),
        (pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")])), ["(1, 'x')", "(2, 'y')"]),
        (pl.DataFrame({"a": [1, 2]}), [0, 1]),
        (pa.table({"a": [1, 2]}), [0, 1]),
    ],
)
def test_labels(frame: Any, labels: list[object]) -> None:
    assert accept(frame).labels().to_pylist() == labels


def test_no_columns_at_all() -> None:
    assert to_arrow(pd.DataFrame(index=[1, 2, 3]), target={"id": pa.int64()}).rows == 3
