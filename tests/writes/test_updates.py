"""Updates: only what was meant is changed, once, and what the portal alone sets is compared and not sent."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.upload.policy import RECONCILIATION

from .conftest import deals

ENTITIES = ("deal", "contact", "company", "lead", "item:128", "crm.deal", "crm.contact", "crm.company", "crm.lead")


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("entity", ENTITIES)
def test_read_edit_update_just_works(entity: str, backend: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    first = bx.read_entity(entity, portal, backend="pyarrow")
    frame = bx.read_entity(entity, portal, backend=backend)  # type: ignore[call-overload]
    report = bx.write_entity(frame, entity, portal, mode="update")
    assert report.updated == first.num_rows
    after = bx.read_entity(entity, portal, backend="pyarrow")
    for name in set(first.column_names) - {"updatedTime", "updatedBy", "DATE_MODIFY", "MODIFY_BY_ID"}:
        assert _said(after[name]) == _said(first[name]), name


def _said(column: pa.ChunkedArray) -> list[object]:
    """Cells, the empty text and nothing being the same: an item method stores the one as the other."""
    return [None if value == "" else value for value in column.to_pylist()]


@pytest.mark.parametrize("index", [None, "ID"])
@pytest.mark.parametrize("entity", ["deal", "contact", "crm.deal", "task"])
def test_a_frame_with_titles_is_written_back(
    entity: str, index: str | None, sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    """Columns have the names a read gave them, those shared by fields with their code behind; captions are codes."""
    read = {"titles": True, "labels": True, "timezone": "Asia/Tokyo", "index": index, "limit": 20}
    frame = bx.read_entity(entity, portal, **read)  # type: ignore[call-overload]
    sandbox.stats.reset()
    assert bx.write_entity(frame, entity, portal, mode="update", only_changed=True).unchanged == 20
    assert not [method for method in sandbox.stats.calls if "update" in method]


def test_a_title_names_a_key_a_column_and_a_cell_at_fault(portal: bx.Portal) -> None:
    """A title is a spelling like any other; a read-only column under its title is compared all the same."""
    frame = bx.read_entity("deal", portal, columns=["id", "title", "createdTime"], titles=True, limit=3)
    name, created = frame.columns[1:]
    changed = frame.assign(**{name: ["a", "b", "c"]})
    assert bx.write_entity(changed, "deal", portal, mode="update", columns=[name]).updated == 3
    assert bx.write_entity(changed[[name]], "deal", portal, mode="upsert", on=name, only_changed=True).unchanged == 3
    changed.loc[1, created] += pd.Timedelta(days=1)
    with pytest.raises(bx.errors.ValidationError) as caught:
        bx.write_entity(changed, "deal", portal, mode="update")
    assert caught.value.failures[["position", "column"]].to_numpy().tolist() == [[1, created]]


def test_an_edited_read_only_cell_is_an_error(portal: bx.Portal) -> None:
    frame = bx.read_entity("deal", portal, columns=["id", "title", "createdTime"], limit=5)
    frame.loc[2, "createdTime"] += pd.Timedelta(days=1)
    with pytest.raises(bx.errors.ValidationError, match="createdTime") as caught:
        bx.write_entity(frame, "deal", portal, mode="update")
    assert caught.value.rows == (2,)


def test_a_null_is_skipped_or_clears(portal: bx.Portal) -> None:
    made = bx.write_entity(deals(2).assign(comments="to go"), "deal", portal, mode="insert")
    frame = pd.DataFrame({"id": made.ids("inserted"), "comments": [None, "stays"]})
    bx.write_entity(frame, "deal", portal, mode="update")
    read = {"columns": ["comments"], "filters": {"id": made.ids("inserted")}}
    assert bx.read_entity("deal", portal, **read)["comments"].tolist() == ["to go", "stays"]  # type: ignore[call-overload]
    bx.write_entity(frame, "deal", portal, mode="update", nulls="clear")
    cleared = bx.read_entity("deal", portal, **read)["comments"]  # type: ignore[call-overload]
    assert cleared.isna().tolist() == [True, False] or cleared.tolist() == ["", "stays"]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "gateway_timeout", "truncated"])
def test_phones_are_merged_by_value_and_never_doubled(kind: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    made = bx.write_entity(
        pd.DataFrame({"name": ["Ann", "Bob"], "phone": [["+1", "+2"], ["+3"]]}), "contact", portal, mode="insert"
    )
    ids = made.ids("inserted")
    sandbox.faults.add(Fault(kind, method="crm.item.update", times=1))
    more = pd.DataFrame({"id": ids, "phone": [["+2", "+5"], ["+3"]]})
    report = bx.write_entity(more, "contact", portal, mode="update")
    assert (report.updated, report.unchanged) == (1, 1)
    phones = bx.read_entity("contact", portal, columns=["phone"], filters={"id": ids}, backend="pyarrow")
    values = [sorted(point["value"] for point in cell) for cell in phones["phone"].to_pylist()]
    assert values == [["+1", "+2", "+5"], ["+3"]]


def test_only_changed_sends_only_what_differs(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = bx.read_entity("deal", portal, columns=["id", "title", "opportunity", "begindate", "contactId"])
    frame.loc[3, "title"] = "Upload changed"
    sandbox.stats.reset()
    report = bx.write_entity(frame, "deal", portal, mode="update", only_changed=True)
    assert (report.updated, report.unchanged) == (1, len(frame) - 1)
    assert sandbox.stats.calls["crm.item.update"] == 1


def test_only_the_cells_that_differ_travel(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """A frame as it was read, every column of it, edited and given back."""
    frame = bx.read_entity("deal", portal, index="id", limit=60)
    first, last = frame.index[0], frame.index[-1]
    frame.loc[first, "title"] = "Upload changed"
    frame.loc[last, ["opportunity", "comments"]] = [7.25, "Upload too"]
    sent: dict[int, set[str]] = {}

    def seen(method: str, params: dict[str, object]) -> bool:
        if method == "crm.item.update" and isinstance(params["fields"], dict):
            sent[int(str(params["id"]))] = set(params["fields"])
        return False

    sandbox.faults.add(Fault("drop_before", when=seen))
    report = bx.write_entity(frame, "deal", portal, mode="update", only_changed=True)
    sandbox.faults.clear()
    assert (report.updated, report.unchanged) == (2, len(frame) - 2)
    assert sent == {first: {"title"}, last: {"opportunity", "comments"}}
    again = bx.read_entity("deal", portal, filters={"id": [int(first), int(last)]}, index="id")
    assert (again.loc[first, "title"], again.loc[last, "opportunity"]) == ("Upload changed", 7.25)


def test_a_row_kept_back_by_a_check_has_its_id_in_the_report(portal: bx.Portal) -> None:
    """What the frame says of the row is known, though the row never left."""
    ids = bx.read_entity("deal", portal, columns=["id"], limit=3)["id"].tolist()
    frame = pd.DataFrame({"id": ids, "opportunity": [1, "many", 3]})
    told = bx.write_entity(frame, "deal", portal, mode="update", on_error="report").frame()
    assert (told["id"].tolist(), told["action"].tolist()) == (ids, ["updated", "failed", "updated"])


def test_an_id_that_is_not_there_fails_by_itself(portal: bx.Portal) -> None:
    ids = bx.read_entity("deal", portal, columns=["id"], limit=2)["id"].tolist()
    frame = pd.DataFrame({"id": [*ids, 99_999_999], "title": "Upload"})
    report = bx.write_entity(frame, "deal", portal, mode="update", on_error="report")
    assert (report.updated, report.failed) == (2, 1)
    assert report.failed_rows(frame)["id"].tolist() == [99_999_999]


def test_the_index_may_hold_the_ids(portal: bx.Portal) -> None:
    frame = bx.read_entity("deal", portal, columns=["id", "title"], limit=3, index="id")
    assert bx.write_entity(frame, "deal", portal, mode="update").updated == 3


@pytest.mark.parametrize("bad", [[1, 1], [None, 2]])
def test_ids_must_be_there_and_different(bad: list[int | None], portal: bx.Portal) -> None:
    frame = pl.DataFrame({"id": bad, "title": ["a", "b"]})
    with pytest.raises(bx.errors.ValidationError):
        bx.write_entity(frame, "deal", portal, mode="update", on_error="report")


def test_upsert_inserts_updates_and_then_changes_nothing(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(300).assign(originatorId="shop", originId=[f"A_{at}" for at in range(300)])
    key = ["originatorId", "originId"]
    first = bx.write_entity(frame.iloc[:200], "deal", portal, mode="upsert", on=key)
    assert first.inserted == 200
    second = bx.write_entity(frame, "deal", portal, mode="upsert", on=key, only_changed=True)
    assert (second.inserted, second.unchanged) == (100, 200)
    sandbox.stats.reset()
    third = bx.write_entity(frame, "deal", portal, mode="upsert", on=key, only_changed=True)
    assert third.unchanged == 300
    assert not {method for method in sandbox.stats.calls if "add" in method or "mport" in method or "update" in method}
    assert first.ids("inserted") == third.ids("unchanged")[:200]


def test_upsert_compares_keys_exactly(portal: bx.Portal) -> None:
    """The portal's own equality takes ORDER_17 for order_17 and, without a prefix, for ORDERX17."""
    frame = deals(3).assign(originId=["ORDER_17", "order_17", "ORDERX17"])
    assert bx.write_entity(frame, "deal", portal, mode="upsert", on="originId").inserted == 3
    again = bx.write_entity(frame, "deal", portal, mode="upsert", on="originId", only_changed=True)
    assert again.unchanged == 3


def test_a_key_the_portal_has_twice_is_reported(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    sandbox.store.insert(2, [{"title": "Upload a", "originId": "T"}, {"title": "Upload b", "originId": "T"}])
    frame = deals(2).assign(originId=["T", "U"])
    report = bx.write_entity(frame, "deal", portal, mode="upsert", on="originId", on_error="report")
    assert (report.failed, report.inserted) == (1, 1)
    assert report.frame()["code"].tolist()[0] == "AMBIGUOUS_KEY"


@pytest.mark.parametrize("key", [["A", "A"], ["A", None], ["A", ""]])
def test_keys_must_be_there_and_different(key: list[str | None], sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    with pytest.raises(bx.errors.ValidationError, match="key"):
        bx.write_entity(deals(2).assign(originId=key), "deal", portal, mode="upsert", on="originId", on_error="report")


@pytest.mark.parametrize(("column", "values"), [("email", ["a@x.io", "b@x.io"]), ("phone", ["+7 900 1", "+7 900 2"])])
def test_upsert_by_phone_or_email(column: str, values: list[str], portal: bx.Portal) -> None:
    frame = pd.DataFrame({"name": ["Ann", "Bob"], column: [[value] for value in values]})
    assert bx.write_entity(frame, "contact", portal, mode="upsert", on=column).inserted == 2
    again = bx.write_entity(frame.assign(lastName="Lee"), "contact", portal, mode="upsert", on=column)
    assert again.updated == 2
    found = bx.read_entity("contact", portal, columns=[column], filters={"lastName": "Lee"}, backend="pyarrow")
    assert [len(cell) for cell in found[column].to_pylist()] == [1, 1]


def test_an_update_whose_last_answer_is_lost_is_read_back(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    """Lost whenever it is sent, and carried out the last time: the row says so."""
    made = bx.write_entity(pd.DataFrame({"name": ["Ann"]}), "contact", portal, mode="insert")
    sandbox.faults.add(Fault("drop_before", method="crm.item.update", times=RECONCILIATION.update_rounds - 1))
    sandbox.faults.add(Fault("drop_after", method="crm.item.update", times=1))
    frame = pd.DataFrame({"id": made.ids("inserted"), "phone": [["+7 900"]]})
    report = bx.write_entity(frame, "contact", portal, mode="update")
    assert (report.updated, sandbox.stats.calls["crm.item.update"]) == (1, 1)
    found = bx.read_entity(
        "contact", portal, columns=["phone"], filters={"id": made.ids("inserted")}, backend="pyarrow"
    )
    assert [point["value"] for point in found["phone"].to_pylist()[0]] == ["+7 900"]


def test_a_phone_that_is_a_key_is_not_added_in_another_spelling(portal: bx.Portal) -> None:
    """The digits tell phones apart, and e-mails know no case: what was found by them is there."""
    there = pd.DataFrame({"name": ["Ann"], "phone": [["+7 (900) 100-20-30"]], "email": [["Ann@X.io"]]})
    bx.write_entity(there, "contact", portal, mode="insert")
    for column, value in (("phone", "+79001002030"), ("email", "ann@x.io")):
        frame = pd.DataFrame({column: [value, value + "0"], "lastName": ["Lee", "Other"]})
        report = bx.write_entity(frame, "contact", portal, mode="upsert", on=column)
        assert (report.updated, report.inserted) == (1, 1)
    found = bx.read_entity(
        "contact", portal, columns=["phone", "email"], filters={"lastName": "Lee"}, backend="pyarrow"
    )
    assert [[point["value"] for point in cell] for cell in found.to_pylist()[0].values()] == (
        [["+7 (900) 100-20-30"], ["Ann@X.io"]]
    )


def test_an_edited_phone_is_sent_under_its_id(portal: bx.Portal) -> None:
    """By its own id its spelling and its kind change; an id of another row is none, and a phone given twice is one."""
    made = bx.write_entity(
        pd.DataFrame({"name": ["a", "b"], "phone": [["+7 900", "+5", "+6"], ["+8"]]}), "contact", portal, mode="insert"
    )
    read = {"columns": ["id", "phone"], "filters": {"id": made.ids("inserted")}, "backend": "pyarrow"}
    first, second = (row["phone"] for row in bx.read_entity("contact", portal, **read).to_pylist())  # type: ignore[call-overload]
    first[0] |= {"value": "+7900"}
    first[1] |= {"value": "+6"}
    first[2] |= {"value": "+5", "value_type": "HOME"}
    cells = [first, [*first, {"value": "+8", "value_type": "HOME"}, "+9", "+ 9", ""]]
    frame = pd.DataFrame({"id": made.ids("inserted"), "phone": cells})
    assert bx.write_entity(frame, "contact", portal, mode="update").updated == 2
    left = [row["phone"] for row in bx.read_entity("contact", portal, **read).to_pylist()]  # type: ignore[call-overload]
    assert [(one["id"], one["value"], one["value_type"]) for one in left[0]] == [
        (first[0]["id"], "+7900", "WORK"), (first[1]["id"], "+6", "WORK"), (first[2]["id"], "+5", "HOME")
    ]  # fmt: skip
    assert sorted((one["value"], one["value_type"]) for one in left[1]) == [
        ("+5", "HOME"), ("+6", "WORK"), ("+7900", "WORK"), ("+8", "HOME"), ("+9", "WORK")
    ]  # fmt: skip
    assert second[0]["id"] in [one["id"] for one in left[1]]
    assert bx.write_entity(frame, "contact", portal, mode="update").unchanged == 2


def test_several_phones_are_no_key(portal: bx.Portal) -> None:
    """The row is named, as for a key that is missing."""
    frame = pd.DataFrame({"phone": [["+1"], ["+2", "+3"]], "name": ["a", "b"]})
    with pytest.raises(bx.errors.ValidationError, match="a single value") as caught:
        bx.write_entity(frame, "contact", portal, mode="upsert", on="phone")
    assert caught.value.rows == (1,)


def test_update_by_key(portal: bx.Portal) -> None:
    frame = deals(3).assign(originId=["K1", "K2", "K3"])
    bx.write_entity(frame.iloc[:2], "deal", portal, mode="insert")
    report = bx.write_entity(frame, "deal", portal, mode="update", on="originId", on_error="report")
    assert (report.updated, report.failed) == (2, 1)


def test_a_dry_run_sends_nothing_that_writes(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    frame = deals(10).assign(originId=[f"D{at}" for at in range(10)])
    bx.write_entity(frame.iloc[:4], "deal", portal, mode="insert")
    sandbox.stats.reset()
    report = bx.write_entity(frame, "deal", portal, mode="upsert", on="originId", only_changed=True, dry_run=True)
    assert (report.dry_run, report.inserted, report.unchanged) == (True, 6, 4)
    assert not {method for method in sandbox.stats.calls if "add" in method or "mport" in method or "update" in method}


def test_automation_false_is_for_inserts(portal: bx.Portal) -> None:
    with pytest.raises(bx.errors.ConfigError, match="robots"):
        bx.write_entity(pd.DataFrame({"id": [1], "title": ["x"]}), "deal", portal, mode="update", automation=False)


FORMS: dict[str, Callable[[list[int]], object]] = {
    "series": pd.Series,
    "nullable": lambda ids: pd.Series(ids, dtype="Int64"),
    "index": pd.Index,
    "polars": pl.Series,
    "arrow": pa.array,
    "set": set,
    "iterator": iter,
    "keys": lambda ids: dict.fromkeys(ids).keys(),
    "texts": lambda ids: [str(row_id) for row_id in ids],
    "lazy frame": lambda ids: pl.LazyFrame({"id": ids}),
    "index of a frame": lambda ids: pd.DataFrame(index=pd.Index(ids, name="ID")),
}


@pytest.mark.parametrize("form", FORMS)
def test_ids_come_in_many_forms(form: str, portal: bx.Portal) -> None:
    """Columns of every library, frames lazy or not, and whatever can be gone through."""
    ids = bx.write_entity(deals(3), "deal", portal, mode="insert").ids("inserted")
    assert bx.delete_entity(FORMS[form](ids), "deal", portal).deleted == 3


def test_undo_deletes_exactly_what_was_created(portal: bx.Portal) -> None:
    before = bx.count_entity("deal", portal)
    report = bx.write_entity(deals(70), "deal", portal, mode="insert")
    assert bx.delete_entity(report, "deal", portal).deleted == 70
    assert bx.count_entity("deal", portal) == before
    gone = bx.delete_entity([*report.ids("inserted")[:2], report.ids("inserted")[0]], "deal", portal, on_error="report")
    assert (gone.failed, gone.skipped) == (2, 1)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "bad_gateway", "truncated"])
def test_a_deletion_whose_answer_is_lost_is_still_a_deletion(kind: str, sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    report = bx.write_entity(deals(60), "deal", portal, mode="insert")
    sandbox.faults.add(Fault(kind, method="crm.item.delete"))
    assert bx.delete_entity(report, "deal", portal).deleted == 60


@pytest.mark.parametrize(
    ("entity", "names"),
    [
        ("deal", ("originId", "categoryId", "stageId")),
        ("crm.deal", ("ORIGIN_ID", "CATEGORY_ID", "STAGE_ID")),
    ],
)
def test_an_upsert_puts_new_rows_where_they_belong_and_moves_none(
    entity: str, names: tuple[str, str, str], portal: bx.Portal
) -> None:
    key, pipeline, stage = names
    frame = pd.DataFrame({key: ["A", "B", "C"], pipeline: ["Закупки", "Общая", "Закупки"], stage: "Новая"})
    first = bx.write_entity(frame, entity, portal, mode="upsert", on=key)
    again = bx.write_entity(frame, entity, portal, mode="upsert", on=key, only_changed=True)
    third = bx.write_entity(frame, entity, portal, mode="update", on=key)
    assert (first.inserted, again.unchanged, third.updated) == (3, 3, 3)
    read = {"columns": [pipeline, stage], "filters": {"id": first.ids("inserted")}, "backend": "pyarrow"}
    placed = bx.read_entity(entity, portal, **read).to_pylist()  # type: ignore[call-overload]
    assert [tuple(row.values()) for row in placed] == [(1, "C1:NEW"), (0, "NEW"), (1, "C1:NEW")]

    moved = frame.assign(**{pipeline: ["Закупки", "Закупки", None], stage: "C1:WON"})
    report = bx.write_entity(moved, entity, portal, mode="upsert", on=key, on_error="report")
    assert report.frame()["action"].tolist() == ["updated", "failed", "updated"]
    [told] = report.frame("pyarrow").slice(1, 1).to_pylist()
    assert (told["column"], told["path"], told["id"]) == (pipeline, "check", first.ids("inserted")[1])
    assert told["message"].startswith("can only be set on creation: 1, the portal has 0")
    placed = bx.read_entity(entity, portal, **read).to_pylist()  # type: ignore[call-overload]
    assert [tuple(row.values()) for row in placed] == [(1, "C1:WON"), (0, "NEW"), (1, "C1:WON")]
