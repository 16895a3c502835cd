"""What a portal said of its own tables, believed for an hour: in memory, and on disk unless it is this machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast
from weakref import WeakKeyDictionary

import orjson

from bx24frames.errors import BX24Error
from bx24frames.transport.address import is_loopback, without_port
from bx24frames.transport.private_file import write_private

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON

T = TypeVar("T")

MAX_AGE: Final = 3600.0
"""Seconds for which what a portal said is believed."""

FORMAT: Final = 2
FOLDER: Final = "BX24FRAMES_CACHE"
"""Environment variable: the folder to keep answers in, instead of the user's cache folder."""
LOOPBACK: Final = "BX24FRAMES_CACHE_LOOPBACK"
"""Environment variable: ``1`` keeps the answers of portals on this machine too. Without it they are not kept: the next
sandbox may have the same port and the same credential over other tables."""

_UNSAFE: Final = re.compile(r"[^a-z0-9_-]+")


@dataclass(slots=True)
class Cache:
    """Answers by name, for one portal and credential.

    Parameters
    ----------
    folder : Path or None
        Where answers outlive the process; None keeps none.
    enabled : bool
        False remembers nothing at all: every verb asks anew.
    max_age : float
        Seconds for which an answer is believed.
    clock : callable
        Seconds since the epoch: answers on disk are dated by it.
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
        self, name: str, ask: Callable[[], Awaitable[JSON]], read: Callable[[JSON], T], *, keep: bool = True
    ) -> T:
        """What `read` makes of an answer: from memory, from disk, or from the portal.

        Parameters
        ----------
        name : str
            Of the answer. The same name always has the same `read`.
        ask : callable
            Gets the answer from the portal.
        read : callable
            Understands it; an answer kept on disk that it cannot read is asked for anew.
        keep : bool
            Whether the answer may stay on disk: not where it holds people's names.
        """
        if not self.enabled:
            return read(await ask())
        async with self._lock(name):
            return await self._recall(name, ask, read, keep=keep)

    async def _recall(
        self, name: str, ask: Callable[[], Awaitable[JSON]], read: Callable[[JSON], T], *, keep: bool
    ) -> T:
        held = self._held.get(name)
        if held is not None and self._fresh(held[0]):
            return cast("T", held[1])
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
        """Remember what an answer has shown, as long as an answer itself is believed; `keep`: on disk too."""
        if self.enabled:
            self._held[name] = (self.clock(), found)
            file = self._file(name) if keep else None
            if file is not None:
                self._store(file, found, self.clock())

    def noted(self, name: str, *, keep: bool = True) -> JSON:
        """What was remembered so; None where nothing is."""
        held = self._held.get(name)
        if keep and held is None and (file := self._file(name)) is not None and self.enabled:
            held = self._load(file, lambda answer: answer)
        return cast("JSON", held[1]) if held is not None and self._fresh(held[0]) else None

    def _lock(self, name: str) -> asyncio.Lock:
        """Of reads under way at once on one loop, one asks and the others wait for its answer."""
        from bx24frames.engine.runner import loop_here

        locks = self._locks.setdefault(loop_here(), {})
        return locks.setdefault(name, asyncio.Lock())

    def age(self, name: str) -> float:
        """Seconds since the portal gave the answer in memory; 0 where there is none."""
        held = self._held.get(name)
        return max(0.0, self.clock() - held[0]) if held is not None else 0.0

    def forget(self, name: str) -> None:
        """Ask anew next time."""
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

    def kept(self, name: str, read: Callable[[JSON], T]) -> T | None:
        """What `read` makes of an answer in memory or on disk, however old; None where there is none. Asks nothing."""
        held = self._held.get(name)
        if held is not None:
            return cast("T", held[1])
        file = self._file(name)
        found = self._load(file, read, fresh=False) if file is not None else None
        return None if found is None else found[1]

    def _load(self, file: Path, read: Callable[[JSON], T], *, fresh: bool = True) -> tuple[float, T] | None:
        """An answer kept before; None where there is none, or the file is not what was written."""
        try:
            kept = orjson.loads(file.read_bytes())
            at = float(kept["at"])
            if kept["format"] != FORMAT or (fresh and not self._fresh(at)):
                return None
            return at, read(kept["answer"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, AttributeError, BX24Error) as fault:
            warnings.warn(f"A file of remembered answers is unreadable and is replaced: {fault!r:.80}", stacklevel=2)
            return None

    def _store(self, file: Path, answer: JSON, at: float) -> None:
        try:
            write_private(file, orjson.dumps({"format": FORMAT, "at": at, "answer": answer}).decode())
        except OSError as fault:
            self.folder = None
            warnings.warn(f"What the portal says of its tables is not kept on disk: {fault.strerror}", stacklevel=2)


def open_cache(host: str, key: str, *, enabled: bool = True, lasting: bool = True) -> Cache:
    """Open what is remembered of one portal for one credential.

    Parameters
    ----------
    host : str
        With its port, if it has one.
    key : str
        Tells credentials apart and holds no secret; only its hash names the folder.
    enabled : bool
    lasting : bool
        Whether the key names the same credential in every process; a function of the user's has none such.
    """
    here = is_loopback(without_port(host)) and os.environ.get(LOOPBACK) != "1"
    return Cache(None if here or not (enabled and lasting) else _folder() / _digest(key), enabled)


def _folder() -> Path:
    import platformdirs

    given = os.environ.get(FOLDER)
    return Path(given).expanduser() if given else platformdirs.user_cache_path("bx24frames") / "metadata"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]
