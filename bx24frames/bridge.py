"""Blocking calls of coroutines, on one background event loop thread per process."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from bx24frames.caller import remember_caller
from bx24frames.errors import TRACEBACK, BX24Error, ConfigError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

__all__ = ["TRACEBACK", "iterate", "run"]

_T = TypeVar("_T")

TICK: Final = 0.2
"""Seconds between checks for Ctrl-C: waiting on a lock cannot be interrupted on Windows, nor anywhere once polars is
loaded, whose SIGINT handler makes the system restart the wait (SA_RESTART)."""
SECOND_INTERRUPT_SECONDS: Final = 2.0
"""Time allowed to a coroutine after a second Ctrl-C."""
IMPORT_SECONDS: Final = 2.0
"""Maximum time a fork waits for an import on the background thread."""
_IMPORTER: Final = "<frozen importlib._bootstrap>"
EXIT_SECONDS: Final = 5.0
"""Time allowed to running coroutines when the interpreter exits."""


def run(
    coroutine: Coroutine[object, object, _T],
    *,
    interrupted: Callable[[_T | BaseException], BaseException | None] | None = None,
) -> _T:
    """Run a coroutine on the background loop, with the caller's context variables, and return its result.

    Works in a script, in Jupyter, inside a running event loop and from several threads. Ctrl-C cancels the coroutine,
    waits for it and raises `KeyboardInterrupt`, or the subclass that the coroutine raised; a second Ctrl-C cancels it
    again and waits at most two seconds.

    Parameters
    ----------
    coroutine : coroutine
        Run once.
    interrupted : callable, optional
        Called if Ctrl-C came when the coroutine had ended but its caller did not have the result yet: with the result,
        or the exception it raised. Returns the exception to raise instead of `KeyboardInterrupt`.

    Raises
    ------
    ConfigError
        Called on the background loop itself, where it would deadlock.

    Examples
    --------
    >>> async def answer():
    ...     return 42
    >>> run(answer())
    42
    """
    remember_caller()
    job = _Job(coroutine)
    try:
        job.start()
        return _wait(job.end)
    except KeyboardInterrupt as caught:
        failure = job.interrupt(caught, interrupted)
    raise failure


def iterate(source: AsyncIterator[_T]) -> Generator[_T, None, None]:
    """Iterate over an async iterator on the background loop, in a single task.

    Leaving the loop early or dropping the iterator closes the async one. Ctrl-C is handled as in `run`.

    Examples
    --------
    >>> async def numbers():
    ...     yield 1
    ...     yield 2
    >>> list(iterate(numbers()))
    [1, 2]
    """
    remember_caller()
    pump = _Pump(source)
    job = _Job(pump.work())
    try:
        job.start()
        while isinstance(step := _wait(pump.ask(job)), _Item):
            yield step.value
    except KeyboardInterrupt as caught:
        failure = job.interrupt(caught)
    except GeneratorExit:
        pump.stop(job)
        job.join()
        raise
    else:
        job.join()
        return
    raise failure


class _Job(Generic[_T]):
    """A coroutine that runs on the background loop and can be awaited or cancelled from another thread."""

    def __init__(self, coroutine: Coroutine[object, object, _T]) -> None:
        from concurrent.futures import Future

        self.end: Future[_T] = Future()
        self._coroutine = coroutine
        self._task: asyncio.Task[None] | None = None
        self._background: _Background | None = None

    def start(self) -> None:
        """Start the coroutine on the background loop."""
        try:
            self._background = _background_loop()
            self.later(self._begin)
        except Exception:
            self._coroutine.close()
            raise

    def later(self, step: Callable[..., object], *given: object) -> None:
        """Schedule a call on the loop; call_soon_threadsafe carries the caller's context variables."""
        if self._background is not None:
            self._background.loop.call_soon_threadsafe(step, *given)

    def reachable(self) -> bool:
        """Whether waiting can succeed: not after a fork and not on the loop's own thread."""
        here = self._background
        return here is not None and here.pid == os.getpid() and here.thread is not threading.current_thread()

    def join(self) -> None:
        """Wait for the coroutine and re-raise its exception."""
        if self.reachable():
            _wait(self.end)

    def interrupt(
        self, caught: KeyboardInterrupt, interrupted: Callable[[_T | BaseException], BaseException | None] | None = None
    ) -> BaseException:
        """Cancel the coroutine, wait for it, and return the exception for the caller to raise."""
        try:
            self._cancel_and_wait(None)
        except KeyboardInterrupt:
            self._cancel_and_wait(SECOND_INTERRUPT_SECONDS)
        if not self.end.done():
            return caught
        raised = self.end.exception()
        if isinstance(raised, KeyboardInterrupt):
            return raised
        late = interrupted(self.end.result() if raised is None else raised) if interrupted is not None else None
        return caught if late is None else late

    def _cancel_and_wait(self, seconds: float | None) -> None:
        self.later(self._cancel)
        if self.reachable():
            _wait_done(self.end, seconds)
        else:
            self._coroutine.close()

    def _begin(self) -> None:
        import asyncio

        if not self.end.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        elif not self.end.done():
            # Interrupted after scheduling, before the task was created.
            self._coroutine.close()
            self.end.set_exception(KeyboardInterrupt())

    async def _work(self) -> None:
        # Hand over every exception, also KeyboardInterrupt: one that escapes a task stops the loop.
        try:
            value = await self._coroutine
        except BaseException as error:  # noqa: BLE001
            self.end.set_exception(error)
        else:
            self.end.set_result(value)


@dataclass(frozen=True, slots=True)
class _Item(Generic[_T]):
    value: _T


class _Pump(Generic[_T]):
    """Takes items from an async iterator on request, in one task from the first step to the closing."""

    def __init__(self, source: AsyncIterator[_T]) -> None:
        import asyncio

        self._source = source
        self._asked: asyncio.Queue[Future[_Item[_T] | None] | None] = asyncio.Queue()

    def ask(self, job: _Job[None]) -> Future[_Item[_T] | None]:
        """Request the next item."""
        from concurrent.futures import Future

        if not job.reachable():
            raise ConfigError(
                "This iterator was created in another process; a fork does not copy running reads",
                guidance="Call the function again in this process.",
            )
        reply: Future[_Item[_T] | None] = Future()
        job.later(self._asked.put_nowait, reply)
        return reply

    def stop(self, job: _Job[None]) -> None:
        """End the task if it is still running."""
        if job.reachable() and not job.end.done():
            job.later(self._asked.put_nowait, None)

    async def work(self) -> None:
        """Produce items on request, and close the source at the end."""
        try:
            while (reply := await self._next_asked()) is not None:
                try:
                    item = _Item(await anext(self._source))
                except StopAsyncIteration:
                    reply.set_result(None)
                    return
                except BaseException as error:
                    reply.set_exception(error)
                    raise
                reply.set_result(item)
        finally:
            if isinstance(self._source, AsyncGenerator):
                await self._source.aclose()

    async def _next_asked(self) -> Future[_Item[_T] | None] | None:
        import asyncio

        try:
            return await self._asked.get()
        except asyncio.CancelledError:
            # Cancelled between two steps, as at interpreter exit: the same as leaving the loop early.
            return None


@dataclass(frozen=True, slots=True)
class _Background:
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    pid: int


class _Process:
    """The background loop of this process; after a fork the child starts without one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.background: _Background | None = None
        # A loop inherited through a fork shares its epoll with the parent: closing it would break the parent's loop.
        self.inherited: list[_Background] = []

    def forget(self) -> None:
        """Reset the state in the child of a fork."""
        if self.background is not None:
            self.inherited.append(self.background)
        self.lock, self.background = threading.Lock(), None


_process: Final = _Process()


def _background_loop() -> _Background:
    import asyncio

    with _process.lock:
        found = _process.background
        if found is None or not found.thread.is_alive():
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_serve, args=(loop,), name="bx24frames", daemon=True)
            found = _process.background = _Background(loop, thread, os.getpid())
            thread.start()
    if found.thread is threading.current_thread():
        raise ConfigError(
            "A blocking function was called inside a coroutine of bx24frames, which would deadlock",
            guidance="Await the functions of bx24frames.aio there.",
        )
    return found


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    stopped = False
    while not stopped:
        try:
            loop.run_forever()
            stopped = True
        except (KeyboardInterrupt, SystemExit):
            # Raised by a task created elsewhere: the task keeps it as its result, and the loop continues.
            continue
    _wind_up(loop)


def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=EXIT_SECONDS))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _stop() -> None:
    background, _process.background = _process.background, None
    if background is not None and background.thread.is_alive():
        background.loop.call_soon_threadsafe(background.loop.stop)
        background.thread.join(EXIT_SECONDS + 1.0)


def _between_imports() -> None:
    """Let the background thread finish a running import before a fork.

    Otherwise the child would inherit a held module lock, and its first import of that module would block forever.
    """
    background = _process.background
    if background is None or background.thread is threading.current_thread():
        return
    latest = time.monotonic() + IMPORT_SECONDS
    while _importing(background.thread.ident) and time.monotonic() < latest:
        time.sleep(0.001)


def _importing(thread: int | None) -> bool:
    frame = sys._current_frames().get(thread or 0)
    while frame is not None and frame.f_code.co_filename != _IMPORTER:
        frame = frame.f_back
    return frame is not None


def _wait(future: Future[_T]) -> _T:
    """Wait for a result; errors of the package are raised without the traceback of the background thread."""
    _wait_done(future, None)
    failure = None if future.cancelled() or os.environ.get(TRACEBACK) else future.exception()
    if isinstance(failure, BX24Error):
        raise failure.with_traceback(None)
    return future.result()


def _wait_done(future: Future[_T], seconds: float | None) -> None:
    """Wait until the future is done, for at most `seconds`."""
    ended = threading.Event()
    future.add_done_callback(lambda _: ended.set())
    deadline = None if seconds is None else time.monotonic() + seconds
    while not ended.is_set():
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return
        ended.wait(TICK if left is None else min(left, TICK))


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_between_imports, after_in_child=_process.forget)
