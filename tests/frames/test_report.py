"""The write report: one outcome per row, and selection of the input rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from look import TEXT

from bx24frames.engine.usage import Usage
from bx24frames.errors import ConfigError, WriteError
from bx24frames.frames.accept import accept
from bx24frames.frames.report import WriteReport
from bx24frames.options import Backend
from bx24frames.upload.outcomes import Outcome, outcome_table

OUTCOMES = [
    Outcome(2, "failed", code="ACCESS_DENIED", message="<b>No</b>", column="title", attempts=1, path="batch"),
    Outcome(0, "inserted", id=101, attempts=1, path="import"),
    Outcome(1, "unknown", message="the answer was lost", attempts=2, path="import"),
]
COLUMNS = ["position", "label", "id", "action", "code", "message", "column", "attempts", "path"]


def report_of(outcomes: Iterable[Outcome], *, rows: int, labels: pa.Array | None = None, **facts: Any) -> WriteReport:
    return WriteReport(outcome_table(outcomes, rows, labels), **facts)


def report(**more: Any) -> WriteReport:
    return report_of(OUTCOMES, rows=4, entity="deal", host="acme.bitrix24.com", mode="insert", **more)


def frame(backend: Backend) -> Any:
    data = {"title": ["a", "b", "c", "d"]}
    makers = {"pandas": lambda: pd.DataFrame(data, index=list("wxyz")), "polars": lambda: pl.DataFrame(data)}
    return makers[backend]() if backend in makers else pa.table(data)


def test_one_line_a_row_in_input_order(backend: Backend) -> None:
    lines = pa.table(report().frame(backend)).to_pylist()
    assert list(lines[0]) == COLUMNS
    assert [(line["position"], line["action"], line["id"]) for line in lines] == [
        (0, "inserted", 101),
        (1, "unknown", None),
        (2, "failed", None),
        (3, "skipped", None),
    ]


def test_pandas_frame_has_the_package_dtypes() -> None:
    types = {name: str(dtype) for name, dtype in report().frame().dtypes.items()}
    assert types == dict.fromkeys(COLUMNS, TEXT) | {
        "position": "int64",
        "label": "Int64",
        "id": "Int64",
        "attempts": "int64",
    }


def test_counts() -> None:
    done = report()
    counts = (done.inserted, done.updated, done.deleted, done.unchanged, done.failed, done.unknown, done.skipped)
    assert counts == (1, 0, 0, 0, 1, 1, 1)
    assert len(done) == 4
    assert done.ids("inserted") == [101]


def test_labels_are_the_index_values() -> None:
    table = report(labels=accept(frame("pandas")).labels()).outcomes
    assert table["label"].to_pylist() == ["w", "x", "y", "z"]


def test_text_ids_are_kept() -> None:
    done = report_of(
        [Outcome(0, "deleted", id="EUR")], rows=1, entity="currency", host="acme.bitrix24.com", mode="delete"
    )
    assert done.ids("deleted") == ["EUR"]


def test_rows_come_back_in_their_own_type(backend: Backend) -> None:
    given = frame(backend)
    failed = report().failed_rows(given)
    assert type(failed) is type(given)
    assert list(pa.table(failed)["title"].to_pylist()) == ["c"]
    more = report().rows(given, "failed", "unknown", "skipped")
    assert pa.table(more)["title"].to_pylist() == ["b", "c", "d"]


def test_pandas_keeps_its_index() -> None:
    assert list(report().failed_rows(frame("pandas")).index) == ["y"]


def test_a_lazy_frame_comes_back_lazy_and_a_batch_a_batch() -> None:
    lazy = report().failed_rows(frame("polars").lazy())
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["title"].to_list() == ["c"]
    batch = report().failed_rows(pa.record_batch({"title": ["a", "b", "c", "d"]}))
    assert isinstance(batch, pa.RecordBatch)
    assert batch["title"].to_pylist() == ["c"]


def test_another_frame_is_refused(backend: Backend) -> None:
    with pytest.raises(ConfigError, match="4 rows, but the frame has 3"):
        report().failed_rows(frame(backend)[:3])


def test_unknown_actions_are_refused() -> None:
    with pytest.raises(ConfigError, match="broken"):
        report().rows(frame("pandas"), "broken")  # type: ignore[arg-type]


def test_an_outcome_beyond_the_input_is_a_fault() -> None:
    with pytest.raises(ValueError, match="row 2"):
        report_of(OUTCOMES, rows=2, entity="deal", host="h", mode="insert")


def test_errors_are_raised_with_counts_and_reasons() -> None:
    with pytest.raises(WriteError) as caught:
        report().raise_for_errors()
    assert caught.value.report.failed == 1
    text = str(caught.value)
    assert "2 of 4 rows" in text
    assert "1 x ACCESS_DENIED: <b>No</b>" in text


def test_many_reasons_stay_a_few_lines() -> None:
    outcomes = [Outcome(n, "failed", message=f"reason {n % 50}") for n in range(200)]
    many = report_of(outcomes, rows=200, entity="deal", host="h", mode="insert")
    with pytest.raises(WriteError) as caught:
        many.raise_for_errors()
    assert "and 47 other reasons" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 10
    assert len(str(many).splitlines()) <= 10


def test_nothing_is_raised_where_nothing_failed() -> None:
    report_of([Outcome(0, "updated", id=1)], rows=1, entity="deal", host="h", mode="update").raise_for_errors()
    report_of([], rows=0, entity="deal", host="h", mode="update").raise_for_errors()


def test_text_says_what_a_user_asks() -> None:
    text = str(report(requests=3, seconds=1.25, robots_ran=False, journal=Path("up.journal")))
    assert text.startswith(
        "insert of 4 rows, deal at acme.bitrix24.com (3 requests in 1.2 s, robots did not run)\n  inserted "
    )
    assert "row 2: failed: title: ACCESS_DENIED: <b>No</b>" in text
    assert "journal up.journal" in text
    assert repr(report()) == str(report())
    assert "dry run: nothing was sent" in str(report(dry_run=True))


def test_the_text_and_the_table_of_a_dry_run_name_the_limit_that_binds() -> None:
    """Not before the costs were measured, and not for an upload that ends within a second."""
    limited = report(dry_run=True, seconds=1200.0, basis="0.1 s a row (measured)", usage=Usage(2.5, 0.2, 1200.0))
    for text in (str(limited), limited._repr_html_()):
        assert "server time: 250 % of the budget, about 20 minutes; requests: 20 %" in text
        assert "what would help: fewer columns; " in text
    assumed = report(dry_run=True, seconds=1200.0, basis="0.1 s a row (assumed)")
    assert "the limit that binds is not known" in str(assumed)
    assert "budget" not in str(report(dry_run=True, seconds=0.5, usage=Usage(0.1, 0.02, 0.5)))


def test_the_notebook_table_escapes_what_the_portal_said() -> None:
    html = report()._repr_html_()
    assert "&lt;b&gt;No&lt;/b&gt;" in html
    assert "<b>No" not in html


def test_many_rows_are_stored_as_columns() -> None:
    done = report_of(
        (Outcome(n, "inserted", id=n, attempts=1, path="import") for n in range(100_000)),
        rows=100_000,
        entity="deal",
        host="h",
        mode="insert",
    )
    assert done.inserted == 100_000
    assert done.outcomes.nbytes < 100 * 100_000


def test_a_dry_run_names_the_limit_that_binds_in_russian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BX24FRAMES_LANG", "ru")
    limited = report(dry_run=True, seconds=1200.0, basis="0.1 s a row (measured)", usage=Usage(2.5, 0.2, 1200.0))
    assert "  время сервера: 250 % лимита, примерно 20 минут; запросы: 20 %" in str(limited)
    assert "  что поможет: меньше столбцов" in str(limited)
    assumed = report(dry_run=True, seconds=1200.0, basis="0.1 s a row (assumed)")
    assert "неизвестно, какой лимит ограничит" in str(assumed)
