"""Frames of every library narrowed to target types, for tests."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from bx24frames.frames.accept import accept
from bx24frames.upload.coerce import narrow


def to_arrow(frame: object, *, target: Mapping[str, pa.DataType], timezone: str | None = None) -> narrow.Narrowed:
    return narrow.to_arrow(accept(frame), target=target, timezone=timezone)
