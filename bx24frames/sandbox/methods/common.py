"""Rights, features, options and events of a user and a credential
(https://apidocs.bitrix24.com/api-reference/common/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.methods.arguments import map_of, names_of
from bx24frames.sandbox.methods.tasks import people_names
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.store.initial import DEPARTMENTS

NO_APPLICATION: Final = MethodError("AccessException", "Application context required", 403)
NEEDS_APPLICATION: Final = (
    "entity.get", "entity.add", "entity.item.get", "entity.item.add", "messageservice.sender.list",
    "messageservice.sender.add", "bizproc.robot.list", "bizproc.robot.add", "bizproc.activity.list",
    "userfieldtype.list", "userfieldtype.add", "imconnector.list", "imconnector.register",
)  # fmt: skip
"""Methods that a webhook may not call [measured on a cloud portal, September 2026]."""
NOT_FOR_WEBHOOKS: Final = MethodError("ACCESS_DENIED", "Access denied! Application context required", 403)
WRONG_AUTH: Final = MethodError("WRONG_AUTH_TYPE", "Current authorization type is denied for this method", 403)
EVENTS: Final = tuple(
    f"ONCRM{table}{action}"
    for table in ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "ACTIVITY", "PRODUCT")
    for action in ("ADD", "UPDATE", "DELETE")
)
OTHER_EVENTS: Final = (
    "ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE", "ONTASKCOMMENTADD", "ONAPPINSTALL", "ONAPPUNINSTALL", "ONUSERADD"
)  # fmt: skip
OFFLINE: Final = ("ONOFFLINEEVENT",)
_FEATURES: Final = frozenset({"rest_offline_extended", "rest_auth_connector"})
_GROUPS: Final = {
    "AU": "Все авторизованные пользователи",
    "G1": "Администраторы",
    "G2": "Все посетители",
    "CR": "Автор",
}


@method("user.admin")
def is_admin(_: Params, context: Context) -> Result:
    """Whether the caller is an administrator."""
    return Result(context.is_admin)


def _codes(context: Context) -> list[str]:
    """The access codes of the caller: user, groups and departments."""
    row = context.store.row("user", context.user_id) or {}
    departments = str(row.get("ufDepartment") or "[]").strip("[]").replace(" ", "")
    groups = ["G1"] if context.is_admin else []
    return [
        f"U{context.user_id}", "AU", "G2", *groups, *(f"D{one}" for one in departments.split(",") if one),
    ]  # fmt: skip


@method("user.access")
def has_access(params: Params, context: Context) -> Result:
    """Whether the caller has one of the access codes at least."""
    wanted = names_of(params.get("ACCESS", params.get("access")))
    if not wanted:
        raise MethodError("", "Empty ACCESS")
    return Result(not set(wanted).isdisjoint(_codes(context)))


@method("access.name")
def name_access(params: Params, context: Context) -> Result:
    """Names of access codes."""
    names = people_names(context.store)
    departments = {f"D{row['ID']}": row["NAME"] for row in DEPARTMENTS}
    found: dict[str, Any] = {}
    for code in names_of(params.get("ACCESS", params.get("access"))):
        if code in _GROUPS:
            found[code] = {"provider": "", "name": _GROUPS[code], "provider_id": "other"}
        elif code[:1] == "U" and code[1:] in names:
            found[code] = {"provider": "Пользователь", "name": names[code[1:]], "provider_id": "user"}
        elif code in departments:
            found[code] = {"provider": "Отдел", "name": departments[code], "provider_id": "intranet"}
    return Result(found)


@method("feature.get")
def get_feature(params: Params, _: Context) -> Result:
    """Whether the tariff has a feature."""
    code = php_text(params.get("CODE", params.get("code")))
    if not code:
        raise MethodError("CODE_EMPTY", "CODE can't be empty")
    return Result({"value": "Y" if code in _FEATURES else "N"})


@method("events")
def list_events(_: Params, __: Context) -> Result:
    """The events that can be subscribed to."""
    return Result([*EVENTS, *OTHER_EVENTS, *OFFLINE])


@method("event.get")
def list_handlers(_: Params, __: Context) -> Result:
    """The caller's handlers: a webhook has none."""
    return Result([])


def _refuse(error: MethodError) -> Handler:
    def handle(_: Params, __: Context) -> Result:
        raise error

    return handle


def _options(owner: str) -> tuple[Handler, Handler]:
    """Reads and writes of the options of an application or of one of its users."""

    def key(context: Context) -> str:
        if not context.application:
            raise NO_APPLICATION
        return f"options:{context.application}:{context.user_id if owner == 'user' else ''}"

    def get(params: Params, context: Context) -> Result:
        kept: dict[str, Any] = context.store.kept(key(context)) or {}
        option = php_text(params.get("option"))
        return Result(kept.get(option, "") if option else kept)

    def put(params: Params, context: Context) -> Result:
        name, given = key(context), map_of(params.get("options"))
        if owner == "app" and not context.is_admin:
            raise MethodError("AccessException", "Administrator authorization required", 403)
        if not given:
            raise MethodError("ArgumentNullException", "options is empty")
        kept = context.store.kept(name) or {}
        context.store.keep(name, {**kept, **given})
        context.writes += 1
        return Result(value=True)

    return get, put


for _name in NEEDS_APPLICATION:
    method(_name)(_refuse(NOT_FOR_WEBHOOKS))
for _owner in ("app", "user"):
    for _name, _handler in zip(("get", "set"), _options(_owner), strict=True):
        method(f"{_owner}.option.{_name}")(_handler)
for _name in ("event.bind", "event.unbind", "placement.list", "placement.bind", "placement.get"):
    method(_name)(_refuse(WRONG_AUTH))
