"""Journal of an upload: intents before requests, outcomes after them; complete in one file at any time."""

from __future__ import annotations

import base64
import hashlib
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bx24frames.reports import Action
from bx24frames.upload.journal_file import (
    JournalFile,
    JournalInUse,
    Record,
    create_file,
    open_file,
    read_journal,
    unreadable,
)
from bx24frames.upload.outcomes import Outcome, PathTaken

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON

__all__ = ["HASH_BYTES", "Identity", "Intent", "Journal", "Recorded", "is_finished", "reopen"]

HASH_BYTES: Final = 8
WRITTEN: Final = frozenset({"inserted", "updated", "unchanged", "deleted"})
ACTION_OF: Final[Mapping[str, Action]] = {"update": "updated", "delete": "deleted"}
"""The action of a row by mode; any other mode inserts."""
_OPEN, _SETTLED, _DONE = range(3)
"""The outcome of a row: none or unknown, certain but not written, written."""

_fate: Final = attrgetter("action", "code", "message", "column", "attempts", "path")
"""An outcome without position and id: usually the same for all rows of a request, so it is stored once."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The last intended action of a row.

    `sent_at`: seconds since the epoch. `times`: how often it was sent. `author`: the id of the user whose credential
    sent it, if known: the author of the row, if it was created.
    """

    action: Action
    sent_at: float
    times: int = 1
    author: int | None = None


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


class Recorded:
    """What the records of a journal say: the upload, the intents and the outcomes.

    Attributes
    ----------
    path : pathlib.Path
        The journal.
    finished_at : float or None
        When every row had a final outcome, in seconds since the epoch.
    """

    def __init__(self, path: Path, records: Sequence[Record]) -> None:
        self.path = path
        self._load(records)

    def fact(self, name: str) -> str | None:
        """A fact about the upload."""
        return self._facts.get(name)

    def differing(self, identity: Identity) -> list[int] | None:
        """Rows in which a frame differs from the journal's; None if the journal belongs to another upload."""
        if any(self._upload.get(name) != value for name, value in identity.facts().items()):
            return None
        pairs = zip(_cut(self._hashes), _cut(_salted_rows(self._salt, identity.hashes)), strict=True)
        found = [position for position, (known, given) in enumerate(pairs) if known != given]
        # the same values under other columns or with another key are another upload
        whole = _salted(self._salt, identity.fingerprint.encode()).hex()
        return found if found or self._upload["fingerprint"] == whole else None

    def begun(self) -> bool:
        """Whether the upload is unfinished and may have written rows, which a repetition would duplicate."""
        return self.finished_at is None and bool(_DONE in self._ends or self.in_doubt())

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes recorded by earlier runs."""
        return iter(list(self._earlier.values()))

    def in_doubt(self) -> dict[int, Intent]:
        """The positions that were sent and have no outcome or an unknown one."""
        found: dict[int, Intent] = {}
        for first, last, action, sent_at, author in self._sent:
            for position in range(first, last + 1):
                if self._ends[position] == _OPEN:
                    known = found.get(position)
                    found[position] = Intent(action, sent_at, known.times + 1 if known else 1, author)
        return found

    def written_among(self, identity: Identity) -> int:
        """How many rows of another upload to the same entity it has written in the same way, or may have written."""
        if any(self._upload.get(name) != identity.facts()[name] for name in ("host", "entity", "mode")):
            return 0
        hashes, doubts = _cut(self._hashes), self.in_doubt()
        written = {hashes[at] for at in range(self._rows) if self._ends[at] == _DONE or at in doubts}
        return sum(given in written for given in _cut(_salted_rows(self._salt, identity.hashes)))

    def _load(self, records: Sequence[Record]) -> None:
        self._facts: dict[str, str] = {}
        self._users: dict[str, int | None] = {}
        self._sent: list[tuple[int, int, Action, float, int | None]] = []
        self._earlier: dict[int, Outcome] = {}
        self.finished_at: float | None = None
        try:
            self._begin(records[0])
            for record in records[1:]:
                self._apply(record)
        except (LookupError, TypeError, ValueError) as error:
            raise unreadable(self.path, f"a record in it makes no sense ({error})") from error

    def _begin(self, record: Record) -> None:
        kind, facts, hashes = record
        if kind != "upload":
            raise ValueError("the first one is not of an upload")
        self._upload = cast("dict[str, str]", facts)
        self._salt = bytes.fromhex(self._upload["salt"])
        self._rows = int(self._upload["rows"])
        self._hashes = base64.b64decode(cast("str", hashes), validate=True)
        if len(self._hashes) != self._rows * HASH_BYTES:
            raise ValueError("hashes are missing")
        self._ends = bytearray(self._rows)

    def _apply(self, record: Record) -> None:
        kind, *values = record
        match kind:
            case "note":
                self._facts |= cast("dict[str, str]", values[0])
            case "user":
                self._users[cast("str", values[0])] = cast("int | None", values[1])
            case "sent":
                sent_at, action, author, runs = cast("tuple[float, Action, int | None, list[list[int]]]", values)
                for first, last in runs:
                    if not 0 <= first <= last < self._rows:
                        raise ValueError("a position is outside of the frame")
                    self._sent.append((first, last, action, sent_at, author))
                    self._ends[first : last + 1] = bytes(last + 1 - first)  # outcomes of an earlier attempt
                    for position in range(first, last + 1) if self._earlier else ():
                        self._earlier.pop(position, None)
            case "rows":
                for outcome in _outcomes(values):
                    self._earlier[outcome.position] = outcome
                    self._ends[outcome.position] = _end_of(outcome.action)
            case "finished":
                self.finished_at = cast("float | None", values[0])
            case _:
                raise ValueError(f"its kind is {kind}")


class Journal(Recorded):
    """The intents and outcomes of one upload, in one file.

    Outcomes are buffered until the next intent, which is written before its request is sent: a crash may lose outcomes
    but never intents, so a row is at worst looked up, and never blindly sent again.

    Attributes
    ----------
    new : bool
        It was created by this call.
    """

    def __init__(self, path: Path, identity: Identity, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._held: list[Outcome] = []
        file = open_file(path)
        first = None
        if file is None:
            first = _first(identity)
            create_file(path, [first])
            file = open_file(path)
        if file is None:
            raise unreadable(path, "it was removed while it was being created")
        self._adopt(file, identity)
        self.new = first is not None and self._upload == first[1]

    def _adopt(self, file: JournalFile, identity: Identity) -> None:
        self._file = file
        try:
            self._load(file.load())
        except BaseException:
            file.close()
            raise
        self._credential = _salted(self._salt, identity.credential.encode()).hex()

    def restart(self, identity: Identity, doubts: Mapping[int, Intent] | None = None) -> None:
        """Reset the journal, except for rows in `doubts`, when they were sent and by whom.

        Raises
        ------
        JournalInUse
            The same upload, called at this moment, has reset the journal as well, and goes ahead.
        """
        first = _first(identity)
        sent: list[Record] = [
            ["sent", intent.sent_at, intent.action, intent.author, [[position, position]]]
            for position, intent in (doubts or {}).items()
        ]
        if sys.platform == "win32":  # where an open file is not replaced, nor can another process have replaced it
            self._file.close()
        create_file(self.path, [first, *sent], replace=True)
        self._file.close()
        file = open_file(self.path)
        if file is None:
            raise unreadable(self.path, "it was removed while it was being reset")
        self._adopt(file, identity)
        if self._upload != first[1]:  # replaced once more before it was locked
            self._file.close()
            raise JournalInUse(self.path)
        self.new = True

    @property
    def author(self) -> int | None:
        """The user of the credential that opened the journal, if `sent_by` recorded it."""
        return self._users.get(self._credential)

    @property
    def knows_author(self) -> bool:
        """Whether `sent_by` was called for this credential, in this run or an earlier one."""
        return self._credential in self._users

    def note(self, **facts: str) -> None:
        """Store facts at once."""
        self._append(["note", dict(facts)])

    def sent_by(self, author: int | None) -> None:
        """Store the user of this credential, before it sends rows."""
        self._append(["user", self._credential, author])

    def take_over(self) -> None:
        """Continue with a copy of a journal: rows without an outcome may have been sent after the copy was made."""
        if not self._file.copied:
            return
        left = _runs(position for position, end in enumerate(self._ends) if end == _OPEN)
        authors = set(self._users.values())
        author = authors.pop() if len(authors) == 1 else None
        action = ACTION_OF.get(self._upload["mode"], "inserted")
        self._append(["sent", self._clock(), action, author, [list(run) for run in left]])
        self._file.copied = False

    def intend(self, positions: Iterable[int], action: Action) -> None:
        """Record that these rows are about to be inserted, updated or deleted; their request may be sent afterwards."""
        self._append(["sent", self._clock(), action, self.author, [list(run) for run in _runs(positions)]])

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Record outcomes of rows."""
        for outcome in outcomes:
            self._held.append(outcome)
            self._ends[outcome.position] = _end_of(outcome.action)

    def close(self, *, rows: int, interrupted: bool = False) -> None:
        """Write the last outcomes. The upload is finished if every row was written and its caller gets the report."""
        try:
            self._flush()
            if not interrupted and self.finished_at is None and self._ends.count(_DONE) == rows:
                self._append(["finished", self._clock()])
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file without writing the last outcomes."""
        self._file.close()

    def _flush(self) -> None:
        if self._held:
            self._append()

    def _append(self, *records: Record) -> None:
        """Write the held outcomes and these records in one step; a failing disk changes nothing."""
        group = [*_grouped(self._held), *records]
        self._file.append(group)
        self._held.clear()
        for record in records:
            self._apply(record)


def reopen(path: Path) -> None:
    """Mark a finished upload as unfinished: its caller was interrupted before the report was returned."""
    file = open_file(path)
    if file is None:
        return
    try:
        if _finished(file.load()):
            file.append([["finished", None]])
    finally:
        file.close()


def is_finished(path: Path) -> bool:
    """Whether a journal, which may be in use, is that of a finished upload."""
    return _finished(read_journal(path))


def _finished(records: Iterable[Record]) -> bool:
    moments = [record[1] for record in records if record[0] == "finished"]
    return bool(moments) and moments[-1] is not None


def _first(identity: Identity) -> list[JSON]:
    salt = secrets.token_bytes(16)
    facts: dict[str, JSON] = {
        **identity.facts(),
        "salt": salt.hex(),
        "fingerprint": _salted(salt, identity.fingerprint.encode()).hex(),
    }
    return ["upload", facts, base64.b64encode(_salted_rows(salt, identity.hashes)).decode()]


def _salted(salt: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16, key=salt).digest()


def _salted_rows(salt: bytes, hashes: Iterable[bytes]) -> bytes:
    blake = hashlib.blake2b
    return b"".join(blake(hash_, digest_size=HASH_BYTES, key=salt).digest() for hash_ in hashes)


def _cut(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def _end_of(action: Action) -> int:
    if action in WRITTEN:
        return _DONE
    return _OPEN if action == "unknown" else _SETTLED


def _grouped(outcomes: Iterable[Outcome]) -> Iterator[list[JSON]]:
    """The records of outcomes: the last one of each row, and rows that ended alike together."""
    groups: dict[tuple[JSON, ...], list[Outcome]] = defaultdict(list)
    for outcome in {one.position: one for one in outcomes}.values():
        groups[_fate(outcome)].append(outcome)
    for fate, rows in groups.items():
        rows.sort(key=attrgetter("position"))
        ids: list[JSON] = [one.id for one in rows]
        runs: list[JSON] = [list(run) for run in _runs(one.position for one in rows)]
        yield ["rows", list(fate), runs, ids if any(row_id is not None for row_id in ids) else None]


def _outcomes(values: Sequence[object]) -> Iterator[Outcome]:
    fate, runs, ids = cast("tuple[list[JSON], list[list[int]], list[int | str | None] | None]", tuple(values))
    action, code, message, column, attempts, path = cast(
        "tuple[Action, str | None, str | None, str | None, int, PathTaken | None]", tuple(fate)
    )
    positions = [position for first, last in runs for position in range(first, last + 1)]
    for position, row_id in zip(positions, ids or [None] * len(positions), strict=True):
        yield Outcome(position, action, row_id, code, message, column, attempts, path)


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
