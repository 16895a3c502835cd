"""A real local server whose answers a test writes, and what it was asked."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bx24frames.transport import authorized
from bx24frames.transport.address import Address

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Portal:
    """What a test's server was asked; `answers` are its handlers, the last one for all that follows."""

    answers: list[Handler]
    url: str = ""
    seen: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)

    @property
    def webhook(self) -> Address:
        return Address.parse(f"{self.url}/rest/1/s3cretc0de/")

    @property
    def application(self) -> Address:
        return Address.parse(f"{self.url}/rest/")


Serve = Callable[..., Awaitable[Portal]]


async def at_once(_seconds: float) -> None:
    """A wait that takes no time."""


open_transport = partial(authorized.open_transport, sleep=at_once)
"""The transport for an address and a credential, without the waits between attempts."""


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(*answers: Handler) -> Portal:
        portal = Portal(list(answers))

        async def handle(request: web.Request) -> web.StreamResponse:
            portal.seen.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
            answer = portal.answers.pop(0) if len(portal.answers) > 1 else portal.answers[0]
            return await answer(request)

        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", handle)
        server = TestServer(app)
        servers.append(server)
        await server.start_server()
        portal.url = str(server.make_url("")).rstrip("/")
        return portal

    yield start
    for server in servers:
        await server.close()


def says(body: object, status: int = 200) -> Handler:
    """A handler that answers with JSON."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


@pytest.fixture
def serve_in_thread() -> Iterator[str]:
    """A server on a loop of its own, for tests that make and end loops."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> TestServer:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", says({"result": 1}))
        server = TestServer(app)
        await server.start_server()
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield str(server.make_url("")).rstrip("/")
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session")
def tls_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
async def tls_port(tls_file: Path) -> AsyncIterator[int]:
    """The port of a server with that certificate."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", says({"result": 1}))
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls_file)
    site = web.TCPSite(runner, "localhost", 0, ssl_context=context)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()
