"""Snapshots of freshly seeded databases: the second sandbox of the same seed and sizes is a copy of the first."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.sandbox.seed.fill import fill_portal

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

_MAX_BYTES: Final = 48 * 2**20
"""Total size; the least recently used snapshots are dropped first, and a larger database is not kept."""
_Key: TypeAlias = tuple[int, tuple[tuple[str, int], ...]]


class Snapshots:
    """Databases by seed and sizes."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def seed(self, store: Store) -> None:
        """Fill an empty store, from a snapshot if there is one."""
        key = (store.seed, tuple(sorted(store.sizes.items())))
        with self._lock:
            content = self._kept.get(key)
            if content is not None:
                self._kept.move_to_end(key)
        if content is not None:
            store.database.load(content)
            store.restore()
            return
        fill_portal(store)
        self._keep(key, store.database.dump())

    def _keep(self, key: _Key, content: bytes) -> None:
        if len(content) > self._max_bytes:
            return
        with self._lock:
            self._kept[key] = content
            while sum(map(len, self._kept.values())) > self._max_bytes:
                self._kept.popitem(last=False)

    def forget_lock(self) -> None:
        """Replace the lock in a forked child, where the old one may be held."""
        self._lock = threading.Lock()


SNAPSHOTS: Final = Snapshots()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=SNAPSHOTS.forget_lock)
