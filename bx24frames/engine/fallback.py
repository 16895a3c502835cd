"""Dispatch of independent commands in batches: a batch that fails as a whole is split, down to single requests."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bx24frames.engine.codes import Reaction, about_credential, meaning, untouched
from bx24frames.engine.messages import Answer, Command, Done, Lost, Parcel, Refusal, Success, Wait
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import Tries, is_passing, is_pause, nowhere, overran
from bx24frames.engine.sizes import Sizes

MAX_PARCELS: Final = 8
NOT_IN_A_BATCH: Final = "ERROR_BATCH_METHOD_NOT_ALLOWED"
"""Code of a command that cannot be sent in a batch (`crm.item.payment.list`)."""
BARREN: Final = 3
"""Commands in a row that failed even alone, after which the portal is at fault rather than a command."""
_HOPELESS: Final = frozenset({Reaction.AUTH, Reaction.SCOPE, Reaction.STOP})


@dataclass(frozen=True, slots=True)
class Settled:
    """The final answer to one command, and how often and how it was sent.

    `lost`: the answer to an earlier attempt was lost. `reached`: an earlier attempt may have been executed, although it
    was not answered or refused. Both hold whatever this answer says.
    """

    command: Command
    answer: Answer
    attempts: int
    path: Literal["batch", "single"]
    lost: bool = False
    reached: bool = False


@dataclass(slots=True, eq=False)
class Task:
    """A command without a final answer. `reached`: an attempt may have been executed."""

    command: Command
    tries: Tries = field(default_factory=Tries)
    sent: int = 0
    lost: bool = False
    reached: bool = False


@dataclass(slots=True, eq=False)
class Group:
    """Tasks that are sent together, not before `not_before`."""

    tasks: list[Task]
    not_before: float = 0.0


@dataclass(slots=True)
class Silence:
    """How long no request has had a usable answer: the portal is down, and what is sent may be lost.

    `heeded`: whether anything is made of it. `since`: when the first of these requests was lost. `until`: before which
    nothing new is sent.
    """

    policy: RetryPolicy
    heeded: bool
    since: float | None = None
    until: float = -math.inf
    losses: int = 0

    def hear(self, answers: Iterable[Answer], now: float) -> None:
        """Record the answers to one request."""
        if not (self.heeded and all(_is_lost(answer) for answer in answers)):
            self.since, self.losses = None, 0
            return
        self.since = now if self.since is None else self.since
        if now < self.until:
            return  # it was sent before the others were known to be lost
        self.losses += 1
        if self.losses > 1:  # a single one may be an accident of the line
            self.until = now + self.policy.delay(self.losses - 1)

    def is_lasting(self, now: float) -> bool:
        """Whether nothing new should be sent any more."""
        return self.since is not None and now - self.since >= self.policy.outage


def _is_lost(answer: Answer) -> bool:
    """Whether an answer is that of a portal, or a line to it, that works for no request."""
    if isinstance(answer, Success) or is_pause(answer):
        return False
    return is_passing(answer) and (isinstance(answer, Lost) or answer.whole)


class Dispatch:
    """A machine that gives one final answer per command.

    A command is sent again only if that is harmless (`Call.repeatable`) or the answer proves that nothing happened;
    any other lost answer is final here, and what it means is for the caller to find out.

    Parameters
    ----------
    commands : iterable of Command
        Taken lazily, so that a long upload is never in memory as a whole. Commands marked `direct` travel alone.
    first : int
        Commands in the first request of each method, until something has been measured.
    together : bool
        Whether a refusal of the credential is taken as the answer to every command of the same method that is still to
        come; otherwise they are asked, unless the caller stops the machine.
    mixed : bool
        Whether commands of different methods may share a request.
    patient : bool
        Whether new commands wait while no request has a usable answer, and are not sent at all if that lasts.
    """

    def __init__(
        self,
        commands: Iterable[Command],
        *,
        first: int,
        together: bool = False,
        mixed: bool = False,
        patient: bool = False,
        retry: RetryPolicy = RETRY,
    ) -> None:
        self._retry = retry
        self._together = together
        self._mixed = mixed
        self._source: Iterator[Command] = iter(commands)
        self._first = first
        self._next: Command | None = None
        self._groups: deque[Group] = deque()
        self._under_way: dict[str, Group] = {}
        self._wanted = 1
        self._stopped = False
        self._barren = 0
        self._silence = Silence(retry, heeded=patient)

    def stop(self) -> None:
        """Send no new command; answers in flight are still processed."""
        self._stopped = True

    def turned_away(self) -> Iterator[Task]:
        """Tasks that wait for another attempt and were certainly not executed."""
        return (task for group in self._groups for task in group.tasks if not task.reached)

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel: repeated commands first, then new ones."""
        if self._stopped:
            return Wait(math.inf) if self._under_way else Done()
        if len(self._under_way) >= (self._wanted if self._silence.since is None else 1):
            return Wait(math.inf)
        group = self._repeated(now)
        if group is None and not self._silence.is_lasting(now):
            if now < self._silence.until and self._peek() is not None:
                return Wait(min([self._silence.until, *(waiting.not_before for waiting in self._groups)]))
            group = self._fresh(sizes)
        if group is not None:
            return self._parcel(group)
        if self._groups or self._under_way:
            return Wait(min((waiting.not_before for waiting in self._groups), default=math.inf))
        return Done()

    def _repeated(self, now: float) -> Group | None:
        for group in self._groups:
            if group.not_before <= now:
                self._groups.remove(group)
                return group
        return None

    def _fresh(self, sizes: Sizes) -> Group | None:
        tasks: list[Task] = []
        while (command := self._peek()) is not None:
            if tasks and (command.call.direct or not self._fits(command.call.method, tasks, sizes)):
                break
            tasks.append(Task(command))
            self._next = None
            if command.call.direct:
                break
        return Group(tasks) if tasks else None

    def _fits(self, method: str, tasks: list[Task], sizes: Sizes) -> bool:
        """Whether a command of a method may share the request of some tasks."""
        alike = sum(task.command.call.method == method for task in tasks)
        if alike >= sizes.of(method, self._first).now or len(tasks) >= sizes.ceiling:
            return False
        return self._mixed or alike == len(tasks)

    def _peek(self) -> Command | None:
        if self._next is None:
            self._next = next(self._source, None)
        return self._next

    def _parcel(self, group: Group) -> Parcel:
        for task in group.tasks:
            task.sent += 1
        commands = tuple(task.command for task in group.tasks)
        self._under_way[commands[0].label] = group
        return Parcel(commands)

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[Settled]:
        """Process answers; gives the final ones."""
        group = self._under_way.pop(parcel.commands[0].label)
        alone = len(group.tasks) == 1
        self._silence.hear(answers.values(), now)
        settled: list[Settled] = []
        again: list[tuple[Task, float]] = []
        split = False
        for task in group.tasks:
            answer = answers[task.command.label]
            later = None if isinstance(answer, Success) else self._later(task, answer, now, alone=alone)
            if isinstance(answer, Refusal) and answer.code == NOT_IN_A_BATCH and not alone:
                self._groups.append(Group([task], now))
            elif later is None:
                path: Literal["batch", "single"] = "single" if alone else "batch"
                settled.append(Settled(task.command, answer, task.sent, path, task.lost, task.reached))
            else:
                task.lost |= isinstance(answer, Lost) and answer.sent
                task.reached |= isinstance(answer, Success) or not untouched(answer)
                again.append((task, later))
                split |= self._splits(task, answer)
        if any(isinstance(answer, Success) for answer in answers.values()):
            self._barren = 0
        elif alone and not again:
            self._barren += 1
        refused = answers[group.tasks[0].command.label]
        if self._together and isinstance(refused, Refusal) and about_credential(refused, batched=not alone):
            settled += self._answered_alike(refused, group.tasks[0].command.call.method)
        self._requeue(again, split=split)
        self._wanted = min(MAX_PARCELS, self._wanted * 2) if not again else max(1, self._wanted // 2)
        return settled

    def _answered_alike(self, refused: Refusal, method: str) -> Iterator[Settled]:
        """The pending commands that the same refusal answers."""
        while (command := self._peek()) is not None and command.call.method == method:
            self._next = None
            yield Settled(command, refused, 0, "batch")

    def _later(self, task: Task, answer: Refusal | Lost, now: float, *, alone: bool) -> float | None:
        """When a command may be sent again; None when its answer is final."""
        if not (task.command.call.repeatable or untouched(answer)):
            return None
        if isinstance(answer, Refusal) and (
            meaning(answer).reaction in _HOPELESS or about_credential(answer, batched=not alone)
        ):
            return None
        if not is_passing(answer):
            # One command may have failed a whole request; alone it is judged by its own answer.
            whole = isinstance(answer, Lost) or answer.whole
            return now if whole and not alone else None
        later = task.tries.again(answer, now, self._retry)
        if later is None and not (alone or is_pause(answer) or nowhere(answer)) and self._barren < BARREN:
            # Another command may be at fault: split further, down to single commands.
            return now
        return later

    @staticmethod
    def _splits(task: Task, answer: Answer) -> bool:
        if isinstance(answer, Success) or is_pause(answer):
            return False
        return overran(answer) or not is_passing(answer) or (task.tries.faults > 1 and not nowhere(answer))

    def _requeue(self, again: list[tuple[Task, float]], *, split: bool) -> None:
        if not again:
            return
        tasks = [task for task, _ in again]
        not_before = max(later for _, later in again)
        half = (len(tasks) + 1) // 2 if split and len(tasks) > 1 else len(tasks)
        for part in (tasks[:half], tasks[half:]):
            if part:
                self._groups.append(Group(part, not_before))
