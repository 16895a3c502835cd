"""The `connect` command: the address is prompted for, checked and saved; it is never shown, or saved unchecked."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from bx24frames.config import list_profiles, resolve
from bx24frames.sandbox import Sandbox


class Ring(keyring.backend.KeyringBackend):
    priority = 5
    kept: ClassVar[dict[str, str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password


class Locked(Ring):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.PasswordSetError("locked")


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kept" / "profiles.toml"
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(path))
    return path


@pytest.fixture(autouse=True)
def ring():
    """No keyring, unless the test sets one."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    Ring.kept.clear()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def connect(run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    monkeypatch.delenv("BX24_WEBHOOK")

    def call(address: str, *arguments: str):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
        return run("connect", *arguments)

    return call


@pytest.mark.usefixtures("over_http")
def test_it_is_kept_in_a_file_of_ones_own_and_used_from_then_on(connect, run, bx24_sandbox: Sandbox, profiles, code):
    ran = connect(bx24_sandbox.url)
    assert ran.status == 0, ran.err
    assert "ok    credential" in ran.text
    assert code not in ran.text + ran.err
    assert stat.S_IMODE(profiles.stat().st_mode) == 0o600
    assert (resolve().url, list_profiles()) == (bx24_sandbox.url, ("127-0-0-1",))
    assert run("count", "deal").text == "120\n"


def test_names_and_the_default(connect, bx24_sandbox: Sandbox, profiles: Path):
    assert "the default" in connect(bx24_sandbox.url, "--name", "first").text
    second = connect(bx24_sandbox.url, "--name", "second")
    assert "--profile second" in second.text
    assert list_profiles() == ("first", "second")
    assert "Replaced second" in connect(bx24_sandbox.url, "--name", "second", "--default").text
    assert list_profiles() == ("second", "first")


def test_a_keyring_has_it_where_there_is_one(connect, run, ring, bx24_sandbox: Sandbox, profiles: Path, code: str):
    ring(Ring())
    ran = connect(bx24_sandbox.url, "--name", "acme")
    assert "keyring" in ran.text
    assert code not in profiles.read_text()
    assert Ring.kept == {"acme": bx24_sandbox.url}
    assert run("count", "deal", "--profile", "acme").text == "120\n"
    assert connect(bx24_sandbox.url, "--name", "plain", "--file").status == 0
    assert "plain" not in Ring.kept


def test_a_keyring_that_takes_nothing_is_told_with_the_way_out(connect, ring, bx24_sandbox: Sandbox, profiles: Path):
    ring(Locked())
    ran = connect(bx24_sandbox.url)
    assert (ran.status, "--file" in ran.err, profiles.exists()) == (1, True, False)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://acme.bitrix24.com/crm/deal/", "webhook"),
        ("", "No address"),
        ("sandbox", "https://"),
    ],
)
def test_what_is_no_webhook_is_told(connect, profiles: Path, address: str, told: str):
    ran = connect(address)
    assert (ran.status, profiles.exists()) == (1, False)
    assert told in ran.err


@pytest.mark.parametrize(
    ("address", "name", "told"),
    [("garbage", "acme", "https://"), ("sandbox", "acme", "https://"), ("", "мой", "not a valid profile name")],
)
def test_what_cannot_be_kept_is_told_before_a_portal_is_asked(connect, address: str, name: str, told: str):
    """A plain word is not taken for a profile name here, and an invalid name fails before the address is requested."""
    ran = connect(address, "--name", name)
    assert (ran.status, ran.text, told in ran.err) == (1, "", True)


def test_an_address_that_does_not_work_is_not_kept(connect, bx24_sandbox: Sandbox, profiles: Path, code: str):
    ran = connect(bx24_sandbox.url.replace(code, "wr0ngc0dewr0ngc0de"))
    assert (ran.status, profiles.exists()) == (1, False)
    assert "fail  credential" in ran.text
    assert "wr0ng" not in ran.text + ran.err


def test_a_missing_scope_is_told_and_kept_all_the_same(connect, bx24_sandbox: Sandbox, profiles: Path):
    ran = connect(bx24_sandbox.add_webhook(["user"]))
    assert (ran.status, "fail  scopes" in ran.text, profiles.exists()) == (0, True, True)


def test_in_a_terminal_it_is_asked_for_unseen(run, bx24_sandbox: Sandbox, profiles: Path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked = []

    def prompt(text: str, **options: object) -> str:
        asked.append((text, options["hide_input"]))
        return bx24_sandbox.url

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    assert run("connect").status == 0
    assert asked == [("Webhook address (hidden)", True)]
