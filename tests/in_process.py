"""The client's transport over a sandbox in the same process: its exceptions for those of the sandbox's connection.

`without_sockets` lets every portal of a sandbox of this process be reached so, whatever opens it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.in_process import InProcessReply
from bx24frames.transport import authorized
from bx24frames.transport.address import Address
from bx24frames.transport.base import NoReply, Reply
from bx24frames.transport.http import HttpTransport


class SandboxTransport:
    """`HttpTransport` without a socket."""

    def __init__(self, sandbox: Sandbox, address: Address) -> None:
        self.address = address
        self._inner = sandbox.transport

    async def post(self, method: str, body: bytes, *, timeout: float, bearer: str | None = None) -> Reply:  # noqa: ASYNC109
        authorization = "" if bearer is None else f"Bearer {bearer}"
        url = self.address.url(method)
        return await _reply(self._inner.send(url, body, timeout=timeout, authorization=authorization), timeout)

    async def submit(self, url: str, form: Mapping[str, str], *, timeout: float) -> Reply:  # noqa: ASYNC109
        return await _reply(self._inner.submit(url, form, timeout=timeout), timeout)

    async def close(self) -> None:
        await self._inner.close()


async def _reply(answer: Awaitable[InProcessReply], timeout: float) -> Reply:  # noqa: ASYNC109
    try:
        reply = await answer
    except ConnectionRefusedError as error:
        raise NoReply(str(error), sent=False) from None
    except ConnectionResetError as error:
        raise NoReply(str(error)) from None
    except TimeoutError:
        raise NoReply(f"no answer within {timeout:g} s", timeout=True) from None
    return Reply(reply.status, reply.headers, reply.body, reply.url_host)


def open_http(address: Address, *, ssl: Any = True, session: Any = None) -> HttpTransport | SandboxTransport:
    """The transport for an address: in process where a sandbox of this process without a port has it."""
    sandbox = Sandbox.at(address.host) if session is None and address.host.endswith(".localhost") else None
    return HttpTransport(address, ssl=ssl, session=session) if sandbox is None else SandboxTransport(sandbox, address)


@contextmanager
def without_sockets() -> Iterator[None]:
    """Reach sandboxes made with ``listen=False`` in process, from every portal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authorized, "HttpTransport", open_http)
        yield
