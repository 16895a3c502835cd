"""Bad input: one error of the package's own tree, which says what, where and what to do, before anything is written."""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from odd_portal import CODE, OddPortal
from odd_wire import Refused

import bx24frames as bx
from bx24frames import errors as e

Act = Callable[[bx.Portal], object]
LEDGER = pd.DataFrame({"title": ["a", "b"], "opportunity": [1, 2]})


def read(**given: Any) -> Act:
    return lambda portal: bx.read_entity("deal", portal, **given)


def insert(frame: Any, **given: Any) -> Act:
    return lambda portal: bx.write_entity(frame, "deal", portal, **{"mode": "insert", **given})


def update(frame: Any, **given: Any) -> Act:
    return insert(frame, mode="update", **given)


def cell(column: str, *values: Any) -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(values, dtype=object)})


CASES: dict[str, tuple[Act, type[Exception], tuple[str, ...]]] = {
    # what is asked of which table
    "unknown entity": (lambda p: bx.read_entity("dael", p), e.UnknownEntity, ("'dael'", "deal", "list_entities()")),
    "no entity": (lambda p: bx.read_entity("", p), e.UnknownEntity, ("''",)),
    "entity number": (lambda p: bx.read_entity(2, p), e.UnknownEntity, ("'deal'", "2")),  # type: ignore[arg-type]
    "entity none": (lambda p: bx.count_entity(None, p), e.UnknownEntity, ("None",)),  # type: ignore[arg-type]
    "unknown column": (read(columns=["titel"]), e.UnknownColumn, ("'titel'", "deal", "Did you mean title?")),
    "column number": (read(columns=[1]), e.ConfigError, ("1", "text")),
    "columns text": (read(columns="title"), e.ConfigError, ("list of names", "'title'")),
    "columns empty": (read(columns=[]), e.ConfigError, ("columns is empty",)),
    "column twice": (read(columns=["title", "title"]), e.UnknownColumn, ("'title'", "twice")),
    "filter column": (read(filters={">titel": 1}), e.UnknownColumn, ("'titel'", "title")),
    "filter operator": (read(filters=("title", "~", 1)), e.FilterError, ("'~'", "Operators", "not in")),
    "filter number": (read(filters={"opportunity": "much"}), e.FilterError, ("opportunity", "not a number")),
    "filter date": (read(filters={">createdTime": "soon"}), e.FilterError, ("createdTime", "YYYY-MM-DD")),
    "filter naive": (read(filters={">createdTime": dt.datetime(2026, 1, 1)}), e.FilterError, ("timezone=",)),
    "filter shape": (read(filters=5), e.FilterError, ("a list of (column, op, value)",)),
    "filter text": (read(filters="title=1"), e.FilterError, ("a list of (column, op, value)",)),
    "filter short": (read(filters=[("title",)]), e.FilterError, ("(column, op, value)",)),
    "filter null": (read(filters={"id": [1, None]}), e.FilterError, ("id", "drop nulls")),
    "no description": (lambda p: bx.describe_entity("user.get", p), e.ConfigError, ("user.get", "list_entities()")),
    "no schema": (lambda p: bx.entity_schema("user.get", p), e.ConfigError, ("user.get", "have no description")),
    "filter id": (read(filters={"id": "x"}), e.FilterError, ("id", "not a number")),
    "limit": (read(limit=-1), e.ConfigError, ("limit", "-1")),
    "order": (read(order_by="titel"), e.UnknownColumn, ("'titel'", "title")),
    "order way": (read(order_by=("id", "up")), e.ConfigError, ("'asc' | 'desc'",)),
    "backend": (read(backend="dask"), e.ConfigError, ("'pandas', 'polars', 'pyarrow'", "'dask'")),
    "timezone": (read(timezone="Mars/Base"), e.ConfigError, ("'Mars/Base'",)),
    "overrides": (read(schema_overrides=["title"]), e.ConfigError, ("schema_overrides", "mapping")),
    "progress": (read(progress="bar"), e.ConfigError, ("progress", "'bar'")),
    "index": (read(index=[]), e.ConfigError, ("index", "[]")),
    "override": (read(schema_overrides={"title": "int"}), e.ConfigError, ("'int'", "pyarrow")),
    "labels": (read(labels="stageId"), e.ConfigError, ("labels", "'stageId'")),
    "titles": (read(titles="no"), e.ConfigError, ("titles", "'no'")),
    "schema": (read(schema={"title": str}), e.ConfigError, ("schema", "pandera", "dict")),
    "timezone of a write": (insert(LEDGER, timezone="Mars/Base"), e.ConfigError, ("'Mars/Base'",)),
    "chunk": (lambda p: list(bx.iter_entity("deal", p, chunk_size=0)), e.ConfigError, ("chunk_size", "0")),
    # frames that do not fit
    "no frame": (insert([1, 2]), e.ConfigError, ("DataFrame", "list")),
    "mode": (insert(LEDGER, mode="append"), e.ConfigError, ("'insert', 'update', 'upsert'", "'append'")),
    "same names": (insert(pd.DataFrame([[1, 2]], columns=["title", "title"])), e.ValidationError, ("title",)),
    "same field": (insert(pd.DataFrame([["a", "b"]], columns=["title", "TITLE"])), e.ValidationError, ("TITLE",)),
    "number names": (insert(pd.DataFrame({1: ["a"]})), e.ValidationError, ("1",)),
    "extra column": (insert(LEDGER.assign(margin=1)), e.UnknownColumn, ("'margin'",)),
    "nothing": (insert(pd.DataFrame(index=[1, 2])), e.ValidationError, ("no column to write", "describe_entity()")),
    "only ids": (update(pd.DataFrame({"id": [3, 6]})), e.ValidationError, ("no column to write",)),
    "insert ids": (insert(LEDGER.assign(id=[3, 6])), e.ValidationError, ("'id'", "mode='update'")),
    "update without": (update(LEDGER), e.ValidationError, ("'id'", "column or an index level")),
    "update twice": (update(LEDGER.assign(id=[3, 3])), e.ValidationError, ("row 0", "row 1")),
    "update null": (update(LEDGER.assign(id=[3, None])), e.ValidationError, ("no id", "row 1")),
    "update text": (update(LEDGER.assign(id=["3", "x"])), e.ValidationError, ("'x'", "row 1")),
    "number": (insert(cell("opportunity", "1", "much")), e.ValidationError, ("opportunity", "row 1", "'much'")),
    "infinite": (insert(cell("opportunity", 1.0, np.inf)), e.ValidationError, ("opportunity", "row 1", "infinite")),
    "fraction": (insert(cell("UF_CRM_SIZE", 1.5)), e.ValidationError, ("UF_CRM_SIZE", "row 0", "whole number")),
    "huge": (insert(cell("UF_CRM_SIZE", 2**70)), e.ValidationError, ("UF_CRM_SIZE", "row 0", "int64")),
    "date": (insert(cell("begindate", "2026-13-01")), e.ValidationError, ("begindate", "2026-12-31 or 31.12.2026")),
    "flag": (insert(cell("opened", "maybe")), e.ValidationError, ("opened", "'maybe'", "Y/N")),
    "money": (insert(cell("UF_CRM_COST", "lots")), e.ValidationError, ("UF_CRM_COST", "1500.50|EUR")),
    "list": (insert(cell("UF_CRM_TAGS", 5)), e.ValidationError, ("UF_CRM_TAGS", "not a list")),
    "bytes": (insert(cell("title", b"abc")), e.ValidationError, ("title", "bytes")),
    "surrogate": (insert(cell("title", "ok", "\ud800")), e.ValidationError, ("title", "row 1", "Unicode")),
    "read-only": (insert(cell("updatedTime", "2026-01-01T00:00:00Z")), e.ValidationError, ("updatedTime", "read-only")),
    "nulls": (insert(LEDGER, nulls="keep"), e.ConfigError, ("'skip', 'clear'",)),
    "on_error": (insert(LEDGER, on_error="ignore"), e.ConfigError, ("'raise', 'report', 'stop'",)),
    "rows": (insert(LEDGER, rows_per_request=0), e.ConfigError, ("rows_per_request",)),
    "automation": (update(LEDGER.assign(id=[3, 6]), automation=False), e.ConfigError, ("automation=False", "robots")),
    "resume": (insert(LEDGER, resume=5), e.ConfigError, ("journal", "5")),
    "upsert": (insert(LEDGER, mode="upsert"), e.ConfigError, ("on=",)),
    "upsert number": (insert(LEDGER, mode="upsert", on=5), e.ConfigError, ("list of names", "5")),
    "columns number": (insert(LEDGER, columns=["title", 1]), e.ConfigError, ("list of names", "1")),
    "upsert key": (insert(LEDGER, mode="upsert", on="titel"), e.UnknownColumn, ("'titel'", "title")),
    "key twice": (insert(LEDGER.assign(title="x"), mode="upsert", on="title"), e.ValidationError, ("row 0", "'x'")),
    "key empty": (insert(LEDGER.assign(title=""), mode="upsert", on="title"), e.ValidationError, ("empty", "row 0")),
    "choice": (insert(cell("UF_CRM_COLOR", 99)), e.ValidationError, ("UF_CRM_COLOR", "row 0", "choices")),
    "caption": (insert(cell("UF_CRM_COLOR", "Green")), e.ValidationError, ("UF_CRM_COLOR", "'Green'", "caption")),
    "columns": (insert(LEDGER, columns=["x"]), e.ValidationError, ("'x'",)),
    "delete text": (lambda p: bx.delete_entity("3", "deal", p), e.ConfigError, ("ids",)),
    "delete half": (lambda p: bx.delete_entity([3, 1.5], "deal", p), e.ValidationError, ("Row 1", "1.5")),
    "delete a text": (
        lambda p: bx.delete_entity([3, "x", "y"], "deal", p),
        e.ValidationError,
        ("Row 1", "'x'", "1 other"),
    ),
    "delete too much": (lambda p: bx.delete_entity([2**70], "deal", p), e.ValidationError, ("Row 0", "not an id")),
    "delete nan": (lambda p: bx.delete_entity([np.nan], "deal", p), e.ValidationError, ("Row 0", "nan")),
    "delete frame": (lambda p: bx.delete_entity(LEDGER, "deal", p), e.ValidationError, ("no id column",)),
    # wire verbs
    "method": (lambda p: p.call(""), e.ConfigError, ("crm.deal.list",)),
    "method batch": (lambda p: p.call("batch", {}), e.ConfigError, ("call_batch",)),
    "parameters": (lambda p: p.call("crm.deal.get", 5), e.ConfigError, ("a list of dicts", "int")),  # type: ignore[arg-type]
    "portal": (lambda p: bx.Portal(5), e.ConfigError, ("an address", "int")),  # type: ignore[arg-type]
    "method path": (lambda p: p.call("crm/../x"), e.ConfigError, ("crm.deal.list",)),
    "call text": (lambda p: p.call("crm.deal.get", "ID=3"), e.ConfigError, ("dict", "str")),  # type: ignore[arg-type]
    "call items": (lambda p: p.call("crm.deal.get", [3]), e.ConfigError, ("dict", "int")),  # type: ignore[list-item]
    "call nan": (lambda p: p.call("crm.deal.add", {"fields": {"X": np.nan}}), e.ConfigError, ("fields.X", "None")),
    "call nat": (lambda p: p.call("crm.deal.add", {"fields": {"X": pd.NaT}}), e.ConfigError, ("fields.X", "NaT")),
    "call big": (lambda p: p.call("crm.deal.add", {"fields": {"X": 2**70}}), e.ConfigError, ("fields.X", "64 bits")),
    "call odd": (lambda p: p.call("crm.deal.add", {"fields": {"X": "\ud800"}}), e.ConfigError, ("fields.X", "Unicode")),
    "fields": (lambda p: p.call("crm.deal.add", {"fields": 5}), e.ConfigError, ("'fields'", "int")),
    "filter none": (lambda p: p.call("crm.deal.list", {"filter": {"A": None}}), e.FilterError, ("'A'", "empty string")),
    "get_all start": (lambda p: p.get_all("crm.deal.list", {"start": 0}), e.ConfigError, ("'start'", "get_all()")),
    "get_all order": (lambda p: p.get_all("crm.deal.list", {"ORDER": {}}), e.ConfigError, ("'ORDER'",)),
    "get_all field": (lambda p: p.get_all("crm.deal.list", {"filter": {"X": 1}}), e.UnknownColumn, ("'X'",)),
    "ids none": (lambda p: p.get_by_id("crm.deal.get", None), e.ConfigError, ("list", "ids")),  # type: ignore[arg-type]
    "ids text": (lambda p: p.get_by_id("crm.deal.get", "35"), e.ConfigError, ("list", "ids")),
    "batch list": (lambda p: p.batch([]), e.ConfigError, ("dict",)),  # type: ignore[arg-type]
    "batch value": (lambda p: p.batch({"a": 5}), e.ConfigError, ("'a'", "method?query")),  # type: ignore[dict-item]
    "batch cmd": (lambda p: p.call_batch({"cmds": {}}), e.ConfigError, ("cmds",)),
    "batch nested": (lambda p: p.batch({"a": "batch?cmd[0]=x"}), e.ConfigError, ("batch",)),
    "slow": (lambda p: p.slow(0), e.ConfigError, ("slow(n)", "0")),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: str, odd: OddPortal, portal: bx.Portal, caplog: pytest.LogCaptureFixture) -> None:
    act, kind, words = CASES[case]
    caplog.set_level(logging.DEBUG)
    before = {row: dict(values) for row, values in odd.rows.items()}
    with pytest.raises(kind) as caught:
        act(portal)
    told = str(caught.value)
    for word in words:
        assert word in told
    assert odd.rows == before, "something was written"
    asked = [method for method, _ in odd.commands if method != "crm.type.list"]
    if case == "unknown column":  # rows may carry keys that no description names: a page is looked at
        asked.remove("crm.item.list")
    assert not [method for method in asked if method.endswith((".add", ".update", ".list", "mport"))]
    trace = "".join(traceback.format_exception(caught.value))
    for text in (told, repr(caught.value), trace, caplog.text, repr(portal), repr(portal.connection.settings)):
        assert CODE not in text


def test_every_fault_of_a_frame_is_told_at_once(odd: OddPortal, portal: bx.Portal) -> None:
    frame = pd.DataFrame({"opportunity": ["1", "x", "y"], "begindate": ["2026-01-01", "2026-01-01", "never"]})
    with pytest.raises(e.ValidationError, match="3 faults in 2 rows") as caught:
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert caught.value.rows == (1, 2)
    failures = caught.value.failures
    assert isinstance(failures, pd.DataFrame)
    assert sorted(zip(failures["position"], failures["column"], strict=True)) == [
        (1, "opportunity"), (2, "begindate"), (2, "opportunity"),
    ]  # fmt: skip


def test_an_edited_column_that_only_the_portal_sets(odd: OddPortal, portal: bx.Portal) -> None:
    frame = bx.read_entity("deal", portal, limit=3)
    frame.loc[1, "createdTime"] = pd.Timestamp("2020-01-01", tz="UTC")
    with pytest.raises(e.ValidationError, match="the column is read-only") as caught:
        bx.write_entity(frame, "deal", portal, mode="update")
    assert caught.value.rows == (1,)
    assert "2020-01-01" in str(caught.value)
    assert "datetime.datetime" not in str(caught.value)


ADDRESSES = {
    "": "https://", "acme.bitrix24.com": "https://acme.bitrix24.com/rest/1/<code>/",
    "https://acme.bitrix24.com/": "/rest/<user>/<code>/", "https://acme.bitrix24.com/rest/1/": "code is missing",
    f"http://acme.bitrix24.com/rest/1/{CODE}/": "allow_http=True", CODE: "***",
    f"ftp://acme.bitrix24.com/rest/1/{CODE}/": "https://", f"https://u:{CODE}@acme.bitrix24.com/rest/1/x/": "password",
    f"https://acme.bitrix24.com/rest/{CODE}/1/": "/rest/<user>/<code>/", "https:///rest/1/a/": "no host",
    f"https://acme bitrix24.com/rest/1/{CODE}/": "not a URL", f"https://a.com:99999/rest/1/{CODE}/": "not a URL",
}  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_malformed_webhook(address: str) -> None:
    with pytest.raises(e.ConfigError) as caught:
        bx.read_entity("deal", address)
    told = str(caught.value)
    assert ADDRESSES[address] in told
    assert "Inbound webhook" in told or "https://" in told
    assert CODE not in "".join(traceback.format_exception(caught.value, chain=True)).replace(f"{address!r}", "")


def test_a_wrong_token(odd: OddPortal) -> None:
    portal = bx.Portal(odd.url.replace(CODE, "wr0ngc0de12345678"))
    with pytest.raises(e.AuthError, match="Inbound webhook") as caught:
        bx.read_entity("deal", portal)
    assert len(odd.asked) == 1
    assert "wr0ngc0de" not in "".join(traceback.format_exception(caught.value))
    portal.close()


@pytest.mark.parametrize(
    "given",
    [{"dry_run": "no"}, {"dry_run": 1}, {"only_changed": "yes"}, {"automation": 0}, {"progress": "x"}, {"resume": True},
     {"resume": 5, "dry_run": True}, {"on": 5}, {"columns": [5]}],
)  # fmt: skip
def test_options_of_a_write_are_checked_before_a_request(
    odd: OddPortal, portal: bx.Portal, given: dict[str, Any]
) -> None:
    """A text such as "no" would count as on, and a dry run would hide a wrong journal."""
    name = next(iter(given))
    with pytest.raises(e.ConfigError, match=name):
        bx.write_entity(LEDGER, "deal", portal, **{"mode": "insert", **given})
    if name in ("dry_run", "progress", "resume"):
        with pytest.raises(e.ConfigError, match=name):
            bx.delete_entity([3], "deal", portal, **given)
    assert not odd.asked


def test_a_refusal_that_quotes_the_address_does_not_show_it(odd: OddPortal, portal: bx.Portal) -> None:
    """Alone, inside a batch, and as what became of a row."""

    def refuse(method: str, params: Any) -> None:
        if not method.endswith(("fields", "list")):
            raise Refused("ERROR_CORE", f"no access for {odd.url}profile", 400)

    odd.command = refuse
    for act in (lambda: portal.call("profile"), lambda: portal.call("crm.deal.get", [{"ID": 3}, {"ID": 6}])):
        with pytest.raises(e.PortalError, match=r"rest/1/\*\*\*/profile"):
            act()
    report = bx.write_entity(LEDGER, "deal", portal, mode="insert", on_error="report")
    assert CODE not in str(report.frame().to_dict())


@pytest.mark.parametrize(
    "given",
    [{"timeout": 0}, {"timeout": "5"}, {"deadline": -1}, {"limits": 5}, {"ssl": 5}, {"ssl": "/nowhere.pem"},
     {"auth": lambda: "t"}, {"timeout": None}, {"timeout": True},
     {"timeout": float("inf")}, {"limits": {}}, {"limits": 0},
     {"allow_http": "no"}, {"cache": "/tmp"}],
)  # fmt: skip
def test_options_that_cannot_work(odd: OddPortal, given: dict[str, Any]) -> None:
    with pytest.raises(e.ConfigError) as caught:
        bx.Portal(odd.url, **given)
    assert next(iter(given)) in str(caught.value)
    assert CODE not in str(caught.value)


@pytest.mark.parametrize("given", [{"burst": 0}, {"burst": "a"}, {"burst": True}, {"per_second": 0},
    {"commands_per_batch": 51}, {"commands_per_batch": 2.5}, {"max_in_flight": 1.5}])  # fmt: skip
def test_limits_that_cannot_be(given: dict[str, Any]) -> None:
    with pytest.raises(e.ConfigError, match=next(iter(given))):
        bx.Limits(**given)


@pytest.mark.parametrize("mode", ["insert", "update", "upsert"])
def test_a_fault_names_its_row_by_position_and_by_label(mode: str, odd: OddPortal, portal: bx.Portal) -> None:
    """A frame that was filtered has other labels than positions: the cell, the id and the key are told by both."""
    labels = ["x", "y", "z"]
    wrong: dict[str, Any] = {
        "insert": {"UF_CRM_SIZE": [1, "two", "three"]},
        "update": {"id": [3, None, 3], "title": "t"},
        "upsert": {"title": ["t", None, "t"]},
    }[mode]
    given = {"on": "title"} if mode == "upsert" else {}
    with pytest.raises(e.ValidationError, match=r"first in row 1 \(y\)") as caught:
        bx.write_entity(pd.DataFrame(wrong, index=labels), "deal", portal, mode=mode, **given)  # type: ignore[call-overload]
    told = caught.value.failures
    assert isinstance(told, pd.DataFrame)
    assert told[["position", "label"]].to_numpy().tolist() == [[1, "y"], [2, "z"]]
    with pytest.raises(e.ValidationError, match="first in row 1:") as plain:
        bx.write_entity(pd.DataFrame(wrong), "deal", portal, mode=mode, **given)  # type: ignore[call-overload]
    assert list(plain.value.failures) == ["position", "column", "value", "reason"]
