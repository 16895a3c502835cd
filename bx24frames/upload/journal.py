"""The journal of one upload: what was about to be sent, what came of it; SQLite, safe against a crash at any moment."""

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
"""Days a finished journal in the user's own folder is kept."""
HASH_BYTES: Final = 8
LOCK_WAIT: Final = 0.2
"""Seconds to wait for a journal that somebody else has open."""

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
"""All of an outcome but whose it is and the id: mostly the same for every row of a request, so it is kept once."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What was last to become of a row that was sent, when (seconds since the epoch), and how often it was sent."""

    action: Action
    sent_at: float
    times: int = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Which upload a journal is of. `fingerprint`: of the frame, `hashes`: of each of its rows."""

    host: str
    credential: str
    entity: str
    mode: str
    fingerprint: str
    hashes: Sequence[bytes]

    def facts(self) -> dict[str, str]:
        """What must be the same for an upload to be the same."""
        return {"host": self.host, "entity": self.entity, "mode": self.mode, "rows": str(len(self.hashes))}


class Journal:
    """One upload's intents and outcomes, in one file.

    Outcomes are held back until the next intent, which is written before its request leaves: what a crash takes
    with it are outcomes, never intents, so a row is at worst looked for, and never sent blindly again.
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
            raise ConfigError(f"{path} is no journal of this version of bx24frames", guidance="Name another file.")
        else:
            self._fates = {tuple(fate): number for number, *fate in self._db.execute(_FATES)}

    def restart(self, identity: Identity, doubts: Mapping[int, Intent] | None = None) -> None:
        """Begin anew: what the journal said is forgotten, except for rows `doubts` and when they were sent."""
        facts = {**identity.facts(), "version": VERSION, "fingerprint": identity.fingerprint, "state": "open"}
        with self._changing():
            self._db.execute("BEGIN IMMEDIATE")  # sqlite3 begins none by itself for tables
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
        """One transaction; a disk that is full ends an upload as an error of its own, with a report."""
        try:
            with self._db:
                yield
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error

    # --- what it says --------------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """One fact about the upload."""
        row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, **facts: str) -> None:
        """Write facts down at once."""
        with self._changing():
            self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", facts.items())

    def differing(self, identity: Identity) -> list[int] | None:
        """Rows in which a frame differs from the one the journal is of; None where it is of another upload."""
        if any(self.fact(name) != value for name, value in identity.facts().items()):
            return None
        (stored,) = self._db.execute("SELECT hashes FROM frame").fetchone()
        found = [
            position
            for position, hash_ in enumerate(identity.hashes)
            if stored[position * HASH_BYTES : (position + 1) * HASH_BYTES] != hash_
        ]
        # the same values under other columns, or by another key, are another upload
        return found if found or self.fact("fingerprint") == identity.fingerprint else None

    def begun(self) -> bool:
        """Whether the upload has not written every row, and may have written some: sent again, those are doubled."""
        return self.fact("state") == "open" and bool(self.in_doubt() or self._db.execute(_WRITTEN).fetchone()[0])

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes written down."""
        for row in self._db.execute(_TOLD):
            position, action, id_, code, message, column, attempts, path = row
            yield Outcome(
                position, cast("Action", action), id_, code, message, column, attempts, cast("PathTaken | None", path)
            )

    def in_doubt(self) -> dict[int, Intent]:
        """Positions that were sent and have no outcome, or an unknown one."""
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

    # --- what is written -----------------------------------------------------------------------

    def intend(self, positions: Iterable[int], action: Action) -> None:
        """These rows are about to be sent, to be inserted, updated or deleted: their request may leave after this."""
        now = self._clock()
        runs = list(_runs(positions))
        with self._changing():
            self._flush()
            self._db.executemany("DELETE FROM outcomes WHERE position BETWEEN ? AND ?", runs)  # of an earlier try
            self._db.executemany(_INTEND, ((*run, action, now) for run in runs))

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """What became of rows."""
        self._held.extend(outcomes)

    def close(self, *, rows: int) -> None:
        """Write the last outcomes; the upload is finished if every row is where it should be."""
        try:
            with self._changing():
                self._flush()
                (done,) = self._db.execute(_WRITTEN).fetchone()
                if done == rows:
                    self._db.execute("UPDATE about SET value = 'finished' WHERE name = 'state'")
        finally:
            self._db.close()

    def abandon(self) -> None:
        """Close the file as it is."""
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
    """Positions as runs of neighbours: the rows of a request mostly are."""
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
    # Held until it is closed, or its process has ended in whatever way: one upload, one process.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    # A power cut must not take back what a request was sent on the strength of.
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def home() -> Path:
    """Where journals live that nobody gave a place to."""
    import platformdirs

    return platformdirs.user_state_path("bx24frames") / "uploads"


def default_path(identity: Identity) -> Path:
    """The place of an upload's journal in the user's own folder."""
    name = "-".join(_plain(part) for part in (identity.host, identity.entity, identity.mode, identity.fingerprint[:16]))
    return home() / f"{name}.sqlite"


def sweep(now: float | None = None) -> None:
    """Delete finished journals of long ago from the user's own folder."""
    moment = time.time() if now is None else now
    for path in home().glob("*.sqlite"):
        if _changed_at(path) < moment - KEEP_DAYS * 86_400 and _facts(path).get("state") == "finished":
            remove(path)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process sweeps too
        return math.inf


def set_aside(path: Path) -> Path:
    """Give a journal another name, so that its place is free and what it says is kept."""
    for number in range(1, 10_000):
        aside = path.with_name(f"{path.stem}.{number}{path.suffix}")
        if not aside.exists():
            path.rename(aside)  # closed, it is one file: SQLite has put into it what lay beside it
            return aside
    raise ConfigError(f"There are too many journals beside {path}")


def remove(path: Path) -> None:
    """Delete a journal and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _facts(path: Path) -> Mapping[str, str]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT name, value FROM about"))
    except sqlite3.Error:
        # In use, or broken: what cannot be read is not known to be finished.
        return {}


def _unusable(path: Path, error: Exception) -> BX24Error:
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UnfinishedUpload(
            f"The same upload is running now, in this process or another: its journal {path} is in use",
            journal=path,
            guidance="Wait for it to end; if its process is killed, the journal is free at once.",
        )
    return ConfigError(
        f"The journal {path} cannot be used: {error}",
        guidance="resume= names another file; without it journals lie in the user's state folder (XDG_STATE_HOME).",
    )


def _plain(text: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in text)
