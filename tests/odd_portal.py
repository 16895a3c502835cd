"""A small portal with the odd habits of real ones, written from the protocol and knowing nothing of the client."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from odd_wire import Asked, Raw, Refused, Server, listed, parse_str, php_map

CODE = "s3cr3tc0de4567890"
REFERENCE = re.compile(r"\$result((?:\[[^\]]*\])+)\S*")
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

# Some entries lack a title, `settings` is a map, a list or missing: builds differ.
FIELDS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "isReadOnly": True, "title": "ID", "settings": []},
    "title": {"type": "string", "title": "Name", "settings": []},
    "stageId": {"type": "crm_status", "statusType": "DEAL_STAGE", "title": "Stage", "upperName": "STAGE_ID"},
    "opportunity": {"type": "double", "settings": []},
    "currencyId": {"type": "crm_currency", "upperName": "CURRENCY_ID"},
    "contactId": {"type": "crm_contact", "title": "Contact", "settings": {"parentEntityTypeId": 3}},
    "opened": {"type": "boolean", "title": "Open"},
    "createdTime": {"type": "datetime", "isReadOnly": True, "title": "Created"},
    "updatedTime": {"type": "datetime", "isReadOnly": True, "title": "Changed"},
    "begindate": {"type": "date", "title": "Begin"},
    "UF_CRM_WHEN": {"type": "date", "isDynamic": True, "upperName": "UF_CRM_WHEN", "title": "When"},
    "UF_CRM_SIZE": {"type": "integer", "isDynamic": True, "upperName": "UF_CRM_SIZE", "settings": []},
    "UF_CRM_TAGS": {"type": "string", "isDynamic": True, "isMultiple": True, "upperName": "UF_CRM_TAGS"},
    "UF_CRM_COLOR": {
        "type": "enumeration", "isDynamic": True, "upperName": "UF_CRM_COLOR",
        "items": [{"ID": "44", "VALUE": "Red"}, {"ID": "45", "VALUE": "Blue"}],
    },
    "UF_CRM_COST": {"type": "money", "isDynamic": True, "upperName": "UF_CRM_COST"},
}  # fmt: skip
UPPER = {"createdTime": "DATE_CREATE", "updatedTime": "DATE_MODIFY"}


def upper(name: str) -> str:
    return UPPER.get(name) or (name if name.startswith("UF_") else re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper())


class OddPortal:
    """Deals, as items and as classic rows; every habit is an attribute or a hook.

    `before`: asked first with each request; a `Raw` is the answer. `garble`: rewrites the bytes of an answer.
    `command`: asked before each method, inside a batch or alone; may raise `Refused`. `server_zone`: hours from UTC.
    """

    def __init__(self, *, rows: int = 0, server_zone: int = 3) -> None:
        self.zone = dt.timezone(dt.timedelta(hours=server_zone))
        self.rows: dict[int, dict[str, Any]] = {}
        self.gone: set[int] = set()  # rows deleted between the id query and the row query: pages are short
        self.asked: list[Asked] = []
        self.commands: list[tuple[str, Any]] = []
        self.before: list[Callable[[Asked], Raw | None]] = []
        self.garble: Callable[[bytes], bytes] = lambda body: body
        self.command: Callable[[str, Any], None] = lambda method, params: None
        self.time: Callable[[], dict[str, Any] | None] = lambda: {"start": 1, "finish": 1.5, "duration": 0.1}
        self.odd_values = True
        self.may_import = True
        self.lock = threading.RLock()
        for number in range(1, rows + 1):
            self.seed(number * 3)
        self.server = Server(self.answer)
        self.url = f"{self.server.base}/rest/1/{CODE}/"

    def close(self) -> None:
        self.server.close()

    # --- rows ----------------------------------------------------------------------------------

    def seed(self, row_id: int, **values: Any) -> None:
        self.rows[row_id] = {
            "title": f"Deal {row_id} & 50% + #1 [x]", "stageId": "C1:NEW", "opportunity": row_id * 1.5,
            "currencyId": "EUR", "contactId": 0 if row_id % 2 else row_id, "opened": "Y",
            "createdTime": EPOCH + dt.timedelta(minutes=row_id), "updatedTime": EPOCH + dt.timedelta(hours=row_id),
            "begindate": dt.date(2026, 2, 1), "UF_CRM_WHEN": None, "UF_CRM_SIZE": row_id, "UF_CRM_TAGS": ["a", "b"],
            "UF_CRM_COLOR": 44, "UF_CRM_COST": "1500.50|EUR", **values,
        }  # fmt: skip

    def printed(self, row_id: int, *, classic: bool) -> dict[str, Any]:
        """A row as the portal prints it: dates are UTC midnight in the server's zone; classic values are text."""
        row: dict[str, Any] = {"id": row_id, **self.rows[row_id]}
        for name, value in row.items():
            if isinstance(value, dt.datetime):
                row[name] = value.astimezone(self.zone).isoformat()
            elif isinstance(value, dt.date):
                midnight = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
                row[name] = midnight.astimezone(self.zone).isoformat()
        if not classic:
            if self.odd_values and row_id % 2:  # another year's build prints numbers as text
                row["id"], row["UF_CRM_SIZE"] = str(row_id), str(row["UF_CRM_SIZE"] or "")
            if isinstance(row["opportunity"], float) and row["opportunity"].is_integer():
                row["opportunity"] = int(row["opportunity"])
            return row
        text = {name: str(v) if isinstance(v, int | float) else v for name, v in row.items()}
        empty = {name: "" if v is None else v for name, v in text.items()}
        return {upper(name): value for name, value in empty.items()}

    # --- one request ---------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Raw:
        with self.lock:
            self.asked.append(asked)
            for hook in self.before:
                if (raw := hook(asked)) is not None:
                    return raw
            try:
                body, status = self.envelope(asked), 200
            except Refused as no:
                body, status = {"error": no.code, "error_description": no.text}, no.status
            return Raw(status, self.garble(json.dumps(body, ensure_ascii=False).encode()))

    def envelope(self, asked: Asked) -> dict[str, Any]:
        if asked.path.startswith("/rest/1/") and f"/{CODE}/" not in asked.path:
            raise Refused("INVALID_CREDENTIALS", "Invalid request credentials", 401)
        clock = self.time()
        more = {} if clock is None else {"time": clock}
        if asked.method == "batch":
            return {"result": self.batch(asked.params), **more}
        return {**self.execute(asked.method, asked.params), **more}

    def batch(self, params: Any) -> dict[str, Any]:
        commands = params["cmd"]
        named = commands if isinstance(commands, dict) else {str(at): one for at, one in enumerate(commands)}
        values: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        maps: dict[str, dict[str, Any]] = {"total": {}, "next": {}, "time": {}}
        for at, (label, command) in enumerate(named.items()):
            if at >= 50:
                errors[label] = {"error": "ERROR_BATCH_LENGTH_EXCEEDED", "error_description": "Max batch length"}
                continue
            method, _, query = command.partition("?")
            try:
                answer = self.execute(method, self.resolved(parse_str(query.split("#")[0]), values))
            except Refused as no:
                errors[label] = {"error": no.code, "error_description": no.text}
                if params.get("halt") not in (0, "0", "", None, False):
                    break
                continue
            values[label] = answer.pop("result")
            for name, value in answer.items():
                maps[name][label] = value
            if (clock := self.time()) is not None:
                maps["time"][label] = clock
        return {
            "result": php_map(values), "result_error": php_map(errors), "result_total": php_map(maps["total"]),
            "result_next": php_map(maps["next"]), "result_time": php_map(maps["time"]),
        }  # fmt: skip

    def resolved(self, value: Any, values: dict[str, Any]) -> Any:
        """Text that looks like a reference is replaced, wherever it stands; a broken one gives the deepest value."""
        if isinstance(value, dict):
            return {key: self.resolved(item, values) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item, values) for item in value]
        match = REFERENCE.search(value) if isinstance(value, str) else None
        if match is None:
            return value
        found: Any = values
        for step in re.findall(r"\[([^\]]*)\]", match[1]):
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError, TypeError):
                break
        return found if match[0] == value else value if isinstance(found, dict | list) else str(found)

    # --- methods -------------------------------------------------------------------------------

    def execute(self, method: str, params: Any) -> dict[str, Any]:
        self.commands.append((method, params))
        self.command(method, params)
        name = method.lower()
        known = getattr(self, "do_" + name.replace(".", "_"), None)
        if known is None:
            raise Refused("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
        answer: dict[str, Any] = known(params if isinstance(params, dict) else {})
        return answer

    def do_profile(self, params: Any) -> dict[str, Any]:
        return {"result": {"ID": "1", "ADMIN": True}}

    def do_scope(self, params: Any) -> dict[str, Any]:
        return {"result": ["crm", "user"]}

    def do_crm_type_list(self, params: Any) -> dict[str, Any]:
        return {"result": {"types": []}, "total": 0}

    def do_crm_status_list(self, params: Any) -> dict[str, Any]:
        codes = {"DEAL_STAGE": "NEW", "DEAL_STAGE_1": "C1:NEW"}
        wanted = _many((params.get("filter") or {}).get("ENTITY_ID") or list(codes))
        found = [of for of in wanted if of in codes]
        rows = [
            {"ID": str(at), "ENTITY_ID": of, "STATUS_ID": codes[of], "NAME": "New"} for at, of in enumerate(found, 1)
        ]
        return {"result": rows, "total": len(rows)}

    def do_crm_currency_list(self, params: Any) -> dict[str, Any]:
        rows = [{"CURRENCY": code, "FULL_NAME": name} for code, name in (("EUR", "Euro"), ("USD", "Dollar"))]
        return {"result": rows, "total": 0}  # a count of 0 with rows, as the documentation's sample shows

    def do_crm_category_list(self, params: Any) -> dict[str, Any]:
        return {"result": {"categories": [{"id": 0, "name": "General"}, {"id": 1, "name": "Shop"}]}, "total": 1}

    def do_crm_item_fields(self, params: Any) -> dict[str, Any]:
        return {"result": {"fields": FIELDS}}

    def do_crm_deal_fields(self, params: Any) -> dict[str, Any]:
        return {"result": {upper(name): entry for name, entry in FIELDS.items()}}

    def do_crm_item_list(self, params: Any) -> dict[str, Any]:
        ids = self.selected(params, classic=False)
        page, extra = self.page(ids, int(params.get("start", 0)), wraps=False)
        names = params.get("select")
        rows = [self.printed(one, classic=False) for one in page if one not in self.gone]
        if isinstance(names, list) and "*" not in names:
            rows = [{name: value for name, value in row.items() if name in names} for row in rows]
        return {"result": {"items": rows}, **extra}

    def do_crm_deal_list(self, params: Any) -> dict[str, Any]:
        ids = self.selected(params, classic=True)
        page, extra = self.page(ids, int(params.get("start", 0)), wraps=True)
        names = set(params.get("select") or ["*"])
        rows = [self.printed(one, classic=True) for one in page if one not in self.gone]
        if not names & {"*"}:
            rows = [{name: value for name, value in row.items() if name in names | {"ID"}} for row in rows]
        return {"result": rows, **({"total": 0} if int(params.get("start", 0)) < 0 else extra)}

    def do_crm_item_get(self, params: Any) -> dict[str, Any]:
        return {"result": {"item": self.printed(self.found(params, "NOT_FOUND"), classic=False)}}

    def do_crm_deal_get(self, params: Any) -> dict[str, Any]:
        return {"result": self.printed(self.found(params, ""), classic=True)}

    def do_crm_item_add(self, params: Any) -> dict[str, Any]:
        row_id = self.created(params["fields"])
        return {"result": {"item": self.printed(row_id, classic=False)}}

    def do_crm_deal_add(self, params: Any) -> dict[str, Any]:
        return {"result": self.created(params["fields"])}

    def do_crm_item_update(self, params: Any) -> dict[str, Any]:
        row_id = self.found(params, "NOT_FOUND")
        self.rows[row_id].update({k: v or None for k, v in params["fields"].items()})
        return {"result": {"item": self.printed(row_id, classic=False)}}

    def do_crm_item_delete(self, params: Any) -> dict[str, Any]:
        del self.rows[self.found(params, "NOT_FOUND")]
        return {"result": []}

    def do_crm_item_import(self, params: Any) -> dict[str, Any]:
        if not self.may_import:
            raise Refused("ACCESS_DENIED", "Access denied.")
        return {"result": {"item": {"id": self.created(params["fields"])}}}

    def do_crm_item_batchimport(self, params: Any) -> dict[str, Any]:
        items: dict[str, Any] = {}
        data = params["data"]
        entries = data.items() if isinstance(data, dict) else [(str(at), one) for at, one in enumerate(data)]
        if len(entries) > 20:
            raise Refused("MAX_IMPORT_BATCH_SIZE_EXCEEDED", "Max 20")
        for key, fields in entries:
            try:
                if not self.may_import:
                    raise Refused("ACCESS_DENIED", "Access denied.")
                items[key] = {"item": {"id": self.created(fields)}}
            except Refused as no:
                items[key] = {"error": no.code, "error_description": no.text}
        return {"result": {"items": php_map(items)}}

    # --- their parts ---------------------------------------------------------------------------

    def created(self, fields: dict[str, Any]) -> int:
        if fields.get("title") == "poison" or fields.get("TITLE") == "poison":
            raise Refused("CRM_FIELD_ERROR_VALUE_NOT_VALID", 'Field "Name" is not valid<br>')
        row_id = max(self.rows, default=0) + 7
        self.seed(row_id)
        names = {upper(name): name for name in FIELDS}
        given = {names.get(name, name): value for name, value in fields.items()}
        self.rows[row_id].update(given)
        self.rows[row_id]["opportunity"] = float(given.get("opportunity") or 0)
        return row_id

    def found(self, params: Any, code: str) -> int:
        row_id = int(params.get("id") or params.get("ID") or 0)
        if row_id not in self.rows:
            raise Refused(code, "Not found" if code == "" else "Item not found")
        return row_id

    def selected(self, params: Any, *, classic: bool) -> list[int]:
        ids = sorted(self.rows)
        key = "ID" if classic else "id"
        for name, value in (params.get("filter") or {}).items():
            match = re.match(r"^(!?@|>=|<=|>|<|=|!=|!|%)?(.+)$", name)
            sign, field = match[1] or "", match[2]  # type: ignore[index]
            if field != key:
                if not classic and field not in FIELDS:
                    raise Refused("INVALID_ARG_VALUE", f"Invalid filter: field '{field}' is not allowed in filter")
                ids = [one for one in ids if str(self.rows[one].get(field)) in map(str, _many(value))]
                continue
            odd = isinstance(value, dict | list) and sign in (">", "<", ">=", "<=")
            if odd and not classic:
                raise Refused("INVALID_ARG_VALUE", f"Invalid filter: field '{field}' has invalid value")
            wanted = {1} if odd else {int(one) for one in _many(value)}  # PHP casts an array to 1
            edge = min(wanted)
            keep = {
                ">": lambda one, e=edge: one > e, "<": lambda one, e=edge: one < e, ">=": lambda one, e=edge: one >= e,
                "<=": lambda one, e=edge: one <= e, "!@": lambda one, w=wanted: one not in w,
            }.get(sign, lambda one, w=wanted: one in w)  # fmt: skip
            ids = [one for one in ids if keep(one)]
        order = {str(k).lower(): str(v).lower() for k, v in (params.get("order") or {}).items()}
        return ids[::-1] if order.get("id") == "desc" else ids

    def page(self, ids: list[int], start: int, *, wraps: bool) -> tuple[list[int], dict[str, int]]:
        if start < 0:
            return ids[:50], {}
        start -= start % 50
        if start >= len(ids) and wraps:
            start = 0
        more = {"next": start + 50} if start + 50 < len(ids) else {}
        return ids[start : start + 50], {"total": len(ids), **more}


def _many(value: Any) -> list[Any]:
    found = listed(value)
    return found if isinstance(found, list) else [found]
