"""Token store: a file or an object of the user's, and the lock under which one process at a time renews a file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from bx24frames.errors import ConfigError
from bx24frames.transport.private_file import write_private

_POLL: Final = 0.05
"""Seconds between attempts to get the lock."""
_PATIENCE: Final = 120.0
"""Seconds after which the process that holds the lock is assumed to hang; a renewal takes up to ninety."""


class TokenStore(Protocol):
    """Keeps the last answer of the authorisation server; `save` returns once it is stored."""

    def load(self) -> Mapping[str, object] | None:
        """Return the tokens last saved, or None."""
        ...

    def save(self, tokens: dict[str, object], /) -> None:
        """Store the tokens: a mapping with ``access_token`` and ``refresh_token``."""
        ...


StoreLike: TypeAlias = "TokenStore | str | os.PathLike[str] | None"


class TokenFile:
    """A JSON file that only its owner can read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

    def load(self) -> Mapping[str, object] | None:
        """Return the tokens in the file, or None if there is no file."""
        try:
            tokens = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"The token file {self.path} cannot be read: {error.strerror}") from None
        except ValueError:
            tokens = None
        if not isinstance(tokens, dict):
            raise ConfigError(
                f"The token file {self.path} is not JSON with tokens",
                guidance="Delete it and give OAuth the tokens again.",
            )
        return tokens

    def save(self, tokens: dict[str, object], /) -> None:
        """Replace the file atomically."""
        write_private(self.path, json.dumps(tokens, ensure_ascii=False, indent=1))

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Keep other processes from renewing the tokens of this file."""
        return turn(self.path)


class _Memory:
    """Keeps the tokens for the lifetime of the process."""

    def __init__(self) -> None:
        self._tokens: Mapping[str, object] | None = None

    def load(self) -> Mapping[str, object] | None:
        """Return what was last saved."""
        return self._tokens

    def save(self, tokens: dict[str, object], /) -> None:
        """Keep the tokens."""
        self._tokens = tokens


def turn_at(store: TokenStore) -> AbstractAsyncContextManager[None]:
    """The lock for renewing the tokens of a store; a store of the user's has none."""
    return store.turn() if isinstance(store, TokenFile) else nullcontext()


def open_store(store: StoreLike) -> TokenStore:
    """Return the store as an object: a path is a `TokenFile`, None keeps the tokens in memory.

    Raises
    ------
    ConfigError
        The object has no ``load`` and ``save``.
    """
    if store is None:
        return _Memory()
    if isinstance(store, str | os.PathLike):
        return TokenFile(store)
    if callable(getattr(store, "load", None)) and callable(getattr(store, "save", None)):
        return store
    raise ConfigError("store= takes a path or an object with load() and save(tokens)")


@asynccontextmanager
async def turn(path: Path) -> AsyncIterator[None]:
    """Hold the lock of a file while the body runs; it is released if the process dies.

    The lock is SQLite's, on an empty file next to it: it works alike on every system and leaves nothing to clean up.
    """
    import asyncio

    lock = _open(path.with_name(f"{path.name}.lock"))
    if lock is None:  # no lock can be written here, so no tokens either: saving them reports it
        yield
        return
    loop = asyncio.get_running_loop()
    latest = loop.time() + _PATIENCE
    try:
        while not _taken(lock) and loop.time() < latest:  # noqa: ASYNC110 (the others are processes)
            await asyncio.sleep(_POLL)
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
        return "locked" not in str(error)  # a file that cannot be locked at all delays no process
    except sqlite3.Error:
        return True
    return True
