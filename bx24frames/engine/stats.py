"""What reading and writing have cost so far: requests, commands, waiting, time of the portal by method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bx24frames.engine.messages import Answer, Parcel, Refusal, Success
from bx24frames.engine.retry import is_pause


@dataclass(slots=True)
class MethodStats:
    """Figures of one method; seconds are the portal's."""

    commands: int = 0
    failed: int = 0
    seconds: float = 0.0
    operating: float = 0.0


@dataclass(slots=True)
class Stats:
    """Figures of one portal.

    Attributes
    ----------
    requests, refused : int
        Requests sent; those among them refused for a limit.
    received : int
        Bytes of answers.
    waited : float
        Seconds that work was held back for the limits.
    methods : dict
        Method name to its own figures.
    """

    requests: int = 0
    refused: int = 0
    received: int = 0
    waited: float = 0.0
    methods: dict[str, MethodStats] = field(default_factory=dict)

    def take(self, parcel: Parcel, answers: Mapping[str, Answer], received: int) -> None:
        """Count one request with its answers."""
        self.requests += 1
        self.received += received
        first = answers[parcel.commands[0].label]
        self.refused += isinstance(first, Refusal) and first.whole and is_pause(first)
        for command in parcel.commands:
            figures = self.methods.setdefault(command.call.method, MethodStats())
            answer = answers[command.label]
            figures.commands += 1
            if isinstance(answer, Success):
                figures.seconds += answer.seconds or 0.0
                figures.operating = answer.operating if answer.operating is not None else figures.operating
            else:
                figures.failed += 1
