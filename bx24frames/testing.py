"""Testing tools for programs that use bx24frames: a portal without a network, and reads and writes without waits.

`Sandbox` is the portal in a box. `no_waiting` skips the delays of retries, backoff and reconciliation. With pytest, the
fixtures ``bx24_sandbox`` and ``bx24_no_waiting`` provide both.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar, cast

from bx24frames.engine.clock import Skipped
from bx24frames.portal.budgets import Budgets, substituted
from bx24frames.sandbox import Sandbox

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Sandbox", "no_waiting"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class no_waiting:  # noqa: N801 (used as a function: ``with no_waiting():`` and ``@no_waiting()``)
    """Skip the waits of bx24frames: retries, backoff, pauses for limits and reconciliation happen immediately.

    A context manager, and a decorator for functions and coroutine functions. The clock is advanced rather than stopped:
    a wait of a minute ends with the clock a minute later, so deadlines and reports are the same as with real waits. It
    applies to the whole process, but only to portals on this machine or behind a custom transport: the limits of real
    portals are always respected.

    The portal must not limit requests (``Sandbox(plan="unlimited")``), and must have finished processing a request when
    its connection closes, as the sandbox has: rows whose answer was lost are looked up immediately.

    Parameters
    ----------
    at_most : float
        Seconds that one wait really takes at most, for tests in which the portal needs a moment, such as a restart.

    Attributes
    ----------
    seconds : float
        Seconds skipped so far.

    Examples
    --------
    >>> import pandas as pd
    >>> import bx24frames as bx
    >>> from bx24frames.sandbox import Fault
    >>> from bx24frames.testing import Sandbox, no_waiting
    >>> deals = pd.DataFrame({"title": ["a", "b"]})
    >>> with Sandbox(plan="unlimited", real_time=False) as sandbox, no_waiting() as skipped:
    ...     dropped = sandbox.faults.add(Fault("drop_before", method="crm.item.batchImport"))
    ...     report = bx.write_entity(deals, "deal", sandbox.url, mode="insert")
    >>> report.inserted, dropped.fired, skipped.seconds > 60
    (2, 1, True)
    """

    def __init__(self, *, at_most: float = 0.0) -> None:
        self._skipped = Skipped(at_most)
        self._stack = ExitStack()

    @property
    def seconds(self) -> float:
        """Seconds skipped so far."""
        return self._skipped.seconds

    def __enter__(self) -> Self:
        self._stack.enter_context(substituted(Budgets(self._skipped.clock)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, function: Callable[_P, _T]) -> Callable[_P, _T]:
        """Decorate a function or a coroutine function."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> object:
                with type(self)(at_most=self._skipped.at_most):
                    return await function(*args, **kwargs)

            return cast("Callable[_P, _T]", awaited)

        @functools.wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            with type(self)(at_most=self._skipped.at_most):
                return function(*args, **kwargs)

        return called
