"""Applications and their tokens, users' sessions and certificates: through whole verbs."""

from __future__ import annotations

import asyncio
import json
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from odd_portal import OddPortal
from odd_wire import Asked, Raw, Server

import bx24frames as bx
from bx24frames import aio
from bx24frames import errors as e

PAIRS = bx.Limits(burst=100_000, per_second=100_000.0, commands_per_batch=2)


def says(code: str, text: str, status: int) -> Raw:
    return Raw(status, json.dumps({"error": code, "error_description": text}).encode())


@dataclass
class Issuer:
    """An authorisation server: each refresh token works once."""

    refresh: str = "refresh-SECRET-0"
    access: str = "access-SECRET-0"
    renewals: int = 0
    refuses: Raw | None = None
    events: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Raw:
        with self.lock:
            if self.refuses is not None:
                return self.refuses
            if (
                asked.params.get("refresh_token") != self.refresh
                or asked.params.get("client_secret") != "client-SECRET"
            ):
                return says("invalid_grant", "Invalid grant", 400)
            self.renewals += 1
            self.refresh, self.access = f"refresh-SECRET-{self.renewals}", f"access-SECRET-{self.renewals}"
            self.events.append(f"issued {self.renewals}")
            body = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": 3600, "domain": "x"}
            return Raw(200, json.dumps(body).encode())


@dataclass
class Application:
    odd: OddPortal
    issuer: Issuer
    token_url: str
    url: str

    def oauth(self, **given: Any) -> bx.OAuth:
        known = {"access_token": "access-SECRET-old", "refresh_token": "refresh-SECRET-0", **given}
        return bx.OAuth("local.1", "client-SECRET", token_url=self.token_url, **known)


@pytest.fixture
def app(odd: OddPortal) -> Iterator[Application]:
    issuer = Issuer()
    server = Server(issuer.answer)

    def guard(asked: Asked) -> Raw | None:
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        issuer.events.append(f"used {token[-1]}")
        return None if token == issuer.access else says("expired_token", "The access token has expired.", 401)

    odd.before.append(guard)
    yield Application(odd, issuer, f"{server.base}/oauth/token/", f"{odd.server.base}/rest/")
    server.close()


class Store:
    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.kept = issuer, dict[str, object]()

    def load(self) -> dict[str, object] | None:
        return self.kept or None

    def save(self, tokens: dict[str, object], /) -> None:
        self.issuer.events.append("stored")
        self.kept = tokens


def test_one_renewal_however_many_requests_wait(app: Application) -> None:
    store = Store(app.issuer)
    with bx.Portal(app.url, auth=app.oauth(store=store), limits=PAIRS) as portal:
        rows = portal.get_by_id("crm.deal.get", sorted(app.odd.rows))
        assert len(rows) == 180
        assert len(bx.read_entity("deal", portal)) == 180
    assert app.issuer.renewals == 1
    events = app.issuer.events
    assert events.index("issued 1") < events.index("stored") < events.index("used 1")
    assert store.kept["refresh_token"] == "refresh-SECRET-1"


def test_renewals_of_several_threads_are_one(app: Application) -> None:
    auth = app.oauth()
    found: list[int] = []

    def work() -> None:
        with bx.Portal(app.url, auth=auth, limits=PAIRS) as portal:
            found.append(bx.count_entity("deal", portal))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [180] * 6
    assert app.issuer.renewals == 1


@pytest.mark.parametrize("status", [400, 200])
def test_a_refused_renewal_is_raised_at_once(app: Application, status: int) -> None:
    app.issuer.refuses = says("invalid_grant" if status == 400 else "wrong_client", "Invalid", status)
    with bx.Portal(app.url, auth=app.oauth(), limits=PAIRS) as portal, pytest.raises(e.AuthError) as caught:
        bx.read_entity("deal", portal)
    assert len(app.odd.asked) == 1
    text = "".join(traceback.format_exception(caught.value)) + str(caught.value)
    assert "SECRET" not in text
    assert "refresh token" in text if status == 400 else "client_id" in text
    assert "webhook" not in str(caught.value)


def test_a_refused_renewal_in_an_upload(app: Application) -> None:
    import pandas as pd

    app.issuer.refuses = says("invalid_grant", "Invalid", 400)
    frame = pd.DataFrame({"title": [f"t{at}" for at in range(60)]})
    with bx.Portal(app.url, auth=app.oauth(), limits=PAIRS) as portal, pytest.raises(e.AuthError):
        bx.write_entity(frame, "deal", portal, mode="insert")
    assert len(app.odd.rows) == 180


def test_a_store_that_fails(app: Application) -> None:
    class Broken(Store):
        def save(self, tokens: dict[str, object], /) -> None:
            raise OSError(f"disk full at {tokens['refresh_token']}")

    auth = app.oauth(store=Broken(app.issuer))
    with (
        bx.Portal(app.url, auth=auth, limits=PAIRS) as portal,
        pytest.raises(e.ConfigError, match="could not be stored"),
    ):
        bx.read_entity("deal", portal)
    assert not [event for event in app.issuer.events if event == "used 1"]


@pytest.mark.parametrize("kind", ["plain", "async", "mapping"])
def test_a_token_function(app: Application, kind: str) -> None:
    calls: list[int] = []

    def token() -> Any:
        calls.append(1)
        return {"access_token": app.issuer.access} if kind == "mapping" else app.issuer.access

    async def later() -> Any:
        await asyncio.sleep(0)
        return token()

    with bx.Portal(app.url, auth=later if kind == "async" else token, limits=PAIRS) as portal:
        assert bx.count_entity("deal", portal) == 180
        app.issuer.access = "access-SECRET-9"
        assert bx.count_entity("deal", portal) == 180
    assert len(calls) == 2


@pytest.mark.parametrize("failing", ["raises", "same", "none"])
def test_a_token_function_that_fails(app: Application, failing: str) -> None:
    def token() -> Any:
        if failing == "raises":
            raise RuntimeError("no https://x/rest/1/s3cr3tc0de4567890/ today")
        return "access-SECRET-stale" if failing == "same" else None

    with bx.Portal(app.url, auth=token, limits=PAIRS) as portal, pytest.raises(e.AuthError) as caught:
        bx.count_entity("deal", portal)
    text = "".join(traceback.format_exception(caught.value))
    assert "s3cr3t" not in text
    assert "SECRET" not in text
    assert "token function" in str(caught.value)
    assert "webhook" not in str(caught.value)


async def test_a_session_of_the_users_own(odd: OddPortal) -> None:
    async with aiohttp.ClientSession() as session:
        portal = aio.Portal(odd.url, session=session, limits=PAIRS)
        assert len(await aio.read_entity("deal", portal)) == 180
        await portal.close()
        assert not session.closed
        with pytest.raises(e.ConfigError, match="session= works with"):
            bx.Portal(odd.url, session=session).call("profile")
        with pytest.raises(e.ConfigError, match="session="):
            bx.read_entity("deal", portal)
    with pytest.raises(e.ConfigError, match="closed"):
        await portal.call("profile")


@pytest.fixture
def https(tmp_path: Path, odd: OddPortal) -> Iterator[tuple[str, Path]]:
    """The same portal behind a certificate nobody knows."""
    import datetime as dt
    import ssl

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path = tmp_path / "ca.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    server = Server(odd.answer, certificate=path)
    assert isinstance(ssl.create_default_context(), ssl.SSLContext)
    yield f"https://localhost:{server.server.server_address[1]}/rest/1/{odd.url.split('/')[5]}/", path
    server.close()


def test_certificates(https: tuple[str, Path], odd: OddPortal) -> None:
    url, path = https
    for given in (False, str(path), path):
        with bx.Portal(url, ssl=given, limits=PAIRS) as portal:
            assert bx.count_entity("deal", portal) == 180
    with bx.Portal(url, limits=PAIRS) as portal, pytest.raises(e.TransportError, match="certificate") as caught:
        bx.count_entity("deal", portal)
    assert odd.url.split("/")[5] not in "".join(traceback.format_exception(caught.value))
