"""Call lists of contacts or companies, ``crm.calllist.*``
(https://apidocs.bitrix24.com/api-reference/crm/call-list/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_map, names_of
from bx24frames.sandbox.methods.described import chosen
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import STATUSES, Dictionary
from bx24frames.sandbox.store.tables import Row

_LISTS: Final = Dictionary("call_list", list)
_KEYS: Final = ("ID", "DATE_CREATE", "CREATED_BY_ID", "WEBFORM_ID", "ENTITY_TYPE_ID")
_TYPES: Final = {"CONTACT": 3, "COMPANY": 4}
TABLE_OF: Final = {3: "contact", 4: "company"}
FIRST_STATUS: Final = "IN_WORK"


def _argument(params: Params, name: str) -> Any:
    value = params.get(name)
    if value in (None, ""):
        raise MethodError("ERROR_ARGUMENT", f"{name} is not found")
    return value


def _type(params: Params, wrong: str) -> int:
    number = _TYPES.get(php_text(_argument(params, "ENTITY_TYPE")))
    if number is None:
        raise MethodError("ENTITY_TYPE_ERROR", wrong)
    return number


def _called(params: Params, number: int, code: str, context: Context) -> list[int]:
    """The ids of the rows to call; each must exist."""
    given = _argument(params, "ENTITIES")
    if not isinstance(given, list | dict):
        raise MethodError("ENTITIES_ERROR", "Entities is not array")
    ids = list(dict.fromkeys(php_int(one) for one in values_of(given)))
    if not ids or any(context.store.row(TABLE_OF[number], one) is None for one in ids):
        raise MethodError(code, "Incorrect entities id")
    return ids


def _items(ids: list[int], before: list[Row]) -> list[Row]:
    known = {item["ID"]: item for item in before}
    return [known.get(one, {"ID": one, "STATUS": FIRST_STATUS}) for one in ids]


def _row(params: Params, name: str, wrong: str, context: Context) -> Row:
    row = _LISTS.row(context.store, php_int(_argument(params, name)))
    if row is None:
        raise MethodError("LIST_ID_ERROR", wrong)
    return row


def _shown(row: Row) -> Row:
    return {name: None if row[name] is None else php_text(row[name]) for name in _KEYS}


@method("crm.calllist.add", "crm")
def add_call_list(params: Params, context: Context) -> Result:
    """Create a list; returns its id."""
    number = _type(params, "Incorrect entity type")
    ids = _called(params, number, "ENTITY_ERROR", context)
    now = context.store.local_time(context.now).replace("T", " ")
    form = php_int(params.get("WEBFORM_ID")) or None
    row = {"DATE_CREATE": now, "CREATED_BY_ID": context.user_id, "WEBFORM_ID": form, "ENTITY_TYPE_ID": number}
    context.writes += 1
    return Result(_LISTS.add(context.store, {**row, "ITEMS": _items(ids, [])}, text=False))


@method("crm.calllist.get", "crm")
def get_list(params: Params, context: Context) -> Result:
    """One list, without its items."""
    row = _row(params, "ID", "Incorrect list id", context)
    names = {number: name for name, number in _TYPES.items()}
    return Result({**_shown(row), "ENTITY_TYPE": names[row["ENTITY_TYPE_ID"]]})


@method("crm.calllist.update", "crm")
def update_call_list(params: Params, context: Context) -> Result:
    """Replace the items of a list; items that stay keep their status."""
    _argument(params, "LIST_ID")
    number = _type(params, "EntityType is incorrect")
    ids = _called(params, number, "ENTITIES_ERROR", context)
    row = _row(params, "LIST_ID", "Incorrect list id or access denied", context)
    if row["ENTITY_TYPE_ID"] != number:
        text = "Discrepancy between the type of call participants and incoming type"
        raise MethodError("ENTITY_TYPE_ERROR", text)
    form = php_int(params["WEBFORM_ID"]) or None if "WEBFORM_ID" in params else row["WEBFORM_ID"]
    _LISTS.put(context.store, {**row, "WEBFORM_ID": form, "ITEMS": _items(ids, row["ITEMS"])})
    context.writes += 1
    return Result(value=True)


def _unknown(name: str) -> MethodError:
    entity = "\\Bitrix\\Crm\\CallList\\Internals\\CallList"
    return MethodError("100", f"Unknown field definition `{name}` ({name}) for {entity} Entity.")


@method("crm.calllist.list", "crm")
def list_call_lists(params: Params, context: Context) -> Result:
    """A page of lists; unknown names are errors."""
    select = names_of(list(classic_map(params, "select").values()))
    order = classic_map(params, "order") or {"ID": "DESC"}
    for name in (*select, *order):
        if name not in (*_KEYS, "*"):
            raise _unknown(name)
    rows = chosen(_LISTS.rows(context.store), classic_map(params, "filter"), dict.fromkeys(_KEYS), _unknown)
    rows = ordered(rows, order)
    window = paging.always_counting(context.start, lambda: len(rows))
    wanted = set(select) or {"*"}
    shown = [
        {name: value for name, value in _shown(row).items() if "*" in wanted or name in wanted}
        for row in window.of(rows)
    ]
    context.rows += len(shown)
    return Result(shown, window.total, window.next)


def _statuses(context: Context) -> list[Row]:
    return ordered(matching(STATUSES.rows(context.store), {"ENTITY_ID": "CALL_LIST"}), {"SORT": "ASC"})


@method("crm.calllist.statuslist", "crm")
def list_call_list_statuses(_: Params, context: Context) -> Result:
    """The statuses of items of call lists."""
    rows = _statuses(context)
    context.rows += len(rows)
    numbers = [{name: php_int(row[name]) for name in ("ID", "SORT")} for row in rows]
    return Result(
        [{"ID": two["ID"], "NAME": row["NAME"], "SORT": two["SORT"], "STATUS_ID": row["STATUS_ID"]}
         for row, two in zip(rows, numbers, strict=True)]
    )  # fmt: skip


@method("crm.calllist.items.get", "crm")
def list_call_list_items(params: Params, context: Context) -> Result:
    """The items of one list."""
    if php_int(_argument(params, "LIST_ID")) <= 0:
        raise MethodError("LIST_ID_ERROR", "List id should be positive")
    row = _row(params, "LIST_ID", "Call list is not found", context)
    wanted = classic_map(params, "filter").get("STATUS")
    if wanted is not None and php_text(wanted) not in {one["STATUS_ID"] for one in _statuses(context)}:
        raise MethodError("STATUS_ERROR", "Incorrect status")
    items = [item for item in row["ITEMS"] if wanted is None or item["STATUS"] == php_text(wanted)]
    context.rows += len(items)
    return Result([{**item, "ENTITY_TYPE": row["ENTITY_TYPE_ID"]} for item in items])
