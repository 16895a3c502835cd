"""Processes that are killed in the midst of a request."""

from __future__ import annotations

import time
from multiprocessing.process import BaseProcess

from bx24frames.sandbox import Fault, Sandbox


def killed_during(process: BaseProcess, box: Sandbox, slow: Fault, seconds: float) -> None:
    """Run a process, and kill it so many seconds after the portal has begun to hold an answer back."""
    process.start()
    while process.is_alive() and not slow.fired:
        time.sleep(0.001)
    process.join(seconds)
    process.kill()
    process.join()
    box.faults.clear()
