"""Many small readings in few requests."""

from portal_model import Table, classic_listing, drain, flat, item_listing

from bx24frames.engine.messages import IdBounds
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.pages.pool import Pool
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.sizes import FIRST_READS, Size, Sizes


def test_a_hundred_small_readings_share_requests():
    table = Table(set(range(1, 4001)), True)
    parts = [
        KeysetPages(item_listing(bounds=IdBounds(at, at + 40)), AS_MAPS, token=f"t{at}") for at in range(0, 4000, 40)
    ]
    measured = Sizes(by_method={"crm.item.list": Size(50, 50)})
    assert sorted(flat(drain(Pool(parts, share=2), table, measured), "id")) == list(range(1, 4001))
    assert table.requests <= 10


def test_the_first_request_is_small_till_the_portal_has_shown_how_long_it_takes():
    parts = [
        KeysetPages(item_listing(bounds=IdBounds(at, at + 40)), AS_MAPS, token=f"t{at}") for at in range(0, 4000, 40)
    ]
    parcel = Pool(parts, share=2).due(0.0, Sizes())
    assert FIRST_READS <= len(parcel.commands) <= FIRST_READS + 2


def test_a_reading_that_is_longer_than_its_share_goes_on():
    table = Table(set(range(1, 3001)), False)
    parts = [
        KeysetPages(classic_listing(bounds=IdBounds(at, at + 1000)), AS_MAPS, token=f"t{at}") for at in (0, 1000, 2000)
    ]
    assert sorted(flat(drain(Pool(parts, share=2), table, Sizes()), "ID")) == list(range(1, 3001))


def test_no_reading_is_done_at_once():
    assert drain(Pool([], share=2), Table(set(), True), Sizes()) == []
