"""What a type checker sees of the report that an error carries; mypy reads this file, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import pandas as pd
import polars as pl

import bx24frames as bx
from bx24frames.errors import WriteError


def send_again(frame: pd.DataFrame, lazy: pl.LazyFrame, error: WriteError) -> bx.WriteReport:
    assert_type(error.report.failed_rows(frame), pd.DataFrame)
    assert_type(error.report.rows(lazy, "failed", "unknown"), pl.LazyFrame)
    assert_type(error.report.frame("polars"), pl.DataFrame)
    assert_type(error.report.ids("inserted"), list[int | str])
    return bx.write_entity(frame, "deal", mode="insert", resume=error.report)
