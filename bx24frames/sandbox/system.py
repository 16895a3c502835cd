"""System methods, open to every credential (https://apidocs.bitrix24.com common system methods)."""

from __future__ import annotations

from typing import Any

from bx24frames.sandbox.envelope import iso
from bx24frames.sandbox.php import is_true
from bx24frames.sandbox.registry import METHODS, Context, Method, MethodError, Params, Result, method
from bx24frames.sandbox.wire import API
from bx24frames.sandbox.zones import zone_name


def _every_scope() -> list[str]:
    return sorted({scope for entry in METHODS.values() for scope in entry.scopes})


def _older() -> list[Method]:
    """The methods without those of REST 3.0."""
    return [entry for entry in METHODS.values() if not entry.name.startswith(API)]


def _granted(context: Context) -> list[str]:
    return _every_scope() if context.scopes is None else sorted(context.scopes)


def _upper(params: Params) -> dict[str, Any]:
    return {key.upper(): value for key, value in params.items()}


def _available(entry: Method, context: Context) -> bool:
    return not entry.scopes or context.scopes is None or not context.scopes.isdisjoint(entry.scopes)


@method("scope")
def scope(params: Params, context: Context) -> Result:
    """Scopes of the credential; with `full`, every scope."""
    return Result(_every_scope() if is_true(_upper(params).get("FULL")) else _granted(context))


@method("methods")
def methods(params: Params, context: Context) -> Result:
    """Names of methods: those open to the credential, those of one `scope`, or all with `full`."""
    given = _upper(params)
    wanted = given.get("SCOPE")
    if wanted:
        return Result([entry.name for entry in _older() if wanted in entry.scopes])
    if wanted is None and not is_true(given.get("FULL")):
        return Result([entry.name for entry in _older() if _available(entry, context)])
    return Result([entry.name for entry in _older() if wanted is None or not entry.scopes])


@method("method.get")
def method_get(params: Params, context: Context) -> Result:
    """Whether a method exists, and whether this credential may call it."""
    entry = METHODS.get(str(params.get("name", "")).lower())
    exists = entry is not None
    return Result({"isExisting": exists, "isAvailable": entry is not None and _available(entry, context)})


@method("server.time")
def server_time(_: Params, context: Context) -> Result:
    """The portal's clock."""
    return Result(iso(context.now, context.utc_offset))


@method("app.info")
def app_info(_: Params, context: Context) -> Result:
    """Scopes of the caller and the licence."""
    return Result({"SCOPE": _granted(context), "LICENSE": "sandbox"})


@method("profile")
def profile(_: Params, context: Context) -> Result:
    """The user of the credential, with no personal data but the name."""
    user = METHODS["user.current"].handler({}, context).value
    return Result(
        {
            "ID": str(context.user_id),
            "ADMIN": context.is_admin,
            "NAME": user.get("NAME", ""),
            "LAST_NAME": user.get("LAST_NAME", ""),
            "PERSONAL_GENDER": user.get("PERSONAL_GENDER", ""),
            "TIME_ZONE": zone_name(context.store, context.user_id),
        }
    )


@method("batch")
def batch(_: Params, __: Context) -> Result:
    """Refused: this handler is reached only from inside a batch."""
    raise MethodError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
