"""Row reports: the rows of a file as the user has them, each with its outcome, ready to be mended and written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.language import translated

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray
    from bx24frames.files.sheets import Sheet

__all__ = ["OUTCOME", "inserted_ids", "is_report", "report_table", "rows_to_retry"]

ROW: Final = "bx24 row"
OUTCOME: Final = "bx24 outcome"
_ID: Final = "bx24 id"
COLUMN: Final = "bx24 column"
REASON: Final = "bx24 reason"
_COLUMNS: Final = (ROW, OUTCOME, _ID, COLUMN, REASON)
"""Columns after those of the file. `ROW`: the number of the row in the file; `COLUMN`: the column at fault."""
AGAIN: Final = ("failed", "skipped")
"""Outcomes of rows that are certainly not in the portal."""


def report_table(rows: pa.Table, outcomes: Sequence[Mapping[str, object]]) -> pa.Table:
    """Append the outcomes of an upload to its rows.

    Reasons are in the language of the process; headings and outcomes are not, because a report is read again.

    Parameters
    ----------
    rows : pyarrow.Table
        The rows of the file, as text.
    outcomes : sequence of mapping
        For each row: label, action, id, column, code, message.
    """
    import pyarrow as pa

    def texts(values: Sequence[object]) -> AnyArray:
        return pa.array([None if value is None else str(value) for value in values], pa.string())

    more: dict[str, AnyArray] = {
        ROW: pa.array([line["label"] for line in outcomes]),
        OUTCOME: texts([line["action"] for line in outcomes]),
        _ID: pa.array([line["id"] for line in outcomes]),
        COLUMN: texts([line["column"] for line in outcomes]),
        REASON: texts([_reason(line) for line in outcomes]),
    }
    for name, column in more.items():
        rows = rows.append_column(name, column)
    return rows


def _reason(line: Mapping[str, object]) -> str | None:
    parts = [
        part for part in (str(line["code"] or ""), translated(str(line["message"] or ""))) if part not in ("", "CHECK")
    ]
    return ": ".join(parts) or None


def is_report(sheet: Sheet) -> bool:
    """Whether a file is a report of this kind."""
    return {OUTCOME, _ID} <= set(sheet.table.column_names)


def rows_to_retry(sheet: Sheet) -> Sheet:
    """The rows of a report that failed or were not sent, without the columns of the report; other files unchanged."""
    import pyarrow as pa

    if not is_report(sheet):
        return sheet
    places = [place for place, action in enumerate(sheet.table.column(OUTCOME).to_pylist()) if action in AGAIN]
    left = sheet.table.num_rows - len(places)
    note = f"a report: its {len(places):,} rows that failed or were not sent; {left:,} others left out"
    own = [name for name in sheet.table.column_names if name not in _COLUMNS]
    lines = tuple(sheet.lines[place] for place in places) if sheet.lines else ()
    notes = ", ".join(part for part in (sheet.notes, note) if part)
    return replace(sheet, table=sheet.table.select(own).take(pa.array(places, pa.int64())), lines=lines, notes=notes)


def inserted_ids(sheet: Sheet) -> list[object]:
    """The ids of the rows that the upload of a report inserted."""
    pairs = zip(sheet.table.column(OUTCOME).to_pylist(), sheet.table.column(_ID).to_pylist(), strict=True)
    return [row_id for action, row_id in pairs if action == "inserted" and row_id is not None]
