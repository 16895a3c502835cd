"""Journal of an upload: intents before requests, outcomes after them; in SQLite, safe against a crash at any time."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final, cast

from bx24frames.errors import Action, BX24Error, ConfigError, UnfinishedUpload
from bx24frames.upload.outcomes import Outcome, PathTaken

VERSION: Final = "4"
KEEP_DAYS: Final = 30
"""Days for which a finished journal in the user's state folder is kept."""
HASH_BYTES: Final = 8
LOCK_WAIT: Final = 0.2
"""Seconds to wait for a journal that another process has open."""

_SCHEMA: Final = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE frame (hashes BLOB NOT NULL);
CREATE TABLE intents (
    seq INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, action TEXT NOT NULL, sent_at REAL NOT NULL
);
CREATE TABLE fates (
    fate INTEGER PRIMARY KEY, action TEXT NOT NULL, code TEXT, message TEXT, "column" TEXT, attempts INTEGER NOT NULL,
    path TEXT
);
CREATE TABLE outcomes (position INTEGER PRIMARY KEY, id, fate INTEGER NOT NULL);
"""
_TABLES: Final = ("about", "frame", "intents", "fates", "outcomes")
_TOLD: Final = (
    'SELECT position, action, id, code, message, "column", attempts, path FROM outcomes JOIN fates USING (fate)'
)
_FATES: Final = 'SELECT fate, action, code, message, "column", attempts, path FROM fates'
_INTEND: Final = "INSERT INTO intents (first, last, action, sent_at) VALUES (?, ?, ?, ?)"
_SENT: Final = "SELECT first, last, action, sent_at FROM intents ORDER BY seq"
_WRITTEN: Final = (
    "SELECT count(*) FROM outcomes JOIN fates USING (fate) "
    "WHERE action IN ('inserted', 'updated', 'unchanged', 'deleted')"
)
_KNOWN: Final = "SELECT position FROM outcomes JOIN fates USING (fate) WHERE action <> 'unknown'"
_fate: Final = attrgetter("action", "code", "message", "column", "attempts", "path")
"""An outcome without position and id: usually the same for all rows of a request, so it is stored once."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The last intended action of a row, when it was sent (seconds since the epoch), and how often."""

    action: Action
    sent_at: float
    times: int = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a journal's upload. `fingerprint`: of the frame, `hashes`: of each of its rows."""

    host: str
    credential: str
    entity: str
    mode: str
    fingerprint: str
    hashes: Sequence[bytes]

    def facts(self) -> dict[str, str]:
        """The facts that must be equal for an upload to be the same."""
        return {"host": self.host, "entity": self.entity, "mode": self.mode, "rows": str(len(self.hashes))}


class Journal:
    """The intents and outcomes of one upload, in one file.

    Outcomes are buffered until the next intent, which is written before its request is sent: a crash may lose outcomes
    but never intents, so a row is at worst looked up, and never blindly sent again.
    """

    def __init__(self, path: Path, identity: Identity, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._held: list[Outcome] = []
        self._fates: dict[tuple[object, ...], int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _open(path)
            tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except (sqlite3.Error, OSError) as error:
            raise _unusable(path, error) from None
        self.new = not tables
        if self.new:
            self.restart(identity)
        elif "about" not in tables or self.fact("version") != VERSION:
            self.abandon()
            raise ConfigError(f"{path} is not a journal of this version of bx24frames", guidance="Name another file.")
        else:
            self._fates = {tuple(fate): number for number, *fate in self._db.execute(_FATES)}

    def restart(self, identity: Identity, doubts: Mapping[int, Intent] | None = None) -> None:
        """Reset the journal, except for rows in `doubts` and when they were sent."""
        facts = {**identity.facts(), "version": VERSION, "fingerprint": identity.fingerprint, "state": "open"}
        with self._changing():
            self._db.execute("BEGIN IMMEDIATE")  # sqlite3 does not begin one for DDL
            for name in _TABLES:
                self._db.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.executemany("INSERT INTO about VALUES (?, ?)", facts.items())
            self._db.execute("INSERT INTO frame VALUES (?)", (b"".join(identity.hashes),))
            sent = [(position, position, intent.action, intent.sent_at) for position, intent in (doubts or {}).items()]
            self._db.executemany(_INTEND, sent)
        self._fates.clear()
        self.new = True

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One transaction; a full disk ends the upload with an error that has a report."""
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

    # --- reading ---------------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """A fact about the upload."""
        row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, **facts: str) -> None:
        """Store facts at once."""
        with self._changing():
            self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", facts.items())

    def differing(self, identity: Identity) -> list[int] | None:
        """Rows in which a frame differs from the journal's; None if the journal belongs to another upload."""
        if any(self.fact(name) != value for name, value in identity.facts().items()):
            return None
        (stored,) = self._db.execute("SELECT hashes FROM frame").fetchone()
        found = [
            position
            for position, hash_ in enumerate(identity.hashes)
            if stored[position * HASH_BYTES : (position + 1) * HASH_BYTES] != hash_
        ]
        # the same values under other columns or with another key are another upload
        return found if found or self.fact("fingerprint") == identity.fingerprint else None

    def begun(self) -> bool:
        """Whether the upload is unfinished and may have written rows, which a repetition would duplicate."""
        return self.fact("state") == "open" and bool(self.in_doubt() or self._db.execute(_WRITTEN).fetchone()[0])

    def outcomes(self) -> Iterator[Outcome]:
        """The recorded outcomes."""
        for row in self._db.execute(_TOLD):
            position, action, id_, code, message, column, attempts, path = row
            yield Outcome(
                position, cast("Action", action), id_, code, message, column, attempts, cast("PathTaken | None", path)
            )

    def in_doubt(self) -> dict[int, Intent]:
        """The positions that were sent and have no outcome or an unknown one."""
        found: dict[int, Intent] = {}
        for first, last, action, sent_at in self._db.execute(_SENT):
            for position in range(first, last + 1):
                known = found.get(position)
                found[position] = Intent(action, sent_at, known.times + 1 if known else 1)
        for (position,) in self._db.execute(_KNOWN):
            found.pop(position, None)
        for outcome in self._held:
            if outcome.action != "unknown":
                found.pop(outcome.position, None)
        return found

    # --- writing ---------------------------------------------------------------------------------

    def intend(self, positions: Iterable[int], action: Action) -> None:
        """Record that these rows are about to be inserted, updated or deleted; their request may be sent afterwards."""
        now = self._clock()
        runs = list(_runs(positions))
        with self._changing():
            self._flush()
            self._db.executemany("DELETE FROM outcomes WHERE position BETWEEN ? AND ?", runs)  # of an earlier attempt
            self._db.executemany(_INTEND, ((*run, action, now) for run in runs))

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Record outcomes of rows."""
        self._held.extend(outcomes)

    def close(self, *, rows: int) -> None:
        """Write the last outcomes; the upload is finished if every row has a final outcome."""
        try:
            with self._changing():
                self._flush()
                (done,) = self._db.execute(_WRITTEN).fetchone()
                if done == rows:
                    self._db.execute("UPDATE about SET value = 'finished' WHERE name = 'state'")
        finally:
            self._db.close()

    def abandon(self) -> None:
        """Close the file without writing the last outcomes."""
        self._db.close()

    def _flush(self) -> None:
        rows = [(one.position, one.id, self._number(one)) for one in self._held]
        used = {number for _, _, number in rows}
        fates = ((number, *fate) for fate, number in self._fates.items() if number in used)
        self._db.executemany("INSERT OR IGNORE INTO fates VALUES (?, ?, ?, ?, ?, ?, ?)", fates)
        self._db.executemany("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)", rows)
        self._held.clear()

    def _number(self, outcome: Outcome) -> int:
        return self._fates.setdefault(_fate(outcome), len(self._fates))


def _runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Positions as runs of consecutive numbers, which the rows of a request mostly are."""
    first = last = -1
    for position in sorted(positions):
        if first >= 0 and position == last + 1:
            last = position
            continue
        if first >= 0:
            yield first, last
        first = last = position
    if first >= 0:
        yield first, last


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=LOCK_WAIT, isolation_level="IMMEDIATE", check_same_thread=False)
    # Held until the journal is closed or its process ends in any way: one upload, one process.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    # A power cut must not undo an intent whose request was sent.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def home() -> Path:
    """The folder of journals without an explicit path."""
    import platformdirs

    return platformdirs.user_state_path("bx24frames") / "uploads"


def default_path(identity: Identity) -> Path:
    """The path of an upload's journal in the user's state folder."""
    name = "-".join(_plain(part) for part in (identity.host, identity.entity, identity.mode, identity.fingerprint[:16]))
    return home() / f"{name}.sqlite"


def sweep(now: float | None = None) -> None:
    """Delete old finished journals from the user's state folder."""
    moment = time.time() if now is None else now
    for path in home().glob("*.sqlite"):
        if _changed_at(path) < moment - KEEP_DAYS * 86_400 and _facts(path).get("state") == "finished":
            remove(path)


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
            path.rename(aside)  # a closed journal is one file: SQLite has merged the files beside it
            return aside
    raise ConfigError(f"There are too many journals next to {path}")


def remove(path: Path) -> None:
    """Delete a journal and SQLite's files next to it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _facts(path: Path) -> Mapping[str, str]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT name, value FROM about"))
    except sqlite3.Error:
        # In use or corrupt: a journal that cannot be read is not known to be finished.
        return {}


def _unusable(path: Path, error: Exception) -> BX24Error:
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UnfinishedUpload(
            f"The same upload is running now, in this process or another: its journal {path} is in use",
            journal=path,
            guidance="Wait for it to finish; if its process is killed, the journal is released at once.",
        )
    return ConfigError(
        f"The journal {path} cannot be used: {error}",
        guidance="Name another file in resume=; by default journals are in the user's state folder (XDG_STATE_HOME).",
    )


def _plain(text: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in text)
