"""Journal folder: where journals without an explicit path are, and which journal an upload begins or continues."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from bx24frames.errors import BX24Error, ConfigError, UnfinishedUpload, ValidationError
from bx24frames.upload.journal import Identity, Journal, is_finished, reopen
from bx24frames.upload.journal_file import unreadable, unusable
from bx24frames.upload.repetition import warn_of_repetition

__all__ = ["Resume", "default_path", "guard_again", "home", "open_journal", "sweep"]

Resume = str | Path | Literal[False] | None
"""A journal to continue or begin; False: insert once more what a journal has begun; None: the usual place."""

KEEP_DAYS: Final = 30
"""Days for which a finished journal in the user's state folder is kept."""
KEY_BYTES: Final = 32
ROWS_SHOWN: Final = 10


def home() -> Path:
    """The folder of journals without an explicit path."""
    import platformdirs

    return platformdirs.user_state_path("bx24frames") / "uploads"


def open_journal(identity: Identity, resume: Resume, *, called_at: float) -> Journal:
    """Open the journal of an upload: a new one, or the one to continue.

    Parameters
    ----------
    called_at : float
        When the upload was called, in seconds since the epoch: if the same insert has finished since then, the two ran
        at the same time.

    Raises
    ------
    UnfinishedUpload
        The same insert was started before and `resume` does not say what to do, or it is running now.
    ConfigError
        The journal cannot be used, or is damaged.
    ValidationError
        The journal belongs to another frame; the message names the differing rows.
    """
    if resume is None or resume is False:
        return _fresh(identity, called_at, forced=resume is False)
    path = Path(resume)
    journal = Journal(path, identity)
    try:
        differing = journal.differing(identity)
        if differing is None or differing:
            raise _other(path, differing, identity)
        journal.take_over()
    except BaseException:
        journal.abandon()
        raise
    return journal


def _fresh(identity: Identity, called_at: float, *, forced: bool) -> Journal:
    _prepare()
    sweep()
    path = default_path(identity)
    _guard_old(identity, forced=forced)
    return _opened(path, identity, called_at, forced=forced)


def _opened(path: Path, identity: Identity, called_at: float, *, forced: bool) -> Journal:
    try:
        journal = Journal(path, identity)
    except UnfinishedUpload:
        raise
    except ConfigError:
        if not (forced and path.is_file()):
            raise
        set_aside(path)
        return _opened(path, identity, called_at, forced=forced)
    if journal.new:
        return journal
    try:
        return _again(journal, identity, called_at, forced=forced)
    except BaseException:
        journal.abandon()
        raise


def _again(journal: Journal, identity: Identity, called_at: float, *, forced: bool) -> Journal:
    """The journal of an upload that was run before."""
    path = journal.path
    if identity.mode == "insert" and journal.finished_at is not None and journal.finished_at >= called_at:
        raise UnfinishedUpload(
            f"The same upload was running when this one was called, and has inserted its {len(identity.hashes):,} "
            f"rows into {identity.entity} since: {path}",
            journal=path,
            guidance="Nothing is left to do. To insert the rows a second time, repeat the call.",
        )
    if identity.mode == "insert" and journal.begun():
        if not forced:
            raise UnfinishedUpload(
                f"An earlier insert of the same {len(identity.hashes):,} rows into {identity.entity} was not finished: "
                f"{path}",
                journal=path,
                guidance=f"To continue it: resume={str(path)!r}. To insert all rows again: resume=False.",
            )
        journal.abandon()
        set_aside(path)
        return _opened(path, identity, called_at, forced=forced)
    if journal.finished_at is not None:
        kept = keep_aside(path)
        if identity.mode == "insert" and not forced:
            warn_of_repetition(journal, identity, kept)
    # A killed upsert's requests may still be in flight: look-ups must wait for them.
    journal.take_over()
    journal.restart(identity, journal.in_doubt() if identity.mode == "upsert" else {})
    return journal


def _other(path: Path, differing: Sequence[int] | None, identity: Identity) -> ValidationError:
    if differing is None:
        return ValidationError(
            f"The journal {path} is for another upload than this {identity.mode} of {len(identity.hashes):,} rows",
            entity=identity.entity,
            guidance="Resume with the same frame, entity and mode, or name another journal.",
        )
    shown = ", ".join(map(str, differing[:ROWS_SHOWN])) + (", ..." if len(differing) > ROWS_SHOWN else "")
    return ValidationError(
        f"The frame differs from the one in the journal {path}: {len(differing):,} rows differ ({shown})",
        entity=identity.entity,
        rows=differing,
        guidance="Resume with the original frame; send changed rows separately with mode='update'.",
    )


def guard_again(path: Path | None) -> None:
    """Guard a finished upload whose caller was interrupted before it got the report: run again, it raises.

    A journal that cannot be written any more guards nothing; the interruption is reported all the same.
    """
    if path is None:
        return
    with contextlib.suppress(BX24Error):
        reopen(path)


# --- the folder -----------------------------------------------------------------------------------


def default_path(identity: Identity) -> Path:
    """The path of an upload's journal in the user's state folder.

    The name has a keyed hash of the frame, so that no value can be guessed from a path in a log.
    """
    tag = hashlib.blake2b(identity.fingerprint.encode(), digest_size=8, key=_key()).hexdigest()
    name = "-".join(_plain(part) for part in (identity.host, identity.entity, identity.mode, tag))
    return home() / f"{name}.journal"


def _prepare() -> None:
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name != "nt":
            folder.chmod(0o700)
    except OSError as error:
        raise unusable(folder, error) from error


def _key() -> bytes:
    """The key of the names in the folder, created with its first journal.

    Raises
    ------
    ConfigError
        The key is gone or damaged, so that the journals in the folder cannot be told apart.
    """
    path = home() / "key"
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise unusable(path, error) from error
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"The key of the journals, {path}, is damaged",
            guidance="If no upload recorded in its folder is unfinished, move the folder away.",
        )
    return key


def _create_key(path: Path) -> None:
    if any(home().glob("*.journal")) and not path.exists():  # looked at again: another process may just have made it
        raise ConfigError(
            f"The key of the journals, {path}, is gone: it cannot be told which of them is of this upload",
            guidance="If no upload recorded in its folder is unfinished, move the folder away.",
        )
    draft = path.with_name(f".key.{secrets.token_hex(8)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def sweep(now: float | None = None) -> None:
    """Delete old finished journals from the user's state folder."""
    moment = time.time() if now is None else now
    for path in (*home().glob("*.journal"), *home().glob("*.sqlite")):
        if _changed_at(path) < moment - KEEP_DAYS * 86_400 and _swept(path):
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)


def _swept(path: Path) -> bool:
    """Whether a journal is known to be finished; one that cannot be read is not."""
    try:
        return _old_state(path) == "finished" if path.suffix == ".sqlite" else is_finished(path)
    except BX24Error:
        return False


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process is also sweeping
        return math.inf


def set_aside(path: Path) -> Path:
    """Rename a journal, so that its path is free and its content is kept."""
    for number in range(1, 10_000):
        aside = path.with_name(f"{path.stem}.{number}{path.suffix}")
        if not aside.exists():
            path.rename(aside)
            return aside
    raise _too_many(path)


def keep_aside(path: Path) -> Path:
    """Give the journal at a path, which is open and locked, a second name: it is kept when the path is replaced."""
    for number in range(1, 10_000):
        aside = path.with_name(f"{path.stem}.{number}{path.suffix}")
        try:
            os.link(path, aside)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            if aside.exists():
                continue
            shutil.copyfile(path, aside)
            aside.chmod(0o600)
        return aside
    raise _too_many(path)


def _too_many(path: Path) -> ConfigError:
    return ConfigError(f"There are too many journals next to {path}", guidance="Move the finished ones away.")


def _plain(text: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in text)


# --- journals of earlier versions -----------------------------------------------------------------


def _guard_old(identity: Identity, *, forced: bool) -> None:
    """Refuse an insert that an earlier version has begun in its SQLite journal, unless it is forced."""
    parts = (identity.host, identity.entity, identity.mode, identity.fingerprint[:16])
    path = home() / f"{'-'.join(_plain(part) for part in parts)}.sqlite"
    if identity.mode != "insert" or forced or not path.exists() or _old_state(path) == "finished":
        return
    raise UnfinishedUpload(
        f"An earlier version of bx24frames began to insert the same {len(identity.hashes):,} rows into "
        f"{identity.entity}, and its journal is unfinished: {path}",
        journal=path,
        guidance="Finish it with that version, or compare the frame with the portal; resume=False inserts all rows.",
    )


def _old_state(path: Path) -> str:
    """The state of an upload in a journal of an earlier version."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT value FROM about WHERE name = 'state'").fetchone()
    except (sqlite3.Error, ValueError) as error:
        raise unreadable(path, str(error)) from error
    return "" if found is None else str(found[0])
