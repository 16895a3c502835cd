"""Named sandboxes: the words behind ``sandbox:`` choose rows, language and day."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bx24frames as bx
from bx24frames.errors import ConfigError
from bx24frames.sandbox.named import options_of


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    bx.Sandbox.close_shared()


def test_a_name_with_a_day_is_the_same_company_in_every_process_and_its_last_deal_is_of_that_day():
    deals = bx.read_entity("deal", "sandbox:tidy:2026-11-30", columns=["id", "title", "createdTime"])
    bx.Sandbox.close_shared()
    again = bx.read_entity("deal", "sandbox:tidy:2026-11-30", columns=["id", "title", "createdTime"])
    assert deals.equals(again)
    assert str(deals["createdTime"].max()).startswith("2026-11-30")


def test_each_name_is_one_portal_of_its_own():
    english = bx.read_entity("deal", "sandbox:tidy:en", columns=["title"])["title"]
    assert english.str.isascii().mean() < english.str.contains("[a-z]").mean() == 1.0
    assert bx.Sandbox.shared("tidy:en") is bx.Sandbox.shared("tidy:en")
    assert bx.Sandbox.shared("tidy:en") is not bx.Sandbox.shared("7")


@pytest.mark.parametrize(("words", "seed"), [("tidy", "tidy"), ("7", 7), ("tidy:7", "tidy:7"), ("7:tidy", "tidy:7")])
def test_the_words_of_a_name_give_the_seed(words: str, seed: object):
    assert options_of(words) == {"seed": seed}


@pytest.mark.parametrize("name", ["sandbox:tdy", "sandbox:tidy:fr", "sandbox:tidy:30.11.2026"])
def test_an_unknown_word_is_an_error_that_lists_the_known_ones(name: str):
    with pytest.raises(ConfigError, match="is none of: tidy, a number, ru, en, or a day such as 2026-11-30"):
        bx.count_entity("deal", name)
