"""Inspection of frames, independent of their library."""

from __future__ import annotations

from typing import Any

import pandas as pd

import bx24frames as bx

TEXT = "str" if pd.__version__ >= "3" else "object"
"""How this pandas calls its default dtype of text."""
DATA = ("crm.item.list", "crm.deal.list", "crm.contact.list", "crm.lead.list", "user.get", "batch")


def columns(frame: Any) -> list[str]:
    return list(getattr(frame, "column_names", None) or frame.columns)


def arrow(frame: Any) -> Any:
    """The frame as an Arrow table, without its index."""
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    return frame.to_arrow() if hasattr(frame, "to_arrow") else pa.Table.from_pandas(frame, preserve_index=False)


def cells(frame: Any, column: str) -> list[Any]:
    """The values of a column, nulls as None."""
    return arrow(frame).column(column).to_pylist()


def dtypes(frame: Any) -> dict[str, str]:
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return {field.name: str(field.type) for field in frame.schema}
    pairs = frame.schema.items() if hasattr(frame, "schema") else frame.dtypes.items()
    return {name: str(dtype) for name, dtype in pairs}


def asked(portal: bx.Portal) -> dict[str, int]:
    """Commands sent so far, by method."""
    return {name: figures.commands for name, figures in portal.stats.methods.items()}


def data_asked(portal: bx.Portal) -> dict[str, int]:
    """Commands that requested rows."""
    return {name: count for name, count in asked(portal).items() if name in DATA}
