"""`missing_columns`: columns that the portal lacks raise or are inserted as nulls."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest
from look import cells, columns, data_asked, dtypes

import bx24frames as bx
from bx24frames.errors import UnknownColumn
from bx24frames.options import Backend


def test_they_are_an_error_unless_told_otherwise(portal: bx.Portal, backend: Backend):
    with pytest.raises(UnknownColumn, match="UF_CRM_GONE"):
        bx.read_entity("deal", portal, columns=["id", "UF_CRM_GONE"], backend=backend)
    assert data_asked(portal) == {}


def test_they_can_be_put_in_null_where_they_were_wanted(portal: bx.Portal, backend: Backend):
    wanted = ["id", "UF_CRM_GONE", "title", "parentId77"]
    overrides = {"parentId77": pa.int64()}
    frame = bx.read_entity(
        "deal", portal, columns=wanted, limit=60, missing_columns="insert", schema_overrides=overrides, backend=backend
    )
    assert columns(frame) == wanted
    assert len(frame) == 60
    assert set(cells(frame, "UF_CRM_GONE")) == set(cells(frame, "parentId77")) == {None}
    kinds = dtypes(frame)
    assert kinds["parentId77"] == {"pandas": "Int64", "polars": "Int64", "pyarrow": "int64"}[backend]
    assert kinds["UF_CRM_GONE"] == kinds["title"]


def test_the_type_may_be_a_polars_type(portal: bx.Portal):
    frame = bx.read_entity(
        "deal",
        portal,
        columns=["id", "gone"],
        limit=2,
        missing_columns="insert",
        schema_overrides={"gone": pl.Date},
        backend="polars",
    )
    assert frame.schema["gone"] == pl.Date


def test_rows_are_counted_where_no_wanted_column_is_there(portal: bx.Portal, backend: Backend):
    frame = bx.read_entity("deal", portal, columns=["a", "b"], limit=7, missing_columns="insert", backend=backend)
    assert (len(frame), columns(frame)) == (7, ["a", "b"])


def test_every_chunk_and_the_empty_frame_have_them(portal: bx.Portal, backend: Backend):
    options = {"columns": ["gone", "id"], "missing_columns": "insert", "backend": backend}
    chunks = list(bx.iter_entity("deal", portal, chunk_size=100, **options))
    [empty] = bx.iter_entity("deal", portal, filters={"id": -1}, **options)
    assert {str(dtypes(chunk)) for chunk in chunks} == {str(dtypes(empty))}
    assert [len(chunk) for chunk in chunks] == [100, 100, 30]


def test_captions_titles_and_the_index_leave_them_alone(portal: bx.Portal):
    frame = bx.read_entity(
        "deal",
        portal,
        columns=["id", "gone", "stageId"],
        limit=2,
        missing_columns="insert",
        labels=["stageId", "gone"],
        titles=True,
        index="gone",
    )
    assert (frame.index.name, list(frame.columns)) == ("gone", ["ID", "Стадия сделки"])


@pytest.mark.parametrize("arguments", [{"filters": {"gone": 1}}, {"order_by": "gone"}])
def test_a_condition_or_an_order_never_goes_by_a_missing_column(portal: bx.Portal, arguments):
    with pytest.raises(UnknownColumn):
        bx.read_entity("deal", portal, columns=["id", "gone"], missing_columns="insert", **arguments)
    assert data_asked(portal) == {}


def test_a_label_never_goes_by_a_missing_column(portal: bx.Portal):
    with pytest.raises(UnknownColumn):
        bx.read_entity("deal", portal, columns=["id", "gone"], missing_columns="insert", labels=["gonne"])


def test_a_field_added_since_the_description_was_remembered_is_not_inserted(monkeypatch: pytest.MonkeyPatch):
    """A remembered description does not turn a field of the portal into nulls."""
    with bx.Sandbox(sizes={"deal": 3}, plan="unlimited", real_time=False) as box, bx.Portal(box.url) as opened:
        bx.read_entity("deal", opened, columns=["id"])
        opened.call("crm.deal.userfield.add", {"fields": {"FIELD_NAME": "NEWS", "USER_TYPE_ID": "string"}})
        opened.call("crm.deal.update", {"id": 1, "fields": {"UF_CRM_NEWS": "there"}})
        monkeypatch.setattr("bx24frames.portal.metadata.SETTLED", 0.0)  # as if it was remembered long ago
        frame = bx.read_entity("deal", opened, columns=["UF_CRM_NEWS"], missing_columns="insert", limit=1)
    assert frame["UF_CRM_NEWS"].tolist() == ["there"]
