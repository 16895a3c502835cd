"""Metadata cache: answers of a portal kept for an hour, in memory, and on disk except for portals on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast
from weakref import WeakKeyDictionary

import orjson

from bx24frames.caller import warn
from bx24frames.errors import BX24Error
from bx24frames.transport.address import is_loopback, without_port
from bx24frames.transport.private_file import write_private

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON

_T = TypeVar("_T")

MAX_AGE: Final = 3600.0
"""Default TTL in seconds."""

FORMAT: Final = 2
FOLDER: Final = "BX24FRAMES_CACHE"
"""Environment variable: the folder to keep answers in, instead of the user's cache folder."""
LOOPBACK: Final = "BX24FRAMES_CACHE_LOOPBACK"
"""Environment variable: ``1`` keeps the answers of portals on this machine too. Without it they are not kept: the next
sandbox may have the same port and the same credential over other tables."""

_UNSAFE: Final = re.compile(r"[^a-z0-9_-]+")


@dataclass(slots=True)
class Cache:
    """Cached answers by name, for one portal and credential.

    Parameters
    ----------
    folder : Path or None
        Where answers are kept on disk; None keeps them in memory only.
    enabled : bool
        False caches nothing: every verb requests again.
    max_age : float
        TTL of an answer in seconds.
    clock : callable
        Seconds since the epoch; answers on disk are dated by it.
    """

    folder: Path | None = None
    enabled: bool = True
    max_age: float = MAX_AGE
    clock: Callable[[], float] = time.time
    _held: dict[str, tuple[float, object]] = field(default_factory=dict, repr=False)
    _locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = field(
        default_factory=WeakKeyDictionary, repr=False
    )

    async def recall(
        self, name: str, ask: Callable[[], Awaitable[JSON]], read: Callable[[JSON], _T], *, keep: bool = True
    ) -> _T:
        """Return an answer parsed by `read`: from memory, from disk, or from the portal.

        Parameters
        ----------
        name : str
            Name of the answer; the same name always has the same `read`.
        ask : callable
            Requests the answer from the portal.
        read : callable
            Parses it; an answer on disk that it cannot parse is requested again.
        keep : bool
            Whether the answer may be kept on disk: not if it holds names of people.
        """
        if not self.enabled:
            return read(await ask())
        async with self._lock(name):
            return await self._recall(name, ask, read, keep=keep)

    async def _recall(
        self, name: str, ask: Callable[[], Awaitable[JSON]], read: Callable[[JSON], _T], *, keep: bool
    ) -> _T:
        held = self._held.get(name)
        if held is not None and self._fresh(held[0]):
            return cast("_T", held[1])
        file = self._file(name) if keep else None
        found = self._load(file, read) if file is not None else None
        if found is None:
            answer = await ask()
            found = (self.clock(), read(answer))
            if file is not None:
                self._store(file, answer, found[0])
        self._held[name] = found
        return found[1]

    def note(self, name: str, found: JSON, *, keep: bool = True) -> None:
        """Cache a conclusion from answers; `keep`: on disk as well."""
        if self.enabled:
            self._held[name] = (self.clock(), found)
            file = self._file(name) if keep else None
            if file is not None:
                self._store(file, found, self.clock())

    def noted(self, name: str, *, keep: bool = True) -> JSON:
        """A conclusion cached by `note`; None if there is none."""
        held = self._held.get(name)
        if keep and held is None and (file := self._file(name)) is not None and self.enabled:
            held = self._load(file, lambda answer: answer)
        return cast("JSON", held[1]) if held is not None and self._fresh(held[0]) else None

    def _lock(self, name: str) -> asyncio.Lock:
        """The lock under which one of several reads on a loop requests an answer while the others wait for it."""
        from bx24frames.engine.runner import loop_here

        locks = self._locks.setdefault(loop_here(), {})
        return locks.setdefault(name, asyncio.Lock())

    def age(self, name: str) -> float:
        """Age of the answer in memory in seconds; 0 if there is none."""
        held = self._held.get(name)
        return max(0.0, self.clock() - held[0]) if held is not None else 0.0

    def forget(self, name: str) -> None:
        """Discard an answer, so that it is requested again."""
        self._held.pop(name, None)
        file = self._file(name)
        if file is not None:
            file.unlink(missing_ok=True)

    def _fresh(self, at: float) -> bool:
        return 0 <= self.clock() - at < self.max_age

    def _file(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return self.folder / f"{_UNSAFE.sub('-', name.lower())[:40]}-{digest}.json"

    def kept(self, name: str, read: Callable[[JSON], _T]) -> _T | None:
        """A cached answer of any age parsed by `read`; None if there is none. No request is made."""
        held = self._held.get(name)
        if held is not None:
            return cast("_T", held[1])
        file = self._file(name)
        found = self._load(file, read, fresh=False) if file is not None else None
        return None if found is None else found[1]

    def _load(self, file: Path, read: Callable[[JSON], _T], *, fresh: bool = True) -> tuple[float, _T] | None:
        """An answer on disk; None if there is none, or the file is damaged."""
        try:
            kept = orjson.loads(file.read_bytes())
            at = float(kept["at"])
            if kept["format"] != FORMAT or (fresh and not self._fresh(at)):
                return None
            return at, read(kept["answer"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, AttributeError, BX24Error) as fault:
            warn(f"A cache file is unreadable and is replaced: {fault!r:.80}")
            return None

    def _store(self, file: Path, answer: JSON, at: float) -> None:
        try:
            write_private(file, orjson.dumps({"format": FORMAT, "at": at, "answer": answer}).decode())
        except OSError as fault:
            self.folder = None
            warn(f"The portal's descriptions are not cached on disk: {fault.strerror}")


def open_cache(host: str, key: str, *, enabled: bool = True, lasting: bool = True) -> Cache:
    """Open the cache of one portal and credential.

    Parameters
    ----------
    host : str
        With its port, if it has one.
    key : str
        Identifies the credential without a secret; its hash names the folder.
    enabled : bool
    lasting : bool
        Whether the key identifies the same credential in every process, which that of a user's function does not.
    """
    here = is_loopback(without_port(host)) and os.environ.get(LOOPBACK) != "1"
    return Cache(None if here or not (enabled and lasting) else _folder() / _digest(key), enabled)


def _folder() -> Path:
    import platformdirs

    given = os.environ.get(FOLDER)
    return Path(given).expanduser() if given else platformdirs.user_cache_path("bx24frames") / "metadata"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]
