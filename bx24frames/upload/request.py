"""Write request: a prepared upload with its valid columns, the rows to send, and its journal."""

from __future__ import annotations

import hashlib
import time
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
    mapping,
    name_or_names,
    names,
    one_of,
    required_keyword,
    whole_number,
)
from bx24frames.entities.encode import InputRow
from bx24frames.entities.names import named_by_text
from bx24frames.errors import ConfigError
from bx24frames.upload.journal import HASH_BYTES, Identity
from bx24frames.upload.journal_folder import Resume

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray
    from bx24frames.entities.faults import Fault
    from bx24frames.entities.schema import Entity, Field
    from bx24frames.options import Mode, Nulls, OnError, Progress
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Extra, Incoming
    from bx24frames.upload.match import RowId
    from bx24frames.upload.outcomes import Verb
    from bx24frames.upload.source import Source, SourceCheck

CellPlace = tuple[int, str]
"""The position of a row and the name of a column."""

CHUNK: Final = 1000
"""Rows converted from Arrow at a time."""
ON_ERROR: Final = one_of("raise", "report", "stop")


def resumed(name: str, value: object) -> object:
    """Accept the path of a journal, False or None."""
    if value is None or value is False or isinstance(value, str | Path):
        return value
    raise ConfigError(f"{name} must be the path of a journal, a report, False or None, not {value!r:.80}")


@dataclass(frozen=True, slots=True)
class WriteRequest(Checked):
    """The arguments of an upload. `called_at`: when it was called, in seconds since the epoch."""

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
    mapping: Mapping[str, str | None] | None = keyword(
        None,
        mapping,
        "mapping of str to str or None, optional",
        "The field, by code or title, of a column with another name; None leaves the column out.",
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
        "the recent or, before the first upload, the assumed cost of a row. Once the cost was measured it also names "
        "the limit that binds and what would help.",
    )
    resume: Resume = keyword(
        None,
        resumed,
        "path, WriteReport, False or None",
        "Journal of an upload to continue, or the path of a new journal. None: the journal is in the user's state "
        "folder; an unfinished insert of the same frame raises, and a finished one is warned about. False: insert the "
        "frame again.",
    )
    progress: Progress = keyword("auto", PROGRESS, '{"auto", True, False}', "Progress bar on stderr.")
    called_at: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        named_by_text(self.entity)
        Checked.__post_init__(self)


@dataclass(frozen=True, slots=True)
class Upload:
    """A prepared upload.

    `bad`: positions of rows that failed a check and are not sent. `held`: cells to leave out. `given`: the ids of a
    deletion, by position; its other options are those that it shares with an update.
    """

    request: WriteRequest
    table: Table
    frame: Incoming
    bad: Mapping[int, Fault]
    verb: Verb
    held: frozenset[CellPlace] = frozenset()
    given: Sequence[RowId] = ()

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
    if upload.verb == "delete":
        hashes = [hashlib.blake2b(str(row_id).encode(), digest_size=HASH_BYTES).digest() for row_id in upload.given]
    else:
        hashes = row_hashes(upload.frame.table, upload.total)
    whole = hashlib.blake2b(digest_size=16)
    for part in (*sorted(upload.frame.table.column_names), *(upload.request.on or ())):
        whole.update(part.encode() + b"\0")
    for hash_ in hashes:
        whole.update(hash_)
    key = hashlib.blake2b(connection.key.encode(), digest_size=8).hexdigest()
    return Identity(connection.host, key, upload.entity.name, upload.verb, whole.hexdigest(), hashes)


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
    join = cast("Callable[..., AnyArray]", pc.binary_join_element_wise)  # the stubs refuse a separator beside arrays
    joined = join(*texts, "\x1f", null_handling="replace", null_replacement="\x00")
    return [
        hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).digest()
        for text in cast("list[str]", joined.to_pylist())
    ]
