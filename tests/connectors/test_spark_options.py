"""Options of the Spark data source: what they mean, and that no secret passes through one."""

from __future__ import annotations

import pickle

import pytest

from bx24frames.connectors.spark_options import SparkRead, SparkWrite
from bx24frames.errors import BX24Error, ConfigError

READ = {"entity": "deal", "portals": "acme"}
WRITE = {**READ, "mode": "insert", "journal": "/shared"}
CODE = "abc123def456ghi7"


def test_lists_are_separated_by_commas_and_names_are_in_any_case() -> None:
    found = SparkRead.parse({"Entity": "deal", "PORTALS": "acme, env:GLOBEX_WEBHOOK", "columns": "id,title"})
    assert (found.entity, found.portals, found.columns) == ("deal", ["acme", "env:GLOBEX_WEBHOOK"], ["id", "title"])


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ('{">=id": 5}', {">=id": 5}),
        ('["id", ">", 5]', ("id", ">", 5)),
        ('[["id", ">", 5], ["title", "=", "a"]]', [("id", ">", 5), ("title", "=", "a")]),
        ('[[["id", "=", 5]], [["id", "in", [7, 8]]]]', [[("id", "=", 5)], [("id", "in", [7, 8])]]),
    ],
)
def test_filters_are_those_of_a_read_as_json(text: str, filters: object) -> None:
    assert SparkRead.parse({**READ, "filters": text}).filters == filters


@pytest.mark.parametrize(
    "portals",
    [
        f"https://acme.bitrix24.com/rest/1/{CODE}/",
        f"acme,https://acme.bitrix24.com/rest/1/{CODE}/",
        f"acme.bitrix24.com/rest/1/{CODE}",
        "acme.bitrix24.com",
        "localhost:8080",
        f"env:https://acme.bitrix24.com/rest/1/{CODE}/",
        f"env:{CODE}/",
    ],
)
@pytest.mark.parametrize(("kind", "others"), [(SparkRead, READ), (SparkWrite, WRITE)])
def test_an_address_of_a_portal_is_refused_and_not_repeated(
    kind: type[SparkRead | SparkWrite], others: dict[str, str], portals: str
) -> None:
    with pytest.raises(ConfigError, match="save the address") as caught:
        kind.parse({**others, "portals": portals})
    assert CODE not in str(caught.value)
    assert "acme.bitrix24.com" not in str(caught.value)


@pytest.mark.parametrize("name", ["entity", "columns", "filters", "shared", "journal", "url"])
def test_a_secret_in_any_option_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SparkWrite.parse({**WRITE, name: f'{{"x": "https://acme.bitrix24.com/rest/1/{CODE}/"}}'})
    assert CODE not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (SparkRead, {"entity": "deal"}, "portals is missing"),
        (SparkRead, {**READ, "colums": "id"}, "Did you mean 'columns'"),
        (SparkRead, {**READ, "portals": "acme,,b"}, "one of them is empty"),
        (SparkRead, {**READ, "filters": "id > 5"}, "filters is not JSON"),
        (SparkRead, {**READ, "timezone": "Moscow"}, "IANA"),
        (SparkRead, {**READ, "splits": "two"}, "whole number"),
        (SparkRead, {**READ, "splits": "4"}, "share its request budget"),
        (SparkRead, {**READ, "shared": "redis://:hunter2@cache:6379"}, "with a password"),
        (SparkRead, {**READ, "shared": "redis://cache:6379?password=hunter2"}, "with a password"),
        (SparkRead, {**READ, "shared": "cluster"}, "shared must be"),
        (SparkRead, {**READ, "shared": "env:redis://hunter2"}, "takes names, not addresses"),
        (SparkWrite, {**WRITE, "mode": "overwrite"}, "mode must be one of"),
        (SparkWrite, {**WRITE, "portals": "acme,globex"}, "goes to one portal"),
        (SparkWrite, READ | {"mode": "insert"}, "journal is missing"),
        (SparkWrite, {**WRITE, "only_changed": "perhaps"}, "'true' or 'false'"),
        (SparkWrite, {**WRITE, "resume": "../other"}, "name of a run"),
    ],
)
def test_an_option_that_is_wrong_says_what_to_write(
    kind: type[SparkRead | SparkWrite], options: dict[str, str], message: str
) -> None:
    with pytest.raises(BX24Error, match=message) as caught:
        kind.parse(options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("shared", ["host", "redis://cache:6379/1", "env:REDIS_ADDRESS"])
def test_a_shared_budget_allows_splits(shared: str) -> None:
    assert SparkRead.parse({**READ, "splits": "4", "shared": shared}).splits == 4


def test_the_address_of_a_budget_is_looked_up_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = SparkRead.parse({**READ, "shared": "env:REDIS_ADDRESS"}).limits()
    monkeypatch.setenv("REDIS_ADDRESS", "redis://:hunter2@127.0.0.1:1/0")
    packed = pickle.dumps(limits)
    assert b"hunter2" not in packed
    assert callable(limits.shared)
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        limits.shared("acme.bitrix24.com", limits)
    assert "hunter2" not in str(caught.value)
    monkeypatch.delenv("REDIS_ADDRESS")
    with pytest.raises(ConfigError, match="environment variable REDIS_ADDRESS is not set"):
        pickle.loads(packed).shared("acme.bitrix24.com", limits)


@pytest.mark.parametrize(("text", "resume"), [("False", False), ("2026-11-30.deals", "2026-11-30.deals")])
def test_resume_is_the_name_of_a_run_or_false(text: str, resume: object) -> None:
    assert SparkWrite.parse({**WRITE, "resume": text}).resume == resume
