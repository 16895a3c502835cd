"""`entity_schema`, and `schema=` on a read: what is checked, and how faults and drift are reported."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pandera.pandas as pandas_schemas
import pandera.polars as polars_schemas
import polars as pl
import pyarrow as pa
import pytest
from look import cells, columns, data_asked, dtypes
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.frames.schema import column_types
from bx24frames.options import Backend

LIBRARY = {"pandas": pandas_schemas, "polars": polars_schemas, "pyarrow": polars_schemas}


@pytest.fixture
def own() -> Iterator[bx.Sandbox]:
    """A portal for one test, whose fields may change."""
    quirks = {"unprinted_fields": False}  # of a column that no row carries, asked for by name, is told
    with bx.Sandbox(sizes={"deal": 70}, plan="unlimited", real_time=False, quirks=quirks) as sandbox:
        yield sandbox


def opened(sandbox: bx.Sandbox) -> bx.Portal:
    return bx.Portal(sandbox.url, limits=FAST)


def failures(caught: pytest.ExceptionInfo[ValidationError]) -> list[dict[str, object]]:
    table = caught.value.failures
    return pa.table(table).to_pylist() if not isinstance(table, pd.DataFrame) else table.to_dict("records")


def test_it_is_a_native_pandera_schema(portal: bx.Portal, backend: Backend):
    schema = bx.entity_schema("deal", portal, backend=backend)
    assert isinstance(schema, LIBRARY[backend].DataFrameSchema)
    assert schema.name == "deal"
    assert list(schema.columns) == columns(bx.read_entity("deal", portal, limit=1))
    assert schema.columns["stageId"].title == "Стадия сделки"
    assert schema.columns["createdBy"].metadata == {"type": "user", "read_only": True, "immutable": False}


def test_what_a_read_gives_fits_it(portal: bx.Portal, backend: Backend):
    schema = bx.entity_schema("deal", portal, backend=backend)
    frame = bx.read_entity("deal", portal, backend=backend, schema=schema)
    assert len(frame) == 230
    if backend != "pyarrow":
        schema.validate(frame)
    empty = bx.read_entity("deal", portal, backend=backend, schema=schema, filters={"id": -1})
    assert dtypes(empty) == dtypes(frame)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_schema_of_either_library_checks_a_read_of_any(portal: bx.Portal, backend: Backend, library: Backend):
    schema = bx.entity_schema("deal", portal, backend=library)
    assert len(bx.read_entity("deal", portal, backend=backend, schema=schema, limit=5)) == 5


def test_own_checks_find_every_cell_at_once(portal: bx.Portal, backend: Backend):
    schemas = LIBRARY[backend]
    schema = bx.entity_schema("deal", portal, backend=backend).update_columns(
        {
            "opportunity": {"checks": schemas.Check.gt(100_000)},
            "title": {"checks": schemas.Check.str_length(max_value=12)},
        }
    )
    wanted = ["id", "title", "opportunity"]
    plain = bx.read_entity("deal", portal, columns=wanted, backend="polars")
    cheap = [place for place, value in enumerate(plain["opportunity"]) if value is not None and value <= 100_000]
    long = [place for place, value in enumerate(plain["title"]) if value is not None and len(value) > 12]
    with pytest.raises(ValidationError, match=r"^The rows read do not match the schema") as caught:
        bx.read_entity("deal", portal, columns=wanted, backend=backend, schema=schema)
    found = failures(caught)
    assert [row["position"] for row in found if row["column"] == "opportunity"] == cheap
    assert [row["position"] for row in found if row["column"] == "title"] == long
    assert cheap
    assert long
    assert len(str(caught.value)) < 700
    assert caught.value.rows == tuple(sorted({*cheap, *long}))
    assert {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}[backend] is type(caught.value.failures)


def test_chunks_are_checked_as_they_come_and_name_rows_of_the_whole_read(portal: bx.Portal):
    ids = bx.read_entity("deal", portal, columns=["id"])["id"].tolist()
    schema = pandas_schemas.DataFrameSchema({"id": pandas_schemas.Column(int, pandas_schemas.Check.ne(ids[130]))})
    chunks = bx.iter_entity("deal", portal, columns=["id"], schema=schema, chunk_size=50)
    assert [len(next(chunks)), len(next(chunks))] == [50, 50]
    with pytest.raises(ValidationError) as caught:
        next(chunks)
    assert caught.value.rows == (130,)


def test_codes_are_checked_and_captions_shown(portal: bx.Portal):
    schema = bx.entity_schema("deal", portal)
    frame = bx.read_entity("deal", portal, schema=schema, labels=True, titles=True, timezone="Asia/Tokyo", limit=5)
    assert str(frame.dtypes["Стадия сделки"]) == "category"


def test_a_field_removed_since_is_named_before_a_row_is_read(own: bx.Sandbox):
    with opened(own) as portal:
        schema = bx.entity_schema("deal", portal)
    own.store.remove_user_field(2, "UF_CRM_TAGS")
    with opened(own) as portal:
        with pytest.raises(ValidationError, match="UF_CRM_TAGS: the entity has no such field") as caught:
            bx.read_entity("deal", portal, schema=schema)
        assert [row["column"] for row in failures(caught)] == ["UF_CRM_TAGS"]
        assert data_asked(portal) == {}


def test_a_removed_field_can_be_put_in_typed_by_the_schema(own: bx.Sandbox, backend: Backend):
    with opened(own) as portal:
        schema = bx.entity_schema("deal", portal, backend=backend)
        before = dtypes(bx.read_entity("deal", portal, backend=backend, limit=1))
    for code in ("UF_CRM_TAGS", "UF_CRM_COLOUR", "UF_CRM_VISIT_TIME", "UF_CRM_PRICE"):
        own.store.remove_user_field(2, code)
    with opened(own) as portal:
        frame = bx.read_entity("deal", portal, schema=schema, missing_columns="insert", backend=backend)
        assert len(frame) == 70
        assert dtypes(frame) == {name: before[name] for name in columns(frame)}
        assert set(columns(frame)) == set(before)
        assert set(cells(frame, "UF_CRM_COLOUR")) == {None}


def test_a_field_retyped_since_is_named_before_a_row_is_read(own: bx.Sandbox, backend: Backend):
    with opened(own) as portal:
        schema = bx.entity_schema("deal", portal, backend=backend)
    own.store.remove_user_field(2, "UF_CRM_MY_STRING")
    own.store.add_user_field(2, "UF_CRM_MY_STRING", "double")
    with opened(own) as portal:
        with pytest.raises(ValidationError, match="UF_CRM_MY_STRING: read as another type than the schema's"):
            bx.read_entity("deal", portal, schema=schema, backend=backend)
        assert data_asked(portal) == {}


def test_a_field_added_since_does_not_fit_a_strict_schema_and_fits_a_loose_one(own: bx.Sandbox):
    with opened(own) as portal:
        schema = bx.entity_schema("deal", portal)
    own.store.add_user_field(2, "UF_CRM_BRAND_NEW", "string")
    with opened(own) as portal:
        with pytest.raises(ValidationError, match="UF_CRM_BRAND_NEW: read, and not in the schema"):
            bx.read_entity("deal", portal, schema=schema)
        schema.strict = False
        assert "UF_CRM_BRAND_NEW" in bx.read_entity("deal", portal, schema=schema, limit=1)
        schema.strict = True
        assert len(bx.read_entity("deal", portal, schema=schema, columns=list(schema.columns))) == 70


def test_a_required_column_that_is_not_read_is_named(portal: bx.Portal):
    schema = pandas_schemas.DataFrameSchema({"title": pandas_schemas.Column(str, nullable=True)})
    with pytest.raises(ValidationError, match="title: required by the schema, and not read"):
        bx.read_entity("deal", portal, columns=["id"], schema=schema)
    assert data_asked(portal) == {}


def test_a_model_class_is_a_schema_too(portal: bx.Portal):
    class Deal(polars_schemas.DataFrameModel):
        id: int
        title: str = polars_schemas.Field(nullable=True)

    assert bx.read_entity("deal", portal, columns=["id", "title"], limit=3, backend="polars", schema=Deal).height == 3


def test_what_is_no_schema_is_a_config_error(portal: bx.Portal):
    with pytest.raises(ConfigError, match="pandera"):
        bx.read_entity("deal", portal, schema={"id": "int64"})
    assert data_asked(portal) == {}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_types_of_a_schema_are_those_of_the_read(portal: bx.Portal, library: Backend):
    kinds = column_types(bx.entity_schema("deal", portal, backend=library))
    table = bx.read_entity("deal", portal, backend="pyarrow", limit=1)
    dates = {field.name for field in table.schema if pa.types.is_date(field.type)}
    for field in table.schema:
        kind = kinds[field.name]
        if field.name not in dates and not pa.types.is_nested(field.type):
            assert kind == field.type, field.name


async def test_the_awaited_schema_is_the_same(read_only_sandbox: bx.Sandbox, portal: bx.Portal, backend: Backend):
    there = bx.aio.Portal(read_only_sandbox.url)
    awaited = await bx.aio.entity_schema("deal", there, backend=backend)
    await there.close()
    assert awaited == bx.entity_schema("deal", portal, backend=backend)


@pytest.fixture
def written(own: bx.Sandbox) -> Iterator[bx.Portal]:
    with opened(own) as portal:
        yield portal


def made_of(backend: Backend, data: dict[str, list[object]]) -> object:
    return {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[backend](data)


def test_a_frame_to_write_is_checked_in_the_types_of_the_fields(written: bx.Portal, backend: Backend):
    schema = bx.entity_schema("deal", written, backend=backend)
    data = {"title": ["a", "b"], "opportunity": [5, 6], "stageId": ["Новая", "WON"], "opened": ["Y", "N"]}
    frame = made_of(backend, data)
    report = bx.write_entity(frame, "deal", written, mode="insert", schema=schema, resume=False)
    assert report.inserted == 2


def test_every_cell_of_a_frame_to_write_is_told_before_a_row_is_sent(written: bx.Portal, backend: Backend):
    schema = bx.entity_schema("deal", written, backend=backend)
    schema = schema.update_column("opportunity", checks=LIBRARY[backend].Check.ge(0))
    data = {"title": ["a", "b", "c"], "opportunity": [-1, 5, -2], "UF_CRM_IS_VIP": ["Y", "perhaps", "N"]}
    frame = made_of(backend, data)
    with pytest.raises(ValidationError, match=r"greater_than_or_equal_to\(0\)") as caught:
        bx.write_entity(frame, "deal", written, mode="insert", schema=schema, resume=False)
    found = {(row["position"], row["column"]) for row in failures(caught)}
    assert found == {(0, "opportunity"), (2, "opportunity"), (1, "UF_CRM_IS_VIP")}
    assert "crm.item.batchImport" not in written.stats.methods


def test_a_schema_of_the_index_sees_the_frame_as_it_is(written: bx.Portal):
    index = pandas_schemas.Index(str, pandas_schemas.Check.ne("y"))
    schema = pandas_schemas.DataFrameSchema({"title": pandas_schemas.Column()}, index=index)
    frame = pd.DataFrame({"title": ["a", "b"]}, index=["x", "y"])
    with pytest.raises(ValidationError) as caught:
        bx.write_entity(frame, "deal", written, mode="insert", schema=schema, resume=False)
    assert caught.value.rows == (1,)
