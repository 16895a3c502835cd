"""Columns added for the row tests: named as their fields in messages."""

from __future__ import annotations

import pytest

import bx24frames as bx
from bx24frames.sandbox import Sandbox
from bx24frames.where import recheck
from bx24frames.where.recheck import shown_column


def test_a_warning_names_the_field_of_a_condition_and_not_the_column_added_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = []

    def spied(*given):
        schema = with_tested(*given)
        added.extend(name for name in schema.arrow.names if shown_column(name) != name)
        return schema

    with_tested = recheck.with_tested
    monkeypatch.setattr("bx24frames.scan.preparation.with_tested", spied)
    with (
        Sandbox(plan="unlimited", real_time=False, listen=False) as box,
        bx.Portal(box.url, transport=box.transport) as portal,
    ):
        bx.read_entity("deal", portal, columns=["id"], filters={">opportunity": 100})
    assert added
    assert [shown_column(name) for name in added] == ["opportunity"]


def test_rows_without_the_time_that_they_were_found_by_are_not_dropped_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The catalogue prints no time where it cannot parse its own date format (rest module: view/base.php)."""
    monkeypatch.setattr("bx24frames.sandbox.methods.goods._shown", lambda row, _: {**row, "timestampX": ""})
    with (
        Sandbox(plan="unlimited", real_time=False, listen=False, sizes={"product": 7}) as box,
        bx.Portal(box.url, transport=box.transport) as portal,
        pytest.warns(UserWarning, match=r"timestampX \(7 foreign rows\)"),
    ):
        assert not len(bx.read_entity("product:15", portal, columns=["id"], changed_since="2001-01-01T00:00:00Z"))
