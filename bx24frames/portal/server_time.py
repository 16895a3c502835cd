"""Server time: when the portal began to answer a verb, and what its clock shows, both taken from its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bx24frames.engine.messages import JSON, Answer, Lost, Success

__all__ = ["ServerTime", "clock_changes", "printed_moment", "zone_label"]

_RECENT: Final = timedelta(days=550)
"""A clock that had two offsets within this time is changed every year."""


@dataclass(slots=True)
class ServerTime:
    """The portal's time as the answers to one verb report it.

    `opened`: when the verb began, by the clock of this machine. `began`: when the portal began its first request.
    `known`: the last time that an answer has shown, shared by all verbs of a connection. `lost`: why the last request
    before the first answer had none.
    """

    opened: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: datetime | None = None
    known: list[datetime] = field(default_factory=list)
    lost: str = ""

    def hear(self, answers: Mapping[str, Answer]) -> None:
        """Take in the answers to a request."""
        if self.began is not None:
            return
        told = [answer.began for answer in answers.values() if isinstance(answer, Success) and answer.began]
        moments = [moment for moment in map(printed_moment, told) if moment is not None]
        if moments:
            self.began = min(moments)
            self.known[:] = [self.began]
        for answer in answers.values():
            self.lost = answer.reason if isinstance(answer, Lost) else self.lost

    @property
    def latest(self) -> datetime | None:
        """A time by the portal's clock, with its UTC offset; None before the first answer."""
        return self.known[0] if self.known else None

    def anew(self) -> ServerTime:
        """The server time of the next verb, which has no answer yet."""
        return ServerTime(known=self.known)


def printed_moment(text: JSON) -> datetime | None:
    """A printed time with its UTC offset; None for any other value."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def clock_changes(moments: Sequence[datetime]) -> bool:
    """Whether the server's clock had another offset within a year and a half before the first moment."""
    now = moments[0]
    return any(moment.utcoffset() != now.utcoffset() and now - moment < _RECENT for moment in moments)


def zone_label(zone: tzinfo | None) -> str:
    """The IANA name of a portal's zone, or its UTC offset such as ``+03:00``; that of UTC if the zone is not known.

    Examples
    --------
    >>> zone_label(ZoneInfo("Europe/Berlin")), zone_label(None)
    ('Europe/Berlin', '+00:00')
    """
    if isinstance(zone, ZoneInfo):
        return zone.key
    return datetime(2000, 1, 1, tzinfo=zone or UTC).isoformat()[-len("+00:00") :]
