"""Machine: the protocol of everything that decides which request is sent next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from bx24frames.engine.messages import Answer, Done, Parcel, Wait
from bx24frames.engine.sizes import Sizes

T_co = TypeVar("T_co", covariant=True)


class Machine(Protocol[T_co]):
    """Decides without waiting or sending; times are seconds of the runner's monotonic clock."""

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next request, the time to wait for one, or `Done`."""
        ...

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T_co]:
        """Process the answers to a parcel; gives the results that they complete, in order."""
        ...
