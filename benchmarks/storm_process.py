"""Uploads of the storm in processes of their own, which are killed, overlap, or leave a journal behind."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
from storm_world import FAST, PROCESSES, SharedClock, World

import bx24frames as bx
from bx24frames.portal.budgets import Budgets, substituted
from bx24frames.upload import run
from bx24frames.upload.journal import Identity, Journal

PATIENCE = 60.0
"""Seconds after which an upload counts as hung."""


@contextmanager
def witnessed() -> Iterator[dict[str, float]]:
    """When the upload in it was called, and when its journal was finished: by these two moments uploads overlap or not.

    What is measured around the call differs from them by as much as a busy machine likes.
    """
    moments = {"called": time.time(), "finished": math.inf}
    open_journal, close = run.open_journal, Journal.close

    def opened(identity: Identity, resume: Any, *, called_at: float) -> Journal:
        moments["called"] = called_at
        return open_journal(identity, resume, called_at=called_at)

    def closed(journal: Journal, *, rows: int, interrupted: bool = False) -> None:
        close(journal, rows=rows, interrupted=interrupted)
        if journal.finished_at is not None:
            moments["finished"] = journal.finished_at

    with patch.object(run, "open_journal", opened), patch.object(Journal, "close", closed):
        yield moments


def upload(pipe: Connection, skipped: Any, state: str, url: str, work: dict[str, Any]) -> None:
    """In the child: write a frame, and send back the outcome frame, or the error, and the moments of the call."""
    os.environ["XDG_STATE_HOME"] = state
    answer: dict[str, Any] = {"report": None, "error": None, "own": True}
    clock = SharedClock(skipped).clock
    with witnessed() as moments, substituted(Budgets(clock)), bx.Portal(url, limits=FAST) as portal:
        try:
            report = bx.write_entity(work["frame"], work["entity"], portal, on_error="report", **work["options"])
            answer["report"] = report.frame()
        except bx.errors.WriteError as error:
            answer |= {"report": error.report.frame(), "error": repr(error)}
        except Exception as error:  # noqa: BLE001 (whatever ends an upload is a finding)
            answer |= {"error": repr(error), "own": isinstance(error, bx.errors.BX24Error)}
    pipe.send(answer | moments)


class Child:
    """One upload in a process of its own."""

    def __init__(self, world: World, entity: str, frame: pd.DataFrame, *, url: str = "", **options: Any) -> None:
        self._pipe, theirs = PROCESSES.Pipe(duplex=False)
        work = {"frame": frame, "entity": entity, "options": options}
        given = (theirs, world.time.skipped, str(world.folder), url or world.sandbox.url, work)
        self.process: BaseProcess = PROCESSES.Process(target=upload, args=given, daemon=True)
        self.process.start()
        theirs.close()

    def kill(self) -> None:
        """SIGKILL, as from the kernel."""
        if self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGKILL)

    def result(self) -> dict[str, Any] | None:
        """What the upload ended with; None if it was killed."""
        answer = None
        try:
            if self._pipe.poll(PATIENCE):
                answer = self._pipe.recv()
            else:
                answer = {"report": None, "error": "hung", "own": False, "called": 0.0, "finished": math.inf}
                self.kill()
        except EOFError:
            pass
        self.process.join(PATIENCE)
        self._pipe.close()
        return answer


def killed(world: World, entity: str, frame: pd.DataFrame, journal: Path, *, url: str = "", **options: Any) -> bool:
    """Upload in a child that is killed at a random request for rows; whether it was."""
    child = Child(world, entity, frame, url=url, resume=journal, **options)
    wanted = world.rng.randrange(1, 5)
    seen = 0

    def dies(method: str, _: dict[str, Any]) -> bool:
        nonlocal seen
        if method.lower() not in ("crm.item.add", "crm.item.batchimport", f"crm.{entity}.add"):
            return False
        seen += 1
        if seen == wanted:
            child.kill()
        return seen == wanted

    world.fault(world.rng.choice(["drop_before", "drop_after"]), method="*", nth=1, when=dies)
    ended = child.result()
    world.sandbox.faults.clear()
    return ended is None
