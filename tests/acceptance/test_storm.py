"""The storm of uploads: its oracle sees every kind of wrong report, and its runs depend on their seeds."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import storm_oracle
import storm_rows
import storm_runs
import storm_world

pytestmark = pytest.mark.filterwarnings("default")
FRAME = pd.DataFrame({"title": ["a", "b"], "opportunity": [1.0, None]})


def judged(sent: list[dict[str, object]], report: pd.DataFrame | None, error: BaseException | None = None) -> list[str]:
    """The faults of a report on two rows, of which `sent` were stored."""
    with storm_world.world_of(1) as world:
        for values in sent:
            (row_id,) = world.store.insert(2, {"title": "stored otherwise"})
            world.store.note_addition(2, row_id, values, user_id=1, now=0.0)
        first = world.store.additions[0].id if sent else 0
        if report is not None:
            report = report.assign(position=range(len(report)), id=[row and first + row - 1 for row in report["id"]])
        return storm_oracle.judge_insert(world, "deal", FRAME, report, error=error).faults


def told(*rows: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["action", "id"])


A, B = {"title": "a", "opportunity": "1"}, {"TITLE": "b"}


@pytest.mark.parametrize(
    ("sent", "report", "fault"),
    [
        ([A, B], told(("inserted", 1), ("inserted", 2)), None),
        ([A], told(("inserted", 1), ("failed", 0)), None),
        ([A], told(("inserted", 1), ("unknown", 0)), None),
        ([A, B], told(("inserted", 1), ("unknown", 0)), None),
        ([A, B], told(("inserted", 2), ("inserted", 1)), "reported inserted as"),
        ([A, B, B], told(("inserted", 1), ("inserted", 2)), "doubled"),
        ([A], told(("inserted", 1), ("inserted", 2)), "reported inserted as"),
        ([A, B], told(("inserted", 1), ("failed", 0)), "there though not reported"),
        ([A], told(("inserted", 1), ("inserted", 1)), "reported inserted as"),
        ([A], told(("inserted", 1)), "1 outcomes of 2 rows"),
    ],
)
def test_the_oracle_sees_what_is_wrong(sent: list[dict[str, object]], report: pd.DataFrame, fault: str | None) -> None:
    faults = judged(sent, report)
    assert not faults if fault is None else faults[0].startswith(fault)


def test_a_row_is_told_by_its_filled_cells_in_any_spelling() -> None:
    columns = ["lastName", "phone", "opportunity"]
    as_given = storm_rows.meaning({"lastName": "x", "phone": "+7 1", "opportunity": 2.50}, columns)
    as_sent = {"LAST_NAME": "x", "PHONE": [{"VALUE": "+7 1", "VALUE_TYPE": "WORK"}], "OPPORTUNITY": "2.5", "EXTRA": 1}
    assert storm_rows.meaning(as_sent, columns) == as_given
    assert storm_rows.meaning({"lastName": "x", "opportunity": float("nan"), "phone": None}, columns) != as_given


IN_PROCESSES = {"kill", "process", "credential", "journal"}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(storm_runs.DIMENSIONS))
def test_no_row_is_written_twice_lost_or_reported_wrongly(name: str) -> None:
    seeds = range(3 if name in IN_PROCESSES else 12)
    wrong = [fault for seed in seeds for fault in storm_runs.DIMENSIONS[name][0](seed).faults]
    assert wrong == []


def test_a_run_in_virtual_time_ends_right_under_each_kind_of_trouble() -> None:
    names = [name for name in storm_runs.DIMENSIONS if name not in IN_PROCESSES]
    wrong = [fault for seed, name in enumerate(names) for fault in storm_runs.DIMENSIONS[name][0](seed).faults]
    assert wrong == []
