"""`describe_entity`: one row per field."""

from __future__ import annotations

import pytest
from look import TEXT, arrow, cells, columns, data_asked, dtypes

import bx24frames as bx
from bx24frames.errors import ConfigError, UnknownEntity
from bx24frames.options import Backend

COLUMNS = ["code", "title", "type", "arrow_type", "required", "read_only", "immutable", "multiple", "choices"]


def test_its_columns_and_their_types(portal: bx.Portal, backend: Backend):
    described = bx.describe_entity("deal", portal, backend=backend)
    assert columns(described) == COLUMNS
    kinds = dtypes(described)
    text, truth = {"pandas": (TEXT, "boolean"), "polars": ("String", "Boolean"), "pyarrow": ("string", "bool")}[backend]
    assert {kinds[name] for name in ("code", "title", "type", "arrow_type")} == {text}
    assert {kinds[name] for name in ("required", "read_only", "immutable", "multiple")} == {truth}
    assert set(arrow(described).to_pylist()[0]["choices"] or []) == set()


@pytest.mark.parametrize(
    "entity", ["deal", "crm.deal", "lead", "contact", "company", "user", "status", "category", "item:1036"]
)
def test_every_column_of_a_read_is_described_with_its_type(portal: bx.Portal, entity: str):
    described = bx.describe_entity(entity, portal, backend="pyarrow").to_pylist()
    filters = {"entityTypeId": 2} if entity == "category" else None
    table = bx.read_entity(entity, portal, limit=1, backend="pyarrow", filters=filters)
    kinds = {row["code"]: row["arrow_type"] for row in described}
    assert {field.name: str(field.type) for field in table.schema}.items() <= kinds.items()


def test_what_the_portal_says_of_a_field_is_there(portal: bx.Portal):
    described = bx.describe_entity("deal", portal).set_index("code")
    assert described.loc["id", ["type", "read_only", "required"]].tolist() == ["integer", True, False]
    assert described.loc["UF_CRM_COLOURS", ["type", "multiple", "arrow_type"]].tolist() == [
        "enumeration",
        True,
        "list<item: int64>",
    ]
    choices = described.loc["UF_CRM_COLOUR", "choices"]
    assert len(choices) > 1
    assert set(choices[0]) == {"code", "title", "pipeline"}


def test_it_asks_for_the_description_and_what_its_codes_mean(portal: bx.Portal):
    table = bx.describe_entity("deal", portal, backend="pyarrow")
    assert data_asked(portal) == {}
    dictionaries = {"crm.status.list", "crm.category.list", "crm.currency.list"}
    assert set(portal.stats.methods) == {"crm.item.fields", *dictionaries}
    choices = dict(zip(*(table.column(name).to_pylist() for name in ("code", "choices")), strict=True))
    assert {"code": "1", "title": "Закупки", "pipeline": None} in choices["categoryId"]
    assert all(choices[name] for name in ("sourceId", "typeId", "currencyId"))


def test_stages_of_one_caption_are_told_apart_by_their_pipeline(portal: bx.Portal):
    rows = bx.describe_entity("deal", portal, backend="pyarrow").to_pylist()
    stages = next(row["choices"] for row in rows if row["code"] == "stageId")
    won = {one["code"]: one["pipeline"] for one in stages if one["title"] == "Сделка успешна"}
    assert won == {"WON": "Общая", "C1:WON": "Закупки", "C5:WON": "B2B & партнёры"}


def test_what_cannot_be_described_is_an_error(portal: bx.Portal):
    with pytest.raises(UnknownEntity, match="deal"):
        bx.describe_entity("dael", portal)
    with pytest.raises(ConfigError, match="backend"):
        bx.describe_entity("deal", portal, backend="dask")  # type: ignore[call-overload]


async def test_the_awaited_description_is_the_same(read_only_sandbox: bx.Sandbox, portal: bx.Portal, backend: Backend):
    there = bx.aio.Portal(read_only_sandbox.url)
    awaited = await bx.aio.describe_entity("deal", there, backend=backend, titles=True)
    await there.close()
    assert cells(awaited, "title") == cells(bx.describe_entity("deal", portal, backend=backend, titles=True), "title")
