"""Server time: when the portal began to answer a verb, and what its clock shows, both taken from its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bx24frames.engine.messages import JSON, Answer, Success

__all__ = ["ServerTime", "moment_of"]


@dataclass(slots=True)
class ServerTime:
    """The portal's time as the answers to one verb report it.

    `opened`: when the verb began, by the clock of this machine. `began`: when the portal began its first request.
    `known`: the last time that an answer has shown, shared by all verbs of a connection.
    """

    opened: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: datetime | None = None
    known: list[datetime] = field(default_factory=list)

    def hear(self, answers: Mapping[str, Answer]) -> None:
        """Take in the answers to a request."""
        if self.began is not None:
            return
        told = [answer.began for answer in answers.values() if isinstance(answer, Success) and answer.began]
        moments = [moment for moment in map(moment_of, told) if moment is not None]
        if moments:
            self.began = min(moments)
            self.known[:] = [self.began]

    @property
    def latest(self) -> datetime | None:
        """A time by the portal's clock, with its UTC offset; None before the first answer."""
        return self.known[0] if self.known else None

    def anew(self) -> ServerTime:
        """The server time of the next verb, which has no answer yet."""
        return ServerTime(known=self.known)


def moment_of(text: JSON) -> datetime | None:
    """A printed time with its UTC offset; None for any other value."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
