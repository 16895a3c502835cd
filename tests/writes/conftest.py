"""A portal of one's own to write into, and a clock that does not make anybody wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.testing import no_waiting

ROWS = 500


class Killed(BaseException):
    """What ends an upload without a report, as the end of its process does."""


@pytest.fixture(autouse=True)
def waits() -> Iterator[no_waiting]:
    """What was skipped instead of slept."""
    with no_waiting() as skipped:
        yield skipped


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def sandbox() -> Iterator[bx.Sandbox]:
    sizes = {"deal": 40, "contact": 40, "lead": 20, "company": 10}
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=sizes) as box:
        yield box
        assert not box.stats.broken


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    """A portal with few rows of its own, for a whole file of tests."""
    sizes = {"deal": 5, "contact": 1, "lead": 1, "company": 1}
    with bx.Sandbox(real_time=False, plan="self_hosted", sizes=sizes) as opened:
        yield opened
        assert not opened.stats.broken


@pytest.fixture
def portal(sandbox: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(sandbox.url, limits=FAST) as opened:
        yield opened


def deals(rows: int = ROWS) -> pd.DataFrame:
    """Rows that are told apart by their titles, with text that breaks careless clients."""
    return pd.DataFrame(
        {
            "title": [f"Upload {at} &+%#[] ёж" for at in range(rows)],
            "opportunity": [at * 1.25 for at in range(rows)],
            "currencyId": "EUR",
        }
    )


def uploaded(sandbox: bx.Sandbox) -> pd.DataFrame:
    """What the portal itself holds of the upload, by its own account."""
    rows = [row for row in sandbox.store.rows(2) if str(row["title"]).startswith("Upload")]
    return pd.DataFrame(
        {"id": [int(row["id"]) for row in rows], "title": [row["title"] for row in rows],
         "opportunity": [float(row["opportunity"] or 0) for row in rows]}
    )  # fmt: skip


def is_truthful(report: bx.WriteReport, frame: pd.DataFrame, sandbox: bx.Sandbox) -> bool:
    """Whether every inserted row is there under the id the report names, and no other row is."""
    told = report.frame()
    there = uploaded(sandbox).set_index("id")["title"].to_dict()
    inserted = told[told["action"] == "inserted"]
    named = {int(row.id): frame["title"].iloc[int(row.position)] for row in inserted.itertuples()}
    unknown = set(frame["title"].iloc[told[told["action"] == "unknown"]["position"].to_numpy()])
    return (
        all(there.get(row_id) == title for row_id, title in named.items())
        and {title for row_id, title in there.items() if row_id not in named} <= unknown
    )
