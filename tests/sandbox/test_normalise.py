"""What a portal makes of texts, numbers and phones before it stores them."""

from __future__ import annotations

import pytest
from handlers import opened, value

from bx24frames.sandbox.fields.normalise import EVERY, normalisations

TITLE = " a  b & c\r\nd \U0001f600 "


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("trim", "a  b & c\r\nd \U0001f600"),
        ("collapse", " a b & c\r\nd \U0001f600 "),
        ("escape", " a  b &amp; c\r\nd \U0001f600 "),
        ("upper", " A  B & C\r\nD \U0001f600 "),
        ("lines", " a  b & c\nd \U0001f600 "),
        ("emoji", " a  b & c\r\nd ? "),
        ("phones", TITLE),
    ],
)
def test_each_rewriting_is_a_separate_choice(name: str, title: str) -> None:
    with opened(24, {"deal": 1}) as store:
        store.normalise = {name}
        assert value(store, "crm.item.add", entityTypeId=2, fields={"title": TITLE})["item"]["title"] == title


def test_numbers_are_rounded_and_texts_are_cut() -> None:
    with opened(24, {"deal": 1}) as store:
        store.normalise = EVERY
        item = value(store, "crm.item.add", entityTypeId=2, fields={"title": "x" * 300, "opportunity": 10.005})["item"]
        assert (len(item["title"]), item["opportunity"]) == (255, 10.01)


@pytest.mark.parametrize("phone", ["8 (900) 123-45-67", "+7 900 1234567", "79001234567", "9001234567"])
def test_phones_take_one_form(phone: str) -> None:
    with opened(24, {"deal": 1}) as store:
        store.normalise = {"phones"}
        fields = {"NAME": "a", "PHONE": [{"VALUE": phone}, {"VALUE": "0049 30 1"}]}
        row_id = value(store, "crm.contact.add", fields=fields)
        phones = [entry["VALUE"] for entry in value(store, "crm.contact.get", id=row_id)["PHONE"]]
        assert phones == ["+79001234567", "0049 30 1"]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown normalisations: nothing"):
        normalisations({"nothing"})
