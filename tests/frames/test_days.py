"""Days in conditions and days in frames: the same where the zone is chosen, and a warning where they differ."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from look import cells

import bx24frames as bx
from bx24frames.errors import ConfigError
from bx24frames.options import Backend

JUNE = {">=createdTime": "2026-06-01", "<createdTime": "2026-07-01"}
MIDNIGHTS = ["2026-05-31T23:59:00", "2026-06-01T00:30:00", "2026-06-30T23:30:00", "2026-07-01T00:10:00"]
"""Times by the clock of the portal: the two in the middle are in June there, and one of these is in May by UTC."""
DAYS = "begin at midnight in the portal's zone"


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(sizes={"deal": 0}, plan="unlimited", real_time=False) as sandbox:
        for moment in MIDNIGHTS:
            sandbox.admin.import_rows("deal", [{"title": moment, "createdTime": moment}])
        yield sandbox


def test_the_rows_of_a_month_show_that_month_in_the_zone_of_the_portal(box: bx.Sandbox, backend: Backend):
    june = bx.read_entity("deal", box.url, columns=["createdTime"], filters=JUNE, timezone="portal", backend=backend)
    assert [moment.strftime("%m-%d %H:%M %z") for moment in cells(june, "createdTime")] == [
        "06-01 00:30 +0300",
        "06-30 23:30 +0300",
    ]


def test_frames_in_utc_warn_at_the_callers_line_and_name_the_way_out(box: bx.Sandbox):
    with pytest.warns(UserWarning, match=r"\(\+03:00\).*timezone='portal' puts both") as caught:
        june = bx.read_entity("deal", box.url, columns=["createdTime"], filters=JUNE)
    assert caught[0].filename == __file__
    assert june["createdTime"].dt.month.tolist() == [5, 6]
    assert june.attrs["timezone"] == "UTC"


@pytest.mark.parametrize(
    "options",
    [
        {"columns": ["id"]},
        {"columns": ["createdTime"], "timezone": "UTC"},
        {"columns": ["createdTime"], "timezone": "portal"},
        {"columns": ["createdTime"], "filters": {">=createdTime": "2026-06-01T00:00:00+03:00"}},
    ],
)
def test_nothing_is_warned_of_where_no_time_is_shown_or_the_zone_is_chosen(box: bx.Sandbox, options: dict[str, object]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(bx.read_entity("deal", box.url, **{"filters": JUNE, **options})) > 0


def test_a_portal_in_utc_has_nothing_to_warn_of():
    with bx.Sandbox(sizes={"deal": 3}, plan="unlimited", real_time=False, server_zone="+00:00") as box:
        assert (
            len(bx.read_entity("deal", box.url, columns=["createdTime"], filters={">=createdTime": "2020-01-01"})) == 3
        )


def test_chunks_scans_and_arrow_scans_take_the_zone_of_the_portal_too(box: bx.Sandbox):
    chunks = [*bx.iter_entity("deal", box.url, columns=["createdTime"], filters=JUNE, timezone="portal")]
    assert [frame["createdTime"].dt.month.tolist() for frame in chunks] == [[6, 6]]
    lazy = bx.scan_entity("deal", box.url, filters=JUNE, timezone="portal")
    assert lazy.collect()["createdTime"].dt.month().to_list() == [6, 6]
    with bx.Portal(box.url) as portal:
        scan = portal.scan("deal", columns=["createdTime"], filters=JUNE, timezone="portal")
        assert str(scan.schema.field("createdTime").type) == "timestamp[us, tz=+03:00]"
        assert sum(batch.num_rows for batch in scan.batches()) == 2
    with pytest.warns(UserWarning, match=DAYS):
        bx.scan_entity("deal", box.url, filters=JUNE)


def test_lists_of_times_take_the_zone_as_well(read_only_sandbox: bx.Sandbox):
    moments = bx.read_entity(
        "deal", read_only_sandbox.url, columns=["UF_CRM_MOMENTS"], timezone="portal", backend="pyarrow"
    )["UF_CRM_MOMENTS"]
    utc = bx.read_entity("deal", read_only_sandbox.url, columns=["UF_CRM_MOMENTS"], backend="pyarrow")["UF_CRM_MOMENTS"]
    assert str(moments.type) == "list<item: timestamp[us, tz=+03:00]>"
    assert moments.cast(utc.type) == utc
    assert utc.null_count < len(utc)


def test_a_time_without_a_zone_in_a_condition_is_one_of_the_portals(box: bx.Sandbox):
    late = {">=createdTime": "2026-06-30 23:00:00"}
    found = bx.read_entity("deal", box.url, columns=["title"], filters=late, timezone="portal")
    assert found["title"].tolist() == MIDNIGHTS[2:]


def test_several_portals_have_no_zone_in_common_but_a_named_one(box: bx.Sandbox):
    with pytest.raises(ConfigError, match="the zone of one portal, and several are read"):
        bx.read_entity("deal", [box.url], columns=["createdTime"], timezone="portal")
    with pytest.warns(UserWarning, match="begin at midnight in each portal's zone"):
        bx.read_entity("deal", [box.url], columns=["createdTime"], filters=JUNE)


def test_another_word_is_an_error_that_names_the_portal(box: bx.Sandbox):
    with pytest.raises(ConfigError, match="timezone must be 'portal' or an IANA name"):
        bx.read_entity("deal", box.url, timezone="local")
