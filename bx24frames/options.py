"""Option types and settings shared by the public functions: backends, modes, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol, TypeAlias

from bx24frames.errors import ConfigError

__all__ = ["Automation", "Backend", "DtypeBackend", "Limits", "Mode", "Nulls", "OnError", "Progress", "SharedBucket"]

Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]
DtypeBackend: TypeAlias = Literal["pyarrow", "numpy_nullable"]
Mode: TypeAlias = Literal["insert", "update", "upsert"]
Nulls: TypeAlias = Literal["skip", "clear"]
OnError: TypeAlias = Literal["raise", "report", "stop"]
Progress: TypeAlias = Literal["auto", True, False]
Automation: TypeAlias = bool | None

_WHOLE: Final = frozenset({"burst", "commands_per_batch", "max_in_flight"})
THIS_HOST: Final = "host"
"""`Limits.shared` for the processes of one machine."""
_REDIS: Final = ("redis://", "rediss://", "unix://")
ENTERPRISE_BURST: Final = 250
ENTERPRISE_PER_SECOND: Final = 5.0


class SharedBucket(Protocol):
    """The request bucket of a portal, kept where several machines reach it.

    `Limits` takes one, for one portal, or a function that opens one for each. Its methods are called from one thread at
    a time, on the event loop that sends the requests, so they should return within milliseconds.
    """

    def take(self) -> float:
        """Charge one request and return 0; or charge nothing and return the seconds after which to try again."""
        ...

    def give_back(self) -> None:
        """Release the place of a request that was certainly not sent."""
        ...

    def fill(self) -> None:
        """Record that the portal refused a request because its bucket is full: the estimate was too low."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Request limits of a portal (https://apidocs.bitrix24.com/limits.html).

    Parameters
    ----------
    burst : int
        Capacity of the request bucket, in requests.
    per_second : float
        Rate at which the bucket empties, in requests per second.
    operating : float
        Operating time that one method, or all batches together, may use in ten minutes, in seconds; ``inf`` disables
        the check. 420 is the default of portals; the cloud may allow more (its documentation gives 480 as an example).
    commands_per_batch : int
        1 to 50; 1 sends every command as a separate request.
    max_in_flight : int
        Maximum number of requests in flight.
    shared : None, "host", str, SharedBucket or callable
        ``"host"`` shares the bucket among the processes of this machine through a file, the address of a Redis server
        (``"redis://…"``; package redis) among those of all machines that name it. While that server does not answer
        nothing is sent; after 30 seconds that is an error. Other places: a `bx24frames.options.SharedBucket`, which is
        an object with the methods ``take()``, ``give_back()`` and ``fill()``, or a function ``shared(host, limits)``
        that returns one and is called once for each portal in a process. The address is left out of the repr.

    Examples
    --------
    >>> from bx24frames import Limits
    >>> Limits.enterprise().burst
    250
    """

    burst: int = 50
    per_second: float = 2.0
    operating: float = 420.0
    commands_per_batch: int = 50
    max_in_flight: int = 8
    shared: str | SharedBucket | Callable[[str, Limits], SharedBucket] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("burst", "per_second", "operating", "commands_per_batch", "max_in_flight"):
            given, whole = getattr(self, name), name in _WHOLE
            if isinstance(given, bool) or not isinstance(given, int if whole else int | float):
                raise ConfigError(
                    f"Limits: {name} must be a whole number, not {given!r:.80}"
                    if whole
                    else f"Limits: {name} must be a number, not {given!r:.80}"
                )
        checks = (
            (self.burst >= 1, "burst must be at least 1 request"),
            (self.per_second > 0, "per_second must be above 0"),
            (self.operating > 0, "operating must be above 0 seconds"),
            (1 <= self.commands_per_batch <= 50, "commands_per_batch must be 1 to 50"),
            (self.max_in_flight >= 1, "max_in_flight must be at least 1"),
            (
                _can_share(self.shared),
                "shared must be None, 'host', the address of a Redis server, a bucket, or a function that opens one",
            ),
        )
        for sound, fault in checks:
            if not sound:
                raise ConfigError(f"Limits: {fault}")

    @classmethod
    def enterprise(cls) -> Limits:
        """Return the limits of the Enterprise plan: bucket 250, 5 requests a second."""
        return replace(cls(), burst=ENTERPRISE_BURST, per_second=ENTERPRISE_PER_SECOND)

    @property
    def _sharing(self) -> str:
        if self.shared is None:
            return "no"
        if self.shared == THIS_HOST:
            return "with other processes of this host"
        if isinstance(self.shared, str):
            return "by a Redis server"
        return f"by {getattr(self.shared, '__qualname__', type(self.shared).__qualname__)}"

    def _repr_html_(self) -> str:
        # not loaded by `import bx24frames`
        from bx24frames.display import facts_html
        from bx24frames.language import term, translated

        facts = {
            "requests": translated(f"{self.burst:,} at once, then {self.per_second:g} a second"),
            "operating time": translated(f"{self.operating:g} s in ten minutes"),
            "commands per batch": self.commands_per_batch,
            "requests in flight": self.max_in_flight,
            "shared": term(self._sharing),
        }
        return facts_html(facts, title=term("Limits"))


def _can_share(shared: object) -> bool:
    """Whether a value names a place for the bucket."""
    if isinstance(shared, str):
        return shared == THIS_HOST or shared.startswith(_REDIS)
    steps = ("take", "give_back", "fill")
    return shared is None or callable(shared) or all(callable(getattr(shared, step, None)) for step in steps)


LIMITS: Final = Limits()
"""The limits of every plan except Enterprise."""
