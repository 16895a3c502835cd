"""Shared parameter types and docstring sections of the public functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypedDict, TypeVar

from bx24frames.options import DtypeBackend, Progress

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.scan.captions import Labels
    from bx24frames.scan.order import OrderBy
    from bx24frames.scan.request import Moment
    from bx24frames.where.parse import Filters

Verb = TypeVar("Verb", bound=Callable[..., object])


class ReadOptions(TypedDict, total=False):
    """Keyword arguments of `read_entity` and `iter_entity` besides the entity, the portal and the backend."""

    columns: Sequence[str] | None
    filters: Filters | None
    order_by: OrderBy | None
    limit: int | None
    changed_since: Moment | None
    dtype_backend: DtypeBackend | None
    timezone: str | None
    labels: Labels
    titles: bool
    index: str | Sequence[str] | None
    schema_overrides: Mapping[str, pa.DataType] | None
    schema: object
    missing_columns: Literal["raise", "insert"]
    on_bad_value: Literal["raise", "null"]
    progress: Progress


PARAMETERS: Final = """entity : str
        Name of an entity: ``"deal"``, ``"contact"``, ``"item:1036"``, a smart process by code or title, ``"crm.deal"``
        (classic), ...; see `list_entities`.
    portal : str or Portal, optional
        An address, a profile name, ``"sandbox"`` or a `Portal`. Default: ``BX24_WEBHOOK``, then the default profile.
    columns : sequence of str, optional
        Columns to read, in this order and spelling (``stageId`` or ``STAGE_ID``). Default: all columns that the list
        method returns.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's mapping with prefixed keys, ``{">=createdTime": "2026-01-01"}``; or ``(column, op, value)`` with op
        one of ``= == != < <= > >= in "not in" like "is null" "not null"``. A list of tuples is AND, a list of lists OR.
        Values are codes, not captions, also with `labels`.
    order_by : str or (str, "asc" | "desc"), optional
        Default: by id. Nulls sort first when ascending; ties are ordered by id; text is compared in lower case, then by
        code points. All rows are held in memory, except for `limit` rows by a number or date.
    limit : int, optional
        Maximum number of rows: the first ones in that order.
    changed_since : str or datetime, optional
        Only rows changed at or after this moment; deletions are not detected.
    backend : {"pandas", "polars", "pyarrow"}, optional
        Library of the result. Default: pandas.
    dtype_backend : {"pyarrow", "numpy_nullable"}, optional
        pandas only. Default: int64 for ids, Int64 for other integers, datetime64[us, UTC] for times.
    timezone : str, optional
        Time zone (IANA name) for the result, for naive datetimes in `filters`, and for those of the portal's lists and
        list elements, which it prints without a zone. Default: UTC.
    labels : bool or sequence of str
        Captions in place of codes, as categories. True: stages, statuses, enumerations, pipelines and users. A list of
        columns: only these, which may also link to companies, contacts and other entities. Unknown codes stay as text;
        several codes in a cell become a list of text. The portal's dictionaries are read once. All chunks of
        `iter_entity` have the same categories, so all names of a linked entity are read first.
    titles : bool
        Field titles as column names; fields that share a title have their code appended.
    index : str or sequence of str, optional
        pandas only: columns to use as the index.
    schema_overrides : mapping of str to pyarrow.DataType, optional
        Types to use in place of the portal's.
    schema : pandera schema, optional
        Schema that the whole result must satisfy, with the dtypes of a read without options, and codes in place of
        captions. Fields removed or retyped since the schema was made are reported before any row is read.
    missing_columns : {"raise", "insert"}
        Columns of `columns` or `schema` that the portal lacks: raise, or insert nulls of the type in `schema_overrides`
        or `schema`, else of text.
    on_bad_value : {"raise", "null"}
        Values that do not fit the type of their field: raise, or read null.
    progress : {"auto", True, False}
        Progress bar on stderr; ``"auto"`` shows it in a terminal and in a notebook."""


RAISES: Final = """UnknownEntity, UnknownColumn, FilterError, ConfigError
        An argument is invalid; raised before any row is requested.
    ValidationError
        The rows do not fit `schema`; ``.failures`` lists every invalid cell.
    DecodeError
        A value does not fit the type of its field.
    PortalError, ResponseError, TransportError
        The read failed; a partial frame is never returned."""


WRITE_PARAMETERS: Final = """\
frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table, any frame that narwhals accepts, or a path
        The path of a .csv, .xlsx, .jsonl or .parquet file is read as by `read_file`; times in it are in the portal's
        time zone. Columns are fields in any spelling, or titles as in a read with ``titles=True``. The index is not
        written, but an index level may hold the ids of an update. A coded field takes codes or captions; a file is a
        path or a pair (name, bytes); a phone or e-mail is text, several are a list or text with commas. Text may be
        a number as ``1 234,56`` or ``1 000 ₽``, a date as ``31.12.2026``, a flag as ``Да``.
    entity, portal
        As in `read_entity`.
    mode : {"insert", "update", "upsert"}
        ``"insert"`` adds rows; ``"update"`` changes the rows with the ids in the column ``id``; ``"upsert"`` updates
        the rows that match the key columns `on` and inserts the others.
    on : str or sequence of str, optional
        Key columns that identify a row.
    columns : sequence of str, optional
        Columns of the frame to send. Default: all.
    mapping : mapping of str to str or None, optional
        The field, by code or title, of a column with another name; None leaves the column out.
    nulls : {"skip", "clear"}
        Null cells of an update: leave the field unchanged, or clear it.
    extra_columns : {"raise", "ignore"}
        Columns that match no field: raise, or ignore them.
    schema : pandera schema, optional
        Schema that the frame must satisfy before anything is sent.
    timezone : str, optional
        Time zone (IANA name) of naive times.
    automation : None, True or False
        Robots after an insert. None: the fastest path that writes the same values; the report says whether they ran.
        False: they must not run (import, which needs the import right). True: they must run (add).
    only_changed : bool
        Send only cells that differ from the portal's.
    rows_per_request : int or "auto"
        Rows per request; ``"auto"`` adapts to the time the portal takes.
    on_error : {"raise", "report", "stop"}
        ``"raise"`` sends every row, then raises `WriteError` if any failed; ``"report"`` returns the report;
        ``"stop"`` stops after the first request with a failure.
    dry_run : bool
        Send nothing; the report says what would be done, in how many requests, and the minimum time in seconds, from
        the recent or, before the first upload, the assumed cost of a row.
    resume : path, WriteReport, False or None
        Journal of an upload to continue, or the path of a new journal. None: the journal is in the user's state folder,
        and an unfinished insert of the same frame raises. False: insert the frame again.
    progress : {"auto", True, False}
        Progress bar on stderr."""


WRITE_ENDS: Final = """Returns
    -------
    WriteReport

    Raises
    ------
    ValidationError, UnknownColumn, ConfigError
        The frame or an argument is invalid; raised before anything is written.
    UnfinishedUpload
        The same insert was started before and not finished, or is still running.
    WriteError
        Some rows failed or are unknown; ``.report`` has the outcome of each row.
    WriteInterrupted
        Ctrl-C was pressed; ``.report`` has the outcome of each row.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-batch-import.html"""


SCAN_PARAMETERS: Final = """entity : str
        As in `read_entity`, except methods outside the catalogue, which have no description of columns.
    portal : str or Portal, optional
        As in `read_entity`.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        Conditions that the portal applies to every query, as in `read_entity`.
    timezone : str, optional
        Time zone (IANA name) for the result and for naive datetimes in `filters`, as in `read_entity`.
    schema_overrides : mapping of str to pyarrow.DataType or polars.DataType, optional
        Types to use in place of the portal's; conditions on these columns are not pushed down.
    pushdown : bool
        False: read every row that matches `filters`, regardless of the query's conditions."""


SCAN_ENDS: Final = """Raises
    ------
    UnknownEntity, UnknownColumn, FilterError, ConfigError
        An argument is invalid; raised immediately.
    DecodeError, PortalError, ResponseError, TransportError
        The read failed; raised when a query runs, not wrapped in an error of polars.

    Notes
    -----
    ``select(pl.len())`` reads one column of every row; `count_entity` asks the portal for the number instead. The
    in-memory engine of polars does not stop early at a ``head`` after a condition; its default engine does. An entity
    that occurs twice in a query with the same columns is read once. Conditions that contain a Python function need the
    package cloudpickle.

    A comparison that also holds for 0 or for empty text is not pushed down, since the portal may print nulls as these.

    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html"""


_TEXTS: Final = {
    "{parameters}": PARAMETERS,
    "{raises}": RAISES,
    "{write_parameters}": WRITE_PARAMETERS,
    "{write_ends}": WRITE_ENDS,
    "{scan_parameters}": SCAN_PARAMETERS,
    "{scan_ends}": SCAN_ENDS,
}


def documented(verb: Verb) -> Verb:
    """Insert the shared sections into a docstring, in place of their names in braces."""
    text = verb.__doc__ or ""  # empty under python -OO
    for name, section in _TEXTS.items():
        text = text.replace(name, section)
    verb.__doc__ = text
    return verb
