"""Connection diagnosis: checks of the address, portal, credential, scopes, rows, limits and clocks."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import typer

from bx24frames.cli.phrasing import phrased
from bx24frames.config import is_sandbox, resolve
from bx24frames.errors import AuthError, BX24Error, ConfigError, LimitError
from bx24frames.language import language, term, translated

if TYPE_CHECKING:
    from bx24frames.cli.single_call import Look
    from bx24frames.engine.messages import JSON
    from bx24frames.verbs.portals import Portal

__all__ = ["Finding", "clock_finding", "examine"]

SKEW: Final = 30.0
"""Seconds of clock skew tolerated: `changed_since` compares times of this clock with the portal's."""
SLOW: Final = 3.0
"""Seconds above which the answer to a trivial call counts as slow."""
WORK: Final = 420.0
"""Operating time a method may use in ten minutes by default, in seconds (rest module: loadlimiter.php)."""
MUCH: Final = 0.85
COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}
INDENT: Final = 18
ZONED: Final = {"en": "%d %B %Y, %H:%M:%S %Z", "ru": "%d.%m.%Y, %H:%M:%S %Z"}

Mark = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check, with advice."""

    mark: Mark
    subject: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.mark:<5} {term(self.subject):<11} " + f"\n{'':<{INDENT}}".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The text and the advice in the language of the process, in lines."""
        return [translated(self.text), *translated(self.advice).splitlines()]

    def styled(self, width: int | None = None) -> str:
        """As text for a terminal of `width` characters, the mark in colour; colours are left out of pipes."""
        mark = typer.style(f"{self.mark:<5}", fg=COLOURS[self.mark])
        lines = self.lines
        if width is not None:
            lines = [part for line in lines for part in textwrap.wrap(line, max(width - INDENT, 20)) or [""]]
        return f"{mark} {term(self.subject):<11} " + f"\n{'':<{INDENT}}".join(lines)


def examine(target: str | None) -> Iterator[Finding]:
    """Check the address, portal, credential, scopes, rows, limits and clocks, in that order.

    A failure before or at the scopes ends the diagnosis; no call is retried.
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
        if subject == "clock" and finding.mark != "ok" and is_sandbox(portal.connection.profile):
            continue  # the name of a sandbox may say which day it is there
        yield finding
        if finding.subject == "scopes" and finding.mark == "fail":
            return


def _look(portal: Portal, method: str, params: Mapping[str, JSON]) -> Look:
    from bx24frames import bridge
    from bx24frames.cli.single_call import look

    return bridge.run(look(portal.connection, method, params))


def _failed(subject: str, error: BX24Error, mark: Mark = "fail", advice: str | None = None) -> Finding:
    text = "; ".join(part for part in (error.message, f"code {error.code}" if error.code else "") if part)
    return Finding(mark, subject, phrased(translated(text)), phrased(translated(advice or error.guidance or "")))


def _first_failed(error: BX24Error) -> Finding:
    """Assign a failure of the first call to its subject: its code concerns the whole portal, not one method."""
    subject = next((subject for kind, subject in _SUBJECTS.items() if isinstance(error, kind)), "portal")
    return _failed(subject, error, advice=_ADVICE.get((error.code or "").lower()))


_SUBJECTS: Final[Mapping[type[BX24Error], str]] = {LimitError: "limits", AuthError: "credential"}
_PLAN: Final = (
    "REST needs a paid plan and the Market subscription, or a trial of both: one of them may have expired.\n"
    "An administrator can check this in the portal under My plan."
)
_ADVICE: Final[Mapping[str, str]] = {
    # https://apidocs.bitrix24.ru/first-steps/access-to-rest-api.html
    "access_denied": _PLAN,
    "payment_required": _PLAN,
    "portal_deleted": "The portal was deleted, or renamed long ago: compare its name with the one in the browser.",
    "query_limit_exceeded": "Other programs use up the portal's request limit: try again in half a minute.",
}
_LATE: Final = (
    "The portal or the network is slow now: reads will take longer than plan() estimates. A self-hosted portal may be "
    "short of CPU."
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
        f"{who}, not an administrator: the portal silently leaves out rows that this user may not see",
        "To read all rows, create the webhook as an administrator.",
    )


def _scopes(found: Look) -> Finding:
    scopes = found.answer.value
    granted = sorted(str(scope) for scope in scopes) if isinstance(scopes, list) else []
    shown = ", ".join(granted[:8]) + (translated(f" and {len(granted) - 8} more") if len(granted) > 8 else "")
    if "crm" in granted:
        return Finding("ok", "scopes", shown)
    advice = "Edit the webhook in the portal (Developer resources, Integrations) and tick CRM (crm)."
    missing = f"crm is missing (granted: {shown})" if shown else "crm is missing: no scope is granted"
    return Finding("fail", "scopes", missing, advice)


def _rows(found: Look) -> Finding:
    """Check that deals can be read, and how much operating time their method has used."""
    result = found.answer.value
    rows = result.get("items") if isinstance(result, dict) else None
    used = found.answer.operating or 0.0
    text = f"reading deals has used {used:.0f} of the {WORK:.0f} s of operating time a method may use in ten minutes"
    if used > MUCH * WORK:
        return Finding("warn", "rows", text, "Other programs use this webhook: the next reads will have to wait.")
    if not rows:
        advice = "If the portal has deals, this user may not see them: check the access permissions of the CRM."
        return Finding("warn", "rows", "no deals are visible", advice)
    return Finding("ok", "rows", text)


def _limits(found: Look) -> Finding:
    """A webhook's app.info names the licence (https://apidocs.bitrix24.com/api-reference/common/system/app-info.html)."""
    info = found.answer.value
    licence = str(info.get("LICENSE") or "unknown") if isinstance(info, dict) else "unknown"
    if "enterprise" in licence.lower() or "ent" in licence.lower().split("_"):
        advice = "Pass Portal(limits=Limits.enterprise()): bursts of 250 requests, 5 requests a second."
        return Finding("ok", "limits", f"plan {licence}: it allows more than the default 2 requests a second", advice)
    text = f"plan {licence}: bursts of 50 requests, 2 a second; 420 s of operating time per method in 10 minutes"
    return Finding("ok", "limits", text)


def _clock(found: Look) -> Finding:
    ours = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=found.seconds / 2)
    try:
        theirs = dt.datetime.fromisoformat(str(found.answer.value))
    except ValueError:
        return Finding("warn", "clock", f"the portal's time cannot be read: {found.answer.value!r}")
    return clock_finding(ours, theirs)


def clock_finding(ours: dt.datetime, theirs: dt.datetime) -> Finding:
    """Compare the clocks; the portal reports whole seconds."""
    skew = (ours - theirs).total_seconds()
    if abs(skew) <= SKEW:
        seconds = max(1, round(abs(skew)))
        return Finding(
            "ok", "clock", f"within {seconds} s of the portal's clock ({theirs.strftime(ZONED[language()])})"
        )
    return Finding(
        "warn",
        "clock",
        f"{skew:,.0f} s ahead of the portal's clock" if skew > 0 else f"{-skew:,.0f} s behind the portal's clock",
        "Synchronise this machine's clock (NTP): changed_since compares its time with the portal's.",
    )


Reading: TypeAlias = "Callable[[Look], Finding]"
_DEALS: Final[Mapping[str, JSON]] = {"entityTypeId": 2, "select": ["id"], "start": -1}
_LOOKS: Final[tuple[tuple[str, str, Mapping[str, JSON], Reading, Mark], ...]] = (
    ("scopes", "scope", {}, _scopes, "fail"),
    ("rows", "crm.item.list", _DEALS, _rows, "fail"),
    ("limits", "app.info", {}, _limits, "warn"),
    ("clock", "server.time", {}, _clock, "warn"),
)
"""Checks after the profile: subject, method, parameters, reader of the answer, and the mark of a failed call."""
