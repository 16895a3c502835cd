"""Likely mistakes of a user, and the one way out that each message leads to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.errors import (
    ArgumentsError,
    ConfigError,
    FilterError,
    ScopeError,
    UnknownColumn,
    UnknownEntity,
    ValidationError,
)


def message(kind: type[Exception], call: object) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_titles_are_taken_wherever_a_column_is_named(portal: bx.Portal):
    codes = bx.read_entity("deal", portal, columns=["title", "opportunity"], filters={">opportunity": 900_000})
    titled = bx.read_entity(
        "deal", portal, columns=["Название", "Сумма"], filters={">Сумма": 900_000}, order_by=("Сумма", "desc")
    )
    assert list(titled.columns) == ["Название", "Сумма"]
    assert sorted(titled["Сумма"]) == sorted(codes["opportunity"])
    assert titled["Сумма"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Названее", "Did you mean Название?"),
        ("opportunty", "Did you mean opportunity, opportunityAccount, isManualOpportunity?"),
    ],
)
def test_a_suggestion_names_each_field_once(portal: bx.Portal, name: str, hint: str):
    assert message(UnknownColumn, lambda: bx.read_entity("deal", portal, columns=[name])).splitlines()[1] == hint


@pytest.mark.parametrize(("word", "meant"), [("Сделки", "deal"), ("контакт", "contact"), ("Задачи", "task")])
def test_a_russian_word_for_an_entity_leads_to_its_name(portal: bx.Portal, word: str, meant: str):
    assert f"Did you mean {meant}" in message(UnknownEntity, lambda: bx.count_entity(word, portal))


@pytest.mark.parametrize("order", ["-createdTime", "createdTime desc", "createdTime DESC"])
def test_an_order_with_its_direction_inside_is_shown_as_a_pair(portal: bx.Portal, order: str):
    told = message(ConfigError, lambda: bx.read_entity("deal", portal, order_by=order))
    assert told.endswith("Write order_by=('createdTime', 'desc').")


def test_a_condition_without_an_operator_is_shown_its_form(portal: bx.Portal):
    told = message(FilterError, lambda: bx.count_entity("deal", portal, filters=[("stageId", "NEW")]))
    assert told == "a condition must be (column, op, value), not ('stageId', 'NEW') [deal]"


def test_an_index_that_is_not_read_names_what_is(portal: bx.Portal):
    told = message(ConfigError, lambda: bx.read_entity("deal", portal, columns=["id", "title"], index="ID"))
    assert told.endswith("Columns read: id, title.")


def test_captions_that_a_credential_may_not_see_name_the_scope_first(read_only_sandbox: bx.Sandbox):
    portal = read_only_sandbox.add_webhook(["crm"])
    told = message(ScopeError, lambda: bx.read_entity("deal", portal, columns=["assignedById"], labels=True))
    assert told.splitlines()[1].startswith("user.get needs the scope 'user'")
    assert "captions of 'assignedById'" in told.splitlines()[2]


def test_an_unknown_user_leads_to_the_list_of_users(portal: bx.Portal):
    told = message(FilterError, lambda: bx.count_entity("deal", portal, filters={"assignedById": "Неизвестный"}))
    assert told.endswith("read_entity('user') lists the users.")


def test_a_long_reason_never_hides_the_cell(portal: bx.Portal):
    deals = pd.DataFrame({"title": ["a"], "stageId": ["Ничья"]})
    told = message(ValidationError, lambda: bx.write_entity(deals, "deal", portal, mode="insert"))
    assert "(1x, first in row 0: 'Ничья')" in told


@pytest.mark.parametrize("day", [46000, "46000"])
def test_a_day_in_the_count_of_excel_is_recognised(portal: bx.Portal, day: object):
    deals = pd.DataFrame({"title": ["a"], "closedate": [day]})
    told = message(ValidationError, lambda: bx.write_entity(deals, "deal", portal, mode="insert"))
    assert "a day as Excel counts it" in told


def test_swapped_arguments_of_a_write_are_put_in_order(portal: bx.Portal):
    deals = pd.DataFrame({"title": ["a"]})
    told = message(ConfigError, lambda: bx.write_entity("deal", deals, portal, mode="insert"))
    assert told.endswith("write_entity(frame, 'deal', mode='insert').")


@pytest.mark.parametrize(("name", "way"), [("a.xls", "Save it as .xlsx"), ("a.doc", "Use one of them")])
def test_a_file_of_another_kind_is_taken_for_a_file(portal: bx.Portal, tmp_path: Path, name: str, way: str):
    path = tmp_path / name
    path.write_text("title\na\n")
    told = message(ConfigError, lambda: bx.write_entity(str(path), "deal", portal, mode="insert"))
    assert f"{name}': unknown format" in told
    assert way in told


def test_an_unknown_keyword_is_a_type_error_that_a_notebook_shows_without_our_frames(portal: bx.Portal):
    with pytest.raises(TypeError, match="Did you mean 'columns'") as caught:
        bx.read_entity("deal", portal, colums=["id"])
    assert isinstance(caught.value, ArgumentsError)
    pytest.importorskip("IPython")
    assert "bx24frames/arguments" not in "".join(caught.value._render_traceback_())
