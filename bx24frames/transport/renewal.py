"""Token renewal: the current access token, and one renewal at a time for all requests, loops and threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from bx24frames.transport.base import NoReply

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


class Renewal:
    """Holds the current token and runs at most one renewal of it.

    Parameters
    ----------
    current : str, optional
        The access token known so far.
    """

    def __init__(self, current: str | None = None) -> None:
        self._current = current
        self._lock = threading.Lock()
        self._flight: tuple[int, Future[str]] | None = None
        self._task: asyncio.Task[None] | None = None

    async def token(self, rejected: str | None, renew: Callable[[], Coroutine[None, None, str]]) -> str:
        """Return a token other than `rejected`: the current one, or what `renew` brings.

        The renewal continues if the request that began it is cancelled: otherwise a refresh token that the
        authorisation server has already replaced would be lost.
        """
        import asyncio
        from concurrent.futures import Future

        with self._lock:
            if self._current is not None and self._current != rejected:
                return self._current
            # A renewal that the parent of a fork had begun does not run here.
            if self._flight is None or self._flight[0] != os.getpid():
                self._flight = (os.getpid(), Future())
                self._task = asyncio.get_running_loop().create_task(self._fly(self._flight[1], renew))
            flight = self._flight[1]
        return await asyncio.shield(asyncio.wrap_future(flight))

    async def _fly(self, flight: Future[str], renew: Callable[[], Coroutine[None, None, str]]) -> None:
        try:
            token = await renew()
        except Exception as error:  # noqa: BLE001 (handed to every waiter)
            self._land(None)
            flight.set_exception(error)
        except BaseException:
            self._land(None)
            flight.set_exception(NoReply("the renewal of the access token was cut off", sent=False))
            raise
        else:
            self._land(token)
            flight.set_result(token)

    def _land(self, token: str | None) -> None:
        with self._lock:
            self._flight = self._task = None
            self._current = token or self._current
