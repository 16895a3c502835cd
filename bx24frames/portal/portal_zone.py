"""Portal zone: the time zone of the portal's server, which users' settings name where its clock is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from bx24frames.caller import warn
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Call, Lost, Success
from bx24frames.portal.server_time import clock_changes, printed_moment

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection

__all__ = ["proven_zone", "zone_of"]

_SOURCES: Final = (
    Call("profile", {}, repeatable=True),
    Call("user.get", {"sort": "ID", "order": "ASC"}, repeatable=True),
)
"""Methods with the settings of users; the second needs a scope that not every webhook has."""
_SETTING: Final = "TIME_ZONE"
"""The zone that a user chose; empty for that of the server, which no method names."""
_PRINTED: Final = ("DATE_REGISTER", "LAST_LOGIN", "TIMESTAMP_X", "LAST_ACTIVITY_DATE")
"""Times of a user, printed with the offset that the server's clock had then."""
_DAY: Final = timedelta(days=1)


async def zone_of(connection: Connection) -> tzinfo:
    """The portal's zone, requested once an hour: the server's offset; a named zone if its clock is changed."""
    now = await _now(connection)

    async def ask() -> JSON:
        return _evidence(await _rows(connection))

    names, times = await connection.metadata.recall("zone", ask, _names_and_times)
    moments = [now, *times]
    found = proven_zone(names, moments)
    if found is None and clock_changes(moments):
        warn(
            f"The portal's clock is changed for summer time, and no user's settings name its zone: times at another "
            f"offset than that of today ({now.isoformat()[-6:]}) are an hour off. Name it: timezone='Europe/Berlin'."
        )
    return found or now.tzinfo or UTC


def proven_zone(names: Sequence[str], moments: Sequence[datetime]) -> ZoneInfo | None:
    """The first named zone with summer time whose clock shows every moment as the server printed it; None if none does.

    A user may live in a zone that has the server's offset in one half of the year only, so there must be a moment at
    each offset that the zone has in the year of the first moment. A moment may be a day off: portals print the day on
    which a user registered as a time (rest module: classes/general/rest_util.php).

    Examples
    --------
    >>> summer, winter = "2026-07-01T12:00:00+02:00", "2026-01-15T12:00:00+01:00"
    >>> proven_zone(["Europe/Berlin"], [datetime.fromisoformat(summer), datetime.fromisoformat(winter)])
    zoneinfo.ZoneInfo(key='Europe/Berlin')
    >>> proven_zone(["Europe/Berlin"], [datetime.fromisoformat(summer)]) is None
    True
    """
    seen = {moment.utcoffset() for moment in moments}
    for name in names:
        zone = _zone(name)
        if zone is None or not all(_shown(moment, zone) for moment in moments):
            continue
        year = moments[0].year
        offsets = {datetime(year, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
        if len(offsets) > 1 and offsets <= seen:
            return zone
    return None


def _shown(moment: datetime, zone: ZoneInfo) -> bool:
    around = (moment - _DAY, moment + _DAY)
    return any(near.astimezone(zone).utcoffset() == moment.utcoffset() for near in around)


async def _now(connection: Connection) -> datetime:
    """The time of the portal by its own clock, from its last answer or a request."""
    if connection.server_time.latest is None:
        moment = printed_moment(await connection.result("server.time"))
        return connection.server_time.latest or moment or datetime.now(UTC)
    return connection.server_time.latest


async def _rows(connection: Connection) -> list[Mapping[str, JSON]]:
    """The settings of the credential's user, then of the first users; without those that the portal refuses."""
    found: list[Mapping[str, JSON]] = []
    answers = await connection.answers(_SOURCES, first=len(_SOURCES), mixed=True)
    for call, answer in zip(_SOURCES, answers, strict=True):
        if isinstance(answer, Lost):
            raise error_of(answer, call.method)
        value = answer.value if isinstance(answer, Success) else []
        found += [row for row in (value if isinstance(value, list) else [value]) if isinstance(row, dict)]
    return found


def _evidence(rows: Sequence[Mapping[str, JSON]]) -> JSON:
    """What the rows show of the zone, without personal data: names of zones, then printed times."""
    names = [row.get(_SETTING) for row in rows]
    times = [row.get(key) for row in rows for key in _PRINTED]
    return [[*dict.fromkeys(filter(_is_text, names))], [*dict.fromkeys(filter(_is_text, times))]]


def _is_text(value: JSON) -> bool:
    return isinstance(value, str) and bool(value)


def _names_and_times(answer: JSON) -> tuple[list[str], list[datetime]]:
    names, times = (part for part in answer if isinstance(part, list)) if isinstance(answer, list) else ([], [])
    return [str(name) for name in names], [moment for moment in map(printed_moment, times) if moment is not None]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
