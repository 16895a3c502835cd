"""Outside bucket: the request bucket of a portal kept by the user's own code, as the governor uses it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.options import SharedBucket


class OutsideBucket:
    """A `SharedBucket` for the governor.

    The shared bucket says for how long to wait; a pause after refusals is kept here, because the shared bucket may be
    wrong about the portal's limits.

    Parameters
    ----------
    bucket : SharedBucket
    per_second : float
        Requests a second that leak from it.
    policy : RetryPolicy
    """

    def __init__(self, bucket: SharedBucket, per_second: float = 2.0, policy: RetryPolicy = RETRY) -> None:
        self.burst = 1
        """Requests that are known to be admitted at once: the bucket does not tell its level."""
        self.per_second = per_second
        self._bucket = bucket
        self._policy = policy
        self._until = -math.inf
        self._paused_until = -math.inf
        self._refusals = 0

    def limit(self, burst: int, per_second: float) -> None:  # noqa: ARG002 (the bucket was opened with its capacity)
        """Change the rate."""
        self.per_second = per_second

    def ready_at(self, now: float) -> float:
        """When the next request may be sent, unless another process is faster."""
        return max(now, self._until, self._paused_until)

    def depart(self, now: float) -> float | None:
        """Charge a request that is sent now; None if the bucket is full.

        Raises
        ------
        ConfigError
            The bucket does not return seconds.
        """
        if now < self._paused_until:
            return None
        wait: object = self._bucket.take()
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not math.isfinite(wait):
            raise ConfigError(f"Limits(shared=...): take() must return seconds, not {wait!r:.80}")
        if wait > 0:
            self._until = now + wait
            return None
        return now

    def arrived(self, ticket: float, now: float) -> None:
        """Do nothing: when a request leaks is the bucket's affair."""

    def recalled(self, ticket: float, now: float) -> None:  # noqa: ARG002 (whichever it was, it is one place)
        """Release the place of a request that was certainly not sent."""
        self._bucket.give_back()

    def places(self, now: float) -> float:
        """Requests that may be sent at once: one, since others may take any more."""
        return float(self.ready_at(now) <= now)

    def refused(self, now: float) -> None:
        """Record that the portal refused a request because its bucket is full."""
        if now < self._paused_until:
            return  # one that was under way when the pause began
        self._bucket.fill()
        self._paused_until = now + self._policy.pause(self._refusals)
        self._refusals += 1

    def accepted(self) -> None:
        """Record that a request was accepted."""
        self._refusals = 0
