"""The portal's own clock, as its answers tell it: when a read began there, and in which zone its server is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from bx24frames.engine.messages import JSON, Answer, Success


@dataclass(slots=True)
class Clock:
    """What the answers of one verb tell of the portal's time.

    `opened`: when the verb began, by this machine's clock. `began`: when the portal began with the first of them.
    `known`: its zone, shared by all verbs of a connection.
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
        """The offset of the portal's own time; None before its first answer."""
        return self.known[0] if self.known else None

    def anew(self) -> Clock:
        """The clock of another verb, which has heard no answer yet."""
        return Clock(known=self.known)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


class Asked(Protocol):
    """A connection to the portal whose zone is asked for."""

    @property
    def portal_zone(self) -> tzinfo | None:
        """The zone that answers have named so far."""

    async def result(self, method: str) -> JSON:
        """The result of one call."""


async def zone_of(connection: Asked) -> tzinfo:
    """The portal's zone; by its clock, where no answer has told it yet."""
    if connection.portal_zone is None:
        moment = _moment(str(await connection.result("server.time")))
        return connection.portal_zone or (UTC if moment is None else moment.tzinfo or UTC)
    return connection.portal_zone
