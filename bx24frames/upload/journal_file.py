"""Journal file: an append-only log of checked records in one file, complete by itself whenever it is read or copied.

The first line has the length that is safely on disk, and the number that the file system gave to the file. Each further
line is a group of records as JSON with a checksum over all lines before it. Damage up to that length is an error; what
follows it was being written when the process or the machine stopped, and no request was sent for it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import stat
import sys
import time
import weakref
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import orjson

from bx24frames.errors import ConfigError, UnfinishedUpload

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON

Record = Sequence["JSON"]

MAGIC: Final = b"bx24frames journal 5 "
SQLITE: Final = b"SQLite format 3\x00"
"""The first bytes of the journals of earlier versions."""
LOCK_WAIT: Final = 0.2
"""Seconds to wait for a journal that another process has open."""
_POLL: Final = 0.01
_HEAD: Final = len(MAGIC) + 16 + 1 + 16 + 1 + 8 + 1
_TAIL: Final = 1 + 8 + 1
_BINARY: Final = getattr(os, "O_BINARY", 0)
_LOCKED_BYTE: Final = 1 << 62
"""Where Windows locks a byte: behind every content, so that copies can be made."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})

_sync = getattr(os, "fdatasync", os.fsync)


class JournalInUse(UnfinishedUpload):
    """Another upload has the journal open."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The same upload is running now, in this process or another: its journal {path} is in use",
            journal=path,
            guidance="Wait for it to finish; if its process is killed, the journal is released at once.",
        )


class JournalFile:
    """One open and locked journal file.

    Attributes
    ----------
    path : pathlib.Path
        As it was named by the user.
    copied : bool
        The file is not the one that was written, but a copy of it, which may lack what was recorded later.
    """

    def __init__(self, path: Path, descriptor: int, number: int) -> None:
        self.path = path
        self.copied = False
        self._fd = descriptor
        self._number = number
        self._end = _HEAD
        self._check = 0
        _open_files.add(self)

    def append(self, records: Sequence[Record]) -> None:
        """Add records, all or none, and return when they are on disk.

        Raises
        ------
        ConfigError
            The disk is full or fails; the file is as it was before.
        """
        line, check = _line(records, self._check)
        try:
            _write(self._fd, line, self._end)
            _sync(self._fd)
            end = self._end + len(line)
            # after the records: a length on disk is never ahead of them
            _write(self._fd, _head(end, self._number), 0)
        except OSError as error:
            raise unusable(self.path, error) from error
        self._end, self._check = end, check

    def load(self) -> list[Record]:
        """Read all records.

        Raises
        ------
        ConfigError
            The file is damaged or cut off, or is not a journal.
        """
        try:
            data = _read(self._fd)
        except OSError as error:
            raise unusable(self.path, error) from error
        committed, number = _parsed_head(self.path, data)
        self.copied = number != self._number
        if len(data) < committed:
            missing = committed - len(data)
            raise unreadable(self.path, f"it is cut off, {missing:,} bytes are missing at its end")
        records: list[Record] = []
        for group, check, end in _groups(data):
            records += group
            self._check, self._end = check, end
        if self._end < committed:
            raise unreadable(self.path, f"it is damaged after its first {self._end:,} bytes")
        return records

    def close(self) -> None:
        """Release the file."""
        if self._fd >= 0:
            _unlock(self._fd)
            os.close(self._fd)
            self._fd = -1

    def leave(self) -> None:
        """Close the descriptor without giving up a lock: in the child of a fork the lock is the parent's."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_open_files: weakref.WeakSet[JournalFile] = weakref.WeakSet()


def _leave_all() -> None:
    for file in list(_open_files):
        with contextlib.suppress(OSError):
            file.leave()


def open_file(path: Path) -> JournalFile | None:
    """Open and lock the file at a path; None if there is none.

    Raises
    ------
    JournalInUse
        Another upload has it open.
    ConfigError
        It cannot be opened.
    """
    latest = time.monotonic() + LOCK_WAIT
    while True:
        try:
            descriptor = _opened(path)
            if descriptor is None:
                return None
            if _lock(descriptor):
                _private(descriptor)
                number = _number(descriptor)
                if _is_at(path, descriptor):
                    return JournalFile(path, descriptor, number)
                latest = time.monotonic() + LOCK_WAIT  # replaced or removed in between: look again
            os.close(descriptor)
        except OSError as error:
            raise unusable(path, error) from error
        if time.monotonic() > latest:
            raise JournalInUse(path)
        time.sleep(_POLL)


def create_file(path: Path, records: Sequence[Record], *, replace: bool = False) -> bool:
    """Create a journal with its first records; False if the path exists by now and is not to be replaced.

    The file appears under its name complete: at no moment is there an empty one.

    Raises
    ------
    ConfigError
        It cannot be created.
    """
    real = Path(os.path.realpath(path))
    draft = real.with_name(f".{real.name}.{secrets.token_hex(8)}.draft")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        file = JournalFile(path, descriptor, _number(descriptor))
        try:
            file.append(records)
            file.leave()  # Windows renames no open file
            return _placed(draft, real, replace=replace)
        finally:
            file.leave()
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(path, error) from error


def read_journal(path: Path) -> list[Record]:
    """Read the records of a journal, which may be in use.

    Raises
    ------
    ConfigError
        It is damaged, or is not a journal.
    """
    try:
        descriptor = _opened(path)
        if descriptor is None:
            raise unreadable(path, "it does not exist")
        file = JournalFile(path, descriptor, _number(descriptor))
    except OSError as error:
        raise unusable(path, error) from error
    try:
        return file.load()
    finally:
        file.leave()


def unreadable(path: Path, why: str) -> ConfigError:
    """The error of a journal that exists and cannot be read: its rows may be in the portal."""
    return ConfigError(
        f"The journal {path} cannot be read: {why}",
        guidance="It may record rows that are in the portal. Restore it from a backup; or compare the frame with the "
        "portal, and upload the missing rows with a new path in resume=, or with resume=False.",
    )


def unusable(path: Path, error: Exception) -> ConfigError:
    """The error of a journal that the system refuses to open or to write."""
    return ConfigError(
        f"The journal {path} cannot be used: {getattr(error, 'strerror', None) or error}",
        guidance="Name another file in resume=; by default journals are in the user's state folder (XDG_STATE_HOME).",
    )


# --- bytes ----------------------------------------------------------------------------------------


def _head(end: int, number: int) -> bytes:
    text = MAGIC + f"{end:016x} {number:016x}".encode()
    return text + f" {zlib.crc32(text):08x}\n".encode()


def _parsed_head(path: Path, data: bytes) -> tuple[int, int]:
    """The length that is on disk, and the number of the file that was written."""
    if data.startswith(SQLITE):
        raise unreadable(
            path, "it is not a journal of this version of bx24frames, but an SQLite database, as earlier ones were"
        )
    head = data[:_HEAD]
    if not data:
        raise unreadable(path, "it is empty, which a journal never is")
    if not head.startswith(MAGIC):
        raise unreadable(path, "it is not a journal of this version of bx24frames")
    try:
        end, number = (int(text, 16) for text in head[len(MAGIC) :].split()[:2])
    except ValueError:
        end = number = -1
    if end < 0 or head != _head(end, number):
        raise unreadable(path, "its first line is damaged")
    return end, number


def _line(records: Sequence[Record], check: int) -> tuple[bytes, int]:
    try:
        body = orjson.dumps(records)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits, that a portal sent
        body = b" " + json.dumps(records).encode()
    check = zlib.crc32(body, check)
    return body + f" {check:08x}\n".encode(), check


def _groups(data: bytes) -> Iterator[tuple[list[Record], int, int]]:
    """The groups of records up to the first line that is not whole, each with its checksum and its end."""
    start, check = _HEAD, 0
    while (stop := data.find(b"\n", start)) >= 0:
        line = data[start : stop + 1]
        body = line[:-_TAIL]
        check = zlib.crc32(body, check)
        if line[-_TAIL:] != f" {check:08x}\n".encode():
            return
        loads = json.loads if body.startswith(b" ") else orjson.loads
        yield cast("list[Record]", loads(body)), check, stop + 1
        start = stop + 1


def _write(descriptor: int, data: bytes, at: int) -> None:
    os.lseek(descriptor, at, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


# --- the file system ------------------------------------------------------------------------------


def _opened(path: Path) -> int | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its other end
            raise unreadable(path, "it is not a file")
        return os.open(path, os.O_RDWR | _BINARY)
    except FileNotFoundError:
        return None


def _number(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino & (1 << 64) - 1


def _is_at(path: Path, descriptor: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _private(descriptor: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # another owner's file
            os.fchmod(descriptor, 0o600)


def _placed(draft: Path, path: Path, *, replace: bool) -> bool:
    """Give a complete file its name; False if the name is taken."""
    if replace:
        draft.replace(path)
    else:
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():  # a file system without links: two processes at this very moment are not told apart
                return False
            draft.replace(path)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power cut."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        """Lock a file for this open descriptor; the system releases it when the process ends in any way."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)
