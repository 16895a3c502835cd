"""Lists with other kinds of paging: limit and offset, pages, a flag for more, rows beside other keys.

(https://apidocs.bitrix24.com: landing, biconnector, im, sign, humanresources, crm/document-generator, sale.)
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int
from bx24frames.sandbox.methods.arguments import bound_array, map_of
from bx24frames.sandbox.registry import INCOMPLETE, METHODS, Context, Params, Result, method
from bx24frames.sandbox.store.tables import Row
from bx24frames.sandbox.wire import API

ROW_COUNT: Final = 120
_SHORT: Final = frozenset({7, 8, 60})
"""Orders that the caller may not see: counted, but left out of the pages."""


def _rows(kind: str, count: int = ROW_COUNT, key: str = "id") -> list[Row]:
    return [{key: number, "title": f"{kind} {number}"} for number in range(1, count + 1)]


def _cut(rows: list[Row], limit: Any, offset: Any, most: int) -> list[Row]:
    """The rows from an offset, up to the limit; values that are not numbers mean the default."""
    first, size = max(0, php_int(offset)), php_int(limit) or most
    return rows[first : first + min(size, most)]


@method("landing.site.getList", "landing")
def list_sites(params: Params, context: Context) -> Result:
    """Sites: ``limit`` and ``offset`` inside ``params``; no total and no next."""
    asked = map_of(bound_array(params, "params", {}))
    rows = _rows("site", key="ID")
    context.rows += len(rows)
    if "limit" not in asked:
        return Result(_cut(rows, 50, asked.get("offset"), 50))
    return Result(_cut(rows, asked["limit"], asked.get("offset"), 1000))


@method("biconnector.dataset.list", "biconnector")
def list_datasets(params: Params, context: Context) -> Result:
    """Data sets, 50 a ``page``, from 1."""
    rows = _cut(_rows("dataset"), 50, 50 * (max(1, php_int(params.get("page", 1))) - 1), 50)
    context.rows += len(rows)
    return Result(rows)


@method("im.recent.list", "im")
def list_recent(params: Params, context: Context) -> Result:
    """Chats of the caller: ``LIMIT`` and ``OFFSET``, rows beside other keys, two flags for more."""
    size, offset = min(php_int(params.get("LIMIT")) or 50, 200), php_int(params.get("OFFSET"))
    rows = _rows("chat")
    found = rows[offset : offset + size]
    context.rows += len(found)
    more = offset + size < len(rows)
    return Result({"items": found, "hasMorePages": more, "hasMore": more, "copilot": []})


@method("sign.b2e.personal.tail", "sign.b2e")
def list_signed(params: Params, context: Context) -> Result:
    """Signed documents of the caller: ``limit`` (default 20) and ``offset``."""
    rows = _cut(_rows("document", 60), params.get("limit", 20), params.get("offset"), 50)
    context.rows += len(rows)
    return Result(rows)


@method("humanresources.hcmlink.employee.list", "humanresources.hcmlink")
def list_employees(params: Params, context: Context) -> Result:
    """Employees of a linked system: ``limit``, at most 100, and ``offset``."""
    rows = _cut(_rows("employee"), params.get("limit", 50), params.get("offset"), 100)
    context.rows += len(rows)
    return Result(rows)


@method("sale.order.list", "sale")
def list_orders(_: Params, context: Context) -> Result:
    """Orders, engine B; rows that the caller may not see are counted."""
    rows = _rows("order", 130)
    window = paging.controller(context.start, lambda: len(rows))
    found = [row for row in window.of(rows) if row["id"] not in _SHORT]
    context.rows += len(found)
    counted = context.has("next_counts_rows") and window.next is not None
    return Result({"orders": found}, window.total, window.offset + len(found) if counted else window.next)


@method("crm.item.payment.list", "crm")
def list_payments(_: Params, context: Context) -> Result:
    """The payments of an item, all at once."""
    rows = _rows("payment", 3)
    context.rows += len(rows)
    return Result(rows)


@method("bizproc.workflow.instances", "bizproc")
def list_workflows(params: Params, context: Context) -> Result:
    """Workflows under way, engine A: ids are text, and three columns unless more are selected."""
    keys = ("ID", "MODIFIED", "OWNED_UNTIL")
    wanted = {*map(str, map_of(params.get("SELECT", params.get("select"))).values())} or {*keys}
    rows = [
        {"ID": f"66e412fdc9b{place:03}.36306599", "MODIFIED": "2026-01-12T10:00:00+03:00", "OWNED_UNTIL": None,
         "TEMPLATE_ID": str(place)} for place in range(70)
    ]  # fmt: skip
    window = paging.classic(context.start, lambda: len(rows))
    found = [{key: value for key, value in row.items() if key in wanted} for row in window.of(rows)]
    context.rows += len(found)
    return Result(found, window.total, window.next)


@method(f"{API}rest.documentation.openapi")
def documentation(_: Params, context: Context) -> Result:
    """Methods of REST 3.0 of this portal; the only answer without ``result``."""

    gone = INCOMPLETE if context.has("rest3_incomplete") else ()
    names = [one.name for one in METHODS.values() if one.name.startswith(API) and not one.name.startswith(gone)]
    paths: Row = {f"/{name.removeprefix(API)}": {"post": {}} for name in names}
    return Result({"openapi": "3.0.0", "paths": paths}, bare=True)
