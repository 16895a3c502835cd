"""Holds Python's cycle collector back while a page is parsed and typed: JSON makes no cycles, only many objects."""

from __future__ import annotations

import gc
import os
import threading
from types import TracebackType
from typing import Final


class Held:
    """A ``with`` in which the collector does not run by itself; in several threads, until the last one leaves.

    Every few hundred new containers set the collector off, and it walks all the rows of a request that are alive:
    over rows with lists in them, that took a third of the time of reading them (Python: gc.set_threshold).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_on:
                gc.enable()

    def forget(self) -> None:
        """In the child of a fork none of the threads lives that were inside: nobody else would let go."""
        if self._inside and self._was_on:
            gc.enable()
        self._lock, self._inside = threading.Lock(), 0


COLLECTOR_HELD: Final = Held()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=COLLECTOR_HELD.forget)
