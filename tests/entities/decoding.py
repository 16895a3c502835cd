"""Rows typed all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from bx24frames.engine.records import Take
from bx24frames.entities.decode import Decoder, OnBadValue
from bx24frames.entities.schema import TableSchema


def decode(
    rows: Sequence[Any], schema: TableSchema, *, on_bad_value: OnBadValue = "raise", nulled: Counter[str] | None = None
) -> Any:
    """The rows as a record batch."""
    decoder = Decoder(schema, on_bad_value, Counter() if nulled is None else nulled)
    batch: pa.RecordBatch = Take(decoder.pack, decoder.join)([*rows])
    return batch
