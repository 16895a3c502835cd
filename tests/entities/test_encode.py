"""A row becomes the call that writes it, and the call says what a second sending would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bx24frames.engine.messages import Call
from bx24frames.entities import encode
from bx24frames.entities.encode import AnswerShape, InputRow
from bx24frames.entities.names import resolve
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.transport.query import pairs

from .conftest import Table

BASE = {"entityTypeId": 2, "useOriginalUfNames": "Y"}
MOMENT = datetime(2024, 1, 1, 10, tzinfo=UTC)


def add(table: Table, **values: Any) -> Call:
    return encode.add_call(table.entity, table.columns(*values), InputRow(0, values)).call


def update(table: Table, nulls: Any = "skip", **values: Any) -> Call:
    return encode.update_call(table.entity, table.columns(*values), 7, InputRow(0, values), nulls).call


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("title", "Ü & co", "Ü & co"),
        ("TITLE", "x", "x"),
        ("stageId", "NEW", "NEW"),
        ("companyId", 5, 5),
        ("opportunity", 1.5, 1.5),
        ("opportunity", Decimal("0.10"), "0.10"),
        ("opened", True, "Y"),
        ("UF_CRM_FLAG", False, "N"),
        ("begindate", date(2024, 4, 19), "2024-04-19"),
        ("createdTime", MOMENT, "2024-01-01T10:00:00+00:00"),
        ("UF_CRM_COLOR", 44, 44),
        ("UF_CRM_PRICE", {"amount": Decimal("1500.5000"), "currency": "EUR"}, "1500.50|EUR"),
        ("UF_CRM_PRICE", {"amount": Decimal("-3"), "currency": "RUB"}, "-3.00|RUB"),
        ("UF_CRM_DAYS", [date(2024, 4, 19)], ["2024-04-19"]),
        ("UF_CRM_SCAN", {"name": "a.pdf", "content": b"ab"}, ["a.pdf", "YWI="]),
        ("contactIds", [1, 2], [1, 2]),
    ],
)
def test_item_values(deal: Table, name: str, value: Any, wire: Any) -> None:
    assert add(deal, **{name: value}).params == {**BASE, "fields": {deal[name].code: wire}}


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("opened", True, "Y"),
        ("UF_CRM_FLAG", True, 1),
        ("UF_CRM_FLAG", False, 0),
        ("UF_CRM_SCAN", {"name": "a.pdf", "content": "YWI="}, {"fileData": ["a.pdf", "YWI="]}),
        ("stageId", "NEW", "NEW"),
    ],
)
def test_classic_values(lead: Table, name: str, value: Any, wire: Any) -> None:
    assert add(lead, **{name: value}).params == {"fields": {lead[name].code: wire}}


def test_phones_by_family_and_way(deal: Table, lead: Table) -> None:
    old, new = {"id": 101, "value": "+1", "value_type": "HOME"}, {"id": None, "value": "+2", "value_type": None}
    item = update(deal, phone=[old, new], email=[{"value": "a@b"}])
    assert item.params["fields"] == {
        "fm": {
            "101": {"typeId": "PHONE", "valueType": "HOME", "value": "+1"},
            "n1": {"typeId": "PHONE", "valueType": "WORK", "value": "+2"},
            "n2": {"typeId": "EMAIL", "valueType": "WORK", "value": "a@b"},
        }
    }
    assert update(lead, PHONE=[old]).params["fields"] == {"PHONE": [{"ID": "101", "VALUE": "+1", "VALUE_TYPE": "HOME"}]}
    [sent] = encode.import_calls(deal.entity, deal.columns("phone"), [InputRow(3, {"phone": [old]})])
    assert sent.call.params["data"] == {"r3": {"PHONE": [{"VALUE": "+1", "VALUE_TYPE": "HOME"}]}}


def test_a_new_row_takes_no_ids_of_old_phones(deal: Table) -> None:
    fields = add(deal, phone=[{"id": 101, "value": "+1", "value_type": "HOME"}]).params["fields"]
    assert fields == {"fm": {"n0": {"typeId": "PHONE", "valueType": "HOME", "value": "+1"}}}


def test_what_may_be_repeated(deal: Table) -> None:
    known, new = {"id": 1, "value": "+1"}, {"value": "+1"}
    assert update(deal, title="x").repeatable
    assert update(deal, phone=[known]).repeatable
    assert not update(deal, phone=[known, new]).repeatable
    assert not update(deal, UF_CRM_SCAN={"name": "a", "content": "YQ=="}).repeatable
    assert not add(deal, title="x").repeatable
    assert encode.delete_call(deal.entity, 7).call == Call("crm.item.delete", {**BASE, "id": 7})


def test_nulls_are_left_alone_or_cleared(deal: Table, lead: Table) -> None:
    assert update(deal, title=None, companyId=None).params["fields"] == {}
    cleared = update(deal, "clear", title=None, companyId=None, begindate=None)
    assert cleared.params["fields"] == {"title": "", "companyId": "", "begindate": ""}
    assert not cleared.direct
    assert update(deal, "clear", contactIds=None).params["fields"] == {"contactIds": ""}
    assert update(lead, "clear", BIRTHDATE=None).params["fields"] == {"BIRTHDATE": ""}


@pytest.mark.parametrize("name", ["phone", "UF_CRM_SCAN"])
def test_what_cannot_be_cleared_blind(lead: Table, name: str) -> None:
    with pytest.raises(ValidationError, match=f"row 0, column {name}"):
        update(lead, "clear", **{name: None})


@pytest.mark.parametrize(
    ("value", "direct"),
    [
        ("costs $5", False),
        ("$result", False),
        ("$result [x]", False),
        ("$result[a][0]", True),
        ("see x$TOTAL[b]", True),
        ("$error_x[y]", True),
        ("[$]", False),
    ],
)
def test_text_like_a_reference_goes_directly(deal: Table, value: str, direct: bool) -> None:
    assert add(deal, title=value).direct is direct


def test_an_empty_list_travels_in_a_batch(deal: Table, lead: Table) -> None:
    assert (update(deal, contactIds=[]).params["fields"], update(deal, contactIds=[]).direct) == (
        {"contactIds": ""},
        False,
    )
    assert update(lead, CONTACT_IDS=[None]).params["fields"] == {"CONTACT_IDS": [""]}


def test_classic_files_are_kept_by_not_naming_them(lead: Table) -> None:
    field = replace(lead["UF_CRM_SCAN"], code="UF_CRM_SCANS", multiple=True)
    for value in ([], [{"id": 5, "name": None, "content": None}]):
        call = encode.update_call(lead.entity, {"UF_CRM_SCANS": field}, 7, InputRow(0, {"UF_CRM_SCANS": value})).call
        assert call.params["fields"] == {}
    assert encode.add_call(lead.entity, {"UF_CRM_SCANS": field}, InputRow(0, {"UF_CRM_SCANS": []})).call.params == {
        "fields": {}
    }


def test_classic_files_go_by_their_ids(lead: Table) -> None:
    """One by one, each marked; carried out twice, that takes nothing more away."""
    gone = {"id": 5, "remove": True}
    call = update(lead, UF_CRM_SCAN=gone)
    assert (call.params["fields"], call.repeatable) == ({"UF_CRM_SCAN": {"id": 5, "remove": "Y"}}, True)


def test_a_file_of_the_row_is_kept_by_not_naming_it(deal: Table) -> None:
    assert update(deal, UF_CRM_SCAN={"id": 5, "name": None, "content": None}).params["fields"] == {}
    with pytest.raises(ValidationError, match="needs a file's content"):
        add(deal, UF_CRM_SCAN={"id": 5})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("opportunity", float("inf")),
        ("createdTime", datetime(2024, 1, 1)),
        ("begindate", MOMENT),
        ("companyId", "5"),
        ("companyId", True),
        ("opened", "Y"),
        ("UF_CRM_PRICE", {"amount": Decimal(1), "currency": None}),
        ("contactIds", 5),
        ("phone", [5]),
    ],
)
def test_what_cannot_be_written_names_row_and_column(deal: Table, name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=f"row 4, column {name}") as caught:
        encode.add_call(deal.entity, deal.columns(name), InputRow(4, {name: value}))
    assert caught.value.rows == (4,)


def test_the_id_is_no_value(deal: Table) -> None:
    assert update(deal, ID=7, title="x").params == {**BASE, "id": 7, "fields": {"title": "x"}}


def test_answers_are_read_blind(deal: Table, lead: Table) -> None:
    row = InputRow(5, {"title": "x"})
    assert encode.add_call(deal.entity, deal.columns("title"), row).shape == AnswerShape(("item", "id"))
    assert encode.add_call(lead.entity, lead.columns("title"), row).shape == AnswerShape(())
    [sent] = encode.import_calls(deal.entity, deal.columns("title"), [row, InputRow(9, {"title": "y"})])
    assert sent.shape == AnswerShape(("item", "id"), ("items",))
    assert (sent.positions, sent.keys) == ((5, 9), ("r5", "r9"))
    assert sent.call.params == {**BASE, "data": {"r5": {"title": "x"}, "r9": {"title": "y"}}}
    one = encode.import_one_call(deal.entity, deal.columns("title"), row)
    assert one.call.method == "crm.item.import"


def test_imports_are_cut_at_twenty_rows_and_900_pairs(deal: Table) -> None:
    columns = deal.columns("title", "contactIds")
    narrow = [InputRow(row, {"title": "x"}) for row in range(45)]
    assert [len(sent.keys) for sent in encode.import_calls(deal.entity, columns, narrow)] == [20, 20, 5]
    wide = [InputRow(row, {"title": "x", "contactIds": list(range(1, 200))}) for row in range(9)]
    sent = list(encode.import_calls(deal.entity, columns, wide))
    assert [len(one.keys) for one in sent] == [4, 4, 1]
    assert all(pairs(one.call.params) <= encode.MAX_PAIRS for one in sent)


def test_unbatchable_rows_are_imported_apart(deal: Table) -> None:
    rows = [InputRow(row, {"title": "$result[x]" if row % 2 else "x"}) for row in range(4)]
    sent = list(encode.import_calls(deal.entity, deal.columns("title"), rows))
    assert [(one.positions, one.call.direct) for one in sent] == [((0, 2), False), ((1, 3), True)]


def test_limits_of_methods(lead: Table) -> None:
    with pytest.raises(ConfigError, match="import many"):
        list(encode.import_calls(lead.entity, {}, [InputRow(0, {})]))
    with pytest.raises(ConfigError, match="delete"):
        encode.delete_call(resolve("user"), 1)


def test_tables_with_flat_parameters() -> None:
    user = resolve("user")
    columns = {"NAME": user.fields.static[0].__class__("NAME", "string")}
    sent = encode.update_call(user, columns, 3, InputRow(0, {"NAME": "Ann"}))
    assert sent.call == Call("user.update", {"ID": 3, "NAME": "Ann"})
