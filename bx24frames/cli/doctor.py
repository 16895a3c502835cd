"""`doctor`: one look at everything between this machine and the portal's tables, in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.cli.phrasing import phrased
from bx24frames.config import resolve
from bx24frames.errors import AuthError, BX24Error, ConfigError, LimitError

if TYPE_CHECKING:
    from bx24frames.cli.looks import Look
    from bx24frames.engine.messages import JSON
    from bx24frames.verbs.portals import Portal

__all__ = ["Finding", "clock_finding", "examine"]

SKEW: Final = 30.0
"""Seconds the clocks may differ before it matters: `changed_since` compares this clock's times with the portal's."""
SLOW: Final = 3.0
"""Seconds after which an answer that costs the portal nothing is late."""
WORK: Final = 420.0
"""Seconds of work a method is allowed in ten minutes, where nothing else is set (rest module: loadlimiter.php)."""
MUCH: Final = 0.85
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
    """Look at the address, the portal, the credential, its scopes, the rows, the limits and the clocks, in that order.

    What fails before the scopes ends it; nothing is tried twice.
    """
    from bx24frames.verbs.portals import Portal

    try:
        profile = resolve(target)
        portal = Portal(target)
    except ConfigError as error:
        yield _failed("address", error)
        return
    yield Finding("ok", "address", f"{portal.host} (from {'the sandbox' if profile.is_sandbox else profile.source})")
    with portal:
        yield from _looked_at(portal)


def _looked_at(portal: Portal) -> Iterator[Finding]:
    try:
        first = _look(portal, "profile", {})
    except BX24Error as error:
        yield _first_failed(error)
        return
    late = first.seconds > SLOW
    yield Finding("warn" if late else "ok", "portal", f"answers in {first.seconds:.1f} s", _LATE if late else "")
    yield _credential(first)
    for subject, method, params, read, fault in _LOOKS:
        try:
            finding = read(_look(portal, method, params))
        except BX24Error as error:
            finding = _failed(subject, error, fault)
        yield finding
        if finding.subject == "scopes" and finding.mark == "fail":
            return


def _look(portal: Portal, method: str, params: Mapping[str, JSON]) -> Look:
    from bx24frames import bridge
    from bx24frames.cli.looks import look

    return bridge.run(look(portal.connection, method, params))


def _failed(subject: str, error: BX24Error, mark: Mark = "fail", advice: str | None = None) -> Finding:
    told = "; ".join(part for part in (error.message, f"code {error.code}" if error.code else "") if part)
    return Finding(mark, subject, phrased(told), phrased(advice or error.guidance or ""))


def _first_failed(error: BX24Error) -> Finding:
    """What the first look's failure is about: there a code speaks of the portal as a whole, not of one method."""
    subject = next((subject for kind, subject in _SUBJECTS.items() if isinstance(error, kind)), "portal")
    return _failed(subject, error, advice=_ADVICE.get((error.code or "").lower()))


_SUBJECTS: Final[Mapping[type[BX24Error], str]] = {LimitError: "limits", AuthError: "credential"}
_PLAN: Final = (
    "REST comes with a paid plan and the Market subscription, or with the trial of both: has one of them ended?\n"
    "An administrator sees it in the portal under My plan."
)
_ADVICE: Final[Mapping[str, str]] = {
    # https://apidocs.bitrix24.ru/first-steps/access-to-rest-api.html
    "access_denied": _PLAN,
    "payment_required": _PLAN,
    "portal_deleted": "The portal is gone, or was renamed long ago: compare its name with the one the browser shows.",
    "query_limit_exceeded": "Programs at this address use up the portal's requests: look again in half a minute.",
}
_LATE: Final = (
    "The portal, or the way to it, is slow now: reads will take longer than plan() says. A self-hosted one may lack "
    "power."
)


def _credential(found: Look) -> Finding:
    known = found.answer.value if isinstance(found.answer.value, dict) else {}
    name = " ".join(str(known.get(part) or "") for part in ("NAME", "LAST_NAME")).strip()
    who = f"user {known.get('ID', '?')}{f', {name}' if name else ''}"
    if known.get("ADMIN") in (True, "Y", "1", 1):
        return Finding("ok", "credential", f"{who}, an administrator: sees every row")
    return Finding(
        "warn",
        "credential",
        f"{who}, no administrator: the portal shows only the rows this user may see, without a word about the others",
        "For complete tables, make the webhook as an administrator.",
    )


def _scopes(found: Look) -> Finding:
    scopes = found.answer.value
    granted = sorted(str(scope) for scope in scopes) if isinstance(scopes, list) else []
    shown = ", ".join(granted[:8]) + (f" and {len(granted) - 8} more" if len(granted) > 8 else "")
    if "crm" in granted:
        return Finding("ok", "scopes", shown)
    advice = "Edit the webhook in the portal (Developer resources, Integrations) and tick CRM (crm)."
    return Finding("fail", "scopes", f"no crm among them ({shown or 'none'})", advice)


def _rows(found: Look) -> Finding:
    """Whether deals can be read, and how much of what the portal allows their method has used."""
    result = found.answer.value
    rows = result.get("items") if isinstance(result, dict) else None
    used = found.answer.operating or 0.0
    told = f"reading deals has taken {used:.0f} of the {WORK:.0f} s of work a method may take in ten minutes"
    if used > MUCH * WORK:
        return Finding("warn", "rows", told, "Other programs read with this webhook: the next reads will have to wait.")
    if not rows:
        advice = "If there should be some, this user may not see them: look at the CRM's access permissions."
        return Finding("warn", "rows", "no deal can be seen", advice)
    return Finding("ok", "rows", told)


def _limits(found: Look) -> Finding:
    """A webhook's app.info names the licence (https://apidocs.bitrix24.com/api-reference/common/system/app-info.html)."""
    info = found.answer.value
    licence = str(info.get("LICENSE") or "unknown") if isinstance(info, dict) else "unknown"
    if "enterprise" in licence.lower() or "ent" in licence.lower().split("_"):
        advice = "Give Portal(limits=Limits.enterprise()): 250 requests at once, 5 a second."
        return Finding("ok", "limits", f"plan {licence}: more is allowed than the 2 requests a second assumed", advice)
    text = f"plan {licence}: 50 requests at once, 2 a second; 420 s of work a method in 10 minutes"
    return Finding("ok", "limits", text)


def _clock(found: Look) -> Finding:
    ours = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=found.seconds / 2)
    try:
        theirs = dt.datetime.fromisoformat(str(found.answer.value))
    except ValueError:
        return Finding("warn", "clock", f"the portal's time is no time: {found.answer.value!r}")
    return clock_finding(ours, theirs)


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


Reading: TypeAlias = "Callable[[Look], Finding]"
_DEALS: Final[Mapping[str, JSON]] = {"entityTypeId": 2, "select": ["id"], "start": -1}
_LOOKS: Final[tuple[tuple[str, str, Mapping[str, JSON], Reading, Mark], ...]] = (
    ("scopes", "scope", {}, _scopes, "fail"),
    ("rows", "crm.item.list", _DEALS, _rows, "fail"),
    ("limits", "app.info", {}, _limits, "warn"),
    ("clock", "server.time", {}, _clock, "warn"),
)
"""After the profile: what is asked, how its answer is read, and how bad no answer is."""
