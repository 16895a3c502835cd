"""Lists of REST 3.0 with offsets: the company's structure, time records, mail (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.rest3 import not_valid, page
from bx24frames.sandbox.registry import Context, Params, Result, method
from bx24frames.sandbox.store.tables import Row
from bx24frames.sandbox.wire import API

_FIRST: Final = datetime(2025, 3, 3, 9, tzinfo=timezone(timedelta(hours=3)))
RECORDS: Final = 60
MAIL_MOST: Final = 200


def _record(user: int, number: int) -> Row:
    begins = _FIRST + timedelta(days=number, minutes=user)
    return {
        "id": 1000 * number + user,
        "userId": user,
        "startTime": begins.isoformat(),
        "endTime": (begins + timedelta(hours=8)).isoformat() if number < RECORDS - 1 else None,
        "duration": 28_800 - 60 * number,
        "breakLength": 60 * number,
        "state": "CLOSED" if number < RECORDS - 1 else "OPENED",
        "isApproved": number % 5 != 0,
    }


@method(f"{API}timeman.record.list", "timeman")
def list_records(params: Params, context: Context) -> Result:
    """A page of the records of one employee, who is required."""
    given = params.get("filter")
    conditions = [one for one in given if isinstance(one, list) and one] if isinstance(given, list) else []
    wanted = {php_text(one[-1]) for one in conditions if one[0] == "userId"}
    if len(wanted) != 1:
        raise not_valid("filter.userId", "Required field `filter.userId` is not specified")
    rows = [_record(php_int(user), number) for user in wanted for number in range(RECORDS)]
    filterable, sortable = frozenset({"userId", "startTime"}), frozenset({"id", "endTime", "duration"})
    found = page(rows, params, 50, filterable, sortable)
    context.rows += len(found)
    return Result({"items": found})


def _node(kind: str, number: int) -> Row:
    return {
        "id": number,
        "name": f"{kind.title()} {number}",
        "type": kind,
        "structureId": 1,
        "parentId": None if number == 1 else number // 2,
        "description": "",
        "accessCode": f"DR{number}",
        "userCount": number % 17,
        "colorName": "blue" if kind == "TEAM" else None,
        "xmlId": None,
        "createdAt": (_FIRST + timedelta(days=number)).isoformat(),
        "updatedAt": None if number % 3 else (_FIRST + timedelta(days=2 * number)).isoformat(),
    }


_SIZES: Final = {"DEPARTMENT": 110, "TEAM": 7}


@method(f"{API}humanresources.node.list", "humanresources")
def list_nodes(params: Params, context: Context) -> Result:
    """A page of departments or teams."""
    kind = str(params.get("type"))
    if kind not in _SIZES:
        raise not_valid("type", "Required field `type` is not specified")
    rows = [_node(kind, number) for number in range(_SIZES[kind], 0, -1)]
    given = {"select": params.get("select"), "pagination": params.get("pagination"), "order": {"name": "ASC"}}
    found = page(rows, given, MAIL_MOST, frozenset({"name"}))
    context.rows += len(found)
    return Result({"items": found})


MAILBOXES: Final = tuple(
    {"id": number, "name": f"Box {number}", "email": f"box{number}@example.com", "senderName": "Анна"}
    for number in (1, 2)
)


def _message(number: int) -> Row:
    return {
        "id": number,
        "mailboxId": 1 + number % 2,
        "mailboxEmail": f"box{1 + number % 2}@example.com",
        "subject": f"Договор № {number}",
        "from": "client@example.com",
        "to": "box1@example.com",
        "cc": "",
        "date": (_FIRST + timedelta(hours=number)).isoformat(),
        "isSeen": number % 3 == 0,
        "hasAttachments": number % 4 == 0,
        "url": f"https://example.com/mail/message/{number}/",
        "bindings": [],
        "body": "Text & <b>text</b>",
    }


_MESSAGES: Final = tuple(_message(number) for number in range(1, 131))


def _mail(rows: tuple[Row, ...], params: Params, most: int, context: Context) -> Result:
    """Every field, latest first; these lists take no select."""
    given = {"pagination": params.get("pagination"), "select": list(rows[0]), "order": {"id": "DESC"}}
    found = page([*rows], given, most, frozenset({"id"}))
    context.rows += len(found)
    return Result({"items": found})


@method(f"{API}mail.mailbox.list", "mail")
def list_mailboxes(params: Params, context: Context) -> Result:
    """A page of the user's mailboxes."""
    return _mail(MAILBOXES, params, 100, context)


@method(f"{API}mail.message.list", "mail")
def list_messages(params: Params, context: Context) -> Result:
    """A page of the user's e-mails."""
    return _mail(_MESSAGES, params, MAIL_MOST, context)
