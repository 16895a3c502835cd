"""Statistics of the sandbox: counters and the most recent requests, for tests and benchmarks."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

LOGGED: Final = 1000
EXCERPT_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Logged:
    """One request: `commands` are the methods of a batch; `excerpt` is the start of the body or query string."""

    method: str
    commands: tuple[str, ...]
    status: int
    seconds: float
    excerpt: str = ""


@dataclass(slots=True)
class Stats:
    """Counters since the start, or the last `reset`.

    Attributes
    ----------
    requests : int
        HTTP requests to REST addresses.
    refused : int
        Those answered with a status of 400 or more.
    calls : Counter
        Calls carried out, by method, including those in batches.
    seconds : dict
        Server time of these in seconds, by method.
    in_flight, peak_in_flight : int
        Requests in flight now, and their maximum.
    broken : list of str
        Handlers that raised an unexpected exception: faults of the sandbox.
    log : deque
        The last 1000 requests.
    """

    requests: int = 0
    refused: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    in_flight: int = 0
    peak_in_flight: int = 0
    broken: list[str] = field(default_factory=list)
    log: deque[Logged] = field(default_factory=lambda: deque(maxlen=LOGGED), repr=False)

    def departed(self) -> None:
        """Count a request as in flight."""
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def landed(self) -> None:
        """Count a request as answered."""
        self.in_flight -= 1

    def worked(self, method: str, seconds: float) -> None:
        """Count a call that was carried out."""
        self.calls[method] += 1
        self.seconds[method] = self.seconds.get(method, 0.0) + seconds

    def broke(self, method: str, error: Exception) -> None:
        """Record a handler that raised an unexpected exception."""
        self.broken.append(f"{method}: {type(error).__name__}: {error}")

    def answered(self, entry: Logged) -> None:
        """Count and log an answered request."""
        self.requests += 1
        self.refused += entry.status >= 400
        self.log.append(entry)

    def reset(self) -> None:
        """Reset all counters and the log."""
        self.requests = self.refused = 0
        self.peak_in_flight = self.in_flight
        self.calls.clear()
        self.seconds.clear()
        self.broken.clear()
        self.log.clear()
