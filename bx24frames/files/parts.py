"""Parts of an unfinished file: Arrow streams in a folder beside it, and the checkpoint behind their last row."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.errors import BX24Error, ConfigError
from bx24frames.files.files_out import check_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Lock", "Parts", "lock_folder"]

CHECKPOINT: Final = "checkpoint.json"
DRAFT: Final = "draft"
LOCK: Final = "lock"
_OURS: Final = re.compile(r"(\d{6}\.arrow|checkpoint\.json)(\.new)?|draft|lock")
_VERSION: Final = 2
_BUSY: Final = "Another process is writing the same file"

Lock: TypeAlias = sqlite3.Connection
"""A held lock; closing it releases it."""


@dataclass(slots=True)
class _Reached:
    """Content of the checkpoint: the command, and how far its rows are stored."""

    command: Mapping[str, object]
    columns: list[str] | None
    parts: int = 0
    rows: int = 0
    scan: str | None = None
    whole: bool = False
    version: int = _VERSION


class Parts:
    """The folder ``FILE.part``: Arrow streams, one per chunk, and ``checkpoint.json``, which lists those that count.

    A part counts once the checkpoint, which is replaced atomically, names it, so a process may end at any point. A
    running process holds ``lock``; another one that writes the same file is refused.

    Parameters
    ----------
    folder : pathlib.Path
    lock : sqlite3.Connection
    reached : _Reached
    """

    def __init__(self, folder: Path, lock: sqlite3.Connection, reached: _Reached) -> None:
        self.folder = folder
        self._lock = lock
        self._reached = reached

    @staticmethod
    def folder_of(target: Path) -> Path:
        """The folder for the rows of an unfinished file."""
        return target.with_name(f"{target.name}.part")

    @classmethod
    def begin(cls, target: Path, command: Mapping[str, object], columns: list[str] | None) -> Parts:
        """Start a new read; the remains of an earlier read of the same file are removed.

        Raises
        ------
        ConfigError
            The folder contains foreign files, or another process is writing the same file.
        OSError
            The folder cannot be created.
        """
        folder = cls.folder_of(target)
        _check_ours(folder)
        check_folder(str(target))
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = lock_folder(folder, _BUSY)
        try:
            _clear(folder)
            kept = cls(folder, lock, _Reached(_plain(command), columns))
            kept._save()
        except BaseException:
            lock.close()
            raise
        return kept

    @classmethod
    def found(cls, target: Path, command: Mapping[str, object]) -> Parts | None:
        """The remains of an earlier read of the same file; None if there are none.

        Raises
        ------
        ConfigError
            The earlier command differs, its checkpoint is invalid, or another process is writing the same file.
        """
        folder = cls.folder_of(target)
        path = folder / CHECKPOINT
        _check_ours(folder)
        if not path.exists():
            return None
        try:
            reached = _Reached(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as fault:
            raise ConfigError(
                f"{path} is not a valid checkpoint: {fault}", guidance="Leave out --resume to start again."
            ) from None
        before, now = reached.command, _plain(command)
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if changed or reached.version != _VERSION:
            told = "; ".join(f"{name} was {_said(before.get(name))}, is {_said(now.get(name))}" for name in changed)
            raise ConfigError(
                f"{folder} holds the rows of a different command: {told or 'of another version'}",
                guidance="Give the same command as before, or leave out --resume to start again.",
            )
        return cls(folder, lock_folder(folder, _BUSY), reached)

    @property
    def columns(self) -> list[str] | None:
        """The columns of the parts; None if only the rows determine them."""
        return self._reached.columns

    @property
    def rows(self) -> int:
        """Number of rows stored."""
        return self._reached.rows

    @property
    def scan(self) -> str | None:
        """Text of the scan's checkpoint behind the last row stored; None if the read cannot be resumed."""
        return self._reached.scan

    @property
    def whole(self) -> bool:
        """Whether all rows of the read are stored."""
        return self._reached.whole

    @property
    def draft(self) -> Path:
        """Path under which the file is assembled."""
        return self.folder / DRAFT

    def add(self, table: pa.Table, scan: str | None) -> None:
        """Store the next rows.

        Raises
        ------
        ConfigError
            Their columns differ from those stored before: the entity's fields were changed meanwhile.
        """
        reached = self._reached
        if reached.parts and not self._schema().equals(table.schema, check_metadata=False):
            raise ConfigError(
                "The fields of the entity were changed since this read began: columns have other types",
                guidance="Leave out --resume to start again.",
            )
        _write_part(self.folder / _part(reached.parts), table)
        reached.parts += 1
        reached.rows += table.num_rows
        reached.scan = scan
        self._save()

    def close(self) -> None:
        """Record that all rows are stored."""
        self._reached.whole = True
        self._save()

    def tables(self) -> Iterator[pa.Table]:
        """Yield the stored rows, part by part."""
        import pyarrow as pa

        for number in range(self._reached.parts):
            with pa.OSFile(str(self.folder / _part(number)), "rb") as source, pa.ipc.open_stream(source) as stream:
                yield stream.read_all()

    def leave(self) -> None:
        """Keep the rows for a later --resume."""
        self._lock.close()

    def discard(self) -> None:
        """Remove the folder."""
        # renamed first, so that a read that starts now creates its own folder
        gone = self.folder.with_name(f"{self.folder.name}.{os.getpid()}")
        self._lock.close()
        self.folder.rename(gone)
        shutil.rmtree(gone)

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        with pa.OSFile(str(self.folder / _part(0)), "rb") as source, pa.ipc.open_stream(source) as stream:
            return stream.schema

    def _save(self) -> None:
        path = self.folder / CHECKPOINT
        fresh = path.with_name(f"{CHECKPOINT}.new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(self._reached), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def lock_folder(
    folder: Path,
    busy: str,
    guidance: str = "Wait until it has finished, or name another file.",
    error: type[BX24Error] = ConfigError,
) -> Lock:
    """Lock a folder by SQLite: the lock is released on every system however the process ends.

    Raises
    ------
    BX24Error
        Another process holds it: `busy`, and the folder. It is of the class `error`.
    """
    lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        # no journal on disk, which a killed process would leave behind
        lock.execute("PRAGMA journal_mode=MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        raise error(f"{busy}: it holds {folder}", guidance=guidance) from None
    return lock


def _part(number: int) -> str:
    return f"{number:06}.arrow"


def _write_part(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        # a stream, not a file: only streams allow a later batch to have other captions
        # https://arrow.apache.org/docs/format/Columnar.html#dictionary-messages
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(file, table.schema, options=options) as stream:
            stream.write_table(table)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _check_ours(folder: Path) -> None:
    """Refuse a folder that someone else made: a link in its place would direct the rows elsewhere."""
    if folder.is_symlink():
        raise ConfigError(f"{folder} is needed for unfinished rows, but is a link", guidance="Remove it.")
    entries = list(folder.iterdir()) if folder.exists() else []
    strange = [entry.name for entry in entries if entry.is_symlink() or not _OURS.fullmatch(entry.name)]
    if strange:
        raise ConfigError(f"{folder} is needed for unfinished rows, but contains the foreign file {strange[0]}")


def _clear(folder: Path) -> None:
    """Remove the remains of an earlier read, beginning with the checkpoint."""
    (folder / CHECKPOINT).unlink(missing_ok=True)
    for left in folder.iterdir():
        if left.name != LOCK:
            left.unlink()


def _plain(command: Mapping[str, object]) -> Mapping[str, object]:
    """The command after a round trip through JSON."""
    plain: Mapping[str, object] = json.loads(json.dumps(command, default=str))
    return plain


def _said(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
