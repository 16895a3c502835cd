"""Spool: rows on disk between the portal and the store, so that the store is open only while it is written.

Rows of a first load are kept with the place from which the load continues; those of later runs are read again after a
kill.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.errors import StoreError
from bx24frames.files.parts import Lock, lock_folder

if TYPE_CHECKING:
    import pyarrow as pa

PART_ROWS: Final = 20_000
"""Rows of one file: so many are read again at most after a kill."""
REACHED: Final = "reached.json"
_WAIT: Final = "Wait until it has ended; it goes on from the last mark."
_UNSAFE: Final = re.compile(r"[^\w.-]+")


class Spool:
    """The folder for rows that are on their way into one store; locked, so that one sync runs at a time.

    Parameters
    ----------
    folder : pathlib.Path
        Created if it does not exist.
    store : str
        The store, for messages.

    Raises
    ------
    StoreError
        Another sync of the same store is running.
    OSError
        The folder cannot be created.
    """

    def __init__(self, folder: Path, store: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock: Lock = lock_folder(folder, f"Another sync of {store} is running", _WAIT, StoreError)

    def rows(self, portal: str, table: str, kind: str) -> Rows:
        """The rows of one kind (``"first"``, ``"changes"``, ``"fills"``) on their way into one table."""
        return Rows(self.folder / f"{_UNSAFE.sub('_', portal)}.{table}.{kind}")

    def close(self) -> None:
        """Release the lock; the folder stays only where rows of a first load are kept."""
        if not any(one.is_dir() for one in self.folder.iterdir()):
            for one in self.folder.iterdir():
                one.unlink()
            self._lock.close()
            self.folder.rmdir()
            return
        self._lock.close()


class Rows:
    """Rows on disk, in the order in which they were appended.

    Attributes
    ----------
    count : int
        Rows appended, those of an earlier process included.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[pa.RecordBatch] = []
        self._parts = 0
        self.count = 0

    def reached(self) -> Mapping[str, object] | None:
        """What an earlier process kept with the rows; None without any."""
        try:
            found: dict[str, object] = json.loads((self._folder / REACHED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        self._parts, self.count = int(str(found["parts"])), int(str(found["rows"]))
        return found

    def clear(self) -> None:
        """Remove all rows."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._waiting, self._parts, self.count = [], 0, 0

    def append(self, batch: pa.RecordBatch) -> bool:
        """Append rows; whether they, and those before them, are on disk now."""
        self._waiting.append(batch)
        self.count += batch.num_rows
        if sum(one.num_rows for one in self._waiting) < PART_ROWS:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Write the rows that wait."""
        import pyarrow as pa

        if not self._waiting:
            return
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{self._parts:06}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with path.open("wb") as file:
            with pa.ipc.new_stream(file, self._waiting[0].schema, options=options) as stream:
                for batch in self._waiting:
                    stream.write_batch(batch)
            file.flush()
            os.fsync(file.fileno())
        self._waiting, self._parts = [], self._parts + 1

    def keep(self, reached: Mapping[str, object]) -> None:
        """Record how far the rows on disk reach; replaced as a whole."""
        self._folder.mkdir(exist_ok=True)
        path = self._folder / REACHED
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({**reached, "parts": self._parts, "rows": self.count}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows appended, batch by batch; can be iterated again."""
        import pyarrow as pa

        for number in range(self._parts):
            path = self._folder / f"{number:06}.arrow"
            with pa.OSFile(str(path), "rb") as source, pa.ipc.open_stream(source) as stream:
                yield from stream
        yield from self._waiting
