"""Seeding of a portal: valid links, sparse ids and awkward values, streamed into the tables."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox.fields.field import Kind
from bx24frames.sandbox.seed.around import ROW_COUNTS, fill_around
from bx24frames.sandbox.seed.values import (
    LONG,
    Pools,
    people_bundles,
    stage_bundles,
    time_bundles,
    user_documents,
)
from bx24frames.sandbox.store.initial import DEPARTMENTS, first_stage, status_codes
from bx24frames.sandbox.store.tables import ENTITY_TYPES

if TYPE_CHECKING:
    from bx24frames.sandbox.fields.field import FieldSpec
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType

SIZES: Final[dict[str, int]] = {
    "user": 12,
    "company": 250,
    "contact": 800,
    "lead": 300,
    "deal": 1200,
    "quote": 60,
    "smart_invoice": 80,
    "dynamic_128": 150,
    "dynamic_1036": 150,
    "dynamic_1038": 0,
    **ROW_COUNTS,
}
"""Number of rows per table, in the order of filling: targets of links first."""

ZONES: Final[Mapping[int, tuple[str, str]]] = {
    0: ("Asia/Yekaterinburg", "7200"),
    1: ("Africa/Abidjan", "-10800"),
    2: ("Pacific/Honolulu", "-46800"),
}
"""Time zones of the first users, and their difference to a server in Moscow in seconds."""

DETAILED: Final = 20_000
"""Number of rows of a table that get a stage history, from the first."""

Links = dict[str, Sequence[int]]


def merged_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes of every table; a smart process may be named ``"128"`` or ``"item:128"``.

    Raises
    ------
    ValueError
        A table that does not exist, or a size below 0.
    """
    merged = dict(SIZES)
    for name, size in sizes.items():
        number = name.removeprefix("item:")
        entity = ENTITY_TYPES.get(int(number)) if number.isdigit() else None
        table = entity.name if entity else name
        if table not in merged or size < (table == "user"):
            raise ValueError(f"sizes: {name!r}: {size}; the tables are {', '.join(SIZES)}, with at least one user")
        merged[table] = size
    return merged


def fill_portal(store: Store) -> None:
    """Create the tables and rows of a portal."""
    store.create_tables()
    rng = Random(store.seed)
    pools = Pools(rng)
    store.database.change("BEGIN")
    files = [store.insert_row("file", {"name": f"scan {n}.pdf", "content": "AAAA"}) for n in range(20)]
    links: Links = {"file": files, "user": _fill_users(store, pools, store.sizes["user"])}
    times = time_bundles(pools, max(store.sizes.values()))
    for entity in sorted(ENTITY_TYPES.values(), key=lambda e: list(SIZES).index(e.name)):
        links[entity.name] = _fill_entity(store, entity, pools, links, times)
        if entity.stage:
            _fill_history(store, entity)
    _fill_product_rows(store, pools, links["deal"])
    fill_around(store, pools, links)
    store.database.change("COMMIT")
    store.database.change("BEGIN")
    store.finish_tables()
    store.database.change("COMMIT")
    store.database.change("ANALYZE")


def _stream(store: Store, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    store.database.change_many(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def _sparse_ids(rng: Random, count: int) -> array[int]:
    """Ascending ids with gaps."""
    ids, row_id = array("q"), 0
    for _ in range(count):
        row_id += 1 if rng.random() < 0.7 else 1 + int(rng.random() * 6)
        ids.append(row_id)
    return ids


OUTSIDER: Final = 7
"""Place of the user without a department."""


def _departments(place: int, drawn: str) -> str:
    return "[]" if place == OUTSIDER else drawn


def _fill_users(store: Store, pools: Pools, count: int) -> list[int]:
    ids = [1, *(3 + 2 * place for place in range(count - 1))][:count]
    columns = ("id", "xmlId", "active", "name", "lastName", "email", "dateRegister", "timestampX", "isOnline",
               "lastLogin", "personalGender", "personalBirthday", "personalMobile", "workPhone", "workPosition",
               "ufDepartment", "timeZone", "timeZoneOffset", "userType", "secondName", "personalWww",
               "personalCity", "ufPhoneInner")  # fmt: skip
    departments = [int(row["ID"]) for row in DEPARTMENTS]

    def rows() -> Iterator[tuple[Any, ...]]:
        for place, row_id in enumerate(ids):
            registered, seen, changed = pools.moments(3)
            yield (
                row_id, str(1000 + row_id), int(place % 5 != 4), pools.pick(pools.first), pools.pick(pools.last),
                f"user{row_id}@example.com", registered, changed, "Y" if place % 3 == 0 else "N",
                pools.pick((None, seen)), pools.pick(("M", "F", "")), pools.pick((None, pools.day())),
                pools.pick((None, f"+7 900 {row_id:07d}")), pools.pick((None, "", f"00{row_id}")),
                pools.pick(pools.posts),
                _departments(place, f"[{pools.pick(departments)}]" if place % 4 else "[1, 3]"),
                *ZONES.get(place, ("", "0")), "extranet" if place == OUTSIDER else "employee",
                "", "", "", str(100 + place) if place % 3 == 0 else None,
            )  # fmt: skip

    _stream(store, "user", columns, rows())
    return ids


def _contact_flags() -> list[dict[str, Any]]:
    return [
        {"hasPhone": "Y" if phone else "N", "hasEmail": "Y" if email else "N", "hasImol": "Y" if im else "N"}
        for phone in (1, 1, 1, 0)
        for email in (1, 1, 0)
        for im in (0, 0, 0, 1)
    ]


def _cell_drawers(pools: Pools) -> dict[str, Callable[[], Any]]:
    """Columns of the general bundle that are drawn by name; others are drawn by kind."""

    def number() -> str:
        return f"{pools.rng.randrange(10**6):08d}"

    titles = [f"{word} {company}" for word, company in zip(pools.words, pools.companies, strict=False)]
    comments = [*pools.texts, LONG]
    return {
        "name": lambda: pools.text(pools.first, awkward=0.02),
        "lastName": lambda: pools.text(pools.last, awkward=0.02, null=0.1),
        "secondName": lambda: pools.text(pools.first, null=0.6),
        "title": lambda: pools.text(titles),
        "companyTitle": lambda: pools.text(pools.companies, null=0.5),
        "post": lambda: pools.text(pools.posts, null=0.5),
        "comments": lambda: pools.text(comments, awkward=0.2, null=0.6),
        "quoteNumber": number,
        "accountNumber": number,
        "currencyId": lambda: "USD" if pools.rng.random() < 0.2 else "RUB",
        "originatorId": lambda: pools.pick((None, None, "shop", "1C")),
        "revenue": lambda: round(pools.rng.random() * 10**7, 2),
        "taxValue": lambda: pools.pick((0, 0, 18.5, 1200)),
        "isMyCompany": lambda: "Y" if pools.rng.random() < 0.02 else "N",
        "xmlId": lambda: pools.pick(("", None, number())),
        "webformId": lambda: pools.pick((0, None)),
        "photo": lambda: pools.pick((None, None, 3)),
        "logo": lambda: pools.pick((None, None, 4)),
        **dict.fromkeys(UNSEEDED, _nothing),
        "addressLocAddrId": cycle((None, 23)).__next__,
    }


UNSEEDED: Final = (
    "addressLegal", "lastCommunicationTime", "clientAddr", "clientContact", "clientTpId", "clientTpaId",
)  # fmt: skip
"""Columns that are empty until written."""


def _by_kind(spec: FieldSpec, pools: Pools) -> Callable[[], Any]:
    if spec.status:
        codes = sorted(status_codes(spec.status))
        return lambda: pools.pick((None, *codes))
    if spec.column.startswith(("address", "regAddress")) and spec.kind is Kind.TEXT:
        return lambda: pools.text(pools.streets, null=0.6)
    if spec.column.startswith("utm"):
        return lambda: pools.text(pools.words, awkward=0.02, null=0.8)
    table: dict[Kind, Callable[[], Any]] = {
        Kind.FLAG: lambda: "Y" if pools.rng.random() < 0.3 else "N",
        Kind.TEXT: lambda: pools.text(pools.texts, null=0.85),
        Kind.CODE: lambda: None,
        Kind.NUMBER: lambda: 0,
    }
    return table.get(spec.kind, lambda: None)


PER_ROW: Final[tuple[str, ...]] = (
    "id", "opportunity", "contactId", "contactIds", "companyId", "companyIds", "leadId", "quoteId", "dealId",
    "mycompanyId", "originId", "parentId2", "parentId128", "uf",
)  # fmt: skip
"""Columns drawn for each row; all others come in bundles."""


def _bundles(
    entity: EntityType, pools: Pools, links: Links, times: list[dict[str, Any]], size: int
) -> list[list[dict[str, Any]]]:
    groups = [times, people_bundles(pools, list(links["user"]))]
    if entity.stage:
        groups.append(stage_bundles(entity, pools.rng))
    elif "categoryId" in entity.table.columns:
        groups.append([{"categoryId": 0}] * 19 + [{"categoryId": 6 if entity.id == 3 else 7}])
    if entity.multifields:
        groups.append(_contact_flags())
    taken = {name for group in groups for name in group[0]} | set(PER_ROW)
    rest = [spec for spec in entity.fields if spec.stored and spec.column not in taken]
    named = _cell_drawers(pools)
    draws = [(spec, named.get(spec.column) or _by_kind(spec, pools)) for spec in rest]
    return [*groups, [{s.column: _kept(s, draw()) for s, draw in draws} for _ in range(min(1021, 16 + 2 * size))]]


def _kept(spec: FieldSpec, value: Any) -> Any:
    """The value; required fields are never blank, since the portal checks them."""
    return spec.title if spec.required and not str(value or "").strip() else value


def _link(pools: Pools, ids: Sequence[int], *, null: float, zero: float = 0.05) -> Callable[[], int | None]:
    """A link to a row that exists; sometimes null, sometimes 0."""
    rng, count = pools.rng.random, len(ids)

    def draw() -> int | None:
        chance = rng()
        if chance < null or not count:
            return None
        return 0 if chance < null + zero else ids[int(rng() * count)]

    return draw


def _row_drawers(pools: Pools, links: Links) -> dict[str, Callable[[], Any]]:
    rng = pools.rng.random

    def opportunity() -> float | int:
        chance = rng()
        return 0 if chance < 0.08 else int(rng() * 10**6) if chance < 0.4 else round(rng() * 10**6, 2)

    return {
        "opportunity": opportunity,
        "companyId": _link(pools, links.get("company", ()), null=0.3),
        "mycompanyId": _link(pools, links.get("company", ())[:5], null=0.5),
        "leadId": _link(pools, links.get("lead", ()), null=0.8),
        "dealId": _link(pools, links.get("deal", ()), null=0.5),
        "parentId2": _link(pools, links.get("deal", ()), null=0.6),
        "originId": lambda: f"{int(rng() * 10**9):012d}" if rng() < 0.4 else None,
    }


def _fill_entity(
    store: Store, entity: EntityType, pools: Pools, links: Links, times: list[dict[str, Any]]
) -> Sequence[int]:
    count = store.sizes[entity.name]
    if not count:
        return ()
    ids = _sparse_ids(pools.rng, count + 1)
    groups = _bundles(entity, pools, links, times, count)
    columns = set(entity.table.columns)
    names = [[name for name in group[0] if name in columns] for group in groups]
    packs = [
        [tuple(one[name] for name in chosen) for one in group] for group, chosen in zip(groups, names, strict=True)
    ]
    own = [name for name in PER_ROW if name in columns and name not in {"id", "uf"}]
    order = ["id", "uf", *own, *(name for chosen in names for name in chosen)]
    _stream(store, entity.name, order, _rows(store, entity, pools, links, ids, own, packs))
    # the last row is deleted: its id is never reused
    store.database.change(f'DELETE FROM "{entity.name}" WHERE id = ?', (ids.pop(),))  # noqa: S608
    if entity.multifields:
        _fill_multifields(store, entity, pools)
    return ids


def _rows(
    store: Store,
    entity: EntityType,
    pools: Pools,
    links: Links,
    ids: Sequence[int],
    own: list[str],
    packs: list[list[tuple[Any, ...]]],
) -> Iterator[tuple[Any, ...]]:
    rng = pools.rng.random
    drawers = _row_drawers(pools, links)
    documents = user_documents(store.user_fields(entity.id), pools, {name: list(ids) for name, ids in links.items()})
    one_contact = _link(pools, links.get("contact", ()), null=0.25)
    places = {name: place for place, name in enumerate(own)}
    contacts = "contactId" in places and "contactIds" in places
    companies = "companyIds" in places
    draws = [drawers.get(name, _nothing) for name in own]
    for row_id in ids:
        cells = [draw() for draw in draws]
        if contacts:
            first = one_contact()
            second = one_contact() if rng() < 0.15 else None
            cells[places["contactId"]] = first
            cells[places["contactIds"]] = _list_of(first, second)
        if companies:
            cells[places["companyIds"]] = _list_of(cells[places["companyId"]], None)
        row = [row_id, documents[int(rng() * len(documents))], *cells]
        for pack in packs:
            row += pack[int(rng() * len(pack))]
        yield tuple(row)


def _nothing() -> None:
    return None


def _list_of(first: int | None, second: int | None) -> str | None:
    if not first:
        return None
    return f"[{first},{second}]" if second and second != first else f"[{first}]"


def _fill_multifields(store: Store, entity: EntityType, pools: Pools) -> None:
    rng = pools.rng

    def rows() -> Iterator[tuple[Any, ...]]:
        found = store.database.query(f'SELECT id, hasPhone, hasEmail, hasImol FROM "{entity.name}"')  # noqa: S608
        for row_id, phone, email, messenger in found:
            if phone == "Y":
                yield entity.id, row_id, "PHONE", "WORK", f"+7{rng.randrange(9 * 10**9, 10**10)}"
                if rng.random() < 0.2:
                    yield entity.id, row_id, "PHONE", "MOBILE", pools.pick(("8 (495) 000-00-07", "0049 30 1234567"))
            if email == "Y":
                yield entity.id, row_id, "EMAIL", pools.pick(("WORK", "HOME")), pools.pick(pools.emails)
            if messenger == "Y":
                yield entity.id, row_id, "IM", "TELEGRAM", f"@user_{row_id}"
            if rng.random() < 0.1:
                yield entity.id, row_id, "WEB", "WORK", f"https://example.com/{row_id}?a=1&b=2#c"

    _stream(store, "multifield", ("entityTypeId", "elementId", "typeId", "valueType", "value"), rows())


def _fill_history(store: Store, entity: EntityType) -> None:
    category = 't."categoryId"' if "categoryId" in entity.table.columns else "0"
    known = set(entity.table.columns)
    moved = "movedTime" if "movedTime" in known else "updatedTime"
    semantic = "stageSemanticId" if "stageSemanticId" in known else "'P'"
    columns = "(ownerTypeId, typeId, ownerId, createdTime, categoryId, stageSemanticId, stageId)"
    source = f'(SELECT * FROM "{entity.name}" ORDER BY id LIMIT {DETAILED}) t'  # noqa: S608
    first = first_stage(entity.stages, 0)
    store.query(
        f"INSERT INTO stage_history {columns} SELECT ?, 1, id, createdTime, {category}, 'P', "  # noqa: S608
        f"CASE WHEN instr(stageId, ':') THEN substr(stageId, 1, instr(stageId, ':')) ELSE '' END || ? FROM {source}",
        (entity.id, (first or "").rpartition(":")[2]),
    )
    store.query(
        f"INSERT INTO stage_history {columns} SELECT ?, CASE {semantic} WHEN 'P' THEN 2 ELSE 3 END, id, "  # noqa: S608
        f"{moved}, {category}, {semantic}, stageId FROM {source} WHERE stageId NOT LIKE ?",
        (entity.id, "%" + (first or "").rpartition(":")[2]),
    )


def _fill_product_rows(store: Store, pools: Pools, deals: Sequence[int]) -> None:
    columns = ("ownerId", "ownerType", "productId", "productName", "price", "priceExclusive", "priceNetto",
               "priceBrutto", "priceAccount", "quantity", "discountTypeId", "discountRate", "discountSum", "taxRate",
               "taxIncluded", "customized", "measureCode", "measureName", "sort", "type", "xmlId",
               "storeId")  # fmt: skip
    rng = pools.rng

    def rows() -> Iterator[tuple[Any, ...]]:
        for deal in deals[:2000:5]:
            for place in range(1 + rng.randrange(3)):
                price = round(rng.random() * 10_000, 2 if place else 0)
                yield (deal, "D", rng.randrange(400), pools.text(pools.words), price, price, price, price, price,
                       pools.pick((1, 2, 0.5)), 2, 0, 0, pools.pick((None, 0, 20)), "N", "Y", 796, "шт",
                       10 * (place + 1), 1, f"sale_basket_{deal}" if place else "", place)  # fmt: skip

    _stream(store, "product_row", columns, rows())
