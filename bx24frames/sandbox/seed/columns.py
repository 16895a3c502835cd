"""Values of the columns of the tables around the CRM, by table and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from bx24frames.sandbox.fields.around import BANK_DETAIL, REQUISITE
from bx24frames.sandbox.fields.field import FieldSpec

if TYPE_CHECKING:
    from bx24frames.sandbox.seed.values import Pools

LIST_NAMES: Final[dict[int, str]] = {31: "Поставки", 33: "Empty & new"}
"""The portal's lists; the second one has no elements."""

IBLOCKS: Final = (15, 17)
"""The catalogue of goods and that of their variants."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The source of values: pools, and ids of existing rows by table."""

    pools: Pools
    links: Mapping[str, Sequence[int]]
    owners: dict[tuple[str, ...], Sequence[int]] = field(default_factory=dict)

    @property
    def users(self) -> Sequence[int]:
        """Ids of users."""
        return self.links["user"]

    def pick(self, values: Sequence[Any]) -> Any:
        """One of them."""
        return self.pools.pick(values)

    def text(self, values: Sequence[str], *, awkward: float = 0.08, null: float = 0.0) -> str | None:
        """One of the texts; sometimes an awkward one or none."""
        return self.pools.text(values, awkward=awkward, null=null)


Draw: TypeAlias = Callable[[Seed, int], Any]
"""The value of a column in the row at a place, counted from 1."""


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _owned(*tables: str) -> Draw:
    """Ids of existing rows; a few of them own many rows."""

    def draw(seed: Seed, place: int) -> int:
        if tables not in seed.owners:
            seed.owners[tables] = [row_id for table in tables for row_id in seed.links.get(table, ())[:60]] or [1]
        ids = seed.owners[tables]
        return ids[0] if place % 2 else int(seed.pick(ids))

    return draw


def _user(seed: Seed, _: int) -> int:
    return int(seed.pick(seed.users))


_PEOPLE: Final = (
    "responsibleId", "authorId", "editorId", "createdBy", "createdById", "modifyById", "modifiedBy", "changedBy",
    "userId", "portalUserId", "updatedBy",
)  # fmt: skip

# ruff: noqa: ARG005
_none: Final[Draw] = lambda seed, _: None  # noqa: E731
_zero: Final[Draw] = lambda seed, _: 0  # noqa: E731


def _blank(fields: Sequence[FieldSpec], *filled: str) -> dict[str, Draw]:
    """Columns for single countries, mostly empty."""
    empty = [spec for spec in fields if spec.code.startswith(("RQ_", "ORIGINATOR_ID")) and spec.code not in filled]
    return dict.fromkeys((spec.column for spec in empty), _none)


_BLANK_REQUISITE: Final = _blank(REQUISITE, "RQ_NAME", "RQ_COMPANY_NAME", "RQ_INN", "RQ_KPP")
_BLANK_BANK_DETAIL: Final = _blank(BANK_DETAIL, "RQ_BANK_NAME", "RQ_BIK", "RQ_ACC_NUM")
SHARED: Final[Mapping[str, Draw]] = {
    **dict.fromkeys(_PEOPLE, _user),
    "name": lambda seed, place: seed.text(seed.pools.companies, awkward=0.02) or f"№ {place}",
    "title": lambda seed, place: f"{seed.pick(seed.pools.words)} {place}",
    "code": lambda seed, place: seed.pick((None, "", f"code_{place:04d}")),
    "xmlId": lambda seed, place: seed.pick(("", None, f"{place:08d}")),
    "sort": lambda seed, place: 10 * (place % 7),
    "iblockId": lambda seed, _: IBLOCKS[0],
    "catalogId": lambda seed, _: IBLOCKS[0],
    "currency": lambda seed, _: seed.pick(("RUB", "USD")),
    "currencyId": lambda seed, _: seed.pick(("RUB", "USD")),
    "active": lambda seed, place: "N" if place % 9 == 8 else "Y",
}
"""Columns of one name in many tables."""

_NO: Final = (
    "multitask", "notViewed", "replicate", "allowTimeTracking", "taskControl", "addInReport", "matchWorkTime",
    "isMuted", "isPinned", "isPinnedInGroup", "favorite",
)  # fmt: skip
_NOTHING: Final = (
    "sprintId", "backlogId", "statusChangedBy", "startDatePlan", "endDatePlan", "serviceCommentsCount",
    "forkedByTemplateId", "timeSpentInLogs", "forumTopicId", "forumId", "exchangeModified", "exchangeId",
    "viewedDate", "sorting", "durationFact", "durationPlan", "flowId", "ufMailMessage",
)  # fmt: skip
"""Columns that are empty in most tasks."""

DRAWS: Final[Mapping[str, Mapping[str, Draw]]] = {
    "activity": {
        "ownerId": _owned("deal"),
        "ownerTypeId": lambda seed, _: 2,
        "typeId": lambda seed, _: seed.pick((1, 2, 3, 4, 6)),
        "providerId": lambda seed, _: seed.pick(("CRM_TASKS_TASK", "VOXIMPLANT_CALL", "CRM_EMAIL")),
        "subject": lambda seed, _: seed.text(seed.pools.texts),
        "settings": lambda seed, place: _json([] if place % 3 else {"COLOR": "2"}),
        "communications": lambda seed, place: _json(
            [] if place % 3 else [{"ID": str(place), "TYPE": "PHONE", "VALUE": f"+7900{place:07d}"}]
        ),
        "files": lambda seed, place: _json([] if place % 4 else [{"id": place, "url": f"/disk/file/{place}/"}]),
        "providerGroupId": _none,
        "providerParams": lambda seed, _: _json([]),
        "providerData": _none,
        "resultMark": _zero,
        "resultStatus": _zero,
        "resultStream": _zero,
        "resultSourceId": _none,
        "autocompleteRule": _zero,
        "isIncomingChannel": lambda seed, _: "N",
    },
    "requisite": {
        **_BLANK_REQUISITE,
        "entityTypeId": lambda seed, place: 4 if place % 3 else 3,
        "entityId": _owned("company"),
        "presetId": lambda seed, _: seed.pick((1, 3)),
        "rqInn": lambda seed, place: f"0{place:09d}",
        "addressOnly": lambda seed, _: "N",
    },
    "bank_detail": {
        **_BLANK_BANK_DETAIL,
        "entityId": lambda seed, place: 1 + place % 30,
        "countryId": lambda seed, _: 1,
        "rqBik": lambda seed, place: f"04{place:07d}",
        "rqAccNum": lambda seed, place: f"4070281000000{place:07d}",
    },
    "address": {
        "typeId": lambda seed, place: 1 + place % 2 * 5,
        "entityTypeId": lambda seed, _: 8,
        "entityId": lambda seed, place: 1 + place // 2,
        "address1": lambda seed, _: seed.text(seed.pools.streets),
        "locAddrId": lambda seed, place: place,
        "anchorTypeId": lambda seed, _: 4,
        "anchorId": lambda seed, place: 1 + place // 2,
    },
    "comment": {
        "entityId": _owned("deal"),
        "entityType": lambda seed, _: "deal",
        "comment": lambda seed, _: seed.text(seed.pools.texts, awkward=0.3),
        "files": lambda seed, place: None if place % 5 else _json(
            {str(place): {"id": place, "type": "file", "name": f"scan {place}.pdf", "size": 4, "authorId": 1}}
        ),
    },
    "section": {
        "descriptionType": lambda seed, _: "text",
        "sectionId": lambda seed, place: None if place < 4 else 1, "iblockSectionId": lambda seed, _: None,
    },
    "product": {
        "descriptionType": lambda seed, _: "text",
        "sectionId": lambda seed, place: 1 + place % 5,
        "iblockSectionId": lambda seed, place: None if place % 4 == 0 else 1 + place % 5,
        "price": lambda seed, place: place * 1.5,
        "measure": lambda seed, _: 5,
        "type": lambda seed, _: 1,
        "quantity": lambda seed, place: seed.pick((None, 0, place, place / 4)),
        "quantityTrace": lambda seed, _: seed.pick(("Y", "N", "D")),
        "canBuyZero": lambda seed, _: "D",
        "purchasingPrice": lambda seed, place: seed.pick((None, place)),
        "available": lambda seed, _: "Y",
        "barcodeMulti": lambda seed, _: "N",
        "bundle": lambda seed, _: "N",
        "dateActiveFrom": lambda seed, place: None if place % 6 else "2025-05-01T10:00:00",
        "dateActiveTo": lambda seed, place: None if place % 6 else "2030-05-01T10:00:00",
        **dict.fromkeys(("detailTextType", "previewTextType"), lambda seed, _: "text"),
        **dict.fromkeys(("height", "length", "width"), lambda seed, place: None if place % 4 else 10 * place),
        "previewText": lambda seed, _: None,
        "trialPriceId": lambda seed, place: 0 if place % 3 else None,
        **dict.fromkeys(("detailPicture", "previewPicture"), lambda seed, place: None if place % 5 else 1 + place % 7),
        "weight": lambda seed, place: 0 if place % 2 else 100 * place,
        "quantityReserved": lambda seed, _: 0,
        "recurSchemeLength": lambda seed, place: 0 if place % 3 else None,
        "recurSchemeType": lambda seed, _: "D",
        "subscribe": lambda seed, _: "D",
        "withoutOrder": lambda seed, _: "N",
        "property258": lambda seed, place: None if place % 3 else _json({"value": f"A-{place}", "valueId": str(place)}),
        "property259": lambda seed, place: None if place % 4 else _json({"value": f"{place}.5", "valueId": str(place)}),
        "property260": lambda seed, place: None if place % 2 else _json(
            [{"value": word, "valueId": str(at)} for at, word in enumerate(("new", "sale"))]
        ),
        "property261": lambda seed, place: None if place % 2 else _json({"value": "44", "valueId": str(place)}),
    },
    "price": {
        "productId": lambda seed, place: place,
        "catalogGroupId": lambda seed, _: 1,
        "price": lambda seed, place: place * 10.25 if place % 2 else place * 10,
        "priceScale": lambda seed, place: place * 10,
        "extraId": lambda seed, _: None,
    },
    "catalog": {
        **dict.fromkeys(("id", "iblockId"), lambda seed, place: IBLOCKS[place - 1]),
        "vatId": lambda seed, place: 1 if place == 2 else None,
        # the type is a text, the controller prints it as a number [catalog module: lib/controller/catalog.php]
        "iblockTypeId": lambda seed, _: 0,
        "subscription": lambda seed, _: "N",
        "skuPropertyId": lambda seed, place: 97 if place == 2 else None,
        "lid": lambda seed, _: "s1",
        "productIblockId": lambda seed, place: IBLOCKS[0] if place == 2 else None,
    },
    "task": {
        "title": lambda seed, place: seed.text(seed.pools.texts, awkward=0.1) or f"Task {place}",
        "parentId": lambda seed, place: None if place % 3 else 1,
        "priority": lambda seed, _: seed.pick(("0", "1", "2")),
        "status": lambda seed, _: seed.pick(("2", "3", "4", "5")),
        "mark": lambda seed, _: seed.pick((None, "P", "N")),
        **dict.fromkeys(_NO, lambda seed, _: "N"),
        **dict.fromkeys(_NOTHING, lambda seed, _: None),
        **dict.fromkeys(("allowChangeDeadline", "subordinate"), lambda seed, place: "Y" if place % 2 else "N"),
        "guid": lambda seed, place: f"{{0a1b2c3d-0000-4000-8000-{place:012x}}}",
        "siteId": lambda seed, _: "s1",
        "outlookVersion": lambda seed, place: 1 + place % 9,
        "durationType": lambda seed, _: "days",
        "activityDate": lambda seed, place: f"2025-{1 + place % 12:02d}-{1 + place % 28:02d}T09:30:00",
        "statusChangedDate": lambda seed, place: f"2025-{1 + place % 12:02d}-{1 + place % 28:02d}T09:30:00",
        "commentsCount": lambda seed, place: None if place % 3 else place % 7,
        "newCommentsCount": lambda seed, _: 0,
        "checklist": lambda seed, _: _json([]),
        "ufTaskWebdavFiles": lambda seed, _: _json([]),
        "groupId": lambda seed, _: seed.pick((0, 1, 4)),
        "timeEstimate": lambda seed, _: 0,
        "accomplices": lambda seed, place: _json([] if place % 3 else [str(one) for one in seed.users[:2]]),
        "auditors": lambda seed, place: _json([str(seed.users[-1])] if place % 5 == 0 else []),
        "tags": lambda seed, place: _json([] if place % 2 else ["urgent", "к сдаче"]),
        "ufCrmTask": lambda seed, place: _json([f"D_{place}"] if place % 4 == 0 else False),
    },
    "elapsed": {
        "taskId": lambda seed, place: 1 + place % 40,
        "commentText": lambda seed, _: seed.text(seed.pools.texts, null=0.5),
        "seconds": lambda seed, place: 60 * place + 1,
        "minutes": lambda seed, place: place,
        "source": lambda seed, _: seed.pick((2, 3)),
    },
    "call": {
        "phoneNumber": lambda seed, place: f"+7495{place:07d}",
        "callId": lambda seed, place: f"externalCall.{place:032x}",
        "callCategory": lambda seed, _: "external",
        "callDuration": lambda seed, place: place % 300,
        "callType": lambda seed, _: seed.pick((1, 2, 3)),
        "callFailedCode": lambda seed, _: seed.pick(("200", "304", "603-S")),
        "cost": lambda seed, place: seed.pick((0, place / 100)),
        "costCurrency": lambda seed, _: "RUR",
        "crmEntityType": lambda seed, _: seed.pick((None, "CONTACT")),
        "crmEntityId": _owned("contact"),
        "callLog": lambda seed, place: None if place % 6 else "ok",
        **dict.fromkeys(("redialAttempt", "comment", "recordDuration"), lambda seed, _: None),
        "recordFileId": lambda seed, place: None if place % 4 else 1000 + place,
        "callRecordUrl": lambda seed, place: None if place % 4 else f"https://example.com/records/{place}.mp3",
        "restAppId": lambda seed, place: None if place % 3 else 7,
        "restAppName": lambda seed, place: None if place % 3 else "Call centre",
        "transcriptId": lambda seed, place: None if place % 8 else place,
    },
    "list_element": {
        "iblockId": lambda seed, _: next(iter(LIST_NAMES)),
        "iblockSectionId": lambda seed, _: None,
        "bpPublished": lambda seed, _: "Y",
        "property101": lambda seed, _: seed.pick((None, seed.text(seed.pools.texts))),
        "property103": lambda seed, place: seed.pick((None, place / 4)),
        "property105": lambda seed, _: seed.pick((None, "61", "63")),
        "property107": lambda seed, _: seed.pick((None, seed.pools.day())),
        "property109": lambda seed, place: _json([] if place % 3 else ["a & b", "0007"]),
    },
    "workgroup": {
        "siteId": lambda seed, _: "s1",
        "subjectId": lambda seed, _: 1,
        "ownerId": lambda seed, place: seed.users[place % 5 == 0 and len(seed.users) > 1],
        "numberOfMembers": lambda seed, place: 1 + place % 9,
        "closed": lambda seed, _: "N",
        "subjectName": lambda seed, _: "Рабочие группы",
        "isExtranet": lambda seed, _: "N",
        "type": lambda seed, place: "project" if place % 3 == 0 else "group",
        "imageId": lambda seed, place: 0 if place % 2 else place,
        "avatarType": lambda seed, place: None if place % 2 else "folder",
        "initiatePerms": lambda seed, _: "K",
        **dict.fromkeys(("projectDateStart", "projectDateFinish", "members"), lambda seed, _: None),
        "landing": lambda seed, _: "N",
        "scrumOwnerId": lambda seed, _: 0,
    },
    "storage": {
        "code": lambda seed, _: None,
        "moduleId": lambda seed, _: "disk",
        "entityType": lambda seed, place: ("common", "user", "group")[place % 3],
        "entityId": lambda seed, place: "shared_files_s1" if place % 3 == 0 else str(place),
        "rootObjectId": lambda seed, place: place,
    },
    "checklist_item": {
        "taskId": lambda seed, place: 1 + (place - 1) // 4,
        "parentId": lambda seed, place: 0 if place % 4 == 1 else place - (place - 1) % 4,
        "title": lambda seed, place: f"Пункт {place}" if place % 4 != 1 else "Чек-лист 1",
        "sortIndex": lambda seed, place: (place - 1) % 4,
        "isComplete": lambda seed, place: "Y" if place % 4 == 3 else "N",
        "isImportant": lambda seed, _: "N",
        "toggledBy": lambda seed, place: seed.users[0] if place % 4 == 3 else None,
        "toggledDate": lambda seed, place: "2025-06-02T12:00:00" if place % 4 == 3 else None,
        "members": lambda seed, _: _json([]),
    },
    "task_comment": {
        "taskId": lambda seed, place: 1 + place // 3,
        "postMessage": lambda seed, _: seed.text(seed.pools.texts),
        **dict.fromkeys(("authorName", "authorEmail"), lambda seed, _: None),
    },
    "disk_version": {
        "objectId": lambda seed, place: 9 + place % 3,
        "size": lambda seed, place: 1000 * place,
        "name": lambda seed, place: f"file {9 + place % 3}.pdf",
        "globalContentVersion": lambda seed, place: 1 + place // 3,
        "fileId": lambda seed, place: place,
    },
    "disk_item": {
        "storageId": lambda seed, _: 1,
        "type": lambda seed, place: "folder" if place <= 8 else "file",
        "name": lambda seed, place: f"folder {place}" if place <= 8 else f"file {place}.pdf",
        "realObjectId": lambda seed, place: place,
        "parentId": lambda seed, place: None if place == 1 else 1 if place < 100 else 2,
        "deletedType": lambda seed, _: 0,
        "globalContentVersion": lambda seed, place: None if place <= 8 else 1,
        "fileId": lambda seed, place: None if place <= 8 else place,
        "size": lambda seed, place: None if place <= 8 else 1024 * place,
        "deleteTime": lambda seed, _: None,
        "deletedBy": lambda seed, _: 0,
        "detailUrl": lambda seed, place: f"https://example.com/disk/{place}?a=1&b=2",
    },
}  # fmt: skip
"""Columns by table and name."""
