"""Property tests of `scan_entity`: any query returns the same rows as the query over the whole entity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from unlimited import FAST

import bx24frames as bx
from bx24frames.entities.proof import UNPRINTED

c = pl.col
ENTITIES = ("deal", "crm.deal", "contact", "crm.contact", "stage_history", "user")
QUIET = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tables(read_only_sandbox: bx.Sandbox) -> Iterator[dict[str, tuple[pl.DataFrame, pl.LazyFrame]]]:
    """Every entity as a whole frame and as a scan."""
    with bx.Portal(read_only_sandbox.url, limits=FAST) as portal:
        names = {name: {"entityTypeId": 2} if name == "stage_history" else None for name in ENTITIES}
        yield {
            name: (
                bx.read_entity(name, portal, backend="polars", filters=filters),
                bx.scan_entity(name, portal, filters=filters),
            )
            for name, filters in names.items()
        }


SCALARS = (pl.Int64, pl.Float64, pl.String, pl.Boolean, pl.Date, pl.Datetime("us", "UTC"))
STEPS = {
    pl.Int64: 1,
    pl.Float64: 0.01,
    pl.Date: dt.timedelta(days=1),
    pl.Datetime("us", "UTC"): dt.timedelta(seconds=1),
}


@st.composite
def leaves(draw: st.DrawFn, frame: pl.DataFrame) -> pl.Expr:
    """A condition on one column, with a value that occurs or a nearby one."""
    name = draw(st.sampled_from([name for name, dtype in frame.schema.items() if dtype in SCALARS]))
    column, dtype = c(name), frame.schema[name]
    known = sorted(frame[name].drop_nulls().unique().to_list())
    edges = {pl.Int64: [0, -1, 2**62], pl.Float64: [0.0, -0.5, 1e300], pl.String: ["", "0", "new", " a"]}
    values = [*known, *edges.get(dtype.base_type(), [])]
    if not values:
        return draw(st.sampled_from([column.is_null(), column.is_not_null()]))
    value = draw(st.sampled_from(values))
    if dtype in STEPS:
        value = value + STEPS[dtype] * draw(st.sampled_from([-1, 0, 0, 1]))
    literal = pl.lit(value, dtype=dtype)
    several = draw(st.lists(st.sampled_from(values), max_size=4))
    maybe_null = pl.Series([*several, *draw(st.sampled_from([[], [None]]))], dtype=dtype).implode()
    forms = [
        column == literal,
        column != literal,
        column < literal,
        column <= literal,
        literal < column,
        literal <= column,
        column.eq_missing(literal),
        column.is_in(several),
        column.is_in(maybe_null, nulls_equal=draw(st.booleans())),
        column.is_null(),
        column.is_not_null(),
    ]
    if dtype.base_type() is not pl.Boolean:
        forms.append(
            column.is_between(
                literal, pl.lit(max(values)), closed=draw(st.sampled_from(["both", "left", "right", "none"]))
            )
        )
    if dtype.is_numeric():
        forms += [column * 2 > literal, column.cast(pl.Float64) >= literal]
    if dtype == pl.String:
        forms += [column.str.starts_with(value[:2]), column.str.to_lowercase() == literal]
    return draw(st.sampled_from(forms))


def predicates(frame: pl.DataFrame) -> st.SearchStrategy[pl.Expr]:
    """Any combination of conditions."""
    return st.recursive(
        leaves(frame),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
            st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
            inner.map(lambda one: ~one),
            st.tuples(inner, inner, inner).map(lambda three: pl.when(three[0]).then(three[1]).otherwise(three[2])),
        ),
        max_leaves=5,
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*columns that no row has")
@pytest.mark.parametrize("entity", ENTITIES)
def test_any_query_gives_the_rows_of_the_whole_table(tables: dict[str, Any], entity: str):
    whole, lazy = tables[entity]
    carried = [name for name in whole.columns if name not in UNPRINTED]  # of the others, asked for by name, is told

    @QUIET
    @given(st.data())
    def law(data: st.DataObject) -> None:
        predicate = data.draw(predicates(whole.select(carried)))
        columns = data.draw(st.lists(st.sampled_from(carried), min_size=1, max_size=4, unique=True))
        first = data.draw(st.sampled_from([None, 0, 1, 3, 60]))
        wanted, query = whole.filter(predicate).select(columns), lazy.filter(predicate).select(columns)
        if first is not None:
            wanted, query = wanted.head(first), query.head(first)
        assert_frame_equal(query.collect(), wanted)

    law()


@pytest.mark.parametrize("entity", ENTITIES)
def test_without_a_condition_it_is_the_read(tables: dict[str, Any], entity: str):
    whole, lazy = tables[entity]
    assert lazy.collect_schema() == whole.schema
    assert_frame_equal(lazy.collect(), whole)
    assert_frame_equal(lazy.head(7).collect(), whole.head(7))
    assert lazy.select(pl.len()).collect().item() == len(whole)
