"""Far end of a table: the last id that its pages come to, asked for by a command of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Answer, Command, Listing, Success
from bx24frames.engine.pages.cursor import Cursor, ids_in, in_order, rows_in
from bx24frames.engine.policy import RetryPolicy
from bx24frames.engine.retry import Tries
from bx24frames.errors import ResponseError

if TYPE_CHECKING:
    from bx24frames.engine.pages.lanes import Lane

__all__ = ["FarEnd"]

DOUBTS: Final = 3
"""Empty pages before a row that the same list names, after which it is not believed."""


class FarEnd:
    """The far end of the ids of a listing: the highest id, or the lowest where pages run downwards.

    Parameters
    ----------
    wanted : bool
        Whether it is asked for at once, and not when a page is short.

    Attributes
    ----------
    id : int or None
        The far end; None while it is unknown, and of an empty table.
    wanted : bool
        Its command is due.
    asked : bool
        It has been wanted before.
    not_before : float
        When its command may be sent: later than now after a failure.
    """

    def __init__(self, listing: Listing, cursor: Cursor, retry: RetryPolicy, *, wanted: bool) -> None:
        self.id: int | None = None
        self.wanted = self.asked = wanted
        self.not_before = 0.0
        self._listing = listing
        self._cursor = cursor
        self._retry = retry
        self._label: str | None = None
        self._tries = Tries()

    def want(self) -> None:
        """Have it asked for, once more if it has been before."""
        self.asked = self.wanted = True

    def command(self, label: str) -> Command:
        """The command that asks for it."""
        self.wanted, self._label = False, label
        bounds = self._listing.bounds
        return Command(label, self._cursor.far_end(bounds.after, bounds.upto))

    def drop(self) -> None:
        """Do without it: its command was refused together with the pages."""
        self.wanted, self._label = False, None

    def take(self, answers: Mapping[str, Answer], now: float) -> bool:
        """Take in the answer to its command, if it is among these; True when it says where the far end is.

        Raises
        ------
        PortalError, TransportError
            The command failed for good.
        """
        if self._label is None or self._label not in answers:
            return False
        answer, self._label = answers[self._label], None
        if isinstance(answer, Success):
            ids = ids_in(self._listing, rows_in(self._listing, answer.value))
            in_order(self._listing, ids, up=not self._cursor.up)
            self.id = ids[0] if ids else None
            return True
        later = self._tries.again(answer, now, self._retry)
        if later is None:
            raise error_of(answer, self._listing.call.method)
        self.wanted, self.not_before = True, later
        return False

    def lies_in(self, lane: Lane, last_id: int | None) -> bool:
        """Whether it lies in what a lane has not read yet; `last_id`: of a page that the lane has not taken in."""
        if self.id is None:
            return False
        after, upto = lane.after, lane.upto
        if last_id is not None:
            after, upto = (last_id, upto) if self._cursor.up else (after, last_id - 1)
        return after < self.id and (upto is None or self.id <= upto)

    def is_reached(self, lane: Lane, last_id: int) -> bool:
        """Whether nothing of a lane can lie behind the last id: the far end, or the lane's own."""
        if self._cursor.up:
            return any(end is not None and last_id >= end for end in (lane.upto, self.id))
        return last_id - 1 <= lane.after or (self.id is not None and last_id <= self.id)

    def doubt(self, lane: Lane) -> None:
        """Ask for an empty page again, and for the far end, which may be gone by now.

        Raises
        ------
        ResponseError
            The page was empty each time.
        """
        lane.doubts += 1
        self.want()
        if lane.doubts > DOUBTS:
            raise ResponseError(
                "The list method gives no rows, though it has some",
                method=self._listing.call.method,
                guidance="Some rows may be hidden from this user: ask for a range of ids, or as another user.",
            )
