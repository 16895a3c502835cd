"""Portal configuration: resolution of addresses and profiles; secrets stay hidden."""

from __future__ import annotations

import pickle
import stat
from pathlib import Path
from typing import ClassVar

import pytest

from bx24frames import Portal, config
from bx24frames.config import list_profiles, resolve, save_profile
from bx24frames.errors import ConfigError

WEBHOOK = "https://acme.bitrix24.com/rest/1/s3cretc0de/"


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sub" / "profiles.toml"
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(path))
    monkeypatch.delenv("BX24_WEBHOOK", raising=False)
    return path


def test_an_address_is_taken_as_it_is() -> None:
    profile = resolve(f" {WEBHOOK} ")
    assert profile.address().secret == "s3cretc0de"
    assert "s3cret" not in repr(profile)


def test_sandbox_is_the_built_in_portal() -> None:
    assert resolve("sandbox").is_sandbox
    assert not resolve(WEBHOOK).is_sandbox


def test_none_is_the_environment_then_the_default_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    save_profile("acme", WEBHOOK)
    assert resolve().name == "acme"
    monkeypatch.setenv("BX24_WEBHOOK", "https://other.bitrix24.com/rest/2/x/")
    assert resolve().address().host == "other.bitrix24.com"
    monkeypatch.setenv("BX24_WEBHOOK", "sandbox")
    assert resolve().is_sandbox
    monkeypatch.setenv("BX24_WEBHOOK", "acme")
    assert resolve().url == WEBHOOK


def test_a_variable_of_any_name_holds_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOBEX_WEBHOOK", f" {WEBHOOK}\n")
    profile = resolve("env:GLOBEX_WEBHOOK")
    assert (profile.name, profile.address().secret) == ("env:GLOBEX_WEBHOOK", "s3cretc0de")
    monkeypatch.setenv("BX24_WEBHOOK", "env:GLOBEX_WEBHOOK")
    assert resolve().url == WEBHOOK
    with pytest.raises(ConfigError, match="environment variable OTHER is not set"):
        resolve("env:OTHER")
    with pytest.raises(ConfigError, match="not set") as caught:
        resolve(f"env:{WEBHOOK}")
    assert "s3cret" not in str(caught.value)


def test_a_portal_by_variable_is_pickled_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOBEX_WEBHOOK", WEBHOOK)
    packed = pickle.dumps(Portal("env:GLOBEX_WEBHOOK"))
    assert b"s3cret" not in packed
    assert pickle.loads(packed).host == "acme.bitrix24.com"
    monkeypatch.setenv("GLOBEX_WEBHOOK", "https://other.bitrix24.com/rest/1/s3cretc0de/")
    with pytest.raises(ConfigError, match="Have the environment variable GLOBEX_WEBHOOK name the same portal"):
        pickle.loads(packed)


def test_no_portal_at_all_names_the_three_ways() -> None:
    with pytest.raises(ConfigError, match="No portal is given") as caught:
        resolve()
    for way in ("Portal(", "BX24_WEBHOOK", "save_profile", "Inbound webhook"):
        assert way in str(caught.value)


def test_a_malformed_address_names_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BX24_WEBHOOK", "http://acme.bitrix24.com/rest/1/s3cretc0de/")
    with pytest.raises(ConfigError, match=r"environment variable BX24_WEBHOOK: .*plain http") as caught:
        resolve().address()
    assert "s3cret" not in str(caught.value)
    assert resolve().address(allow_http=True).user_id == 1


def test_profiles_are_kept_for_their_owner_alone(profiles: Path) -> None:
    save_profile("first", WEBHOOK)
    save_profile("second-2", "https://two.bitrix24.com/rest/3/y/")
    assert stat.S_IMODE(profiles.stat().st_mode) == 0o600
    assert list_profiles() == ("first", "second-2")
    assert resolve("second-2").address().host == "two.bitrix24.com"
    save_profile("second-2", "https://three.bitrix24.com/rest/3/y/", default=True)
    assert list_profiles() == ("second-2", "first")
    assert resolve().address().host == "three.bitrix24.com"


def test_settings_beside_the_address_survive_and_what_would_be_lost_is_refused(profiles: Path) -> None:
    profiles.parent.mkdir()
    profiles.write_text(f'[profile.old]\nwebhook = "{WEBHOOK}"\nnote = "Ünïcode \\" quote"\nlevel = 3\nlive = true\n')
    save_profile("new", WEBHOOK)
    text = profiles.read_text()
    assert "level = 3\nlive = true" in text
    assert config._profiles(config._read(profiles))["old"]["note"] == 'Ünïcode " quote'
    profiles.write_text("[profile.old]\nwebhook = 'x'\n[profile.old.more]\na = 1\n")
    with pytest.raises(ConfigError, match="would be lost"):
        save_profile("new", WEBHOOK)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not toml", "not TOML"),
        ("profile = 3", "tables"),
        ("default = 'gone'", "no profile 'gone'"),
        ("[profile.a]\nwebhook = 'x'", "none of the saved profiles \\(a\\) is the default"),
        ("default = 'a'\n[profile.a]\nurl = 'x'", "neither webhook"),
    ],
)
def test_a_file_that_cannot_work_says_why(profiles: Path, text: str, why: str) -> None:
    profiles.parent.mkdir()
    profiles.write_text(text)
    with pytest.raises(ConfigError, match=why):
        resolve()


def test_an_unknown_name_lists_the_known_and_hides_what_looks_like_a_code() -> None:
    save_profile("acme", WEBHOOK)
    with pytest.raises(ConfigError, match="no profile 'acne'; saved profiles: acme"):
        resolve("acne")
    with pytest.raises(ConfigError) as caught:
        resolve("x1y2z3x1y2z3x1y2")
    assert "x1y2z3" not in str(caught.value)


def test_what_cannot_be_kept_is_not_written(profiles: Path) -> None:
    for name, webhook in (("sandbox", WEBHOOK), ("a b", WEBHOOK), ("", WEBHOOK), ("ok", "https://acme.com/x")):
        with pytest.raises(ConfigError):
            save_profile(name, webhook)
    assert not profiles.exists()


def test_a_group_is_a_list_of_profiles_that_saving_another_profile_keeps(profiles: Path) -> None:
    for name in ("acme", "globex"):
        save_profile(name, WEBHOOK)
    profiles.write_text(f'{profiles.read_text()}\n[groups]\nclients = ["globex", "acme"]\n"our own" = []\n')
    save_profile("initech", WEBHOOK)
    assert config.profiles("clients") == ("globex", "acme")
    assert config.list_groups() == {"clients": ("globex", "acme"), "our own": ()}
    assert config.profiles() == list_profiles() == ("acme", "globex", "initech")


@pytest.mark.parametrize(
    ("text", "group", "why"),
    [
        ("", "clients", "There is no group 'clients'; groups: none"),
        ('[groups]\nall = ["acme"]', "clients", "groups: all"),
        ('[groups]\nclients = ["acme"]', "clients", "names 'acme', which is not a saved profile"),
        ("[groups]\nclients = []", "clients", "names no profile"),
        ('[groups]\nclients = "acme"', "clients", "are not lists of profiles"),
        ("[groups]\nclients = [1]", "clients", "are not lists of profiles"),
        ('groups = "acme"', "clients", "are not lists of profiles"),
    ],
)
def test_a_group_that_cannot_be_meant_says_why(profiles: Path, text: str, group: str, why: str) -> None:
    profiles.parent.mkdir()
    profiles.write_text(text)
    with pytest.raises(ConfigError, match=why):
        config.profiles(group)


def test_a_keyring_holds_the_address_and_the_file_a_reference(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    backend: type = keyring.backend.KeyringBackend

    class Ring(backend):  # type: ignore[misc]
        priority = 1
        kept: ClassVar[dict[tuple[str, str], str]] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        save_profile("acme", WEBHOOK, keyring=True)
        assert "s3cret" not in profiles.read_text()
        assert resolve("acme").url == WEBHOOK
        Ring.kept.clear()
        with pytest.raises(ConfigError, match="no such entry"):
            resolve("acme")
        keyring.set_keyring(keyring.backends.fail.Keyring())
        with pytest.raises(ConfigError, match="refused the address"):
            save_profile("acme", WEBHOOK, keyring=True)
    finally:
        keyring.set_keyring(before)
