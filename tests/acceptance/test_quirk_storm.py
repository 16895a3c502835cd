"""A storm of random reads and writes under random quirks: no frame is wrong and no row told wrongly without a word."""

from __future__ import annotations

import datetime as dt
import random
import sys
from pathlib import Path

import polars as pl
import pytest

import bx24frames as bx

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import quirk_oracle
import quirk_storm
import quirk_tables

pytestmark = pytest.mark.filterwarnings("default")
ROW = {"id": 1, "title": "A ", "opportunity": 2.5, "createdTime": "2026-01-01T00:00:00", "companyId": None}


@pytest.mark.parametrize("start", [1, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_storm_finds_nothing(tmp_path: Path, start: int):
    runs = range(start, start + (30 if start == 1 else 600))
    assert [(seed, kind, fault) for seed, kind, fault in quirk_storm.storm(tmp_path, runs, None) if fault] == []


def test_a_run_depends_on_its_seed_alone(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = list(quirk_storm.storm(tmp_path / "a", range(5, 12), None))
    assert list(quirk_storm.storm(tmp_path / "b", range(9, 12), None)) == whole[4:]


@pytest.mark.parametrize(
    ("frame", "fault"),
    [({"id": [1]}, None), ({"id": []}, "1 of 1 rows missing"), ({"id": [1, 1]}, "a row twice"),
     ({"id": [1, 2]}, "1 foreign rows"), ({"id": [1], "title": ["B"]}, "title of row 1"),
     ({"id": [1], "opportunity": [2.5]}, None), ({"id": [1], "companyId": [0]}, None),
     ({"id": [1], "createdTime": [dt.datetime(2025, 12, 31, 21, tzinfo=dt.UTC)]}, None),
     ({"id": [1], "createdTime": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]}, "createdTime of row 1")],
)  # fmt: skip
def test_the_storm_tells_a_wrong_frame_from_a_right_one(frame: dict[str, list[object]], fault: str | None):
    found = quirk_storm.compared(pl.DataFrame(frame), {1: ROW})
    assert found is None if fault is None else found is not None and found.startswith(fault)


@pytest.mark.parametrize(
    ("outcome", "after", "fault"),
    [({"action": "inserted", "id": 1, "message": None}, {1: ROW}, False),
     ({"action": "inserted", "id": 2, "message": None}, {1: ROW}, True),
     ({"action": "inserted", "id": 1, "message": None}, {1: {**ROW, "opportunity": 3}}, True),
     ({"action": "inserted", "id": 1, "message": "rounded"}, {1: {**ROW, "opportunity": 3}}, False),
     ({"action": "failed", "id": None, "message": "no"}, {1: ROW}, True),
     ({"action": "failed", "id": None, "message": "no"}, {}, False),
     ({"action": "inserted", "id": 1, "message": None}, {1: ROW, 2: {**ROW, "id": 2}}, True)],
)  # fmt: skip
def test_the_storm_tells_a_false_outcome_from_a_true_one(outcome, after, fault: bool):
    sent = {"title": "A ", "opportunity": 2.5}
    assert (quirk_storm.outcome_fault(outcome, sent, {}, after, clear=False) is not None) is fault


def test_a_condition_holds_as_the_database_compares():
    assert quirk_oracle.holds(ROW, ("title", "=", "a"))
    assert quirk_oracle.holds(ROW, ("companyId", "is null", None))
    assert not quirk_oracle.holds(ROW, ("companyId", "in", [5]))
    assert quirk_oracle.holds(ROW, ("createdTime", ">=", dt.datetime(2025, 12, 31, 21, tzinfo=dt.UTC)))
    assert not quirk_oracle.holds(ROW, ("createdTime", ">", dt.datetime(2025, 12, 31, 21, tzinfo=dt.UTC)))


READS = ("classic", "phones", "links", "product rows", "captions", "titles", "people")


def world(portal: bx.Portal, sandbox: bx.Sandbox, mark: str = "Q3") -> quirk_storm.World:
    return quirk_storm.World(random.Random(1), sandbox, portal, mark)


def told_of_nothing(_: object, rows: list[object], *given: object, **options: object) -> pl.DataFrame:
    """What a report would tell of rows that were never sent."""
    count = len(rows)
    return pl.DataFrame({"action": ["inserted"] * count, "id": [10**6] * count, "message": [None] * count})


@pytest.mark.parametrize("way", READS)
def test_a_read_of_another_table_that_lacks_a_row_is_a_fault(tmp_path: Path, monkeypatch, way: str):
    with quirk_storm.opened(tmp_path / "one.sqlite") as sandbox, bx.Portal(sandbox.url, limits=quirk_storm.FAST) as one:
        assert quirk_tables.WAYS[way](world(one, sandbox)) is None
        whole = quirk_tables.read
        monkeypatch.setattr(quirk_tables, "read", lambda *given, **options: whole(*given, **options)[1:])
        assert quirk_tables.WAYS[way](world(one, sandbox, "Q4")) is not None


@pytest.mark.parametrize("way", ["new people", "new lines", "classic rows"])
def test_a_false_outcome_of_another_table_is_a_fault(tmp_path: Path, monkeypatch, way: str):
    with quirk_storm.opened(tmp_path / "one.sqlite") as sandbox, bx.Portal(sandbox.url, limits=quirk_storm.FAST) as one:
        assert quirk_tables.WAYS[way](world(one, sandbox)) is None
        monkeypatch.setattr(quirk_tables, "write", told_of_nothing)
        assert quirk_tables.WAYS[way](world(one, sandbox, "Q4")) is not None
