"""Taking turns at a token file: of several processes one renews, and the others read what it saved."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

POLL: Final = 0.05
PATIENCE: Final = 120.0
"""Seconds after which whoever holds the turn is taken to hang; a renewal takes up to ninety."""


@asynccontextmanager
async def turn(path: Path) -> AsyncIterator[None]:
    """Hold the turn of a file while the body runs; a process that dies gives it back.

    The lock is SQLite's, on an empty file beside: the same on every system, and nothing to clean up.
    """
    import asyncio

    lock = _open(path.with_name(f"{path.name}.lock"))
    if lock is None:  # whoever cannot write here cannot save tokens either, and is told so then
        yield
        return
    loop = asyncio.get_running_loop()
    latest = loop.time() + PATIENCE
    try:
        while not _taken(lock) and loop.time() < latest:  # noqa: ASYNC110 (the others are processes)
            await asyncio.sleep(POLL)
        yield
    finally:
        lock.close()


def _open(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error):
        return None


def _taken(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        return "locked" not in str(error)  # a file that cannot be locked at all keeps nobody waiting
    except sqlite3.Error:
        return True
    return True
