"""What surrounds the deals of the tidy seed: goods, requisites, activities, calls, tasks, invoices and projects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields.field import Kind
from bx24frames.sandbox.seed.around import drawer
from bx24frames.sandbox.seed.columns import IBLOCKS
from bx24frames.sandbox.seed.tidy import (
    ENGINEER,
    HEAD,
    Sale,
    Tidy,
    Town,
    deals,
    dictionaries,
    leads,
    people_and_clients,
    stored,
    town_of,
    user_fields,
)
from bx24frames.sandbox.seed.tidy_words import LOCALE_WORDS
from bx24frames.sandbox.store.records import Draft, create
from bx24frames.sandbox.store.tables import ENTITY_TYPES, TABLES

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

_INN_WEIGHTS: Final = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_CALL, _MEETING, _LETTER, _TODO = 2, 1, 4, 6
_PROVIDERS: Final = {
    _CALL: ("VOXIMPLANT_CALL", "CALL"), _MEETING: ("CRM_MEETING", "MEETING"), _LETTER: ("CRM_EMAIL", "EMAIL"),
    _TODO: ("CRM_TODO", "TODO"),
}  # fmt: skip


def fill_tidy(store: Store, tidy: Tidy) -> None:
    """Create the tables and rows of a tidy portal."""
    store.create_tables(user_fields(LOCALE_WORDS[tidy.locale]))
    store.database.change("BEGIN")
    town = town_of(store, tidy)
    people_and_clients(town)
    _requisites(town)
    _products(town)
    deals(town)
    leads(town)
    for sale in town.sales:
        _product_rows(town, sale)
    _activities(town)
    _tasks(town)
    _after_the_sale(town)
    store.finish_tables()
    dictionaries(town)
    store.database.change("COMMIT")
    store.database.change("ANALYZE")


def _insert(town: Town, table: str, place: int, values: Mapping[str, Any]) -> int:
    """A row of a table around the CRM: what is not given is empty, or what every row of the table has."""
    row: dict[str, Any] = {}
    for spec in TABLES[table].fields:
        if spec.stored and spec.column != "id":
            draw = drawer(table, spec)
            empty = draw is None or spec.kind in (Kind.TEXT, Kind.DATE, Kind.DATETIME)
            row[spec.column] = None if empty or draw is None else draw(town.seed, place)
    return town.store.insert_row(table, {**row, **values})


def inn(dice: Any) -> str:
    """A taxpayer number of ten digits with its check digit."""
    digits = [7, 7, *(dice.randrange(10) for _ in range(7))]
    check = sum(weight * digit for weight, digit in zip(_INN_WEIGHTS, digits, strict=True)) % 11 % 10
    return "".join(map(str, (*digits, check)))


def _requisites(town: Town) -> None:
    for place, company in enumerate(town.companies, 1):
        number = inn(town.dice)
        moment = town.store.row("company", company.id) or {}
        _insert(
            town, "requisite", place,
            {"entityTypeId": 4, "entityId": company.id, "presetId": 1, "name": company.name, "active": "Y",
             "rqCompanyName": company.name, "rqInn": number, "rqKpp": f"{number[:4]}01001", "addressOnly": "N",
             "sort": 500, "dateCreate": moment["createdTime"], "dateModify": moment["createdTime"],
             "createdById": company.manager, "modifyById": company.manager},
        )  # fmt: skip


def _products(town: Town) -> None:
    opened = stored(town.today - timedelta(days=430))
    sections = list(dict.fromkeys(section for section, _, _ in town.words.goods))
    for place, name in enumerate(sections, 1):
        _insert(town, "section", place, {"name": name, "sort": 100 * place, "active": "Y", "sectionId": None})
    for place, (section, name, price) in enumerate(town.words.goods, 1):
        number = sections.index(section) + 1
        common = {"active": "Y", "iblockId": IBLOCKS[0], "dateCreate": opened, "timestampX": opened, "createdBy": 1,
                  "modifiedBy": 1}  # fmt: skip
        known = {spec.column for spec in TABLES["product"].fields if spec.stored}
        values = {**common, "name": name, "price": price, "currencyId": town.words.currency, "sectionId": number,
                  "iblockSectionId": number, "sort": 100 * place, "xmlId": f"{place:06d}", "code": f"item-{place}",
                  "purchasingPrice": round(price * 0.7), "purchasingCurrency": town.words.currency,
                  "property258": None, "property259": None, "property260": None,
                  "property261": None}  # fmt: skip
        _insert(town, "product", place, {column: cell for column, cell in values.items() if column in known})
        _insert(town, "price", place, {"productId": place, "price": price, "priceScale": price,
                                       "currency": town.words.currency, "timestampX": opened})  # fmt: skip
    for place in (1, 2):
        _insert(town, "catalog", place, {"name": town.words.company})


def _product_rows(town: Town, sale: Sale) -> None:
    for order, (place, count) in enumerate(sale.goods, 1):
        _, name, price = town.words.goods[place]
        amounts = dict.fromkeys(("price", "priceExclusive", "priceNetto", "priceBrutto", "priceAccount"), price)
        values = {"ownerId": sale.id, "ownerType": "D", "productId": place + 1, "productName": name, "quantity": count,
                  "discountTypeId": 2, "discountRate": 0, "discountSum": 0, "taxRate": None, "taxIncluded": "N",
                  "customized": "N", "measureCode": 796, "measureName": town.words.piece, "sort": 10 * order, "type": 1,
                  "xmlId": "", "storeId": None}  # fmt: skip
        town.store.insert_row("product_row", {**values, **amounts})


# --- activities ------------------------------------------------------------------------------------


def _activities(town: Town) -> None:
    """Calls, meetings and letters while deals go on; an open deal has one to come, or overdue."""
    planned: list[tuple[datetime, int, bool, Sale]] = []
    for sale in town.sales:
        end = sale.ended or town.today
        for _ in range(town.dice.choice((1, 2, 2, 3, 4))):
            moment = town.moment(sale.created + (end - sale.created) * town.dice.random())
            kind = town.dice.choice((_CALL, _CALL, _CALL, _LETTER, _LETTER, _MEETING))
            planned.append((min(max(moment, sale.created), end), kind, True, sale))
        if sale.ended is None and town.dice.random() < 0.85:
            due = town.moment(town.today + timedelta(days=town.dice.randrange(-6, 10)))
            planned.append((due, _TODO, False, sale))
    for place, (moment, kind, done, sale) in enumerate(sorted(planned, key=lambda one: one[0]), 1):
        _activity(town, place, moment, kind, sale, done=done)


def _activity(town: Town, place: int, moment: datetime, kind: int, sale: Sale, *, done: bool) -> None:
    incoming = kind == _CALL and town.dice.random() < 0.4
    templates = {_CALL: town.words.call_in if incoming else town.words.call_out, _MEETING: town.words.meeting,
                 _LETTER: town.words.letter, _TODO: town.words.todo}  # fmt: skip
    provider, provider_type = _PROVIDERS[kind]
    written = stored(moment if done else min(moment, town.today) - timedelta(days=1))
    phone = town.phones[sale.contact]
    reached = {"ID": str(sale.contact), "TYPE": "PHONE", "VALUE": phone}
    number = _insert(
        town, "activity", place,
        {"ownerId": sale.id, "ownerTypeId": 2, "typeId": kind, "providerId": provider, "providerTypeId": provider_type,
         "subject": templates[kind].format(sale.company.name), "created": written, "lastUpdated": written,
         "startTime": stored(moment), "endTime": stored(moment + timedelta(minutes=30)), "deadline": stored(moment),
         "completed": "Y" if done else "N", "status": 2 if done else 1, "responsibleId": sale.manager,
         "authorId": sale.manager, "editorId": sale.manager, "priority": 2, "direction": 1 if incoming else 2,
         "descriptionType": 1, "notifyType": 0, "notifyValue": 0, "associatedEntityId": 0, "settings": "[]",
         "communications": orjson.dumps([reached]).decode() if kind == _CALL else "[]", "files": "[]",
         "resultValue": None, "resultSum": None, "resultCurrencyId": None},
    )  # fmt: skip
    if kind == _CALL:
        _call(town, place, moment, sale, number, phone, incoming=incoming)
    if done:
        changes = {"lastActivityTime": stored(moment), "lastActivityBy": sale.manager}
        town.store.update_row("deal", sale.id, changes)


def _call(town: Town, place: int, moment: datetime, sale: Sale, activity: int, phone: str, *, incoming: bool) -> None:
    answered = town.dice.random() < 0.8
    _insert(
        town, "call", place,
        {"portalUserId": sale.manager, "portalNumber": "reg1", "phoneNumber": phone, "callId": f"call.{place:08x}",
         "externalCallId": None, "callCategory": "external", "callStartDate": stored(moment),
         "callDuration": 20 + town.dice.randrange(600) if answered else 0, "callType": 2 if incoming else 1,
         "callFailedCode": "200" if answered else "304", "callFailedReason": None, "callVote": None, "cost": 0,
         "costCurrency": town.words.currency, "crmEntityType": "CONTACT", "crmEntityId": sale.contact,
         "crmActivityId": activity, "callLog": None, "recordFileId": None, "callRecordUrl": None, "restAppId": None,
         "restAppName": None, "transcriptId": None, "sessionId": None},
    )  # fmt: skip


# --- tasks and what follows a sale -----------------------------------------------------------------


def _tasks(town: Town) -> None:
    chosen = sorted(town.dice.sample(town.sales, min(len(town.sales), 140)), key=lambda sale: sale.created)
    for place, sale in enumerate(chosen, 1):
        created = town.moment(sale.created)
        created = min(created, town.today - timedelta(minutes=10))
        deadline = town.moment(created + timedelta(days=3 + town.dice.randrange(12)))
        closed = town.moment(created + timedelta(days=town.dice.randrange(14)))
        done = closed < town.today and town.dice.random() < 0.92
        last = stored(closed if done else created)
        _insert(
            town, "task", place,
            {"title": f"{town.dice.choice(town.words.tasks)} — {sale.company.name}", "parentId": None, "groupId": 0,
             "createdBy": HEAD, "responsibleId": sale.manager, "changedBy": sale.manager,
             "createdDate": stored(created), "changedDate": last,
             "activityDate": last, "statusChangedDate": last, "deadline": stored(deadline),
             "closedDate": last if done else None, "closedBy": sale.manager if done else None, "mark": None,
             "status": "5" if done else town.dice.choice(("2", "3")), "priority": "1", "accomplices": "[]",
             "auditors": "[]", "tags": "[]", "ufCrmTask": f'["D_{sale.id}"]', "commentsCount": None, "stageId": 0},
        )  # fmt: skip


def _after_the_sale(town: Town) -> None:
    """An invoice for each deal won, and a project where something is installed."""
    won = [sale for sale in town.sales if sale.won and sale.ended is not None]
    for sale in sorted(won, key=lambda one: one.ended or town.today):
        total = sum(town.words.goods[place][2] * count for place, count in sale.goods)
        common = {"title": sale.title, "companyId": sale.company.id, "contactIds": f"[{sale.contact}]",
                  "opportunity": total, "currencyId": town.words.currency, "assignedById": sale.manager,
                  "parentId2": sale.id}  # fmt: skip
        late = town.today - (sale.ended or town.today) < timedelta(days=12)
        columns = {**common, "stageId": "DT31_4:S" if late and town.dice.random() < 0.6 else "DT31_4:P"}
        _create(town, 31, columns, sale)
        if sale.company.id % 3 == 0:
            stage = "PREPARATION" if late else "SUCCESS"
            _create(town, 128, {**common, "stageId": f"DT128_9:{stage}", "assignedById": ENGINEER}, sale)


def _create(town: Town, type_id: int, columns: Mapping[str, Any], sale: Sale) -> None:
    entity = ENTITY_TYPES[type_id]
    known = {name: cell for name, cell in columns.items() if name in entity.table.columns}
    moment = sale.ended or town.today
    create(town.store, entity, Draft(known), user_id=sale.manager, now=stored(moment))
