"""Runs of the Spark writer: a folder for each save of a DataFrame, with a journal for each partition.

The driver names the run, and a task finds its journal by the run and the number of its partition: these are the same
when Spark repeats the task, or runs it twice at a time. The folder is one that the driver and all executors share.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, Literal

from bx24frames.errors import ConfigError, UnfinishedUpload
from bx24frames.upload.journal import Recorded
from bx24frames.upload.journal_file import read_journal
from bx24frames.upload.journal_folder import KEEP_DAYS

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.upload.journal import Identity

__all__ = ["REPORTS", "Facts", "Run"]

REPORTS: Final = "failed-*.parquet"
"""The names of the reports of failed rows."""
_MARK: Final = "finished.json"
_JOURNALS: Final = "*.journal"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a finished run has written. `digest`: of all rows, however they were cut into partitions and ordered."""

    host: str
    entity: str
    mode: str
    rows: int
    digest: int


@dataclass(frozen=True, slots=True)
class Run:
    """One save of a DataFrame.

    Parameters
    ----------
    folder : Path
        The folder of the runs.
    name : str
        The name of the run, and of its folder.
    again : bool
        Whether rows that an unfinished run has begun to insert are inserted once more.
    """

    folder: Path
    name: str
    again: bool = False

    @classmethod
    def begin(cls, folder: str, resume: str | Literal[False] | None, entity: str) -> Run:
        """The run to continue, or a new one.

        Raises
        ------
        ConfigError
            The folder cannot be written.
        """
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        name = resume or f"{''.join(char if char.isalnum() else '_' for char in entity)}-{stamp}-{token_hex(4)}"
        run = cls(Path(folder), name, again=resume is False)
        try:
            run.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The folder of the journals, {folder}, cannot be used: {error.strerror}",
                guidance="Name a folder in the option journal that the driver and all executors share.",
            ) from None
        return run

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self.folder / self.name

    def journal(self, partition: int) -> Path:
        """The journal of a partition."""
        return self.path / f"{partition:05}.journal"

    def report(self, partition: int, failed: pa.Table) -> None:
        """Keep the failed rows of a partition; none are left of an earlier attempt."""
        import pyarrow.parquet as pq

        path = self.path / REPORTS.replace("*", f"{partition:05}")
        if not failed.num_rows:
            path.unlink(missing_ok=True)
            return
        draft = path.with_suffix(f".{token_hex(4)}")
        pq.write_table(failed, draft)
        draft.replace(path)

    def guard(self, identity: Identity) -> None:
        """Refuse rows that another run has begun to write and not finished.

        Raises
        ------
        UnfinishedUpload
            There are such rows.
        """
        for path in () if self.again else self._unfinished():
            rows = Recorded(path, read_journal(path)).written_among(identity)
            if rows:
                name = path.parent.name
                raise UnfinishedUpload(
                    f"The run {name} has written {rows:,} of these {len(identity.hashes):,} rows to {identity.entity}, "
                    "or may have, and is not finished",
                    journal=path,
                    guidance=f'To continue it: .option("resume", "{name}"), with the same partitions. '
                    'To write the rows again: .option("resume", "false").',
                )

    def finish(self, facts: Facts) -> datetime | None:
        """Mark the run as finished; returns when an earlier run with the same facts was, if there was one."""
        repeated = next((ended for ended, known in self._finished() if known == facts), None)
        (self.path / _MARK).write_text(json.dumps({"at": time.time(), **asdict(facts)}), encoding="utf-8")
        self._sweep()
        return repeated

    def abandon(self) -> None:
        """Remove the folder of a run that has recorded nothing."""
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def _unfinished(self) -> Iterator[Path]:
        """The journals of the other runs that are not finished."""
        for folder in self.folder.iterdir():
            if folder.name != self.name and not (folder / _MARK).exists():
                yield from sorted(folder.glob(_JOURNALS))

    def _finished(self) -> Iterator[tuple[datetime, Facts]]:
        """When the other runs were finished, and their facts."""
        for path in self.folder.glob(f"*/{_MARK}"):
            if path.parent != self.path:
                mark = json.loads(path.read_text(encoding="utf-8"))
                yield datetime.fromtimestamp(mark.pop("at"), UTC), Facts(**mark)

    def _sweep(self) -> None:
        """Delete runs that were finished long ago."""
        for path in self.folder.glob(f"*/{_MARK}"):
            if path.stat().st_mtime < time.time() - KEEP_DAYS * 86_400:
                shutil.rmtree(path.parent)
