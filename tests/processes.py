"""Processes of tests: how they begin, and how they are killed in the midst of a request."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from bx24frames.sandbox import Fault, Sandbox


def forks_with(imported: Iterable[str]) -> ForkServerContext:
    """Processes that begin with these modules imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*imported])
    return context


def killed_during(process: BaseProcess, box: Sandbox, slow: Fault, seconds: float) -> None:
    """Run a process, and kill it so many seconds after the portal has begun to hold an answer back."""
    process.start()
    while process.is_alive() and not slow.fired:
        time.sleep(0.001)
    process.join(seconds)
    process.kill()
    process.join()
    box.faults.clear()
