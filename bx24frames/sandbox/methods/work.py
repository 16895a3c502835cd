"""Calls and workgroups (https://apidocs.bitrix24.com/api-reference/telephony/, /sonet-group/)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.filters.base import Fragment
from bx24frames.sandbox.methods.arguments import bound_array, classic_map, map_of, names_of
from bx24frames.sandbox.methods.plain import (
    CLASSIC_DIALECT,
    CLASSIC_PREFIXES,
    CONTROLLER,
    EXACT,
    RANGES,
    Desk,
    View,
    by_code,
    by_name,
)
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method

# ---------------------------------------------------------------- calls

_CALLS: Final = View(
    "call", by_code("call"), by_code("call"), "classic", EXACT,
    prefixes=(*RANGES, ">=", "<=", "!=", "!%", "=", "!", ">", "<", "%", "?"), plain_sql=True,
    own={"RECORD_FILE_ID": lambda value: int(value) if value else None},
)  # fmt: skip


@method("voximplant.statistic.get", "telephony")
def list_calls(params: Params, context: Context) -> Result:
    """A page of calls, engine C (https://apidocs.bitrix24.com/api-reference/telephony/voximplant/statistic/)."""
    order = {php_text(params.get("SORT", "ID")): params.get("ORDER", "ASC")}
    found, window = _CALLS.page(context, map_of(params.get("FILTER")), order)
    return Result(found, window.total, window.next)


# ---------------------------------------------------------------- workgroups

_GROUPS: Final = View(
    "workgroup", by_code("workgroup"), by_code("workgroup"), "classic", CLASSIC_DIALECT,
    prefixes=(*RANGES, "!=", "!%", ">=", "<=", ">", "<", "!", "?", "=", "%"), plain_sql=True,
)  # fmt: skip
"""Any other prefix makes an unknown name, which is dropped (socialnetwork module: classes/general/rest.php;
https://apidocs.bitrix24.com/api-reference/sonet-group/sonet-group-get.html).
"""
FILTERABLE: Final = (
    "ID", "NAME", "OWNER_ID", "ACTIVE", "VISIBLE", "OPENED", "CLOSED", "PROJECT", "SUBJECT_ID", "SITE_ID",
    "DATE_CREATE", "DATE_UPDATE", "DATE_ACTIVITY",
)  # fmt: skip
API_GROUPS: Final = View(
    "workgroup",
    by_name("workgroup"),
    {code: spec for code, spec in by_code("workgroup").items() if code in FILTERABLE},
    "classic",
    CONTROLLER,
    lambda name: MethodError("0", f"Unknown field definition `{name}`"),
    prefixes=(*RANGES, *CLASSIC_PREFIXES),
    plain_sql=True,
)
GROUP_DESK: Final = Desk("workgroup", by_code("workgroup"), ("dateCreate",), ("dateUpdate",), ("ownerId",))


def _open_to(context: Context, asked: Any) -> Fragment | None:
    """Visible groups: secret ones are shown to their owner, and to administrators on request."""
    if not context.has("hides_secret_groups") or (context.is_admin and php_text(asked) == "Y"):
        return None
    return Fragment("(coalesce(t.\"visible\", 'Y') <> 'N' OR t.\"ownerId\" = ?)", (context.user_id,))


NO_GROUP: Final = MethodError("", "Socialnetwork group not found")


@method("sonet_group.get", "sonet_group")
def list_groups(params: Params, context: Context) -> Result:
    """A page of workgroups, engine A."""
    conditions, order = classic_map(params, "filter"), classic_map(params, "order")
    found, window = _GROUPS.page(context, conditions, order, also=_open_to(context, params.get("IS_ADMIN")))
    return Result(found, window.total, window.next)


@method("sonet_group.create", "sonet_group")
def add_group(params: Params, context: Context) -> Result:
    """Create a workgroup; returns its id."""
    return Result(GROUP_DESK.add(params, context))


@method("sonet_group.update", "sonet_group")
def update_group(params: Params, context: Context) -> Result:
    """Change a workgroup; its id."""
    row_id = php_int(params.get("GROUP_ID"))
    GROUP_DESK.update(row_id, params, context, NO_GROUP)
    return Result(row_id)


@method("sonet_group.delete", "sonet_group")
def delete_group(params: Params, context: Context) -> Result:
    """Delete a workgroup."""
    GROUP_DESK.delete(php_int(params.get("GROUP_ID")), context, NO_GROUP)
    return Result(value=True)


@method("socialnetwork.api.workgroup.list", "socialnetwork")
def list_api_groups(params: Params, context: Context) -> Result:
    """A page of workgroups, engine B; names in parameters are upper case, the recorded total is that of the
    page, and ids are text (https://apidocs.bitrix24.com/api-reference/sonet-group/socialnetwork-api-workgroup-list.html).
    """
    conditions = map_of(bound_array(params, "filter", {}))
    select = names_of(bound_array(params, "select", [])) or ["id"]
    asked = map_of(bound_array(params, "params", {})).get("IS_ADMIN")
    order = map_of(bound_array(params, "order", {}))
    found, window = API_GROUPS.page(context, conditions, order, select, also=_open_to(context, asked))
    total = None if window.total is None else len(found)
    more = {"AVATAR": ("avatar", ""), "ADDITIONAL_DATA": ("additionalData", {"role": "", "initiatedByType": ""})}
    added = dict(more[name] for name in (*select, *_more_of(params)) if name in more)
    dialogs = map_of(params.get("params")).get("shouldSelectDialogId") == "Y"
    added |= {"dialogId": ""} if dialogs else {}
    return Result({"workgroups": [row | added for row in found]}, total, window.next)


def _more_of(params: Params) -> tuple[str, ...]:
    """Keys that the mode of mobile clients adds to every row."""
    mobile = map_of(params.get("params")).get("mode") == "mobile"
    return ("AVATAR", "ADDITIONAL_DATA") if mobile else ()
