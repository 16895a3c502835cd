"""`doctor`: one look at everything between this machine and the portal's tables, in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.config import resolve
from bx24frames.errors import AuthError, BX24Error, ConfigError, PortalError, ScopeError

if TYPE_CHECKING:
    from bx24frames.portal import Portal

__all__ = ["Finding", "examine"]

SKEW: Final = 30.0
"""Seconds the clocks may differ before it matters: `changed_since` compares this clock's times with the portal's."""
ZONED: Final = "%d %B %Y, %H:%M:%S %Z"

Mark = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and what to do about it."""

    mark: Mark
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        advice = "".join(f"\n{'':<18}{line}" for line in self.advice.splitlines())
        return f"{self.mark:<5} {self.subject:<11} {self.text}{advice}"


def examine(target: str | None) -> Iterator[Finding]:
    """Look at address, credential, scopes, limits and clocks, in that order; the first that fails ends it."""
    from bx24frames.portal import Portal

    try:
        profile = resolve(target)
        portal = Portal(target)
    except ConfigError as error:
        yield _failed("address", error)
        return
    yield Finding("ok", "address", f"{portal.host} (from {'the sandbox' if profile.is_sandbox else profile.source})")
    with portal:
        try:
            found = portal.check()
        except BX24Error as error:
            yield _failed("credential" if isinstance(error, PortalError) else "portal", error)
            return
        yield from _credential(found["profile"])
        yield from _scopes(found["scope"])
        yield from _limits(portal)
        yield from _clock(portal)


def _failed(subject: str, error: BX24Error) -> Finding:
    told = "; ".join(part for part in (error.message, f"code {error.code}" if error.code else "") if part)
    return Finding("fail", subject, told, error.guidance or _ADVICE.get(type(error), ""))


_ADVICE: Final[dict[type[BX24Error], str]] = {
    AuthError: "The webhook is gone or mistyped: in the portal, Developer resources, Other, Inbound webhook;\n"
    "copy the address from there anew.",
    ScopeError: "Edit the webhook in the portal (Developer resources, Integrations) and tick the scopes it needs.",
}


def _credential(profile: object) -> Iterator[Finding]:
    known = profile if isinstance(profile, dict) else {}
    name = " ".join(str(known.get(part) or "") for part in ("NAME", "LAST_NAME")).strip()
    who = f"user {known.get('ID', '?')}{f', {name}' if name else ''}"
    if known.get("ADMIN") in (True, "Y", "1", 1):
        yield Finding("ok", "credential", f"{who}, an administrator: sees every row")
        return
    yield Finding(
        "warn",
        "credential",
        f"{who}, no administrator: the portal shows only the rows this user may see, without a word about the others",
        "For complete tables, make the webhook as an administrator.",
    )


def _scopes(scopes: object) -> Iterator[Finding]:
    granted = sorted(str(scope) for scope in scopes) if isinstance(scopes, list) else []
    shown = ", ".join(granted[:8]) + (f" and {len(granted) - 8} more" if len(granted) > 8 else "")
    if "crm" in granted:
        yield Finding("ok", "scopes", shown)
        return
    advice = "Edit the webhook in the portal (Developer resources, Integrations) and tick CRM (crm)."
    yield Finding("fail", "scopes", f"no crm among them ({shown or 'none'})", advice)


def _limits(portal: Portal) -> Iterator[Finding]:
    """A webhook's app.info names the licence (https://apidocs.bitrix24.com/api-reference/common/system/app-info.html)."""
    try:
        info = portal.call("app.info")
    except PortalError as error:
        yield Finding("warn", "limits", f"the portal does not tell its plan ({error.code or error.message})")
        return
    licence = str(info.get("LICENSE") or "unknown") if isinstance(info, dict) else "unknown"
    if "enterprise" in licence.lower() or "ent" in licence.lower().split("_"):
        advice = "Give Portal(limits=Limits.enterprise()): 250 requests at once, 5 a second."
        yield Finding("ok", "limits", f"plan {licence}: more is allowed than the 2 requests a second assumed", advice)
        return
    text = f"plan {licence}: 50 requests at once, 2 a second; 480 s of work a method in 10 minutes"
    yield Finding("ok", "limits", text)


def _clock(portal: Portal) -> Iterator[Finding]:
    before = dt.datetime.now(dt.UTC)
    answer = portal.call("server.time")
    after = dt.datetime.now(dt.UTC)
    try:
        theirs = dt.datetime.fromisoformat(str(answer))
    except ValueError:
        yield Finding("warn", "clock", f"the portal's time is no time: {answer!r}")
        return
    ours = before + (after - before) / 2
    yield clock_finding(ours, theirs)


def clock_finding(ours: dt.datetime, theirs: dt.datetime) -> Finding:
    """Compare the clocks; the portal's has whole seconds."""
    skew = (ours - theirs).total_seconds()
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {max(1, round(abs(skew)))} s of the portal's ({theirs.strftime(ZONED)})")
    way = "ahead of" if skew > 0 else "behind"
    return Finding(
        "warn",
        "clock",
        f"{abs(skew):,.0f} s {way} the portal's",
        "Set this machine's clock (NTP): changed_since compares its times with the portal's.",
    )
