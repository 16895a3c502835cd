"""Faults of a file's rows, with the file's name and the row numbers that a spreadsheet shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bx24frames.entities.faults import WHOLE_COLUMN, Fault, summary
from bx24frames.errors import ValidationError
from bx24frames.upload.sheet_source import SheetSource

if TYPE_CHECKING:
    from bx24frames.upload.source import Source

__all__ = ["named_as_in_file"]


@contextmanager
def named_as_in_file(source: Source) -> Iterator[None]:
    """Replace the summary of a `ValidationError` by one with the file's name and its row numbers."""
    try:
        yield
    except ValidationError as error:
        if not isinstance(source, SheetSource):
            raise
        raise _renamed(error, source) from None


def _renamed(error: ValidationError, source: SheetSource) -> ValidationError:
    import pyarrow as pa

    faults = error.failures
    if not isinstance(faults, pa.Table):
        return error
    lines = source.labels().to_pylist()
    named = [
        Fault(
            WHOLE_COLUMN if line["position"] is None else lines[line["position"]],
            line["column"],
            line["value"],
            line["reason"],
        )
        for line in faults.to_pylist()
    ]
    text = summary(named, f"{source.name} does not fit")
    return ValidationError(text, failures=faults, entity=error.entity, rows=error.rows, guidance=error.guidance)
