"""Public write functions, blocking and async: `write_entity` and `delete_entity`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bx24frames import bridge
from bx24frames.errors import Report
from bx24frames.frames.accept import accept
from bx24frames.frames.file_rows import named_as_in_file
from bx24frames.frames.ids import ids_of
from bx24frames.frames.report import WriteReport, report_of
from bx24frames.frames.schema import pandera_check
from bx24frames.frames.validate import failures_in
from bx24frames.options import Automation, Mode, Nulls, OnError, Progress
from bx24frames.portal.session import blocking, connection_of
from bx24frames.upload.delete import DeleteRequest, delete_rows
from bx24frames.upload.request import WriteRequest
from bx24frames.upload.run import write_rows
from bx24frames.verbs.arguments import check_progress, check_resume, check_switches, column_names, journal_of
from bx24frames.verbs.docs import documented

if TYPE_CHECKING:
    from bx24frames.portal.session import PortalLike


@documented
def write_entity(
    frame: object,
    entity: str,
    portal: PortalLike = None,
    *,
    mode: Mode,
    on: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    mapping: Mapping[str, str | None] | None = None,
    nulls: Nulls = "skip",
    extra_columns: Literal["raise", "ignore"] = "raise",
    schema: object = None,
    timezone: str | None = None,
    automation: Automation = None,
    only_changed: bool = False,
    rows_per_request: int | Literal["auto"] = "auto",
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | Report | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Write a frame to an entity of the portal; every row gets an outcome.

    Parameters
    ----------
    {write_parameters}

    {write_ends}

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
    work = write_entity_async(
        frame,
        entity,
        blocking(portal),
        mode=mode,
        on=on,
        columns=columns,
        mapping=mapping,
        nulls=nulls,
        extra_columns=extra_columns,
        schema=schema,
        timezone=timezone,
        automation=automation,
        only_changed=only_changed,
        rows_per_request=rows_per_request,
        on_error=on_error,
        dry_run=dry_run,
        resume=resume,
        progress=progress,
    )
    return bridge.run(work)


async def write_entity_async(
    frame: object,
    entity: str,
    portal: PortalLike = None,
    *,
    mode: Mode,
    on: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    mapping: Mapping[str, str | None] | None = None,
    nulls: Nulls = "skip",
    extra_columns: Literal["raise", "ignore"] = "raise",
    schema: object = None,
    timezone: str | None = None,
    automation: Automation = None,
    only_changed: bool = False,
    rows_per_request: int | Literal["auto"] = "auto",
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | Report | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Write a frame to an entity of the portal; see `bx24frames.write_entity`."""
    check_switches(only_changed=only_changed, dry_run=dry_run)
    if automation is not None:
        check_switches(automation=automation)
    check_progress(progress)
    check_resume(resume)
    source = accept(frame)
    request = WriteRequest(
        source,
        entity,
        mode,
        column_names("on", [on] if isinstance(on, str) else on),
        column_names("columns", columns),
        nulls,
        extra_columns,
        pandera_check(schema),
        timezone,
        automation,
        only_changed,
        rows_per_request,
        on_error,
        dry_run,
        None if dry_run else journal_of(resume, entity),
        progress,
        mapping,
    )
    with failures_in(source.backend), named_as_in_file(source):
        done = await write_rows(connection_of(portal).begun(), request)
    return report_of(done, on_error, counted=source.counted)


def delete_entity(
    ids: object,
    entity: str,
    portal: PortalLike = None,
    *,
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | Report | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Delete rows of an entity by id.

    Parameters
    ----------
    ids : iterable of int, Series, Arrow array, frame with an id column, or WriteReport
        Duplicate ids are deleted once, their repetitions are ``skipped``; an id that does not exist is ``failed``. Of a
        report, the rows that it inserted.
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
    work = delete_entity_async(
        ids, entity, blocking(portal), on_error=on_error, dry_run=dry_run, resume=resume, progress=progress
    )
    return bridge.run(work)


async def delete_entity_async(
    ids: object,
    entity: str,
    portal: PortalLike = None,
    *,
    on_error: OnError = "raise",
    dry_run: bool = False,
    resume: str | Path | Report | Literal[False] | None = None,
    progress: Progress = "auto",
) -> WriteReport:
    """Delete rows of an entity by id; see `bx24frames.delete_entity`."""
    check_switches(dry_run=dry_run)
    check_progress(progress)
    check_resume(resume)
    journal = None if dry_run else journal_of(resume, entity)
    request = DeleteRequest(partial(ids_of, ids), entity, on_error, dry_run, journal, progress)
    return report_of(await delete_rows(connection_of(portal).begun(), request), on_error)
