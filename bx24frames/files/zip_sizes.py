"""Zip sizes: what the parts of a workbook take when they are unpacked, bounded before any of them is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import IO, Final

MOST_UNPACKED: Final = 512 * 2**20
"""Bytes of all parts together: a million rows of ten columns take about 400 MB."""
_CHUNK: Final = 2**20


def check_unpacked(data: bytes) -> None:
    """Refuse a zip file whose directory declares more bytes than are unpacked.

    The declared size of a part is a bound on what `zipfile` reads of it.

    Raises
    ------
    ValueError
        It is not a zip file, or would take more than `MOST_UNPACKED` bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as fault:
        raise ValueError(no_workbook(fault)) from None
    if size > MOST_UNPACKED:
        raise ValueError(
            f"unpacked, it takes {size / 2**20:,.0f} MB, and at most {MOST_UNPACKED // 2**20:,} MB are read; "
            "save the rows as CSV or Parquet, or delete empty formatted rows and columns"
        )


def no_workbook(fault: Exception) -> str:
    """Say that data is not a workbook, and what may help."""
    return f"it is not a workbook ({fault}); if Excel can open it, save it from there as .xlsx"


def holds(part: IO[bytes], wanted: bytes) -> bool:
    """Whether some bytes are in a part, which is read in chunks."""
    return any(wanted in chunk for chunk in overlapping(part, len(wanted) - 1))


def overlapping(part: IO[bytes], overlap: int) -> Iterator[bytes]:
    """Chunks of a part, each behind the last bytes of the one before."""
    kept = b""
    while chunk := part.read(_CHUNK):
        yield kept + chunk
        kept = chunk[-overlap:] if overlap else b""
