"""Reconciliation policy: how long a request may be executed, how often a row is sent again, how many are verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["RECONCILIATION", "SAMPLE", "Reconciliation"]

SAMPLE: Final = 50
"""Rows in the sample that shows whether the portal carries out what it accepts."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """When an unanswered request has certainly ended, and how often rows are looked for and sent again.

    Parameters
    ----------
    cut : float
        Seconds after which a request that has arrived has ended: the portal aborts it at 60 (docs: limits.md).
    grace : float
        Seconds that lists may lag behind writes: a portal may read from a replica of its database.
    longest_lag : float
        Seconds of the longest wait for rows of the upload that a list does not show yet; each is twice the last one.
    insert_rounds, update_rounds : int
        How often a row that was proved absent, or an update that may not have been executed, is sent again.

    Examples
    --------
    >>> Reconciliation().over_at(100.0, ended=False), Reconciliation().over_at(100.0, ended=True)
    (167.0, 105.0)
    """

    cut: float = 62.0
    grace: float = 5.0
    longest_lag: float = 20.0
    insert_rounds: int = 5
    update_rounds: int = 5

    def over_at(self, let_go: float, *, ended: bool) -> float:
        """From when on the absence of a row proves that its request did not create it.

        Parameters
        ----------
        let_go : float
            When the connection was closed, in seconds of the monotonic clock: the request cannot arrive later.
        ended : bool
            The portal itself has said that it has finished with the request.
        """
        return let_go + (0.0 if ended else self.cut) + self.grace


RECONCILIATION: Final = Reconciliation()
"""The policy unless another is injected."""
