"""`count_entity`: the number of rows that a read would return, in one request."""

from __future__ import annotations

import pytest
from look import asked, data_asked

import bx24frames as bx
from bx24frames.errors import FilterError, UnknownColumn, UnknownEntity


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {},
        {"stageId": "NEW"},
        {">opportunity": 100_000},
        ("stageId", "in", ["NEW", "WON", "C1:NEW"]),
        [("id", ">", 20), ("id", "<=", 90)],
        ("id", "in", list(range(1, 130))),
        {"id": 50_000},
        [("id", "in", [5, 7]), ("id", ">", 7), ("opportunity", ">=", 0.0)],
        [[("stageId", "=", "NEW")], [("stageId", "=", "WON")]],
        ("companyId", "is null", None),
        ("companyId", "not null", None),
        ("title", "in", [f"none {place}" for place in range(700)]),
    ],
)
def test_it_counts_what_a_read_reads(portal: bx.Portal, filters):
    assert bx.count_entity("deal", portal, filters=filters) == len(bx.read_entity("deal", portal, filters=filters))


@pytest.mark.parametrize(
    "entity", ["lead", "contact", "company", "crm.deal", "crm.contact", "user", "status", "currency"]
)
def test_every_kind_of_table_is_counted(portal: bx.Portal, entity: str):
    assert bx.count_entity(entity, portal) == len(bx.read_entity(entity, portal)) > 0


def test_it_costs_one_request_beside_the_description(portal: bx.Portal, deal_ids: list[int]):
    assert bx.count_entity("deal", portal) == len(deal_ids)
    assert asked(portal) == {"crm.item.fields": 1, "crm.item.list": 1}
    assert portal.stats.requests == 2


def test_nothing_is_counted_without_a_data_request(portal: bx.Portal):
    assert bx.count_entity("deal", portal, filters=("stageId", "in", [])) == 0
    assert data_asked(portal) == {}


def test_a_wrong_condition_is_an_error_before_a_data_request(portal: bx.Portal):
    with pytest.raises(UnknownColumn):
        bx.count_entity("deal", portal, filters={"titel": 1})
    with pytest.raises(FilterError):
        bx.count_entity("crm.deal", portal, filters=("STAGE_ID", "like", "%N%"))
    with pytest.raises(UnknownEntity):
        bx.count_entity("dael", portal)
    assert data_asked(portal) == {}


async def test_the_awaited_count_is_the_same(read_only_sandbox: bx.Sandbox, deal_ids: list[int]):
    there = bx.aio.Portal(read_only_sandbox.url)
    assert await bx.aio.count_entity("deal", there) == len(deal_ids)
    await there.close()


def test_a_long_list_is_counted_in_few_requests(portal: bx.Portal):
    contacts = list(range(1, 2000))
    read = bx.read_entity("deal", portal, columns=["contactId"])["contactId"]
    before = portal.stats.requests
    assert bx.count_entity("deal", portal, filters={"contactId": contacts}) == read.isin(contacts).sum()
    assert portal.stats.requests - before <= 5
