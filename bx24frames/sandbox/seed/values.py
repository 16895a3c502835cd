"""Pools of values for seeding: names, awkward texts, times, stages, user fields."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields.user import oddly_named
from bx24frames.sandbox.store.initial import CATEGORIES, semantics, stage_dictionary, stage_order

if TYPE_CHECKING:
    from bx24frames.sandbox.fields.user import UserField
    from bx24frames.sandbox.store.tables import EntityType

AWKWARD: Final = (
    "Скидка 50% & «подарок» + доставка #1 [срочно]",
    "Quotes \" and ' and \\ back\\slash",
    "Line one\nline two\ttabbed\r\n",
    "Emoji 🚀 и кириллица ёЁ",
    "$result[a][0] is a text",
    "see $next[deals] or $total[x]",
    "a=b&c=d?e=f;g",
    "<b>bold</b> & <script>alert(1)</script>",
    "0007",
    "  blanks around  ",
    "ORDER_17",
    "ORDERX17",
    "NULL",
    "",
    "N/A",
    "100%25 of %D0%B0",
    "١٢٣ and ｆｕｌｌ width",
    "1e5",
    "-0",
)
LONG: Final = "Очень длинный текст. " * 60
TIMES: Final = 4096
FIRST_DAY: Final = datetime(2024, 1, 1)
_DAYS: Final = 730
YEAR_ENDS: Final = ("2024-01-01", "2024-12-31", "2025-01-01", "2025-12-31", "2024-02-29")


class Pools:
    """Names and texts, drawn once per seed."""

    def __init__(self, rng: Random) -> None:
        from mimesis import Generic
        from mimesis.locales import Locale

        self.rng = rng
        both = [Generic(locale, seed=rng.randrange(2**31)) for locale in (Locale.RU, Locale.EN)]
        self.first = [g.person.first_name() for g in both for _ in range(150)]
        self.last = [g.person.last_name() for g in both for _ in range(150)]
        self.companies = [g.finance.company() for g in both for _ in range(120)]
        self.posts = [g.person.occupation() for g in both for _ in range(60)]
        self.cities = [g.address.city() for g in both for _ in range(60)]
        self.streets = [g.address.address() for g in both for _ in range(120)]
        self.texts = [g.text.sentence() for g in both for _ in range(120)]
        self.words = [g.text.word() for g in both for _ in range(200)]
        self.emails = [g.person.email(domains=["example.com", "пример.рф"]) for g in both for _ in range(200)]

    def pick(self, values: Any) -> Any:
        """One of them."""
        return values[int(self.rng.random() * len(values))]

    def text(self, values: Any, *, awkward: float = 0.08, null: float = 0.0) -> str | None:
        """One of the texts; sometimes an awkward one or none."""
        chance = self.rng.random()
        if chance < null:
            return None
        return str(self.pick(AWKWARD if chance < null + awkward else values))

    def day(self) -> str:
        """A date; one in ten is an end of a year."""
        if self.rng.random() < 0.1:
            return str(self.pick(YEAR_ENDS))
        return (FIRST_DAY + timedelta(days=self.rng.randrange(_DAYS))).strftime("%Y-%m-%d")

    def moments(self, count: int) -> list[str]:
        """Ascending date-times of the server's wall clock."""
        clock = FIRST_DAY + timedelta(seconds=self.rng.randrange(_DAYS * 86_400))
        if self.rng.random() < 0.02:
            clock = datetime(2024, 12, 31, 23, 59, 59)
        found = []
        for _ in range(count):
            found.append(clock.strftime("%Y-%m-%dT%H:%M:%S"))
            clock += timedelta(seconds=self.rng.randrange(864_000))
        return found


def stage_bundles(entity: EntityType, rng: Random) -> list[dict[str, Any]]:
    """Pipelines and stages with the columns that depend on them."""
    bundles = []
    for category, _ in CATEGORIES.get(entity.id, ((0, ""),)):
        dictionary = stage_dictionary(entity.stages, category)
        codes = [code for code in stage_order(entity.stages) if code in status_codes_of(dictionary)]
        for code in codes:
            semantic = semantics(entity.stages, code)
            bundles.append(
                {
                    "categoryId": category,
                    "stageId": code,
                    "stageSemanticId": semantic,
                    "closed": "N" if semantic == "P" else "Y",
                    "previousStageId": codes[0] if code != codes[0] else None,
                    "isNew": "Y" if code == codes[0] else "N",
                    "probability": rng.choice((None, 0, 25, 50, 100)),
                }
            )
    return bundles


def status_codes_of(dictionary: str) -> frozenset[str]:
    """The codes of one dictionary."""
    from bx24frames.sandbox.store.initial import status_rows

    return frozenset(row["STATUS_ID"] for row in status_rows() if row["ENTITY_ID"] == dictionary)


def time_bundles(pools: Pools, rows: int) -> list[dict[str, Any]]:
    """Dates and date-times of a row, in chronological order."""
    bundles = []
    for _ in range(min(TIMES, 16 + 2 * rows)):
        created, moved, updated, active = pools.moments(4)
        bundles.append(
            {
                "createdTime": created,
                "movedTime": moved,
                "updatedTime": updated,
                "lastActivityTime": active,
                "dateClosed": pools.pick((None, moved)),
                "begindate": pools.pick((None, created[:10], pools.day())),
                "closedate": pools.pick((None, pools.day())),
                "actualDate": pools.pick((None, pools.day())),
                "birthdate": pools.pick((None, "1970-01-01", pools.day(), "1955-12-31")),
            }
        )
    return bundles


def people_bundles(pools: Pools, users: list[int]) -> list[dict[str, Any]]:
    """Creator, editor, owner and observers of a row."""
    roles = ("createdBy", "updatedBy", "movedBy", "lastActivityBy", "assignedById")
    return [
        {role: pools.pick(users) for role in roles}
        | {"observers": pools.pick((None, None, None, orjson.dumps(users[:2]).decode(), f"[{users[-1]}]"))}
        for _ in range(499)
    ]


def _user_value(spec: UserField, pools: Pools, links: dict[str, list[int]]) -> Any:
    rng = pools.rng
    by_type: dict[str, Any] = {
        "string": lambda: pools.text([*pools.texts, LONG], awkward=0.3) or "x",
        "integer": lambda: rng.choice((0, 7, -5, 2**31, rng.randrange(10**6))),
        "double": lambda: rng.choice((0, 12, 0.1, -3.75, round(rng.random() * 1000, 2))),
        "boolean": lambda: rng.randrange(2),
        "date": pools.day,
        "datetime": lambda: pools.moments(1)[0],
        "enumeration": lambda: rng.choice(spec.items)[0],
        "money": lambda: f"{rng.choice((0, 1500.5, round(rng.random() * 10**6, 2)))}|{rng.choice(('RUB', 'USD'))}",
        "url": lambda: f"https://example.com/?q={rng.randrange(10**6)}&x=%20#top",
        "address": lambda: (
            f"{pools.pick(pools.streets)}|55.{rng.randrange(10**4)};37.{rng.randrange(10**4)}|{rng.randrange(10**5)}"
        ),
        "employee": lambda: pools.pick(links["user"]),
        "file": lambda: pools.pick(links["file"]),
        "crm_status": lambda: rng.choice(("CALL", "WEB", "1")),
        "iblock_element": lambda: rng.randrange(1, 500),
        "iblock_section": lambda: rng.randrange(1, 40),
        "crm": lambda: _binding(spec, pools, links),
    }
    return by_type.get(spec.type, lambda: f"card-{rng.randrange(10**6)}")()


def _binding(spec: UserField, pools: Pools, links: dict[str, list[int]]) -> Any:
    if len(spec.bindings) == 1:
        return pools.pick(links["company"]) if links["company"] else 1
    short, name = pools.pick((("C", "contact"), ("CO", "company")))
    return f"{short}_{pools.pick(links[name]) if links[name] else 1}"


def _value_at(spec: UserField, place: int) -> Any:
    """A value by the place of the row, which does not advance the random numbers."""
    number = place + 0.5 if spec.settings.get("PRECISION") else place  # without it whole numbers are stored
    by_type = {"double": number, "integer": place, "datetime": f"2026-0{place % 9 + 1}-15T10:{place % 60:02d}:00"}
    return by_type.get(spec.type, f"{spec.code[-3:]}-{place}")


def user_documents(
    specs: list[UserField], pools: Pools, links: dict[str, list[int]], size: int = 257
) -> list[str | None]:
    """User fields' documents: four in ten rows have none, four a few values, two many."""
    documents: list[str | None] = []
    odd = [spec for spec in specs if oddly_named(spec.code)]
    specs = [spec for spec in specs if not oddly_named(spec.code)]
    for place in range(size):
        density = pools.pick((0.0, 0.0, 0.12, 0.12, 0.5))
        chosen = [spec for spec in specs if pools.rng.random() < density]
        values = {
            s.code: _user_value(s, pools, links)
            if not s.multiple
            else list(
                {str(v): v for v in (_user_value(s, pools, links) for _ in range(pools.rng.randrange(1, 4)))}.values()
            )
            for s in chosen
        }
        values |= {s.code: _value_at(s, place) for step, s in enumerate(odd) if (place + step) % 4 == 0}
        documents.append(orjson.dumps(values).decode() if values else None)
    return documents
