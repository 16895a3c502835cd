"""The one protocol every machine speaks: what is due, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from bx24frames.engine.messages import Answer, Done, Parcel, Wait
from bx24frames.engine.sizes import Sizes

T_co = TypeVar("T_co", covariant=True)


class Machine(Protocol[T_co]):
    """Decides; never waits, never sends. Times are seconds of the runner's clock."""

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next request, or how long nothing is due, or that nothing ever will be."""
        ...

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T_co]:
        """Take in the answers to a parcel; gives what is complete because of them, in order."""
        ...
