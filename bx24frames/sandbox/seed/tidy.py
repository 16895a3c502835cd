"""The tidy seed: a plausible small company with a year of sales, for demonstrations.

The same number, language and day give the same rows. Deals go through the stages of their pipeline at working hours, so
that the stage history, the times of a deal and its activities agree; whatever has not happened by today is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.seed.columns import Seed
from bx24frames.sandbox.seed.tidy_words import LOCALE_WORDS, Locale, Words
from bx24frames.sandbox.seed.values import Pools
from bx24frames.sandbox.store.dictionaries import PIPELINES, STATUSES, STRUCTURE, TYPE_SETTINGS
from bx24frames.sandbox.store.records import Draft, change, create
from bx24frames.sandbox.store.tables import ENTITY_TYPES

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

TIDY_SIZES: Final[Mapping[str, int]] = {"company": 60, "lead": 90, "deal": 420}
"""Rows of the tables whose size can be chosen; the other tables follow."""
DAYS: Final = 400
_USERS: Final = (1, 3, 5, 7, 9, 11, 13, 15)
HEAD, ENGINEER, SELLERS = 3, 13, (5, 7, 9, 11)
SKILL: Final = {5: 0.9, 7: 1.0, 9: 0.75, 11: 1.25}
"""How often the deals of a manager are won, compared with the others."""
_SOURCES: Final = {"CALL": 0.9, "EMAIL": 0.8, "WEB": 0.7, "PARTNER": 1.3, "1": 0.8, "REPEAT_SALE": 1.5}
_CAMPAIGNS: Final = (("yandex", "cpc"), ("google", "cpc"), ("vk", "social"))
"""UTM source and medium of the deals from the website."""
_SHARED_PHONE: Final = 23
"""One contact in so many was entered twice, with the same phone written in another way."""
_STAGES: Final = ("NEW", "PREPARATION", "PREPAYMENT_INVOICE", "EXECUTING", "FINAL_INVOICE", "WON")
_SHORT: Final = ("NEW", "EXECUTING", "FINAL_INVOICE", "WON")
"""The stages of the pipeline of partners."""
_GOES_ON: Final = (0.8, 0.82, 0.86, 0.95, 0.98)
"""How many of the deals in each stage reach the next one."""
_STAYS: Final = (2, 5, 7, 9, 3)
"""Days that a deal stays in each stage, on average."""
LOST_REASONS: Final = 42
"""Id of the first choice of the reasons for losing a deal."""


@dataclass(frozen=True, slots=True)
class Tidy:
    """The language of a tidy portal, and the moment up to which it has a history, in seconds since the epoch."""

    locale: Locale
    now: float


def tidy_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes of every table that can be chosen.

    Raises
    ------
    ValueError
        Another table, or a size below 1.
    """
    if wrong := [f"{name}={size}" for name, size in sizes.items() if name not in TIDY_SIZES or size < 1]:
        raise ValueError(f"sizes of the tidy seed: {', '.join(TIDY_SIZES)}, at least 1 each; not {', '.join(wrong)}")
    return {**TIDY_SIZES, **sizes}


@dataclass(slots=True)
class Company:
    """One client."""

    id: int
    name: str
    contacts: list[int]
    manager: int


@dataclass(slots=True)
class Sale:
    """One deal: who, when, and the goods by their place in the words, with quantities."""

    id: int
    title: str
    company: Company
    contact: int
    manager: int
    created: datetime
    ended: datetime | None
    won: bool
    goods: list[tuple[int, int]]


@dataclass(slots=True)
class Town:
    """The portal while it is filled."""

    store: Store
    words: Words
    dice: Random
    today: datetime
    seed: Seed
    phones: dict[int, str] = field(default_factory=dict)
    companies: list[Company] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)

    def moment(self, day: datetime) -> datetime:
        """A moment of the working hours of a day; on Monday for a day of a weekend."""
        day += timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)
        return day.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(seconds=self.dice.randrange(9 * 3600))

    def person(self) -> tuple[str, str]:
        """A first and a last name."""
        first, last = self.dice.choice(self.words.people)
        return self.dice.choice(first), self.dice.choice(last)

    def phone(self) -> str:
        """A mobile number."""
        return self.words.phone.format(self.dice.randrange(10**9))

    def moments(self, count: int) -> list[datetime]:
        """Moments of the past year in their order, more of them recent: the company grows."""
        days = [DAYS * (1 - float(self.dice.random() ** 0.7)) for _ in range(count)]
        latest = self.today - timedelta(minutes=20)
        return sorted(min(self.moment(self.today - timedelta(days=ago)), latest) for ago in days)

    def client(self, kind: str, name: str) -> str:
        """The name of a client."""
        return self.words.client.format(kind, name)


def stored(moment: datetime) -> str:
    """A moment as it is stored."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def user_fields(words: Words) -> list[UserField]:
    """The user fields of the portal."""
    titles = words.fields
    reasons = tuple((LOST_REASONS + 2 * place, text) for place, text in enumerate(words.reasons))
    first = LOST_REASONS + 2 * len(reasons)
    segments = tuple((first + 2 * place, text) for place, text in enumerate(words.segments))
    given: list[tuple[int, str, str, dict[str, Any]]] = [
        (2, "UF_CRM_LOSS_REASON", "enumeration", {"items": reasons}),
        (2, "UF_CRM_DELIVERY_DATE", "date", {}),
        (2, "UF_CRM_MARGIN", "double", {"settings": {"PRECISION": 2}}),
        (4, "UF_CRM_SEGMENT", "enumeration", {"items": segments}),
    ]
    return [
        UserField(103 + 2 * place, type_id, code, kind, title=titles[code], **more)
        for place, (type_id, code, kind, more) in enumerate(given)
    ]


def people_and_clients(town: Town) -> None:
    """Users, companies and their contacts."""
    _users(town)
    founded = town.today - timedelta(days=DAYS + 30)
    segments = [choice for choice, _ in town.store.user_fields(4)[0].items]
    for place in range(town.store.sizes["company"]):
        moment = town.moment(founded + timedelta(days=(DAYS + 10) * place / town.store.sizes["company"]))
        kind, manager = town.dice.choice(town.words.kinds), town.dice.choice(SELLERS)
        name = town.client(kind, town.words.names[place % len(town.words.names)])
        name += f" {place // len(town.words.names) + 1}" if place >= len(town.words.names) else ""
        columns = {
            "title": name, "companyType": town.dice.choice(("CUSTOMER", "CUSTOMER", "CUSTOMER", "PARTNER")),
            "assignedById": manager, "addressCity": town.dice.choice(town.words.towns), "industry": "OTHER",
            "originatorId": "1C", "originId": f"{100 + place:09d}", "currencyId": town.words.currency,
        }  # fmt: skip
        draft = Draft(columns, {"UF_CRM_SEGMENT": town.dice.choice(segments)}, [_entry("PHONE", town.phone())])
        row_id = create(town.store, ENTITY_TYPES[4], _known(4, draft), user_id=manager, now=stored(moment))
        company = Company(row_id, name, [], manager)
        for _ in range(town.dice.choice((1, 1, 2, 2, 3))):
            company.contacts.append(_contact(town, company, town.moment(moment + timedelta(days=1))))
        town.companies.append(company)


def _entry(type_id: str, value: str) -> dict[str, str]:
    return {"TYPE_ID": type_id, "VALUE": value, "VALUE_TYPE": "WORK"}


def _known(type_id: int, draft: Draft) -> Draft:
    columns = set(ENTITY_TYPES[type_id].table.columns)
    draft.columns = {name: value for name, value in draft.columns.items() if name in columns}
    return draft


def _users(town: Town) -> None:
    for place, row_id in enumerate(_USERS):
        first, last = town.person()
        department = {1: 1, 13: 4, 15: 9}.get(row_id, 3)
        seen = town.moment(town.today - timedelta(days=town.dice.random() * 3))
        town.store.insert_row(
            "user",
            {
                "id": row_id, "xmlId": str(1000 + row_id), "active": 1, "name": first, "lastName": last,
                "email": f"user{row_id}@example.com", "workPosition": town.words.posts[place],
                "dateRegister": stored(town.today - timedelta(days=DAYS + 60 - place)), "lastLogin": stored(seen),
                "timestampX": stored(seen), "isOnline": "N", "personalMobile": town.phone(), "userType": "employee",
                "ufDepartment": f"[{department}]", "ufPhoneInner": str(101 + place), "timeZone": "",
                "timeZoneOffset": "0", "secondName": "", "personalWww": "", "personalCity": town.words.towns[0],
            },
        )  # fmt: skip


def _contact(town: Town, company: Company, moment: datetime) -> int:
    first, last = town.person()
    columns = {
        "name": first, "lastName": last, "post": town.dice.choice(town.words.contact_posts), "typeId": "CLIENT",
        "assignedById": company.manager, "companyIds": f"[{company.id}]", "companyId": company.id,
        "sourceId": town.dice.choice(list(_SOURCES)),
    }  # fmt: skip
    phone = town.phone()
    if len(town.phones) % _SHARED_PHONE == _SHARED_PHONE - 1:
        phone = town.words.retyped(town.phones[max(town.phones)])
    draft = Draft(columns, {}, [_entry("PHONE", phone)])
    row_id = create(town.store, ENTITY_TYPES[3], draft, user_id=company.manager, now=stored(moment))
    if town.dice.random() < 0.7:
        town.store.insert_row(
            "multifield",
            {"entityTypeId": 3, "elementId": row_id, "typeId": "EMAIL", "valueType": "WORK",
             "value": f"contact{row_id}@example.com"},
        )  # fmt: skip
        town.store.update_row("contact", row_id, {"hasEmail": "Y"})
    town.phones[row_id] = phone
    return row_id


# --- deals -----------------------------------------------------------------------------------------


def deals(town: Town) -> None:
    """Deals in the order of their creation, each moved through the stages of its pipeline."""
    for created in town.moments(town.store.sizes["deal"]):
        town.sales.append(_deal(town, created))


def _deal(town: Town, created: datetime) -> Sale:
    dice = town.dice
    company, source = dice.choice(town.companies), dice.choice(list(_SOURCES))
    manager = company.manager if dice.random() < 0.8 else dice.choice(SELLERS)
    category = 5 if dice.random() < 0.15 else 0
    goods = _goods(town)
    section = town.words.goods[max(goods, key=lambda one: town.words.goods[one[0]][2] * one[1])[0]][0]
    total = sum(town.words.goods[place][2] * count for place, count in goods)
    campaign = _CAMPAIGNS[len(town.sales) % len(_CAMPAIGNS)] if source == "WEB" else (None, None)
    title, contact = f"{town.words.deal[section]} — {company.name}", dice.choice(company.contacts)
    columns = {
        "title": title, "categoryId": category, "sourceId": source,
        "companyId": company.id, "assignedById": manager, "opportunity": total, "currencyId": town.words.currency,
        "opportunityAccount": total, "accountCurrencyId": town.words.currency, "typeId": "SALE",
        "begindate": created.strftime("%Y-%m-%d"), "closedate": f"{created + timedelta(days=30):%Y-%m-%d}",
        "contactIds": f"[{contact}]", "utmSource": campaign[0], "utmMedium": campaign[1],
    }  # fmt: skip
    margin = {"UF_CRM_MARGIN": round(dice.uniform(12, 38), 2)}
    entity = ENTITY_TYPES[2]
    row_id = create(town.store, entity, _known(2, Draft(columns, margin)), user_id=manager, now=stored(created))
    ended, won = _moves(town, row_id, category, created, SKILL[manager] * _SOURCES[source], manager)
    return Sale(row_id, title, company, contact, manager, created, ended, won, goods)


def _goods(town: Town) -> list[tuple[int, int]]:
    chosen = town.dice.sample(range(len(town.words.goods)), town.dice.choice((1, 1, 2, 3, 4)))
    dear = sorted(town.words.goods, key=lambda one: one[2])[-3][2]
    counts = {place: 1 if town.words.goods[place][2] >= dear else town.dice.choice((1, 5, 10, 20)) for place in chosen}
    return sorted(counts.items())


def _moves(
    town: Town, row_id: int, category: int, created: datetime, skill: float, manager: int
) -> tuple[datetime | None, bool]:
    """Move a deal until it is won, lost or today; when it ended, and whether it was won."""
    codes, prefix = (_SHORT, f"C{category}:") if category else (_STAGES, "")
    moment = created
    for place, code in enumerate(codes[1:]):
        days = town.dice.expovariate(1 / _STAYS[place]) + 0.1
        moment = max(town.moment(moment + timedelta(days=days)), moment + timedelta(hours=1))
        if moment > town.today:
            return None, False
        goes_on = town.dice.random() < min(0.99, _GOES_ON[place] * skill**0.25)
        target = code if goes_on else town.dice.choice(("LOSE", "LOSE", "APOLOGY")) if not category else "LOSE"
        final = not goes_on or code == "WON"
        draft = Draft({"stageId": f"{prefix}{target}"})
        if final:
            draft.columns["closedate"] = moment.strftime("%Y-%m-%d")
        if not goes_on:
            draft.user["UF_CRM_LOSS_REASON"] = LOST_REASONS + 2 * town.dice.randrange(len(town.words.reasons))
        if target == "EXECUTING":
            draft.user["UF_CRM_DELIVERY_DATE"] = f"{moment + timedelta(days=10):%Y-%m-%d}"
        before = town.store.row("deal", row_id) or {}
        change(town.store, ENTITY_TYPES[2], row_id, before, draft, user_id=manager, now=stored(moment))
        if final:
            return moment, goes_on
    return None, False


def leads(town: Town) -> None:
    """Leads: most are done with, the last ones are open."""
    count = town.store.sizes["lead"]
    for place, created in enumerate(town.moments(count)):
        first, last = town.person()
        open_ = place > count * 0.85
        stages = ("NEW", "IN_PROCESS", "3") if open_ else ("CONVERTED", "CONVERTED", "JUNK", "PROCESSED")
        stage = town.dice.choice(stages)
        manager = town.dice.choice(SELLERS)
        company = town.client(town.dice.choice(town.words.kinds), town.dice.choice(town.words.names))
        columns = {
            "title": f"{first} {last}, {company}", "name": first, "lastName": last, "companyTitle": company,
            "sourceId": town.dice.choice(("WEB", "CALL", "EMAIL", "1")), "assignedById": manager,
            "opportunity": 0, "currencyId": town.words.currency,
        }  # fmt: skip
        draft = Draft(columns, {}, [_entry("PHONE", town.phone())])
        row_id = create(town.store, ENTITY_TYPES[1], draft, user_id=manager, now=stored(created))
        moved = min(town.moment(created + timedelta(days=1 + town.dice.random() * 4)), town.today)
        if stage != "NEW" and moved > created:
            before = town.store.row("lead", row_id) or {}
            change(town.store, ENTITY_TYPES[1], row_id, before, Draft({"stageId": stage}), user_id=manager,
                   now=stored(moved))  # fmt: skip


# --- dictionaries ----------------------------------------------------------------------------------


def dictionaries(town: Town) -> None:
    """Captions, pipelines and departments in the language of the portal; its unused smart processes are gone."""
    store, words = town.store, town.words
    store.keep("types_gone", [1036, 1038])
    store.keep(TYPE_SETTINGS, {"128": {"title": words.project}})
    for row in STATUSES.rows(store):
        dictionary, code = row["ENTITY_ID"], row["STATUS_ID"].rpartition(":")[2]
        known = next((of for name, of in words.captions.items() if _is(dictionary, name)), {})
        if code in known:
            STATUSES.put(store, {**row, "NAME": known[code]})
    for row in PIPELINES.rows(store):
        if row["entityTypeId"] == 2:
            PIPELINES.put(store, {**row, "name": words.pipelines.get(row["id"], row["name"])})
    names = dict(zip(("3", "4", "9"), words.departments, strict=True)) | {"1": words.company}
    heads = {"1": "1", "3": str(HEAD), "4": str(ENGINEER), "9": "15"}
    for row in STRUCTURE.rows(store):
        STRUCTURE.put(store, {**row, "NAME": names[row["ID"]], "UF_HEAD": heads[row["ID"]]})


def _is(dictionary: str, name: str) -> bool:
    return dictionary == name or (name.endswith("_STAGE") and dictionary.startswith(f"{name}_"))


def town_of(store: Store, tidy: Tidy) -> Town:
    """The portal to be filled."""
    today = datetime.fromisoformat(store.local_time(tidy.now))
    dice = Random(f"tidy {store.seed} {tidy.locale}")
    return Town(store, LOCALE_WORDS[tidy.locale], dice, today, Seed(Pools(dice), {"user": _USERS}))
