"""Server time: when the portal began to answer a verb, and the time zone of its server, both taken from its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from bx24frames.engine.messages import JSON, Answer, Success


@dataclass(slots=True)
class ServerTime:
    """The portal's time as the answers to one verb report it.

    `opened`: when the verb began, by the clock of this machine. `began`: when the portal began its first request.
    `known`: the portal's time zone, shared by all verbs of a connection.
    """

    opened: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: datetime | None = None
    known: list[tzinfo] = field(default_factory=list)

    def hear(self, answers: Mapping[str, Answer]) -> None:
        """Take in the answers to a request."""
        if self.began is not None:
            return
        told = [answer.began for answer in answers.values() if isinstance(answer, Success) and answer.began]
        moments = [moment for moment in map(_moment, told) if moment is not None]
        if moments:
            self.began = min(moments)
            self.known[:] = [self.began.tzinfo or UTC]

    @property
    def zone(self) -> tzinfo | None:
        """The UTC offset of the portal; None before its first answer."""
        return self.known[0] if self.known else None

    def anew(self) -> ServerTime:
        """The server time of the next verb, which has no answer yet."""
        return ServerTime(known=self.known)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


class ZoneSource(Protocol):
    """The connection that the portal's time zone is requested over."""

    @property
    def portal_zone(self) -> tzinfo | None:
        """The time zone that answers have shown so far."""

    async def result(self, method: str) -> JSON:
        """The result of one call."""


async def zone_of(connection: ZoneSource) -> tzinfo:
    """The portal's time zone, requested with ``server.time`` while no answer has shown it."""
    if connection.portal_zone is None:
        moment = _moment(str(await connection.result("server.time")))
        return connection.portal_zone or (UTC if moment is None else moment.tzinfo or UTC)
    return connection.portal_zone


def offset_of(zone: tzinfo | None) -> str:
    """The UTC offset of a portal's zone, such as ``+03:00``; that of UTC if the zone is not known."""
    return datetime(2000, 1, 1, tzinfo=zone or UTC).isoformat()[len("2000-01-01T00:00:00") :]
