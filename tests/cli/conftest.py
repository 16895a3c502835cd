"""Fixtures of the command-line tests: commands run in this process against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bx24frames.cli import main
from bx24frames.sandbox import Sandbox


@dataclass(frozen=True)
class Ran:
    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


Run = Callable[..., Ran]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], bx24_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("BX24_WEBHOOK", bx24_sandbox.url)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        found = capfdbinary.readouterr()
        return Ran(int(end.value.code or 0), found.out, found.err.decode())

    return call


@pytest.fixture
def code(bx24_sandbox: Sandbox) -> str:
    """The secret part of the portal's address."""
    return bx24_sandbox.url.rstrip("/").rpartition("/")[2]
