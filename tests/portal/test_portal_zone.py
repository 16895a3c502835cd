"""The portal's zone: a name where the server's clock is changed and users' settings prove it, else an offset."""

from __future__ import annotations

import datetime as dt
import operator
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from look import cells
from odd_portal import OddPortal

import bx24frames as bx
from bx24frames.portal.portal_zone import proven_zone

SUMMER = dt.datetime(2026, 7, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
WINTER = dt.datetime(2026, 1, 15, 12, tzinfo=dt.timezone(dt.timedelta(hours=1)))
MOSCOW = dt.datetime(2026, 7, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=3)))


@pytest.mark.parametrize(
    ("names", "moments", "found"),
    [
        (["Europe/Berlin"], [SUMMER, WINTER], "Europe/Berlin"),
        (["Asia/Tashkent", "no such zone", "Europe/Paris"], [WINTER, SUMMER], "Europe/Paris"),
        (["Europe/Berlin"], [SUMMER], None),
        (["Europe/Kyiv"], [MOSCOW], None),
        (["Europe/Kyiv"], [MOSCOW, MOSCOW.replace(month=1)], None),
        (["Africa/Nairobi"], [MOSCOW, MOSCOW.replace(month=1)], None),
        ([], [SUMMER, WINTER], None),
    ],
    ids=["proven", "second", "one season", "coincides in summer", "contradicted", "no summer time", "no name"],
)
def test_a_name_needs_a_printed_time_at_each_of_its_offsets(
    names: list[str], moments: list[dt.datetime], found: str | None
):
    zone = proven_zone(names, moments)
    assert (zone and zone.key) == found


class BerlinPortal(OddPortal):
    """A portal whose server keeps the time of Berlin, seen in summer."""

    def __init__(self, user_zone: str) -> None:
        super().__init__()
        self.zone = ZoneInfo("Europe/Berlin")  # type: ignore[assignment]
        self.user_zone = user_zone
        self.time = lambda: {"start": 1, "finish": 1.5, "date_start": "2026-07-01T12:00:00+02:00"}

    def selected(self, params: dict[str, Any], *, classic: bool) -> list[int]:
        conditions = dict(params.get("filter") or {})
        sides = {">=createdTime": operator.ge, "<createdTime": operator.lt, "<=createdTime": operator.le}
        bounds = [(sides[name], conditions.pop(name)) for name in [*conditions] if name in sides]
        found = super().selected({**params, "filter": conditions}, classic=classic)
        return [
            one
            for one in found
            if all(side(self.rows[one]["createdTime"], dt.datetime.fromisoformat(value)) for side, value in bounds)
        ]

    def do_profile(self, params: Any) -> dict[str, Any]:
        return {"result": {"ID": "1", "ADMIN": True, "TIME_ZONE": self.user_zone}}

    def do_user_get(self, params: Any) -> dict[str, Any]:
        rows = [{"ID": "1", "DATE_REGISTER": "2026-02-01T01:00:00+01:00", "TIMESTAMP_X": {}}]
        return {"result": rows, "total": 1}


@pytest.fixture
def berlin(request: pytest.FixtureRequest) -> Iterator[BerlinPortal]:
    portal = BerlinPortal(getattr(request, "param", "Europe/Berlin"))
    moments = ["2026-01-09T23:30:00", "2026-01-10T00:30:00", "2026-06-10T00:30:00", "2026-06-10T23:30:00"]
    for number, text in enumerate(moments, 1):
        portal.seed(number, createdTime=dt.datetime.fromisoformat(text).replace(tzinfo=portal.zone))
    yield portal
    portal.close()


def test_times_and_days_of_both_seasons_are_those_of_the_portals_clock(berlin: BerlinPortal):
    day = {">=createdTime": "2026-01-10", "<createdTime": "2026-06-11"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        deals = bx.read_entity(
            "deal", berlin.url, columns=["id", "createdTime"], filters=day, timezone="portal", backend="pyarrow"
        )
    assert deals["id"].to_pylist() == [2, 3, 4]
    assert str(deals.schema.field("createdTime").type) == "timestamp[us, tz=Europe/Berlin]"
    assert [moment.strftime("%d %H:%M") for moment in cells(deals, "createdTime")] == [
        "10 00:30",
        "10 00:30",
        "10 23:30",
    ]


def test_the_zone_is_requested_once(berlin: BerlinPortal):
    for _ in range(2):
        bx.count_entity("deal", berlin.url, filters={">=createdTime": "2026-01-10"})
    assert [method for method, _ in berlin.commands].count("profile") == 1


@pytest.mark.parametrize("berlin", ["", "Asia/Tashkent"], indirect=True)
def test_a_changed_clock_without_a_name_is_an_offset_and_a_warning(berlin: BerlinPortal):
    with pytest.warns(UserWarning, match=r"today \(\+02:00\) are an hour off.*timezone='Europe/Berlin'"):
        deals = bx.read_entity("deal", berlin.url, columns=["createdTime"], timezone="portal", backend="pyarrow")
    assert str(deals.schema.field("createdTime").type) == "timestamp[us, tz=+02:00]"


def test_times_of_a_file_are_those_of_the_portals_clock(berlin: BerlinPortal, tmp_path: Path):
    (tmp_path / "deals.csv").write_text("ID;createdTime\n3;10.06.2026 00:30\n2;10.01.2026 00:30\n", encoding="utf-8")
    rows = bx.read_file(tmp_path / "deals.csv", "deal", berlin.url, backend="pyarrow")
    assert [moment.astimezone(dt.UTC).hour for moment in rows["createdTime"].to_pylist()] == [22, 23]
