"""Public functions for files as people have them, blocking and async: `read_file` and `write_file`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack, overload

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.files.files_out import check_folder, check_rows, format_of, writing
from bx24frames.files.sheet_style import PLAIN, spreadsheet_style
from bx24frames.files.sheets import Layout
from bx24frames.frames.accept import accept, as_table
from bx24frames.frames.file_rows import named_as_in_file
from bx24frames.frames.give import to_backend
from bx24frames.frames.requests import FileRead
from bx24frames.frames.validate import failures_in
from bx24frames.language import translated
from bx24frames.options import Backend
from bx24frames.portal.session import blocking_portal, connection_of
from bx24frames.upload.sheet_rows import typed_rows
from bx24frames.upload.sheet_source import SheetSource
from bx24frames.verbs.signature import FileOptions, takes

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from bx24frames.frames.give import Frame
    from bx24frames.portal.session import PortalLike


@overload
def read_file(
    path: str | Path,
    entity: str | None = ...,
    portal: PortalLike = ...,
    *,
    backend: Literal["pandas"] | None = ...,
    **options: Unpack[FileOptions],
) -> pd.DataFrame: ...
@overload
def read_file(
    path: str | Path,
    entity: str | None = ...,
    portal: PortalLike = ...,
    *,
    backend: Literal["polars"],
    **options: Unpack[FileOptions],
) -> pl.DataFrame: ...
@overload
def read_file(
    path: str | Path,
    entity: str | None = ...,
    portal: PortalLike = ...,
    *,
    backend: Literal["pyarrow"],
    **options: Unpack[FileOptions],
) -> pa.Table: ...
@takes(FileRead, FileOptions)
def read_file(
    path: str | Path,
    entity: str | None = None,
    portal: PortalLike = None,
    *,
    backend: Backend | None = None,
    **options: Unpack[FileOptions],
) -> Frame:
    """Read a CSV, Excel, JSON lines or Parquet file as people have it into a frame that `write_entity` takes.

    Parameters
    ----------
    path : str or Path
        The extension decides the format. Of a report of the command line, the rows that failed or were not sent.
    entity : str, optional
        The entity that the rows are for: headings become codes of its fields, captions become codes, and cells get the
        types of the fields, by the rules of `write_entity`. Without it, the cells of CSV and Excel files stay text.
    portal : str or Portal, optional
        As in `read_entity`; used only with `entity`.
    The keyword arguments of `options`.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Raises
    ------
    ConfigError
        The file cannot be read, or a heading is ambiguous.
    ValidationError
        Cells do not fit the fields; rows are named as a spreadsheet counts them, and ``.failures`` lists all cells.

    Examples
    --------
    >>> import bx24frames as bx
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "deals.csv")
    >>> _ = path.write_text("Название;Сумма;Дата завершения\\nСтулья;1 234,50 руб.;31.12.2026\\n", "cp1251")
    >>> deals = bx.read_file(path, "deal", "sandbox")
    >>> deals.columns.tolist(), deals["opportunity"].tolist()
    (['title', 'opportunity', 'closedate'], [1234.5])
    """
    request = FileRead.given("read_file", FileOptions, options, backend=backend)
    return bridge.run(_read(path, entity, blocking_portal(portal) if entity else None, request))


@takes(FileRead, FileOptions)
async def read_file_async(
    path: str | Path,
    entity: str | None = None,
    portal: PortalLike = None,
    *,
    backend: Backend | None = None,
    **options: Unpack[FileOptions],
) -> Frame:
    """Read a file as people have it into a frame; see `bx24frames.read_file`."""
    return await _read(path, entity, portal, FileRead.given("read_file", FileOptions, options, backend=backend))


async def _read(path: str | Path, entity: str | None, portal: PortalLike, request: FileRead) -> Frame:
    layout = Layout(request.sep, request.encoding, request.header, request.sheet)
    source = SheetSource.read(str(path), None, layout)
    if entity is None:
        if request.mapping is not None:
            raise ConfigError("mapping= needs the entity whose fields it names")
        table = source.table
    else:
        verb = connection_of(portal).begun()
        with failures_in(request.backend), named_as_in_file(source):
            table = await typed_rows(verb, source, entity, mapping=request.mapping, timezone=request.timezone)
    attrs = {"file": source.name, "notes": translated(source.sheet.notes)}
    return to_backend(table, request.backend, attrs=attrs)


def write_file(
    frame: object,
    path: str | Path,
    *,
    for_excel: bool = False,
    sep: str | None = None,
    encoding: str | None = None,
) -> None:
    """Write a frame to a file for people: Excel or CSV with joined lists, phones as text and times without zones.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or LazyFrame, pyarrow.Table, or any frame that narwhals accepts
        The index of a pandas frame is not written. Times stay in the zone of their column: read with ``timezone=`` for
        that of the portal.
    path : str or Path
        The extension decides the format: .csv, .xlsx, .jsonl, .parquet or .duckdb. The file is replaced when it is
        complete.
    for_excel : bool
        A CSV file that Excel opens without settings: the separator, decimal sign and dates of your language, UTF-8 with
        a mark, and an apostrophe before text that Excel would run as a formula (``= + - @``). `read_file` removes it.
    sep, encoding : str, optional
        Of a CSV file. Default: a comma, UTF-8.

    Raises
    ------
    ConfigError
        The format is unknown, or cannot hold the rows.

    Examples
    --------
    >>> import bx24frames as bx
    >>> contacts = bx.read_entity("contact", "sandbox", columns=["id", "name", "phone"], limit=5)
    >>> import pathlib, tempfile
    >>> bx.write_file(contacts, pathlib.Path(tempfile.mkdtemp(), "contacts.xlsx"))
    """
    form = format_of(str(path))
    if form != "csv" and (sep or encoding):
        raise ConfigError(f"sep= and encoding= are for CSV files, not for {form}")
    style = spreadsheet_style() if for_excel or form == "xlsx" else PLAIN
    style = replace(style, sep=sep or style.sep, encoding=encoding or style.encoding)
    table = as_table(accept(frame))
    check_folder(str(path))
    check_rows(form, table.num_rows)
    with writing(str(path), form, style=style) as append:
        append(table)
