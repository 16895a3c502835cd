"""The rows of the tables around the CRM: each column drawn by its name, or by what kind it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields import FieldSpec, Kind
from bx24frames.sandbox.store_tables import TABLES

if TYPE_CHECKING:
    from bx24frames.sandbox.seed_values import Pools
    from bx24frames.sandbox.store import Store

AROUND: Final[dict[str, int]] = {
    "activity": 240,
    "requisite": 90,
    "bank_detail": 60,
    "address": 120,
    "comment": 130,
    "section": 12,
    "product": 130,
    "price": 160,
    "catalog": 2,
    "task": 150,
    "elapsed": 130,
    "call": 140,
    "list_element": 130,
    "workgroup": 70,
    "storage": 8,
    "disk_item": 140,
}
"""Rows a table gets, in the order they are filled."""

LISTS: Final[dict[int, str]] = {31: "Поставки", 33: "Empty & new"}
"""The portal's lists; the second one has no elements."""

IBLOCKS: Final = (15, 17)
"""The catalogue of goods and that of their variants."""

Links = Mapping[str, Sequence[int]]
Draw = Callable[[int], Any]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _owned(pools: Pools, links: Links, *tables: str) -> Draw:
    """Ids of rows that the portal has; a few of them own many rows."""
    ids = [row_id for table in tables for row_id in links.get(table, ())[:60]] or [1]
    return lambda place: ids[0] if place % 2 else pools.pick(ids)


def _named(pools: Pools, links: Links) -> dict[str, dict[str, Draw]]:
    """How columns are drawn by table and name; of every table under ``""``."""
    users = list(links["user"])
    pick, text = pools.pick, pools.text
    user: Draw = lambda _: pick(users)  # noqa: E731
    people = ("responsibleId", "authorId", "editorId", "createdBy", "createdById", "modifyById", "modifiedBy",
              "changedBy", "userId", "portalUserId", "updatedBy")  # fmt: skip
    shared: dict[str, Draw] = dict.fromkeys(people, user)
    shared |= {
        "name": lambda place: text(pools.companies, awkward=0.02) or f"№ {place}",
        "title": lambda place: f"{pick(pools.words)} {place}",
        "code": lambda place: pick((None, "", f"code_{place:04d}")),
        "xmlId": lambda place: pick(("", None, f"{place:08d}")),
        "sort": lambda place: 10 * (place % 7),
        "iblockId": lambda _: IBLOCKS[0],
        "catalogId": lambda _: IBLOCKS[0],
        "currency": lambda _: pick(("RUB", "USD")),
        "currencyId": lambda _: pick(("RUB", "USD")),
        "active": lambda place: "N" if place % 9 == 8 else "Y",
    }
    return {
        "": shared,
        "activity": {
            "ownerId": _owned(pools, links, "deal"),
            "ownerTypeId": lambda _: 2,
            "typeId": lambda _: pick((1, 2, 3, 4, 6)),
            "providerId": lambda _: pick(("CRM_TODO", "VOXIMPLANT_CALL", "CRM_EMAIL")),
            "subject": lambda _: text(pools.texts),
            "settings": lambda place: _json([] if place % 3 else {"COLOR": "2"}),
            "communications": lambda place: _json(
                [] if place % 3 else [{"ID": str(place), "TYPE": "PHONE", "VALUE": f"+7900{place:07d}"}]
            ),
            "files": lambda place: _json([] if place % 4 else [{"id": place, "url": f"/disk/file/{place}/"}]),
        },
        "requisite": {
            "entityTypeId": lambda place: 4 if place % 3 else 3,
            "entityId": _owned(pools, links, "company"),
            "presetId": lambda _: pick((1, 3)),
            "rqInn": lambda place: f"0{place:09d}",
            "addressOnly": lambda _: "N",
        },
        "bank_detail": {
            "entityId": lambda place: 1 + place % 30,
            "countryId": lambda _: 1,
            "rqBik": lambda place: f"04{place:07d}",
            "rqAccNum": lambda place: f"4070281000000{place:07d}",
        },
        "address": {
            "typeId": lambda place: 1 + place % 2 * 5,
            "entityTypeId": lambda _: 8,
            "entityId": lambda place: 1 + place // 2,
            "address1": lambda _: text(pools.streets),
            "locAddrId": lambda place: place,
            "anchorTypeId": lambda _: 4,
            "anchorId": lambda place: 1 + place // 2,
        },
        "comment": {
            "entityId": _owned(pools, links, "deal"),
            "entityType": lambda _: "deal",
            "comment": lambda _: text(pools.texts, awkward=0.3),
            "files": lambda place: None if place % 5 else _json(
                {str(place): {"id": place, "type": "file", "name": f"scan {place}.pdf", "size": 4, "authorId": 1}}
            ),
        },
        "section": {"sectionId": lambda place: None if place < 4 else 1, "iblockSectionId": lambda _: None},
        "product": {
            "sectionId": lambda place: 1 + place % 5,
            "iblockSectionId": lambda place: None if place % 4 == 0 else 1 + place % 5,
            "price": lambda place: place * 1.5,
            "measure": lambda _: 5,
            "type": lambda _: 1,
            "quantity": lambda place: pick((None, 0, place, place / 4)),
            "quantityTrace": lambda _: pick(("Y", "N", "D")),
            "canBuyZero": lambda _: "D",
            "purchasingPrice": lambda place: pick((None, place)),
            "property258": lambda place: None if place % 3 else _json({"value": f"A-{place}", "valueId": str(place)}),
            "property259": lambda place: None if place % 4 else _json({"value": f"{place}.5", "valueId": str(place)}),
            "property260": lambda place: None if place % 2 else _json(
                [{"value": word, "valueId": str(at)} for at, word in enumerate(("new", "sale"))]
            ),
        },
        "price": {
            "productId": lambda place: place,
            "catalogGroupId": lambda _: 1,
            "price": lambda place: place * 10.25 if place % 2 else place * 10,
            "priceScale": lambda place: place * 10,
        },
        "catalog": {
            "iblockId": lambda place: IBLOCKS[place - 1],
            "iblockTypeId": lambda _: "CRM_PRODUCT_CATALOG",
            "lid": lambda _: "s1",
            "productIblockId": lambda place: IBLOCKS[0] if place == 2 else None,
        },
        "task": {
            "title": lambda place: text(pools.texts, awkward=0.1) or f"Task {place}",
            "parentId": lambda place: None if place % 3 else 1,
            "priority": lambda _: pick(("0", "1", "2")),
            "status": lambda _: pick(("2", "3", "4", "5")),
            "mark": lambda _: pick((None, "P", "N")),
            "multitask": lambda _: "N",
            "notViewed": lambda _: "N",
            "replicate": lambda _: "N",
            "groupId": lambda _: pick((0, 1, 4)),
            "timeEstimate": lambda _: 0,
            "accomplices": lambda place: _json([] if place % 3 else [str(one) for one in users[:2]]),
            "auditors": lambda _: _json([]),
            "tags": lambda place: _json([] if place % 2 else ["urgent", "к сдаче"]),
            "ufCrmTask": lambda place: _json([f"D_{place}"] if place % 4 == 0 else False),
        },
        "elapsed": {
            "taskId": lambda place: 1 + place % 40,
            "commentText": lambda _: text(pools.texts, null=0.5),
            "seconds": lambda place: 60 * place + 1,
            "minutes": lambda place: place,
            "source": lambda _: pick((2, 3)),
        },
        "call": {
            "phoneNumber": lambda place: f"+7495{place:07d}",
            "callId": lambda place: f"externalCall.{place:032x}",
            "callCategory": lambda _: "external",
            "callDuration": lambda place: place % 300,
            "callType": lambda _: pick((1, 2, 3)),
            "callFailedCode": lambda _: pick(("200", "304", "603-S")),
            "cost": lambda place: pick((0, place / 100)),
            "costCurrency": lambda _: "RUR",
            "crmEntityType": lambda _: pick((None, "CONTACT")),
            "crmEntityId": _owned(pools, links, "contact"),
        },
        "list_element": {
            "iblockId": lambda _: next(iter(LISTS)),
            "iblockSectionId": lambda _: None,
            "bpPublished": lambda _: "Y",
            "property101": lambda _: pick((None, text(pools.texts))),
            "property103": lambda place: pick((None, place / 4)),
            "property105": lambda _: pick((None, "61", "63")),
            "property107": lambda _: pick((None, pools.day())),
            "property109": lambda place: _json([] if place % 3 else ["a & b", "0007"]),
        },
        "workgroup": {
            "siteId": lambda _: "s1",
            "subjectId": lambda _: 1,
            "ownerId": lambda _: users[0],
            "numberOfMembers": lambda place: 1 + place % 9,
            "closed": lambda _: "N",
        },
        "storage": {
            "code": lambda _: None,
            "moduleId": lambda _: "disk",
            "entityType": lambda place: ("common", "user", "group")[place % 3],
            "entityId": lambda place: "shared_files_s1" if place % 3 == 0 else str(place),
            "rootObjectId": lambda place: place,
        },
        "disk_item": {
            "storageId": lambda _: 1,
            "type": lambda place: "folder" if place <= 8 else "file",
            "name": lambda place: f"folder {place}" if place <= 8 else f"file {place}.pdf",
            "realObjectId": lambda place: place,
            "parentId": lambda place: None if place == 1 else 1 if place < 100 else 2,
            "deletedType": lambda _: 0,
            "fileId": lambda place: None if place <= 8 else place,
            "size": lambda place: None if place <= 8 else 1024 * place,
            "deleteTime": lambda _: None,
            "deletedBy": lambda _: 0,
            "detailUrl": lambda place: f"https://example.com/disk/{place}?a=1&b=2",
        },
    }  # fmt: skip


def _by_kind(spec: FieldSpec, pools: Pools) -> Draw:
    draws: dict[Kind, Draw] = {
        Kind.TEXT: lambda _: pools.text(pools.words, awkward=0.05, null=0.4),
        Kind.FLAG: lambda _: pools.pick(("Y", "N")),
        Kind.DATE: lambda _: pools.pick((None, pools.day())),
        Kind.DATETIME: lambda _: pools.moments(1)[0],
        Kind.NUMBER: lambda place: pools.pick((None, 0, place / 8)),
        Kind.INT: lambda place: pools.pick((None, 0, place)),
    }
    return draws.get(spec.kind, lambda _: None)


def fill_around(store: Store, pools: Pools, links: Links) -> None:
    """Fill every table around the CRM."""
    named = _named(pools, links)
    for name, _ in AROUND.items():
        table = TABLES[name]
        specs = [spec for spec in table.fields if spec.stored and spec.column != "id"]
        draws = [named[name].get(s.column) or named[""].get(s.column) or _by_kind(s, pools) for s in specs]
        columns = ", ".join(f'"{column}"' for column in ("id", *(spec.column for spec in specs)))
        marks = ", ".join("?" * (len(specs) + 1))
        rows = _rows(draws, store.sizes.get(name, 0))
        store.connection.executemany(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', rows)  # noqa: S608


def _rows(draws: Sequence[Draw], count: int) -> Iterator[tuple[Any, ...]]:
    for place in range(1, count + 1):
        yield (place, *(draw(place) for draw in draws))
