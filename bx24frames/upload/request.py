"""Write request: a prepared upload with its valid columns, the rows to send, and its journal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from bx24frames.arguments import (
    PROGRESS,
    SWITCH,
    Checked,
    anything,
    iana_zone,
    keyword,
    name_or_names,
    names,
    one_of,
    required_keyword,
    whole_number,
)
from bx24frames.entities.encode import InputRow
from bx24frames.entities.names import named_by_text
from bx24frames.errors import ConfigError, UnfinishedUpload, ValidationError
from bx24frames.upload import journal as journals
from bx24frames.upload.journal import HASH_BYTES, Identity, Journal

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray
    from bx24frames.entities.faults import Fault
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.options import Mode, Nulls, OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Extra, Incoming
    from bx24frames.upload.source import Source, SourceCheck

CellPlace = tuple[int, str]
"""The position of a row and the name of a column."""

CHUNK: Final = 1000
"""Rows converted from Arrow at a time."""
ROWS_SHOWN: Final = 10

Resume = str | Path | Literal[False] | None
"""A journal to continue or begin; False: insert once more what a journal has begun; None: the usual place."""

ON_ERROR: Final = one_of("raise", "report", "stop")


def resumed(name: str, value: object) -> object:
    """Accept the path of a journal, False or None."""
    if value is None or value is False or isinstance(value, str | Path):
        return value
    raise ConfigError(f"{name} must be the path of a journal, a report, False or None, not {value!r:.80}")


@dataclass(frozen=True, slots=True)
class WriteRequest(Checked):
    """The arguments of an upload."""

    source: Source
    entity: str
    mode: Mode = required_keyword(
        one_of("insert", "update", "upsert"),
        '{"insert", "update", "upsert"}',
        '``"insert"`` adds rows; ``"update"`` changes the rows with the ids in the column ``id``; ``"upsert"`` updates '
        "the rows that match the key columns `on` and inserts the others.",
    )
    on: Sequence[str] | None = keyword(
        None, name_or_names, "str or sequence of str, optional", "Key columns that identify a row."
    )
    columns: Sequence[str] | None = keyword(
        None, names, "sequence of str, optional", "Columns of the frame to send. Default: all."
    )
    nulls: Nulls = keyword(
        "skip",
        one_of("skip", "clear"),
        '{"skip", "clear"}',
        "Null cells of an update: leave the field unchanged, or clear it.",
    )
    extra_columns: Extra = keyword(
        "raise",
        one_of("raise", "ignore"),
        '{"raise", "ignore"}',
        "Columns that match no field: raise, or ignore them.",
    )
    schema: SourceCheck | None = keyword(
        None,
        anything,
        "pandera schema, optional",
        "Schema that the frame must satisfy before anything is sent.",
    )
    timezone: str | None = keyword(None, iana_zone, "str, optional", "Time zone (IANA name) of naive times.")
    automation: bool | None = keyword(
        None,
        one_of(None, True, False),
        "None, True or False",
        "Robots after an insert. None: the fastest path that writes the same values; the report says whether they ran. "
        "False: they must not run (import, which needs the import right). True: they must run (add).",
    )
    only_changed: bool = keyword(False, SWITCH, "bool", "Send only cells that differ from the portal's.")
    rows_per_request: int | Literal["auto"] = keyword(
        "auto",
        whole_number(1, "'auto' or a number of rows of at least 1", "auto"),
        'int or "auto"',
        'Rows per request; ``"auto"`` adapts to the time the portal takes.',
    )
    on_error: OnError = keyword(
        "raise",
        ON_ERROR,
        '{"raise", "report", "stop"}',
        '``"raise"`` sends every row, then raises `WriteError` if any failed; ``"report"`` returns the report; '
        '``"stop"`` stops after the first request with a failure.',
    )
    dry_run: bool = keyword(
        False,
        SWITCH,
        "bool",
        "Send nothing; the report says what would be done, in how many requests, and the minimum time in seconds, from "
        "the recent or, before the first upload, the assumed cost of a row.",
    )
    resume: Resume = keyword(
        None,
        resumed,
        "path, WriteReport, False or None",
        "Journal of an upload to continue, or the path of a new journal. None: the journal is in the user's state "
        "folder, and an unfinished insert of the same frame raises. False: insert the frame again.",
    )
    progress: Progress = keyword("auto", PROGRESS, '{"auto", True, False}', "Progress bar on stderr.")

    def __post_init__(self) -> None:
        named_by_text(self.entity)
        Checked.__post_init__(self)


@dataclass(frozen=True, slots=True)
class Upload:
    """A prepared upload.

    `bad`: positions of rows that failed a check and are not sent. `ids`: ids of existing rows by position.
    `current`: by id, the portal's values of the columns to compare. `held`: cells to leave out.
    """

    request: WriteRequest
    table: Table
    frame: Incoming
    bad: Mapping[int, Fault]
    ids: dict[int, int | str] = field(default_factory=dict)
    current: dict[int | str, Mapping[str, object]] = field(default_factory=dict)
    held: frozenset[CellPlace] = frozenset()

    @property
    def entity(self) -> Entity:
        """The entity written to."""
        return self.table.entity

    @property
    def columns(self) -> Mapping[str, Field]:
        """Fields by spelling, of the columns to send."""
        return self.frame.columns

    @property
    def total(self) -> int:
        """Number of input rows."""
        return self.frame.source.rows

    def known_id(self, position: int) -> int | None:
        """The id of a row in the frame itself."""
        column = self.frame.id_column
        return None if column is None else self.frame.table.column(column)[position].as_py()

    @property
    def imports(self) -> bool:
        """Whether new rows are imported."""
        return self.request.automation is not True and self.entity.writes.import_many is not None

    def rows(self, wanted: Callable[[int], bool]) -> Iterator[InputRow]:
        """The selected valid rows, with the values of their columns."""
        names = list(self.columns)
        data = self.frame.table.select(names)
        for start in range(0, self.total, CHUNK):
            stop = min(start + CHUNK, self.total)
            positions = [at for at in range(start, stop) if at not in self.bad and wanted(at)]
            if not positions:
                continue
            values = data.slice(start, CHUNK).to_pylist() if names else [{}] * CHUNK
            for position in positions:
                yield InputRow(position, self._sent(position, values[position - start]))

    def _sent(self, position: int, values: dict[str, object]) -> dict[str, object]:
        if not self.held:
            return values
        return {name: value for name, value in values.items() if (position, name) not in self.held}


def identify(connection: Connection, upload: Upload) -> Identity:
    """The identity of an upload: the same frame, written to the same entity of the same portal in the same way."""
    hashes = row_hashes(upload.frame.table, upload.total)
    whole = hashlib.blake2b(digest_size=16)
    for part in (*sorted(upload.frame.table.column_names), *(upload.request.on or ())):
        whole.update(part.encode() + b"\0")
    for hash_ in hashes:
        whole.update(hash_)
    key = hashlib.blake2b(connection.key.encode(), digest_size=8).hexdigest()
    return Identity(connection.host, key, upload.entity.name, upload.request.mode, whole.hexdigest(), hashes)


def row_hashes(table: pa.Table, rows: int) -> list[bytes]:
    """A hash of each row's values."""
    import orjson
    import pyarrow as pa
    import pyarrow.compute as pc

    if not table.num_columns:
        return [b"\0" * HASH_BYTES] * rows
    texts = []
    for name in sorted(table.column_names):
        column = table.column(name).combine_chunks()
        if pa.types.is_nested(column.type):
            column = pa.array([orjson.dumps(value, default=str).decode() for value in column.to_pylist()], pa.string())
        texts.append(column.cast(pa.string()))
    join: Callable[..., AnyArray] = pc.binary_join_element_wise  # the stubs refuse a separator beside arrays
    joined = join(*texts, "\x1f", null_handling="replace", null_replacement="\x00")
    return [
        hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).digest()
        for text in cast("list[str]", joined.to_pylist())
    ]


def open_journal(identity: Identity, resume: Resume) -> Journal:
    """Open the journal of an upload: a new one, or the one to continue.

    Raises
    ------
    UnfinishedUpload
        The same insert was started before and `resume` does not say what to do, or it is running now.
    ConfigError
        The journal cannot be used.
    ValidationError
        The journal belongs to another frame; the message names the differing rows.
    """
    if resume is None or resume is False:
        return _fresh(identity, forced=resume is False)
    path = Path(resume)
    journal = Journal(path, identity)
    differing = journal.differing(identity)
    if differing is None or differing:
        journal.abandon()
        raise _other(path, differing, identity)
    return journal


def _fresh(identity: Identity, *, forced: bool) -> Journal:
    journals.sweep()
    path = journals.default_path(identity)
    journal = Journal(path, identity)
    if journal.new:
        return journal
    if identity.mode == "insert" and journal.begun():
        journal.abandon()
        if not forced:
            raise UnfinishedUpload(
                f"An earlier insert of the same {len(identity.hashes):,} rows into {identity.entity} was not finished: "
                f"{path}",
                journal=path,
                guidance=f"To continue it: resume={str(path)!r}. To insert all rows again: resume=False.",
            )
        journals.set_aside(path)
        return Journal(path, identity)
    # A killed upsert's requests may still be in flight: look-ups must wait for them.
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
