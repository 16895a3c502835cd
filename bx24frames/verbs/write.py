"""Public write functions: `write_entity` and `delete_entity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from bx24frames import bridge
from bx24frames.frames.requests import FrameDelete, FrameWrite
from bx24frames.frames.write_end import interrupted_late
from bx24frames.portal.session import blocking_portal
from bx24frames.verbs import core
from bx24frames.verbs.signature import DeleteOptions, WriteOptions, takes

if TYPE_CHECKING:
    from bx24frames.frames.report import WriteReport
    from bx24frames.portal.session import PortalLike


@takes(FrameWrite, WriteOptions)
def write_entity(frame: object, entity: str, portal: PortalLike = None, **options: Unpack[WriteOptions]) -> WriteReport:
    """Write a frame to an entity of the portal; every row gets an outcome.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table, any frame that narwhals accepts, or a path
        The path of a .csv, .xlsx, .jsonl or .parquet file is read as by `read_file`; times in it are in the portal's
        time zone. Columns are fields in any spelling, or titles as in a read with ``titles=True``. The index is not
        written, but an index level may hold the ids of an update. A coded field takes codes or captions; a file is a
        path or a pair (name, bytes); a phone or e-mail is text, several are a list or text with commas. Text may be
        a number as ``1 234,56`` or ``1 000 ₽``, a date as ``31.12.2026``, a flag as ``Да``.
    entity, portal
        As in `read_entity`.
    The keyword arguments of `options`.

    Returns
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
    request = FrameWrite.given("write_entity", WriteOptions, options, source=frame, entity=entity)
    return bridge.run(core.write_frame(blocking_portal(portal), request), interrupted=interrupted_late)


@takes(FrameDelete, DeleteOptions)
def delete_entity(ids: object, entity: str, portal: PortalLike = None, **options: Unpack[DeleteOptions]) -> WriteReport:
    """Delete rows of an entity by id.

    Parameters
    ----------
    ids : iterable of int, Series, Arrow array, frame with an id column, or WriteReport
        Duplicate ids are deleted once, their repetitions are ``skipped``; an id that does not exist is ``failed``. Of a
        report, the rows that it inserted.
    entity, portal
        As in `read_entity`.
    The keyword arguments of `options`.

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
    request = FrameDelete.given("delete_entity", DeleteOptions, options, ids=ids, entity=entity)
    return bridge.run(core.delete_ids(blocking_portal(portal), request), interrupted=interrupted_late)
