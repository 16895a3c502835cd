"""Writing to a portal with the habits of real ones: an outcome for every row, no row lost, none written twice."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from odd_portal import OddPortal
from odd_wire import Asked, Raw, Refused

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.testing import no_waiting

NASTY = [
    "plain", "$result[b0_1][0][ID]", "a$next[x]b", "$TOTAL[1", "a&b=c", "100%", "1+1", "#hash", "[x]=y", "a;b", "😀 Ёж",
    "line\nbreak", " blanks ", "quote\"'\\", "null\0byte", "%41", "", "$result", "<b>tag</b>", "a" * 5000,
]  # fmt: skip


def of(kind: str, data: dict[str, list[Any]]) -> Any:
    return {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[kind](data)


def titles(odd: OddPortal) -> Counter[str]:
    return Counter(str(row["title"]) for row in odd.rows.values())


@pytest.fixture
def empty(odd: OddPortal) -> OddPortal:
    odd.rows.clear()
    return odd


@pytest.mark.parametrize("automation", [None, True, False])
def test_what_is_written_is_what_is_read(
    empty: OddPortal, portal: bx.Portal, backend: str, automation: bool | None, column_of: Callable[..., list[Any]]
) -> None:
    """Text that looks like a reference, or that a query string would change, arrives as it was."""
    frame = of(backend, {"title": NASTY, "opportunity": [float(at) for at in range(len(NASTY))]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation)
    assert report.inserted == len(NASTY)
    assert report.robots_ran is (automation is True)
    ids = column_of(report.frame("pyarrow"), "id")
    assert [empty.rows[row_id]["title"] for row_id in ids if empty.rows[row_id]["opportunity"] != 16] == [
        text for text in NASTY if text
    ]
    back = bx.read_entity("deal", portal, columns=["id", "title"], backend="pyarrow")
    by_id = dict(zip(column_of(back, "id"), column_of(back, "title"), strict=True))
    assert [by_id[row_id] for row_id in ids][:16] == NASTY[:16]


@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_one_poisoned_row_of_five_hundred(empty: OddPortal, portal: bx.Portal, entity: str, backend: str) -> None:
    frame = of(backend, {"title": ["poison" if at == 77 else f"t{at}" for at in range(500)]})
    report = bx.write_entity(frame, entity, portal, mode="insert", on_error="report")
    assert (report.inserted, report.failed, report.unknown) == (499, 1, 0)
    bad = report.failed_rows(frame)
    assert type(bad) is type(frame)
    assert len(bad) == 1
    assert titles(empty) == Counter(f"t{at}" for at in range(500) if at != 77)
    outcome = report.frame("pyarrow").to_pylist()[77]
    assert outcome["code"] == "CRM_FIELD_ERROR_VALUE_NOT_VALID"
    assert outcome["message"] == 'Field "Name" is not valid'


def takes_at_most(size: int) -> Callable[[Asked], Raw | None]:
    """A web server in front of the portal, with a limit of the size of requests."""

    def before(asked: Asked) -> Raw | None:
        page = b"<html><h1>413 Request Entity Too Large</h1></html>"
        return Raw(413, page) if len(json.dumps(asked.params)) > size else None

    return before


@pytest.mark.parametrize("entity", ["deal", "crm.deal"])
def test_rows_too_large_together_are_sent_in_smaller_requests(
    empty: OddPortal, portal: bx.Portal, entity: str, skipped: no_waiting
) -> None:
    """Twenty rows of an import, and fifty commands, may be more than a web server takes; each row by itself is not."""
    empty.before.append(takes_at_most(30_000))
    frame = pd.DataFrame({"title": [f"t{at}" + "x" * 5000 for at in range(60)]})
    report = bx.write_entity(frame, entity, portal, mode="insert")
    assert report.inserted == 60
    assert titles(empty) == Counter(frame["title"])
    assert skipped.seconds < 60  # nothing was in doubt for as long as a lost request may still be carried out


def test_a_row_too_large_by_itself_fails_by_itself(empty: OddPortal, portal: bx.Portal) -> None:
    empty.before.append(takes_at_most(30_000))
    frame = pd.DataFrame({"title": [f"t{at}" + "x" * (40_000 if at == 13 else 10) for at in range(40)]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", on_error="report")
    assert (report.inserted, report.failed, report.unknown) == (39, 1, 0)
    assert "413" in str(report.frame("pyarrow").to_pylist()[13]["message"])
    assert titles(empty) == Counter(frame["title"].drop(13))


def test_rows_are_tied_by_label_not_by_order(empty: OddPortal, portal: bx.Portal) -> None:
    """Maps of an answer may come in any order."""

    def shuffled(body: bytes) -> bytes:
        answer = json.loads(body)
        result = answer.get("result")
        if isinstance(result, dict) and isinstance(result.get("result"), dict):
            result["result"] = dict(reversed(result["result"].items()))
            for value in result["result"].values():
                if isinstance(value, dict) and isinstance(value.get("items"), dict):
                    value["items"] = dict(reversed(value["items"].items()))
        elif isinstance(result, dict) and isinstance(result.get("items"), dict):
            result["items"] = dict(reversed(result["items"].items()))
        return json.dumps(answer).encode()

    empty.garble = shuffled
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(130)]})
    for automation in (None, True):
        report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, resume=False)
        ids = report.frame("pyarrow").column("id").to_pylist()
        assert [empty.rows[row_id]["title"] for row_id in ids] == list(frame["title"])


def test_missing_values_of_every_kind_are_left_to_the_portal(empty: OddPortal, portal: bx.Portal) -> None:
    frame = pd.DataFrame(
        {
            "title": pd.Series(["a", None, np.nan, pd.NA], dtype=object),
            "opportunity": [1.0, np.nan, np.nan, 4.0],
            "begindate": pd.to_datetime(["2026-05-01", None, "NaT", "2026-05-04"]),
            "UF_CRM_SIZE": pd.array([1, None, 3, None], dtype="Int64"),
            "opened": pd.array([True, False, None, None], dtype="boolean"),
        }
    )
    bx.write_entity(frame, "deal", portal, mode="insert", automation=True)
    sent = [params["fields"] for method, params in empty.commands if method == "crm.item.add"]
    assert [sorted(fields) for fields in sent] == [
        ["UF_CRM_SIZE", "begindate", "opened", "opportunity", "title"], ["opened"], ["UF_CRM_SIZE"],
        ["begindate", "opportunity"],
    ]  # fmt: skip
    assert sent[0]["begindate"] == "2026-05-01"
    assert [fields.get("opened") for fields in sent[:2]] == ["Y", "N"]
    assert "nan" not in json.dumps(sent).lower()


def test_read_edit_update_just_works(odd: OddPortal, portal: bx.Portal, backend: Any) -> None:
    before = {row_id: dict(row) for row_id, row in odd.rows.items()}
    frame = bx.read_entity("deal", portal, backend=backend, filters={"<=id": 150})
    if backend == "pandas":
        frame["title"] = frame["title"] + "!"
    elif backend == "polars":
        frame = frame.with_columns(title=pl.col("title") + "!")
    else:
        changed = pa.array([f"{text}!" for text in frame.column("title").to_pylist()])
        frame = frame.set_column(frame.schema.get_field_index("title"), "title", changed)
    report = bx.write_entity(frame, "deal", portal, mode="update")
    assert report.updated == 50
    for row_id, row in odd.rows.items():
        assert row["title"] == before[row_id]["title"] + ("!" if row_id <= 150 else "")
        assert str(row["UF_CRM_SIZE"]) == str(before[row_id]["UF_CRM_SIZE"])


def test_update_and_delete_of_what_is_not_there(odd: OddPortal, portal: bx.Portal) -> None:
    frame = pd.DataFrame({"title": ["x", "y"]}, index=pd.Index([3, 4], name="id"))
    report = bx.write_entity(frame, "deal", portal, mode="update", on_error="report")
    assert list(report.frame()["action"]) == ["updated", "failed"]
    report = bx.delete_entity([3, 4, 3, 6], "deal", portal, on_error="report")
    assert list(report.frame()["action"]) == ["deleted", "failed", "skipped", "deleted"]
    assert 3 not in odd.rows
    with pytest.raises(e.WriteError, match="1 of 1 rows failed") as caught:
        bx.delete_entity([4], "deal", portal)
    assert caught.value.report.failed == 1


# --- import --------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["per row", "whole", "no method"])
def test_import_without_the_right_falls_back_to_add(empty: OddPortal, portal: bx.Portal, refusal: str) -> None:
    if refusal == "per row":
        empty.may_import = False
    else:
        code = "ACCESS_DENIED" if refusal == "whole" else "ERROR_METHOD_NOT_FOUND"

        def refuse(method: str, params: Any) -> None:
            if "mport" in method:
                raise Refused(code, "Access denied.")

        empty.command = refuse
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(300)]})
    report = bx.write_entity(frame, "deal", portal, mode="insert")
    assert report.inserted == 300
    assert report.robots_ran is True
    assert titles(empty) == Counter(frame["title"])
    assert sum("mport" in method for method, _ in empty.commands) == 1


def test_import_without_the_right_and_without_automation(empty: OddPortal, portal: bx.Portal) -> None:
    """One probe and one error, not twenty thousand failures."""
    empty.may_import = False
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(300)]})
    with pytest.raises(e.ConfigError, match="import permission") as caught:
        bx.write_entity(frame, "deal", portal, mode="insert", automation=False)
    assert "automation=False" in str(caught.value)
    assert sum("mport" in method for method, _ in empty.commands) == 2
    assert not [method for method, _ in empty.commands if method.endswith(".add")]
    assert not empty.rows


# --- answers that never come ---------------------------------------------------------------------


def lost_after(odd: OddPortal, times: int, raw: Raw) -> None:
    """The portal carries the request out, and its answer is lost on the way."""
    left = [times]

    def hook(asked: Asked) -> Raw | None:
        texts = json.dumps(asked.params)
        if left[0] > 0 and ("mport" in asked.method + texts or "item.add" in asked.method + texts):
            left[0] -= 1
            odd.envelope(asked)
            return raw
        return None

    odd.before.append(hook)


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("raw", [Raw(body=None), Raw(502, b"<html>Bad gateway</html>"), Raw(200, b'{"result":{')])
def test_an_insert_whose_answer_is_lost_is_not_sent_again(
    empty: OddPortal, portal: bx.Portal, automation: bool | None, raw: Raw
) -> None:
    """Every row is there once, whatever became of the answers."""
    lost_after(empty, 2, raw)
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(150)]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, on_error="report")
    assert titles(empty) == Counter(frame["title"])
    assert report.inserted == 150
    ids = report.frame("pyarrow").column("id").to_pylist()
    assert [empty.rows[row_id]["title"] for row_id in ids] == list(frame["title"])


def test_what_cannot_be_found_out_is_unknown(empty: OddPortal, portal: bx.Portal) -> None:
    """The portal dies after it has carried one request out: nothing is claimed, the report is there."""
    lost_after(empty, 1, Raw(body=None))
    empty.before.append(lambda asked: Raw(503, b"<html>down</html>") if empty.rows else None)
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(40)]})
    with pytest.raises(e.WriteError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    report = caught.value.report
    assert report.inserted == 0
    assert report.unknown >= 20
    assert "unknown" in str(caught.value)
    assert "looking for it failed" in str(report.frame()["message"].iloc[0])


def test_a_batch_refused_as_a_whole_is_taken_apart(empty: OddPortal, portal: bx.Portal) -> None:
    """A row that spoils every request it is in costs itself alone."""

    def spoilt(asked: Asked) -> Raw | None:
        if "spoils" in json.dumps(asked.params) and asked.method != "crm.item.list":
            return Raw(500, b"<html>Internal Server Error</html>")
        return None

    empty.before.append(spoilt)
    frame = pd.DataFrame({"title": ["spoils" if at == 31 else f"t{at}" for at in range(90)]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=True, on_error="report")
    assert titles(empty) == Counter(f"t{at}" for at in range(90) if at != 31)
    assert report.inserted == 89
    assert report.frame()["action"].iloc[31] in ("failed", "unknown")


def test_updates_refused_as_a_whole_are_halved(odd: OddPortal, portal: bx.Portal) -> None:
    def spoilt(asked: Asked) -> Raw | None:
        return Raw(500, b"<html>oops</html>") if "spoils" in json.dumps(asked.params) else None

    odd.before.append(spoilt)
    frame = pd.DataFrame({"id": sorted(odd.rows)[:64], "title": ["spoils" if at == 9 else "new" for at in range(64)]})
    report = bx.write_entity(frame, "deal", portal, mode="update", on_error="report")
    assert report.updated == 63
    assert titles(odd)["new"] == 63


@pytest.mark.parametrize("code", ["ERROR_CORE", "", "0"])
def test_an_update_saved_before_its_error_is_an_update(
    code: str, odd: OddPortal, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an update's error leaves open is read back; one that was not carried out stays failed."""
    ids = sorted(odd.rows)[:64]
    saving = odd.do_crm_item_update

    def update(params: Any) -> dict[str, Any]:
        row_id = int(params["id"])
        if row_id == ids[5]:
            raise Refused(code, "before the row was saved")
        answer = saving(params)
        if row_id in ids[7:9]:
            raise Refused(code, "after the row was saved")
        return answer

    monkeypatch.setattr(odd, "do_crm_item_update", update)
    frame = pd.DataFrame({"id": ids, "title": [f"new {row_id}" for row_id in ids], "opportunity": 0.1 + 0.2})
    report = bx.write_entity(frame, "deal", portal, mode="update", on_error="report")
    assert report.positions("failed").to_pylist() == [5]
    assert (report.updated, report.unknown) == (63, 0)
    assert "after the row was saved" in report.frame()["message"][7]
    assert [odd.rows[row_id]["title"] == f"new {row_id}" for row_id in ids] == [at != 5 for at in range(64)]


@pytest.mark.parametrize("status", [500, 502])
def test_a_row_alone_in_its_request_outlives_a_passing_fault(status: int, empty: OddPortal, portal: bx.Portal) -> None:
    """An insert that is certainly not there goes again, and one that never arrives has failed and is not unknown."""
    hit: list[int] = []
    told = json.dumps({"error": "INTERNAL_SERVER_ERROR", "error_description": "Internal server error"}).encode()

    def spoilt(asked: Asked) -> Raw | None:
        text = json.dumps(asked.params)
        if "never" in text or ("once" in text and not hit):
            hit.append(1)
            return Raw(status, told if status == 500 else b"<html>Bad Gateway</html>")
        return None

    empty.before.append(spoilt)
    frame = pd.DataFrame({"title": ["once", "never", "t2"]})
    given = {"automation": True, "rows_per_request": 1, "on_error": "report"}
    report = bx.write_entity(frame, "deal", portal, mode="insert", **given)  # type: ignore[call-overload]
    assert titles(empty) == Counter({"once": 1, "t2": 1})
    assert report.frame()["action"].tolist() == ["inserted", "failed", "inserted"]


@pytest.mark.parametrize("automation", [None, False])
def test_a_right_that_some_rows_lack_is_no_missing_right_to_import(
    automation: bool | None, empty: OddPortal, portal: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles may close one pipeline: its rows fail, or go by add; whole imports of them stop none of the others."""
    creating = empty.created

    def created(fields: dict[str, Any]) -> int:
        if "closed" in fields["title"]:
            raise Refused("ACCESS_DENIED", "Access denied")
        return creating(fields)

    monkeypatch.setattr(empty, "created", created)
    frame = pd.DataFrame({"title": [f"{'closed' if 25 <= at < 65 else 'open'} {at}" for at in range(130)]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, on_error="report")
    assert report.positions("failed").to_pylist() == list(range(25, 65))
    assert (report.inserted, len(empty.rows), report.robots_ran) == (90, 90, False)
    assert set(report.frame()["code"].iloc[25:65]) == {"ACCESS_DENIED"}


def test_a_credential_that_ends_midway(empty: OddPortal, portal: bx.Portal) -> None:
    """What was written stays told, what was not sent is skipped or failed, nothing is guessed."""
    answered = [0]

    def revoked(asked: Asked) -> Raw | None:
        answered[0] += 1
        denied = {"error": "INVALID_CREDENTIALS", "error_description": "Invalid request credentials"}
        return Raw(401, json.dumps(denied).encode()) if answered[0] > 4 else None

    empty.before.append(revoked)
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(2000)]})
    with pytest.raises(e.WriteError) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    report = caught.value.report
    assert report.inserted == len(empty.rows) > 0
    assert report.inserted + report.failed + report.skipped == 2000
    assert len(empty.asked) < 20


def test_the_same_upload_twice_is_stopped(empty: OddPortal, portal: bx.Portal) -> None:
    lost_after(empty, 1, Raw(body=None))
    empty.before.append(lambda asked: Raw(503, b"down") if empty.rows else None)
    frame = pd.DataFrame({"title": ["a", "b"], "begindate": [dt.date(2026, 1, 1)] * 2})
    with pytest.raises(e.WriteError):
        bx.write_entity(frame, "deal", portal, mode="insert")
    empty.before.clear()
    with pytest.raises(e.UnfinishedUpload) as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    report = bx.write_entity(frame, "deal", portal, mode="insert", resume=caught.value.journal)
    assert report.inserted == 2
    assert titles(empty) == Counter({"a": 1, "b": 1})


def test_a_dry_run_writes_nothing(odd: OddPortal, portal: bx.Portal) -> None:
    frame = pd.DataFrame({"title": ["a", "b"]})
    report = bx.write_entity(frame, "deal", portal, mode="insert", dry_run=True)
    assert report.dry_run
    assert report.inserted == 2
    assert bx.delete_entity([3, 6], "deal", portal, dry_run=True).deleted == 2
    assert len(odd.rows) == 180
