"""Redis bucket: the request bucket of a portal in a Redis server, for processes on several machines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.errors import ConfigError, TransportError
from bx24frames.extras import require
from bx24frames.portal.host_budget import shared_capacity

if TYPE_CHECKING:
    import redis

    from bx24frames.options import Limits

ANSWER_SECONDS: Final = 1.0
"""Seconds that one call of the server may take: the event loop waits for it, which takes a millisecond as a rule."""
RETRY_SECONDS: Final = 1.0
OUTAGE_SECONDS: Final = 30.0
"""Seconds for which a server that was lost is waited for, as for a restart or a failover; nothing is sent meanwhile."""

_SCRIPT: Final = """
local step, burst, capacity = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local per_second, known = tonumber(ARGV[4]), ARGV[5] == '1'
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = known and burst or 0
if kept[1] then
    level = math.max(0, kept[1] - math.max(0, now - kept[2]) * per_second)
end
local wait = 0
if step == 'take' then
    wait = math.max(0, level + 1 - capacity) / per_second
    if wait == 0 then
        level = level + 1
    end
elseif step == 'give_back' then
    level = math.max(0, level - 1)
elseif step == 'fill' then
    level = math.max(level, burst)
end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(level / per_second) + 60)
return string.format('%.6f', wait)
"""
"""One step of the bucket, carried out as a whole. The clock is the server's. A bucket that a caller used just now and
that the server does not have was lost in a restart: it is taken to be full."""

_Step = Literal["look", "take", "give_back", "fill"]


class RedisBucket:
    """The request bucket of one portal in a Redis server; a `bx24frames.options.SharedBucket`.

    It has the numbers of the bucket that the processes of one machine share, `portal/host_budget`: a request leaks from
    the moment it is sent.

    Parameters
    ----------
    address : str
        ``redis://``, ``rediss://`` or ``unix://``, as for `redis.Redis.from_url`.
    host : str
        The portal.
    limits : Limits
        The capacity and the rate.
    monotonic : callable
        The clock by which a server that does not answer is waited for.

    Raises
    ------
    ConfigError
        The package redis is not installed, or the address is not one that a Redis server answers at.
    """

    def __init__(
        self, address: str, host: str, limits: Limits, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        require("redis")
        import redis

        self._host = host
        self._limits = limits
        self._monotonic = monotonic
        self._failures = redis.RedisError, OSError
        self._answered_at = -math.inf
        self._lost_at: float | None = None
        try:
            self._script = _server(address).register_script(_SCRIPT)
            self._asked("look")  # a password, a right or a replica that is missing or wrong shows here
        except ValueError:
            reason = "its address is malformed"
        except self._failures as fault:
            reason = str(fault)
        else:
            return
        raise ConfigError(
            f"The Redis server of Limits(shared=...) cannot be used: {reason}",
            guidance="The address is redis://user:password@host:6379/0, or rediss:// for TLS.",
        )

    def take(self) -> float:
        """Charge one request and return 0; or charge nothing and return the seconds after which to try again.

        Raises
        ------
        TransportError
            The server has not answered for `OUTAGE_SECONDS`.
        """
        return self._step("take")

    def give_back(self) -> None:
        """Release the place of a request that was certainly not sent."""
        self._step("give_back")

    def fill(self) -> None:
        """Record that the portal refused a request because its bucket is full."""
        self._step("fill")

    def _step(self, step: _Step) -> float:
        """The seconds to wait after a step; while the server does not answer, those until it is asked again."""
        now = self._monotonic()
        try:
            wait = self._asked(step)
        except self._failures as fault:
            return self._lost(now, str(fault))
        self._lost_at = None
        return wait

    def _asked(self, step: _Step) -> float:
        limits, now = self._limits, self._monotonic()
        capacity = shared_capacity(limits.burst, limits.per_second)
        known = now - self._answered_at < limits.burst / limits.per_second
        wait = self._script(
            keys=[f"bx24frames:{self._host}"],
            args=[step, limits.burst, capacity, limits.per_second, int(known)],
        )
        self._answered_at = now
        return float(wait)

    def _lost(self, now: float, reason: str) -> float:
        self._lost_at = now if self._lost_at is None else self._lost_at
        if now - self._lost_at >= OUTAGE_SECONDS:
            raise TransportError(
                f"The Redis server that keeps the request budget of {self._host} does not answer: {reason}",
                guidance="Nothing was sent since. Limits(shared=None) keeps the budget in this process alone.",
            )
        return RETRY_SECONDS


@lru_cache
def _server(address: str) -> redis.Redis:
    """The client of a server, one for all portals of the process."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        address,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),  # an idle connection that the server has closed is opened again at once
    )
