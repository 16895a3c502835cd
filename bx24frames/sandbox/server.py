"""The HTTP server of the sandbox: aiohttp on the loopback interface, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakSet

from bx24frames.sandbox.wire import Incoming

if TYPE_CHECKING:
    from aiohttp import web

    from bx24frames.sandbox.exchange import Exchange

HOST: Final = "127.0.0.1"
MAX_BODY: Final = 256 * 2**20
START_SECONDS: Final = 30.0
ACCEPT_TURNS: Final = 16
"""Iterations of the event loop after which the HTTP server has registered every accepted connection."""
HANDSHAKE_SECONDS: Final = 0.05
CUT_SECONDS: Final = 0.05
"""Seconds that a pending answer gets when its connection is cut; aiohttp takes 0 for no limit."""
_T = TypeVar("_T")


class Server:
    """One portal on one port of the loopback address.

    Parameters
    ----------
    exchange : Exchange
        The way into the portal.
    port : int
        Default: any free port, which stays the same after `stop` and `start`.
    tls : ssl.SSLContext, optional
        For https.
    """

    def __init__(self, exchange: Exchange, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.exchange = exchange
        self._tls = tls
        self._runner: web.AppRunner | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bx24frames-sandbox", daemon=True)
        self._transports: WeakSet[asyncio.Transport] = WeakSet()
        self._thread.start()

    def start(self) -> None:
        """Listen; returns when requests are accepted."""
        self._wait(self._listen())

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        self._wait(self._unlisten())

    def close(self) -> None:
        """Stop permanently and end the thread; does nothing if the thread has ended (also after a fork)."""
        if not self._thread.is_alive():
            return
        self.stop()
        self._wait(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    async def _listen(self) -> None:
        from aiohttp import web

        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=CUT_SECONDS, handle_signals=False)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, HOST, self.port, ssl_context=self._tls, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _unlisten(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        server = runner.server
        await runner.cleanup()
        # A connection that was just accepted is registered by a separate task, after the others were cut; and aiohttp
        # leaves a connection open if it had to cancel its handler.
        for _ in range(ACCEPT_TURNS):
            await asyncio.sleep(0)
        if self._tls is not None:
            await asyncio.sleep(HANDSHAKE_SECONDS)
        if server is not None:
            await server.shutdown(CUT_SECONDS)
        for transport in list(self._transports):
            transport.abort()
        await asyncio.sleep(0)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if request.transport is not None:
            self._transports.add(request.transport)
        reply = await self.exchange.reply(await _read(request))
        if reply.drop and request.transport is not None:
            request.transport.abort()
        return web.Response(
            status=reply.status,
            body=reply.body,
            headers={"Content-Type": reply.content_type, **reply.headers},
        )


async def _end_tasks() -> None:
    """Cancel the answers that are still delayed."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _read(request: web.Request) -> Incoming:
    """Read a whole request, with path and query undecoded."""
    path, _, query = request.raw_path.partition("?")
    return Incoming(
        verb=request.method,
        path=path,
        query=query.partition("#")[0],
        content_type=request.headers.get("Content-Type", ""),
        body=await request.read(),
        authorization=request.headers.get("Authorization", ""),
        source=request.remote or "",
        idempotency=request.headers.get("Idempotency-Key", ""),
    )
