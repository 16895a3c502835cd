"""Writing, for blocking code and for ``await``: the signatures, and what each parameter means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bx24frames import bridge
from bx24frames.frames.delete import DeleteRequest, delete
from bx24frames.frames.report import WriteReport
from bx24frames.frames.session import blocking, connection_of
from bx24frames.frames.upload import WriteRequest
from bx24frames.frames.write import write
from bx24frames.options import Automation, Mode, Nulls, OnError, Progress

if TYPE_CHECKING:
    from bx24frames.frames.session import PortalLike


def write_entity(
    frame: object,
    entity: str,
    portal: PortalLike = None,
    *,
    mode: Mode,
    on: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    nulls: Nulls = "skip",
    extra_columns: Literal["raise", "ignore"] = "raise",
    schema: object = None,
    timezone: str | None = None,
    automation: Automation = None,
    only_changed: bool = False,
    rows_per_request: int | Literal["auto"] = "auto",
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | WriteReport | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Write a frame into a table of the portal; every row gets an outcome.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table, or what narwhals accepts
        Its columns are fields in any spelling; its index is not data, but an index level may hold the ids of an update.
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
        Send nothing; the report says what would be done, in how many requests, and the least seconds it would take.
    resume : path, WriteReport, False or None
        The journal of an upload to go on with, or a place for a new one. With None it lies in the user's state folder,
        and an insert of the same frame that was begun there, and not finished, raises; False inserts it once more.
    progress : {"auto", True, False}
        A bar on stderr.

    Returns
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
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-batch-import.html

    Examples
    --------
    >>> import bx24frames as bx, pandas as pd
    >>> deals = pd.DataFrame({"title": ["Chairs", "Tables"], "opportunity": [120.5, 990.0], "currencyId": "EUR"})
    >>> report = bx.write_entity(deals, "deal", "sandbox", mode="insert")
    >>> report.inserted
    2
    >>> bx.delete_entity(report, "deal", "sandbox").deleted
    2
    """
    request = WriteRequest(
        frame,
        entity,
        mode,
        _names(on),
        _listed(columns),
        nulls,
        extra_columns,
        schema,
        timezone,
        automation,
        only_changed,
        rows_per_request,
        on_error,
        dry_run,
        resume,
        progress,
    )
    return bridge.run(write(connection_of(blocking(portal)), request))


async def write_entity_async(
    frame: object,
    entity: str,
    portal: PortalLike = None,
    *,
    mode: Mode,
    on: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    nulls: Nulls = "skip",
    extra_columns: Literal["raise", "ignore"] = "raise",
    schema: object = None,
    timezone: str | None = None,
    automation: Automation = None,
    only_changed: bool = False,
    rows_per_request: int | Literal["auto"] = "auto",
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | WriteReport | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Write a frame into a table of the portal; see `bx24frames.write_entity`."""
    request = WriteRequest(
        frame,
        entity,
        mode,
        _names(on),
        _listed(columns),
        nulls,
        extra_columns,
        schema,
        timezone,
        automation,
        only_changed,
        rows_per_request,
        on_error,
        dry_run,
        resume,
        progress,
    )
    return await write(connection_of(portal), request)


def delete_entity(
    ids: object,
    entity: str,
    portal: PortalLike = None,
    *,
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | WriteReport | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Delete rows of a table by their ids.

    Parameters
    ----------
    ids : iterable of int, Series, Arrow array, frame with an id column, or WriteReport
        Doubles are deleted once and ``skipped``; an absent id is ``failed``; of a report, what it created.
    entity, portal
        As in `read_entity`.
    on_error, dry_run, resume, progress
        As in `write_entity`.

    Returns
    -------
    WriteReport

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-delete.html

    Examples
    --------
    >>> import bx24frames as bx
    >>> bx.delete_entity([-1], "deal", "sandbox", on_error="report").failed
    1
    """
    request = DeleteRequest(ids, entity, on_error, dry_run, resume, progress)
    return bridge.run(delete(connection_of(blocking(portal)), request))


async def delete_entity_async(
    ids: object,
    entity: str,
    portal: PortalLike = None,
    *,
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | WriteReport | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Delete rows of a table by their ids; see `bx24frames.delete_entity`."""
    return await delete(connection_of(portal), DeleteRequest(ids, entity, on_error, dry_run, resume, progress))


def _names(on: str | Sequence[str] | None) -> Sequence[str] | None:
    """One name is a list of one; an iterable that can be gone through once is kept."""
    return [on] if isinstance(on, str) else _listed(on)


def _listed(names: Sequence[str] | None) -> Sequence[str] | None:
    return names if names is None or isinstance(names, str) else list(names)
