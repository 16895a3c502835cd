"""The tidy seed: a company whose rows agree with each other, up to today and the same each time."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator

import orjson
import pytest

from bx24frames.sandbox import Sandbox

TODAY = 1_764_500_000.0  # 30 November 2025, in the afternoon


def tidy(seed: str = "tidy", locale: str = "ru", **options: object) -> Sandbox:
    return Sandbox(seed=seed, locale=locale, listen=False, clock=lambda: TODAY, **options)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with tidy() as sandbox:
        yield sandbox


def test_deals_and_their_stage_history_agree(box: Sandbox) -> None:
    history = defaultdict(list)
    rows = box.store.query(
        "SELECT ownerId, createdTime, stageId, typeId, stageSemanticId FROM stage_history WHERE ownerTypeId = 2 "
        "ORDER BY id"
    )
    for owner, *rest in rows:
        history[owner].append(rest)
    for deal in box.store.rows(2):
        times, stages, kinds, semantics = zip(*history[deal["id"]], strict=True)
        assert (times[0], times[-1]) == (deal["createdTime"], deal["movedTime"])
        assert stages[-1] == deal["stageId"]
        assert list(times) == sorted(times)
        assert all(one != other for one, other in itertools.pairwise(stages))
        assert (kinds[0], semantics[-1]) == (1, deal["stageSemanticId"])
        assert (deal["closed"] == "Y") == (semantics[-1] in "SF") == (kinds[-1] == 3)
        if deal["closed"] == "Y":
            assert deal["closedate"] == times[-1][:10]


def test_it_is_a_funnel(box: Sandbox) -> None:
    reached = dict(
        box.store.query("SELECT stageId, count(DISTINCT ownerId) FROM stage_history WHERE ownerTypeId = 2 GROUP BY 1")
    )
    steps = ["NEW", "PREPARATION", "PREPAYMENT_INVOICE", "EXECUTING", "FINAL_INVOICE"]
    counts = [reached[step] for step in steps]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > counts[0] / 4
    months = {deal["createdTime"][:7] for deal in box.store.rows(2)}
    assert len(months) >= 12


def test_nothing_but_plans_lies_in_the_future(box: Sandbox) -> None:
    now = box.store.local_time(TODAY)
    for entity in box.store.entities():
        for row in box.store.rows(entity.id):
            times = [value for name, value in row.items() if name.endswith("Time") and isinstance(value, str) and value]
            assert max(times) <= now, (entity.name, row["id"])
    assert box.store.scalar("SELECT max(created) FROM activity") <= now
    assert box.store.scalar("SELECT max(callStartDate) FROM call") <= now
    assert box.store.scalar("SELECT max(createdDate) FROM task") <= now
    assert box.store.scalar("SELECT count(*) FROM activity WHERE completed = 'N' AND deadline < ?", (now,)) > 0
    assert box.store.scalar("SELECT count(*) FROM activity WHERE completed = 'N' AND deadline > ?", (now,)) > 0


def test_sums_are_those_of_the_product_rows(box: Sandbox) -> None:
    sums = dict(
        box.store.query("SELECT ownerId, sum(price * quantity) FROM product_row WHERE ownerType='D' GROUP BY 1")
    )
    assert {deal["id"]: deal["opportunity"] for deal in box.store.rows(2)} == sums
    names = {name for (name,) in box.store.query("SELECT name FROM product")}
    assert {name for (name,) in box.store.query("SELECT DISTINCT productName FROM product_row")} <= names


def test_every_link_leads_somewhere(box: Sandbox) -> None:
    ids = {name: {i for (i,) in box.store.query(f'SELECT id FROM "{name}"')} for name in ("company", "contact", "user")}
    for deal in box.store.rows(2):
        assert deal["companyId"] in ids["company"]
        assert set(deal["contactIds"]) <= ids["contact"]
        assert deal["assignedById"] in ids["user"]
    companies = {row["id"]: row["companyId"] for row in box.store.rows(3)}
    assert all(companies[deal["contactId"]] == deal["companyId"] for deal in box.store.rows(2))
    phones = {entry["VALUE"] for row in box.store.rows(3) for entry in row["fm"] if entry["TYPE_ID"] == "PHONE"}
    assert {phone for (phone,) in box.store.query("SELECT phoneNumber FROM call")} <= phones


def test_taxpayer_numbers_have_their_check_digit(box: Sandbox) -> None:
    numbers = [number for (number,) in box.store.query("SELECT rqInn FROM requisite WHERE entityTypeId = 4")]
    assert len(set(numbers)) == len(box.store.rows(4))
    for number in numbers:
        weighed = zip((2, 4, 10, 3, 5, 9, 4, 6, 8), map(int, number), strict=False)
        assert sum(weight * digit for weight, digit in weighed) % 11 % 10 == int(number[9])


def test_the_same_seed_and_day_give_the_same_rows(box: Sandbox) -> None:
    with tidy("tidy:24") as again, tidy("tidy:7") as other:
        assert again.store.database.dump() == box.store.database.dump()
        assert other.store.rows(2) != box.store.rows(2)


def test_an_english_company_speaks_english() -> None:
    with tidy(locale="en") as box:
        shown = [row for number in (1, 2, 3, 4, 31, 128) for row in box.store.rows(number)]
        stages = box.store.kept("status")
        named = [row["NAME"] for row in stages if row["ENTITY_ID"] in ("DEAL_STAGE", "SOURCE", "STATUS")]
        texts = orjson.dumps([shown, named, box.store.kept("department"), box.store.query("SELECT * FROM product")])
        assert not re.search("[А-Яа-я]", texts.decode())


def test_its_size_can_be_chosen_and_it_survives_a_restart(tmp_path) -> None:
    path = str(tmp_path / "box.sqlite")
    with tidy(path=path, sizes={"deal": 30, "company": 4}) as box:
        rows = box.store.rows(2)
    with tidy(path=path) as box:
        assert box.store.rows(2) == rows
        assert len(rows) == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": "neat"}, "seed: a number, 'tidy'"),
        ({"seed": "tidy:x"}, "seed: a number, 'tidy'"),
        ({"locale": "de"}, "locale: 'ru' or 'en'"),
        ({"sizes": {"task": 3}}, "sizes of the tidy seed: company, lead, deal"),
    ],
)
def test_what_it_does_not_know_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        tidy(**options)


def test_each_pipeline_is_listed_once_although_contacts_and_companies_have_a_pipeline_0_too():
    with tidy() as sandbox:
        listed = {number: categories(sandbox, number) for number in (2, 3, 4)}
    assert listed[2] == ["Продажи", "Сервис", "Партнёры"]
    assert [len(names) for names in listed.values()] == [3, 2, 2]


def categories(sandbox: Sandbox, entity_type_id: int) -> list[str]:
    """The names of the pipelines of an entity type."""
    body = orjson.dumps({"entityTypeId": entity_type_id})
    reply = asyncio.run(sandbox.transport.post("crm.category.list", body, timeout=10))
    return [row["name"] for row in orjson.loads(reply.body)["result"]["categories"]]


def test_a_phone_is_entered_twice_in_two_ways_and_campaigns_bring_deals(box: Sandbox):
    phones = [
        row[0] for row in box.store.query("SELECT value FROM multifield WHERE entityTypeId = 3 AND typeId = 'PHONE'")
    ]
    digits = [re.sub(r"\D", "", phone)[-10:] for phone in phones]
    assert len(set(digits)) < len(digits) == len(set(phones))
    campaigns = box.store.query("SELECT DISTINCT utmSource FROM deal WHERE sourceId = 'WEB'")
    assert {row[0] for row in campaigns} == {"yandex", "google", "vk"}
