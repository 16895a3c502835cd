"""Blocking calls of coroutines: from scripts, running loops, threads and forks, and under Ctrl-C."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bx24frames import bridge
from bx24frames.bridge import iterate, run
from bx24frames.errors import ConfigError

request_name: contextvars.ContextVar[str] = contextvars.ContextVar("request_name", default="none")


class Stopped(KeyboardInterrupt):
    """An interrupt with a payload, as an upload raises it."""


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def count(upto: int, log: list[str] | None = None) -> AsyncIterator[int]:
    try:
        for number in range(upto):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0)
        if log is not None:
            log.append("closed")


def interrupt_when(ready: threading.Event, times: int = 1) -> threading.Thread:
    """Send SIGINT to this process each time `ready` is set."""

    def send() -> None:
        for _ in range(times):
            assert ready.wait(20)
            ready.clear()
            signal.raise_signal(signal.SIGINT) if os.name == "nt" else os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("whole", [False, True])
def test_an_error_of_the_tree_shows_no_inner_workings(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook they filled a hundred lines before the message."""

    async def refuse() -> None:
        raise ConfigError("cannot be")

    monkeypatch.setenv(bridge.TRACEBACK, "1" if whole else "")
    with pytest.raises(ConfigError) as caught:
        run(refuse())
    assert ("refuse" in [entry.name for entry in caught.traceback]) == whole


def test_returns_and_raises_what_the_coroutine_does() -> None:
    async def fail() -> None:
        raise LookupError("here")

    assert run(double(21)) == 42
    with pytest.raises(LookupError, match="here"):
        run(fail())


def test_a_timeout_of_the_coroutine_is_its_own() -> None:
    async def slow() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        run(slow())


async def test_works_inside_a_running_loop() -> None:
    assert run(double(4)) == 8
    assert list(iterate(count(3))) == [0, 1, 2]


def test_many_threads_share_one_loop() -> None:
    async def where() -> int:
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    with ThreadPoolExecutor(8) as pool:
        loops = {future.result() for future in [pool.submit(lambda: run(where())) for _ in range(200)]}
    assert len(loops) == 1


def test_context_variables_travel_along() -> None:
    async def name() -> str:
        return request_name.get()

    async def names() -> AsyncIterator[str]:
        yield request_name.get()

    token = request_name.set("mine")
    try:
        assert run(name()) == "mine"
        assert list(iterate(names())) == ["mine"]
    finally:
        request_name.reset(token)
    assert run(name()) == "none"


def test_waiting_for_oneself_is_refused() -> None:
    async def inner() -> int:
        return run(double(1))

    with pytest.raises(ConfigError, match="would deadlock"):
        run(inner())


def test_ctrl_c_cancels_waits_for_the_end_and_is_raised() -> None:
    log: list[str] = []
    ready = threading.Event()

    async def work() -> None:
        try:
            ready.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("ended")

    sender = interrupt_when(ready)
    with pytest.raises(KeyboardInterrupt):
        run(work())
    sender.join()
    assert log == ["ended"]
    assert run(double(2)) == 4


@pytest.mark.skipif(os.name == "nt", reason="signals restart no waits there")
def test_ctrl_c_is_taken_where_signals_restart_waits() -> None:
    """As with polars, whose SIGINT handler uses SA_RESTART, so that waiting on a lock is not interrupted."""
    ready = threading.Event()

    async def work() -> str:
        ready.set()
        await asyncio.sleep(20)
        return "nobody stopped it"

    signal.siginterrupt(signal.SIGINT, False)
    sender = interrupt_when(ready)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(work())
    finally:
        signal.siginterrupt(signal.SIGINT, True)
        sender.join()
    assert time.monotonic() - began < 15


def test_ctrl_c_lets_the_coroutine_raise_its_own_kind() -> None:
    ready = threading.Event()

    async def upload() -> None:
        try:
            ready.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise Stopped("3 of 5 rows") from None

    sender = interrupt_when(ready)
    with pytest.raises(Stopped, match="3 of 5 rows"):
        run(upload())
    sender.join()
    assert run(double(2)) == 4


def test_a_second_ctrl_c_cancels_again() -> None:
    ready = threading.Event()

    async def stubborn() -> None:
        try:
            ready.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ready.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise Stopped("did not settle") from None

    sender = interrupt_when(ready, times=2)
    with pytest.raises(Stopped, match="did not settle"):
        run(stubborn())
    sender.join()


def test_a_second_ctrl_c_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "SECOND_INTERRUPT_SECONDS", 0.01)
    ready, over = threading.Event(), threading.Event()

    async def deaf() -> None:
        for _ in range(3):
            try:
                ready.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def stop_all() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        over.set()

    sender = interrupt_when(ready, times=2)
    with pytest.raises(KeyboardInterrupt):
        run(deaf())
    sender.join()
    run(stop_all())
    assert over.is_set()


def test_a_task_that_raises_keyboard_interrupt_does_not_end_the_loop() -> None:
    async def raiser() -> None:
        raise Stopped

    async def parent() -> str:
        task = asyncio.create_task(raiser())
        try:
            await task
        except KeyboardInterrupt:
            return "caught"
        return "nothing"

    assert run(parent()) == "caught"
    assert run(double(1)) == 2


def test_iterating_ends_closes_and_passes_errors_on() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise LookupError("midway")

    log: list[str] = []
    assert list(iterate(count(4, log))) == [0, 1, 2, 3]
    assert log == ["closed"]
    steps = iterate(broken())
    assert next(steps) == 1
    with pytest.raises(LookupError, match="midway"):
        next(steps)


@pytest.mark.parametrize("leave", [lambda steps: steps.close(), lambda steps: None], ids=["closed", "dropped"])
def test_leaving_early_closes_the_async_iterator(leave: Callable[[object], None]) -> None:
    log: list[str] = []
    steps = iterate(count(100, log))
    assert next(steps) == 0
    leave(steps)
    del steps
    gc.collect()
    assert log == ["closed"]


def test_one_task_takes_every_step() -> None:
    async def tasks() -> AsyncIterator[int]:
        async with asyncio.timeout(60):
            for _ in range(3):
                yield id(asyncio.current_task())

    assert len(set(iterate(tasks()))) == 1


def test_ctrl_c_while_iterating_cancels_and_closes() -> None:
    log: list[str] = []
    ready = threading.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            ready.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    sender = interrupt_when(ready)
    with pytest.raises(KeyboardInterrupt):
        for _ in iterate(endless()):
            pass
    sender.join()
    assert log == ["closed"]


def test_an_async_iterator_that_is_no_generator() -> None:
    class Three:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Three:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(iterate(Three())) == [2, 1, 0]


def fresh(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_gets_a_loop_of_its_own_and_the_parent_keeps_its() -> None:
    ended = fresh(
        """
        import asyncio, gc, os, sys
        from bx24frames.bridge import iterate, run
        from bx24frames.errors import ConfigError

        async def answer(number):
            await asyncio.sleep(0)
            return number

        async def numbers():
            yield 1
            yield 2

        assert run(answer(1)) == 1
        steps = iterate(numbers())
        assert next(steps) == 1
        child = os.fork()
        if child == 0:
            assert run(answer(2)) == 2
            assert list(iterate(numbers())) == [1, 2]
            try:
                next(steps)
            except ConfigError as error:
                assert "another process" in str(error)
            else:
                sys.exit(8)
            del steps
            gc.collect()
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert next(steps) == 2
        assert run(answer(3)) == 3
        print("whole")
        """
    )
    assert (ended.returncode, ended.stdout) == (0, "whole\n"), ended.stderr


def test_the_interpreter_ends_without_a_word_with_work_under_way() -> None:
    ended = fresh(
        """
        import asyncio, threading
        from bx24frames.bridge import iterate, run

        begun = threading.Event()

        async def background():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                print("ended")

        async def start():
            global task
            task = asyncio.create_task(background())

        async def numbers():
            try:
                yield 1
            finally:
                print("closed")

        run(start())
        begun.wait()
        steps = iterate(numbers())
        next(steps)
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(ended.stdout.split()) == ["closed", "ended"]


def test_importing_the_bridge_loads_no_asyncio() -> None:
    ended = fresh(
        "import sys, bx24frames.bridge, bx24frames.config, bx24frames.transport.authorized\n"
        "print({'asyncio', 'aiohttp', 'ssl', 'platformdirs'} & set(sys.modules))"
    )
    assert ended.stdout == "set()\n", ended.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_waits_for_what_the_background_thread_is_importing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child would inherit a held module lock without the thread that holds it."""
    (tmp_path / "imported_slowly.py").write_text(
        "import builtins\nbuiltins.slow_import[0].set()\nbuiltins.slow_import[1].wait()\n"
    )
    begun, go = threading.Event(), threading.Event()
    monkeypatch.setattr("builtins.slow_import", (begun, go), raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    async def work() -> None:
        import imported_slowly  # type: ignore[import-not-found]  # noqa: F401

    caller = threading.Thread(target=run, args=(work(),))
    caller.start()
    assert begun.wait(30)
    release = threading.Timer(0.1, go.set)
    release.start()
    child = os.fork()
    if not child:
        signal.alarm(10)
        import imported_slowly  # type: ignore[import-not-found]

        os._exit(0 if go.is_set() and imported_slowly else 1)
    _, status = os.waitpid(child, 0)
    caller.join()
    release.join()
    assert os.waitstatus_to_exitcode(status) == 0


class Late(KeyboardInterrupt):
    """What an interrupt becomes that comes when the coroutine has ended."""


@pytest.mark.parametrize("end", ["a result", "an error"])
def test_an_interrupt_between_the_end_and_the_return_keeps_the_result(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coroutine is done, and its caller does not have the result yet: it reaches `interrupted`."""
    wait = bridge._wait

    def interrupt(future: bridge.Future[object]) -> object:  # type: ignore[name-defined]
        with pytest.MonkeyPatch.context() as once:
            once.setattr(bridge, "_wait", wait)
            if end == "a result":
                wait(future)
            else:
                with pytest.raises(ConfigError):
                    wait(future)
        raise KeyboardInterrupt

    async def work() -> str:
        if end == "an error":
            raise ConfigError("refused")
        return "the report"

    monkeypatch.setattr(bridge, "_wait", interrupt)
    with pytest.raises(Late) as caught:
        run(work(), interrupted=lambda got: Late(str(got)))
    assert str(caught.value) == ("the report" if end == "a result" else "refused")
    with pytest.raises(KeyboardInterrupt):
        run(work(), interrupted=lambda _: None)
