"""Lists of REST 3.0 with cursors or without paging: knowledge bases, their documents, follow-ups of calls (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bx24frames.sandbox.methods.rest3 import api_fault, not_valid
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import Row
from bx24frames.sandbox.wire import API

CURSOR_SIZE: Final = 50
_MOST: Final = 200
HEAVY_MOST: Final = 20
_FIRST: Final = datetime(2026, 1, 1, 9, tzinfo=UTC)


def _limit(given: Any, most: int, fault: MethodError) -> int:
    if not isinstance(given, dict):
        raise fault
    limit = given.get("limit", CURSOR_SIZE)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise fault
    return min(limit, most)


# ---------------------------------------------------------------- knowledge bases


def _base(number: int) -> Row:
    return {
        "id": number,
        "name": f"База знаний {number}",
        "position": 100 * (1 + (number * 7) % 11),  # positions repeat: the cursor needs the id too
        "policyLevel": ("view", "manage", "moderate")[number % 3],
        "createdBy": 1 + number % 4,
        "updatedBy": 1 + number % 5,
        "createdAt": (_FIRST + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updatedAt": (_FIRST + timedelta(days=number, hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


BASES: Final = tuple(sorted(map(_base, range(1, 431)), key=lambda row: (row["position"], row["id"])))


@method(f"{API}note.collection.list", "note")
def list_bases(params: Params, context: Context) -> Result:
    """A page of knowledge bases by position, and the cursor of the next page
    (https://apidocs.bitrix24.com/api-reference/rest-v3/note/collection/note-collection-list.html).
    """
    given = params.get("pagination") or {}
    fault = api_fault("INVALIDPAGINATION", "Unable to recognize pagination parameter")
    limit = _limit(given, _MOST, fault)
    cursor, rows = given.get("afterCursor"), list(BASES)
    if cursor is not None:
        if not isinstance(cursor, dict) or {"position", "id"} - set(cursor):
            raise not_valid("pagination.afterCursor", "Required field `position` or `id` is not specified")
        rows = [row for row in rows if (row["position"], row["id"]) > (cursor["position"], cursor["id"])]
    found = rows[:limit]
    context.rows += len(found)
    last = found[-1] if len(rows) > limit else None
    return Result({"items": found, "nextCursor": last and {"position": last["position"], "id": last["id"]}})


# ---------------------------------------------------------------- documents

TREE_MOST: Final = 5000
_SIZES: Final = {1: 70, 2: 0, 3: TREE_MOST + 1}


def _document(base: int, number: int, under: list[Row]) -> Row:
    return {
        "id": 10_000 * base + number,
        "collectionId": base,
        "parentId": 10_000 * base + number // 3 if number >= 3 else None,
        "title": f"Страница {number} & приложения",
        "position": number,
        "children": under,
    }


def _tree(base: int, size: int) -> list[Row]:
    """A tree of documents: number 3 is a child of 1; 9, 10 and 11 are children of 3."""
    below: dict[int, list[Row]] = {}
    for number in range(size, 0, -1):
        row = _document(base, number, below.pop(number, []))
        below.setdefault(number // 3, []).insert(0, row)
    return below.get(0, [])


@method(f"{API}note.document.tree.list", "note")
def list_knowledge_documents(params: Params, context: Context) -> Result:
    """The documents of one knowledge base, nested; at most 5000, cut at the roots
    (https://apidocs.bitrix24.com/api-reference/rest-v3/note/document/note-document-tree-list.html).
    """
    base = params.get("collectionId")
    if not isinstance(base, int) or isinstance(base, bool):
        raise not_valid("collectionId", "Mandatory field `collectionId` is missing")
    if base > len(BASES):
        raise api_fault("ENTITYNOTFOUND", f"Entry with ID = `{base}` not found")
    size = _SIZES.get(base, base % 5)
    context.rows += size
    roots = _tree(base, size)
    return Result({"items": roots[:1] if size > TREE_MOST else roots, "truncated": size > TREE_MOST})


# ---------------------------------------------------------------- follow-ups

_PLAIN: Final = ("callId", "callType", "initiatorId", "startDate", "endDate", "durationSeconds")
HEAVY: Final = frozenset({"transcription", "overview", "insights"})
_CALLS: Final = 90


def _followup(number: int) -> Row:
    begins = _FIRST + timedelta(hours=7 * (number // 2))  # start times repeat: the cursor needs the id too
    quiet = number % 6 == 0
    return {
        "callId": 12_000 + number,
        "callType": 1 + number % 3,
        "initiatorId": 1 + number % 5,
        "startDate": begins.isoformat(),
        "endDate": None if number == _CALLS else (begins + timedelta(minutes=number)).isoformat(),
        "durationSeconds": 60 * number,
        "uuid": f"0a1b2c3d-{number:04}",
        "language": None if quiet else "ru",
        "version": None if quiet else 1,
        "participants": [
            {"userId": 1 + number % 5, "name": "Анна", "talkedSeconds": 30 * number},
            {"userId": 1 + (number + 1) % 5, "name": "Пётр", "talkedSeconds": 10},
        ],
        "outcomes": [] if quiet else ["transcription", "overview"],
        "createdAt": None if quiet else (begins + timedelta(hours=1)).isoformat(),
        "tracks": [],
        "transcription": None
        if quiet
        else {
            "language": "ru",
            "segments": [{"userId": 1, "start": "00:00:01", "end": "00:00:04", "text": "Да & нет"}],
        },
        "overview": None if quiet else {"topic": f"Встреча {number}", "actionItems": []},
        "summary": None,
        "insights": None,
        "evaluation": None if quiet else {"efficiencyValue": number % 101},
    }


FOLLOWUPS: Final = tuple(map(_followup, range(1, _CALLS + 1)))


def _moment(value: Any, fault: MethodError) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise fault from None


def _period(given: Any) -> list[Row]:
    fault = MethodError("invalid_date_range", "Incorrect date range: both from and to are required")
    period = given.get("startDate") if isinstance(given, dict) else None
    if not isinstance(period, dict):
        raise fault
    begin, end = _moment(period.get("from"), fault), _moment(period.get("to"), fault)
    if begin > end:
        raise fault
    return [row for row in FOLLOWUPS if begin <= datetime.fromisoformat(row["startDate"]) <= end]


def _place(row: Row) -> tuple[datetime, int]:
    return datetime.fromisoformat(row["startDate"]), row["callId"]


@method(f"{API}call.followup.list", "call")
def list_followups(params: Params, context: Context) -> Result:
    """A page of the follow-ups of a period, and the cursor of the next page
    (https://apidocs.bitrix24.com/api-reference/call/followup/call-followup-list.html).
    """
    rows = _period(params.get("filter"))
    select = params.get("select") or list(_PLAIN)
    if not isinstance(select, list):
        raise MethodError("invalid_select_field", "Invalid field in select")
    if unknown := [name for name in select if str(name).split(".")[0] not in FOLLOWUPS[0]]:
        raise MethodError("invalid_select_field", f"Invalid field in select: {unknown[0]}")
    order = params.get("order") or {"startDate": "desc"}
    if not isinstance(order, dict) or set(order) != {"startDate"} or order["startDate"] not in ("asc", "desc"):
        raise MethodError("invalid_order", "Incorrect parameter order")
    down = order["startDate"] == "desc"
    rows = sorted(rows, key=_place, reverse=down)
    given = params.get("pagination") or {}
    fault = MethodError("invalid_pagination", "Incorrect parameter pagination")
    limit = _limit(given, HEAVY_MOST if HEAVY & set(select) else _MOST, fault)
    if (cursor := given.get("afterCursor")) is not None:
        if not isinstance(cursor, dict) or {"startDate", "id"} - set(cursor):
            raise fault
        at = (_moment(cursor["startDate"], fault), cursor["id"])
        rows = [row for row in rows if (_place(row) < at if down else _place(row) > at)]
    found, more = rows[:limit], len(rows) > limit
    context.rows += len(found)
    begins, last = _place(found[-1]) if found else (_FIRST, 0)
    cursor = {"startDate": begins.isoformat(timespec="microseconds"), "id": last}
    items = [{name: row[name] for name in row if name in {"callId", *select}} for row in found]
    return Result({"items": items, "hasMore": more, "afterCursor": cursor if more else None})
