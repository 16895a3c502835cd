"""Runs of the Spark writer: journals of tasks, rows of another run, and what a finished run leaves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bx24frames.connectors.spark_runs import Facts, Run
from bx24frames.errors import ConfigError, UnfinishedUpload
from bx24frames.upload.journal import Identity, Journal
from bx24frames.upload.outcomes import Outcome

FACTS = Facts("host", "deal", "insert", 4, 99)


def identity(*rows: int, entity: str = "deal", fingerprint: str = "frame") -> Identity:
    return Identity("host", "user 1", entity, "insert", fingerprint, [row.to_bytes(8, "big") for row in rows])


def begun(run: Run, *rows: int, outcome: str | None = "inserted") -> None:
    """A journal of a task that has sent its first two rows."""
    journal = Journal(run.journal(0), identity(*rows))
    journal.intend([0, 1], "inserted")
    if outcome is not None:
        journal.record([Outcome(0, outcome), Outcome(1, outcome)])
    journal.close(rows=len(rows))


@pytest.fixture
def earlier(tmp_path: Path) -> Run:
    return Run.begin(str(tmp_path), "earlier", "deal")


def test_a_run_without_a_name_gets_one_of_its_own_and_the_name_is_no_path(tmp_path: Path) -> None:
    names = {Run.begin(str(tmp_path), None, "crm/deal:5").name for _ in range(3)}
    assert len(names) == 3
    assert all((tmp_path / name).is_dir() and name.startswith("crm_deal_5-") for name in names)


@pytest.mark.parametrize("outcome", ["inserted", "unknown", None])
def test_rows_that_an_unfinished_run_has_written_or_may_have_are_refused(earlier: Run, outcome: str | None) -> None:
    begun(earlier, 1, 2, 3, outcome=outcome)
    other = Run.begin(str(earlier.folder), None, "deal")
    with pytest.raises(UnfinishedUpload, match=r"The run earlier has written 1 of these 2 rows to deal") as caught:
        other.guard(identity(9, 2, fingerprint="cut otherwise"))
    assert '.option("resume", "earlier")' in str(caught.value)


def test_rows_that_it_has_not_sent_or_that_failed_and_rows_of_another_entity_are_not_refused(earlier: Run) -> None:
    begun(earlier, 1, 2, 3, outcome="failed")
    other = Run.begin(str(earlier.folder), None, "deal")
    other.guard(identity(1, 2, 3))
    begun(Run.begin(str(earlier.folder), "second", "deal"), 1, 2, 3)
    other.guard(identity(3, 4))
    other.guard(identity(1, 2, entity="lead"))


def test_a_run_does_not_refuse_its_own_rows_nor_those_of_a_finished_run(earlier: Run) -> None:
    begun(earlier, 1, 2, 3)
    earlier.guard(identity(1, 2, 3))
    Run.begin(str(earlier.folder), "earlier", "deal").guard(identity(1, 2, 3))
    earlier.finish(FACTS)
    Run.begin(str(earlier.folder), None, "deal").guard(identity(1, 2, 3))


def test_resume_false_writes_rows_of_an_unfinished_run_again(earlier: Run) -> None:
    begun(earlier, 1, 2, 3)
    Run.begin(str(earlier.folder), False, "deal").guard(identity(1, 2, 3))


def test_a_run_that_repeats_a_finished_one_learns_of_it(earlier: Run) -> None:
    assert earlier.finish(FACTS) is None
    assert earlier.finish(FACTS) is None, "a run repeats no other by being finished again"
    again = Run.begin(str(earlier.folder), None, "deal").finish(FACTS)
    assert again is not None
    assert abs(again.timestamp() - time.time()) < 60
    assert Run.begin(str(earlier.folder), None, "deal").finish(Facts("host", "deal", "insert", 4, 98)) is None


def test_finished_runs_are_deleted_after_a_month_and_unfinished_ones_never(earlier: Run) -> None:
    begun(earlier, 1, 2, 3)
    old = Run.begin(str(earlier.folder), "old", "deal")
    old.finish(FACTS)
    for path in (old.path / "finished.json", earlier.journal(0)):
        os.utime(path, (0, 0))
    Run.begin(str(earlier.folder), None, "deal").finish(FACTS)
    assert not old.path.exists()
    assert earlier.journal(0).exists()


def test_the_report_of_failed_rows_is_that_of_the_last_attempt(earlier: Run) -> None:
    earlier.report(3, pa.table({"title": ["a"]}))
    assert pq.read_table(earlier.path / "failed-00003.parquet").to_pylist() == [{"title": "a"}]
    earlier.report(3, pa.table({"title": pa.array([], pa.string())}))
    assert list(earlier.path.iterdir()) == []


def test_a_run_that_recorded_nothing_leaves_nothing(earlier: Run) -> None:
    earlier.abandon()
    assert not earlier.path.exists()
    begun(run := Run.begin(str(earlier.folder), None, "deal"), 1, 2)
    run.abandon()
    assert run.journal(0).exists()


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        Run.begin(str(tmp_path / "file"), None, "deal")
