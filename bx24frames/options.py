"""Option types and settings shared by the public functions: backends, modes, limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from bx24frames.errors import ConfigError

__all__ = ["Automation", "Backend", "DtypeBackend", "Limits", "Mode", "Nulls", "OnError", "Progress"]

Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]
DtypeBackend: TypeAlias = Literal["pyarrow", "numpy_nullable"]
Mode: TypeAlias = Literal["insert", "update", "upsert"]
Nulls: TypeAlias = Literal["skip", "clear"]
OnError: TypeAlias = Literal["raise", "report", "stop"]
Progress: TypeAlias = Literal["auto", True, False]
Automation: TypeAlias = bool | None

_WHOLE: Final = frozenset({"burst", "commands_per_batch", "max_in_flight"})
ENTERPRISE_BURST: Final = 250
ENTERPRISE_PER_SECOND: Final = 5.0


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
    shared : None or "host"
        ``"host"`` shares the bucket among the processes of this machine through a file.

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
    shared: Literal["host"] | None = None

    def __post_init__(self) -> None:
        for name in ("burst", "per_second", "operating", "commands_per_batch", "max_in_flight"):
            given, whole = getattr(self, name), name in _WHOLE
            if isinstance(given, bool) or not isinstance(given, int if whole else int | float):
                raise ConfigError(f"Limits: {name} must be a {'whole ' if whole else ''}number, not {given!r:.80}")
        checks = (
            (self.burst >= 1, "burst must be at least 1 request"),
            (self.per_second > 0, "per_second must be above 0"),
            (self.operating > 0, "operating must be above 0 seconds"),
            (1 <= self.commands_per_batch <= 50, "commands_per_batch must be 1 to 50"),
            (self.max_in_flight >= 1, "max_in_flight must be at least 1"),
            (self.shared in (None, "host"), "shared must be None or 'host'"),
        )
        for sound, fault in checks:
            if not sound:
                raise ConfigError(f"Limits: {fault}")

    @classmethod
    def enterprise(cls) -> Limits:
        """Return the limits of the Enterprise plan: bucket 250, 5 requests a second."""
        return replace(cls(), burst=ENTERPRISE_BURST, per_second=ENTERPRISE_PER_SECOND)

    def _repr_html_(self) -> str:
        facts = {
            "requests": f"{self.burst:,} at once, then {self.per_second:g} a second",
            "operating time": f"{self.operating:g} s in ten minutes",
            "commands per batch": self.commands_per_batch,
            "requests in flight": self.max_in_flight,
            "shared": "with other processes of this host" if self.shared == "host" else self.shared or "no",
        }
        from bx24frames.display import facts_html  # not loaded by `import bx24frames`

        return facts_html(facts, title="Limits")


LIMITS: Final = Limits()
"""The limits of every plan except Enterprise."""
