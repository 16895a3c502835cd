"""A real Jupyter kernel and a real IPython: blocking and awaited verbs in a cell, interrupts, bars, tables."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.faults import Fault

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

WIDGET = "application/vnd.jupyter.widget-view+json"
Cell = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(sizes={"deal": 120}, plan="unlimited", real_time=False, listen=True) as opened:
        yield opened


class Kernel:
    """Cells in a row, as a notebook would run them."""

    def __init__(self, portal: str) -> None:
        self.manager, self.client = manager.start_new_kernel(
            kernel_name="python3", env={**os.environ, "BX24_WEBHOOK": portal}
        )

    def send(self, code: str) -> str:
        return str(self.client.execute(textwrap.dedent(code)))

    def outputs(self, cell: str) -> list[dict[str, Any]]:
        """What a cell shows, until the kernel is idle again."""
        shown: list[dict[str, Any]] = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != cell:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            if kind in ("stream", "display_data", "execute_result", "error"):
                shown.append(content)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(sandbox: Sandbox) -> Iterator[Kernel]:
    opened = Kernel(sandbox.url)
    yield opened
    opened.close()


@pytest.fixture
def cell(kernel: Kernel) -> Cell:
    def run(code: str) -> list[dict[str, Any]]:
        return kernel.outputs(kernel.send(code))

    run("import asyncio, sys, pandas as pd, bx24frames as bx")
    return run


def result(shown: list[dict[str, Any]], kind: str = "text/plain") -> str:
    assert not [one for one in shown if "traceback" in one], shown
    return str(shown[-1]["data"][kind])


def test_blocking_verbs_while_the_kernels_loop_runs(cell: Cell):
    shown = cell(
        """
        asyncio.get_running_loop().is_running(), len(bx.read_entity("deal")), sum(
            len(part) for part in bx.iter_entity("deal", chunk_size=50)
        ), "nest_asyncio" in sys.modules
        """
    )
    assert result(shown) == "(True, 120, 120, False)"


def test_awaited_verbs_in_a_cell(cell: Cell):
    shown = cell(
        """
        sizes = [len(part) async for part in bx.aio.iter_entity("deal", chunk_size=50)]
        async for part in bx.aio.iter_entity("deal", columns=["id"], chunk_size=100):
            sizes.append(len(part))
        len(await bx.aio.read_entity("deal")), sizes, await bx.aio.count_entity("deal")
        """
    )
    assert result(shown) == "(120, [50, 50, 20, 100, 20], 120)"


def test_an_interrupt_ends_a_read_at_once_and_the_kernel_goes_on(cell: Cell, kernel: Kernel, sandbox: Sandbox):
    held = sandbox.faults.add(Fault("slow", method="crm.item.list", seconds=30.0))
    reading = kernel.send('bx.read_entity("deal")')
    end = time.monotonic() + 30
    while not held.fired:
        assert time.monotonic() < end
        time.sleep(0.01)
    interrupted = time.monotonic()
    kernel.manager.interrupt_kernel()
    shown = kernel.outputs(reading)
    assert time.monotonic() - interrupted < 5.0  # long before the answer, on a busy machine too
    assert [one["ename"] for one in shown if "ename" in one] == ["KeyboardInterrupt"]
    sandbox.faults.clear()
    assert result(cell('len(bx.read_entity("deal"))')) == "120"


@pytest.mark.parametrize(
    ("code", "html", "text"),
    [
        ("bx.Portal()", "webhook of user 1", "<Portal 127.0.0.1"),
        ("bx.Portal().plan('deal')", "time at the limit", "<Plan deal: 120 rows"),
        ("bx.Portal().stats", "operating", "<Stats: 0 requests"),
        ("bx.describe_entity('deal')", "arrow_type", "arrow_type"),
        ("bx.write_entity(pd.DataFrame({'title': ['a']}), 'deal', mode='insert', dry_run=True)", "inserted", "dry run"),
    ],
)
def test_objects_are_tables_in_a_cell(cell: Cell, sandbox: Sandbox, code: str, html: str, text: str):
    shown = cell(code)
    assert html in result(shown, "text/html")
    assert text in result(shown)
    assert sandbox.url.rstrip("/").rpartition("/")[2] not in str(shown)


def test_a_bar_is_a_widget_and_an_error_shows_no_code(cell: Cell, sandbox: Sandbox):
    pytest.importorskip("ipywidgets")
    assert WIDGET in cell('frame = bx.read_entity("deal")')[0]["data"]
    assert cell('frame = bx.read_entity("deal", progress=False)') == []
    [fault] = cell('bx.read_entity("dael")')
    assert fault["ename"] == "UnknownEntity"
    assert sandbox.url.rstrip("/").rpartition("/")[2] not in str(fault)


def test_ipython_in_a_terminal(sandbox: Sandbox):
    """IPython runs a loop of its own for cells that await, and none for the others."""
    cells = """\
import bx24frames as bx
print(len(bx.read_entity("deal")))
frame = await bx.aio.read_entity("deal")
print(len(frame), len(bx.read_entity("deal")))
portal = bx.Portal()
portal
"""
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--quick", "--colors=nocolor", "--no-confirm-exit"],
        input=cells,
        capture_output=True,
        text=True,
        env={**os.environ, "BX24_WEBHOOK": sandbox.url, "TERM": "dumb"},
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "120" in ran.stdout
    assert "120 120" in ran.stdout
    assert f"<Portal {sandbox.host}, user 1>" in ran.stdout
    assert ran.stderr == ""
