"""Runs many small readings side by side: their commands share requests, where each alone would waste one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from bx24frames.engine.fallback import MAX_PARCELS
from bx24frames.engine.machine import Machine
from bx24frames.engine.messages import MAX_COMMANDS, Answer, Done, Parcel, Wait
from bx24frames.engine.sizes import FIRST_READS, Sizes

T = TypeVar("T")

OPEN: Final = 64
"""Readings begun and not ended."""


class Pool(Generic[T]):
    """A machine out of machines; what it gives is in no order across them.

    Parameters
    ----------
    machines : iterable of Machine
        Taken as there is room for them; readings whose call cannot travel in a batch have no place here.
    share : int
        Commands one of them may put into a request.
    """

    def __init__(self, machines: Iterable[Machine[T]], *, share: int) -> None:
        self._source: Iterator[Machine[T]] = iter(machines)
        self._open: list[Machine[T]] = []
        self._share = Sizes(share)
        self._owners: dict[str, list[tuple[Machine[T], Parcel]]] = {}
        self._wanted = 1

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel, filled from as many readings as it takes."""
        if len(self._owners) >= self._wanted:
            return Wait(math.inf)
        taken: list[tuple[Machine[T], Parcel]] = []
        room, until = MAX_COMMANDS, math.inf
        for machine in self._candidates():
            step = machine.due(now, self._share)
            if isinstance(step, Done):
                self._open.remove(machine)
            elif isinstance(step, Wait):
                until = min(until, step.until)
            else:
                taken.append((machine, step))
                room -= len(step.commands)
            if taken and (room < self._share.ceiling + 1 or self._full(taken, sizes)):
                break
        if not taken:
            return Wait(until) if self._open else Done()
        commands = tuple(command for _, parcel in taken for command in parcel.commands)
        self._owners[commands[0].label] = taken
        return Parcel(commands)

    def _full(self, taken: list[tuple[Machine[T], Parcel]], sizes: Sizes) -> bool:
        method = taken[0][1].commands[0].call.method
        commands = sum(len(parcel.commands) for _, parcel in taken)
        return commands >= sizes.of(method, FIRST_READS).now

    def _candidates(self) -> Iterator[Machine[T]]:
        yield from list(self._open)
        while len(self._open) < OPEN and (machine := next(self._source, None)) is not None:
            self._open.append(machine)
            yield machine

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Hand each reading its own answers."""
        given: list[T] = []
        for machine, part in self._owners.pop(parcel.commands[0].label):
            mine = {command.label: answers[command.label] for command in part.commands}
            given.extend(machine.feed(part, mine, now))
        self._wanted = min(MAX_PARCELS, self._wanted * 2)
        return given
