"""The parameters of the verbs: their types for the overloads of reads, and the text that says what they mean."""

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
    """What `read_entity` and `iter_entity` take beside the table, the portal and the backend."""

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
        ``"deal"``, ``"contact"``, ``"item:1036"``, a smart process by code or title, ``"crm.deal"`` (classic), ...;
        `list_entities` shows all.
    portal : str or Portal, optional
        An address, a profile's name, ``"sandbox"`` or a `Portal`; None is ``BX24_WEBHOOK``, then the default profile.
    columns : sequence of str, optional
        Columns wanted, in that order and spelling (``stageId`` or ``STAGE_ID``); None is all the list method returns.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's map with prefixed keys, ``{">=createdTime": "2026-01-01"}``; or ``(column, op, value)`` with op one
        of ``= == != < <= > >= in "not in" like "is null" "not null"``; a list of tuples is AND, a list of lists OR.
        Codes, not captions, also with `labels`.
    order_by : str or (str, "asc" | "desc"), optional
        By id, without it. Nulls come first upwards; rows that are equal in it stand by id; text goes by its small
        letters, then by code points. All rows are in memory for it, unless `limit` takes the first of a number or date.
    limit : int, optional
        Rows, the first ones in that order.
    changed_since : str or datetime, optional
        Rows changed at or after that moment; blind to deletions.
    backend : {"pandas", "polars", "pyarrow"}, optional
        pandas, where none is named.
    dtype_backend : {"pyarrow", "numpy_nullable"}, optional
        pandas only; without it ids are int64, other integers Int64, times datetime64[us, UTC].
    timezone : str, optional
        IANA name: in which zone times are shown, and times that name none are meant: naive ones in `filters`, and
        those of lists and their elements, which the portal prints without one; left out, these stand as if in UTC.
    labels : bool or sequence of str
        Captions in place of codes, as categories: True for stages, statuses, enumerations, pipelines and users; a list
        of columns for those alone, also for links to companies, contacts and other tables. An unknown code stays as
        its text; several codes in a cell become a list of text. The portal's dictionaries are asked once. All chunks of
        `iter_entity` have the same categories: the names of a linked table are all asked for first.
    titles : bool
        Columns named as people see them in the portal; those that share a title have their code behind it.
    index : str or sequence of str, optional
        pandas only: columns that become the index.
    schema_overrides : mapping of str to pyarrow.DataType, optional
        Types to use in place of the portal's.
    schema : pandera schema, optional
        What the rows must fit, whole: dtypes as a read has them without options, codes and not captions. Fields removed
        or retyped since it was made are found before a row is read.
    missing_columns : {"raise", "insert"}
        What to do about columns of `columns` or `schema` that the portal lacks; ``"insert"`` puts them in, null, of the
        type that `schema_overrides` or `schema` names, else text.
    on_bad_value : {"raise", "null"}
        What to do about a value that does not fit its field's type.
    progress : {"auto", True, False}
        A bar on stderr; ``"auto"`` shows it on a terminal and in a notebook."""


RAISES: Final = """UnknownEntity, UnknownColumn, FilterError, ConfigError
        Before a data request leaves.
    ValidationError
        The rows do not fit `schema`; ``.failures`` lists every cell.
    DecodeError
        A value does not fit its type.
    PortalError, ResponseError, TransportError
        The read failed; there is never a partial frame."""


WRITE_PARAMETERS: Final = """\
frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table, or what narwhals accepts
        Its columns are fields in any spelling, or by their titles as a read with ``titles=True`` has them; its index
        is not data, but an index level may hold the ids of an update.
        A coded field takes codes or captions; a file is a path or a pair (name, bytes); a phone or e-mail is a text.
    entity, portal
        As in `read_entity`.
    mode : {"insert", "update", "upsert"}
        ``"insert"`` adds rows, ``"update"`` changes the rows whose ids are in the column ``id``.
    on : str or sequence of str, optional
        Key columns that tell which row is which.
    columns : sequence of str, optional
        Columns of the frame to send; None is all.
    nulls : {"skip", "clear"}
        Of an update: a null leaves its field alone, or empties it.
    extra_columns : {"raise", "ignore"}
        What to do about columns that are no field.
    schema : pandera schema, optional
        What the frame is checked against before anything is sent.
    timezone : str, optional
        IANA name of the zone in which naive times are meant.
    automation : None, True or False
        Of an insert: None is the fastest path that writes the same values, and the report says whether robots ran;
        False: they must not run (import, which needs the import right); True: they must (add).
    only_changed : bool
        Send only the cells that differ from the portal's.
    rows_per_request : int or "auto"
        Rows in one request; ``"auto"`` grows with what the portal's answers cost.
    on_error : {"raise", "report", "stop"}
        ``"raise"`` sends every row, then raises `WriteError` if any failed; ``"report"`` returns the report;
        ``"stop"`` stops after the first request with a failure.
    dry_run : bool
        Send nothing; the report says what would be done, in how many requests, and the least seconds it would take, at
        what a row has cost the portal lately or, before the first, is assumed to cost.
    resume : path, WriteReport, False or None
        The journal of an upload to go on with, or a place for a new one. With None it lies in the user's state folder,
        and an insert of the same frame that was begun there, and not finished, raises; False inserts it once more.
    progress : {"auto", True, False}
        A bar on stderr."""


WRITE_ENDS: Final = """Returns
    -------
    WriteReport

    Raises
    ------
    ValidationError, UnknownColumn, ConfigError
        Before anything is written.
    UnfinishedUpload
        The same insert was begun before and not finished, or is running now.
    WriteError
        Some rows failed or are unknown; ``.report`` has them all.
    WriteInterrupted
        Ctrl-C; ``.report`` has what became of each row.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-batch-import.html"""


SCAN_PARAMETERS: Final = """entity : str
        As in `read_entity`; a method outside the catalogue has no columns to plan with.
    portal : str or Portal, optional
        As in `read_entity`.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's own conditions, as in `read_entity`: carried out by the portal as they are written, on every query.
    timezone : str, optional
        IANA name: in which zone times are shown, and times that name none are meant, as in `read_entity`.
    schema_overrides : mapping of str to pyarrow.DataType or polars.DataType, optional
        Types to use in place of the portal's; conditions on these columns are not asked for.
    pushdown : bool
        False: read every row that meets `filters`, whatever the query's conditions."""


SCAN_ENDS: Final = """Raises
    ------
    UnknownEntity, UnknownColumn, FilterError, ConfigError
        At once.
    DecodeError, PortalError, ResponseError, TransportError
        When a query runs, with their own types.

    Notes
    -----
    ``select(pl.len())`` reads a column of every row: `count_entity` asks the portal for the number. polars' in-memory
    engine stops at no ``head`` behind a condition; the one it takes by itself does. A table that occurs twice in a
    query with the same columns is read once. Conditions with a Python function in them need the package cloudpickle.

    A comparison that also holds for 0 or for an empty text is not asked for: nulls may be printed as these.

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
    """Put the shared texts where a verb's docstring names them in braces."""
    text = verb.__doc__ or ""  # none under python -OO
    for name, told in _TEXTS.items():
        text = text.replace(name, told)
    verb.__doc__ = text
    return verb
