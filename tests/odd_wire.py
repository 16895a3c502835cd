"""What PHP does to parameters and maps, and the HTTP socket around a fake portal; written from the protocol alone."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

_NAME = re.compile(r"^([^\[]+)((?:\[[^\]]*\])*)$")


def parse_str(query: str) -> dict[str, Any]:
    """PHP's `parse_str`: brackets nest, an empty index appends, names beyond 1000 are dropped without a word."""
    found: dict[str, Any] = {}
    for pair in [part for part in query.split("&") if part][:1000]:
        name, _, value = pair.partition("=")
        match = _NAME.match(unquote_plus(name))
        if match is None:
            continue
        steps = [match[1], *re.findall(r"\[([^\]]*)\]", match[2])]
        place = found
        for at, step in enumerate(steps):
            key = str(len(place)) if step == "" else step
            if at == len(steps) - 1:
                place[key] = unquote_plus(value)
            else:
                place = place.setdefault(key, {})
    return {key: listed(value) for key, value in found.items()}


def listed(value: Any) -> Any:
    """A PHP array with the keys 0..n-1 is a list."""
    if not isinstance(value, dict):
        return value
    inner = {key: listed(item) for key, item in value.items()}
    return list(inner.values()) if list(inner) == [str(at) for at in range(len(inner))] else inner


def php_map(value: Mapping[str, Any]) -> Any:
    """How PHP prints a map: empty as [], with the keys 0..n-1 as a list."""
    if list(value) == [str(at) for at in range(len(value))]:
        return list(value.values())
    return dict(value)


@dataclass
class Refused(Exception):
    """A method's refusal."""

    code: str
    text: str = ""
    status: int = 400


@dataclass
class Raw:
    """Bytes instead of an answer; `body` None closes the connection without a word."""

    status: int = 200
    body: bytes | None = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    """Bytes promised by Content-Length and never sent."""


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    method: str
    params: Any
    headers: dict[str, str]


Answering = Callable[[Asked], Raw]


class Server:
    """One HTTP/1.1 server on loopback, a thread a connection."""

    def __init__(self, answer: Answering, *, certificate: Path | None = None) -> None:
        outer = answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                path = self.path.split("?")[0]
                form = (self.headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded")
                params = parse_str(body.decode()) if form else json.loads(body or b"null")
                params = parse_str(self.path.partition("?")[2]) if params is None else params
                asked = Asked(path, path.rstrip("/").rsplit("/", 1)[-1], params, dict(self.headers))
                self._reply(outer(asked))

            do_GET = do_POST  # noqa: N815

            def _reply(self, raw: Raw) -> None:
                if raw.body is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(raw.status)
                for name, value in raw.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw.body) + raw.cut))
                self.end_headers()
                self.wfile.write(raw.body)
                self.close_connection = self.close_connection or raw.cut > 0

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that has gone is no fault here."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
