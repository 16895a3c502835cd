"""Configuration: which portal is used, by address, profile, environment variable or sandbox."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from bx24frames.errors import ConfigError
from bx24frames.transport.address import WEBHOOK_GUIDANCE, Address
from bx24frames.transport.private_file import write_private
from bx24frames.transport.redact import redact, shown

__all__ = [
    "ENVIRONMENT",
    "SANDBOX",
    "Profile",
    "check_name",
    "list_profiles",
    "profiles_path",
    "resolve",
    "save_profile",
]

ENVIRONMENT: Final = "BX24_WEBHOOK"
CONFIG_ENVIRONMENT: Final = "BX24FRAMES_CONFIG"
SANDBOX: Final = "sandbox"
KEYRING_SERVICE: Final = "bx24frames"

# TOML's bare keys (https://toml.io/en/v1.0.0#keys)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_THREE_WAYS: Final = (
    "Say it in one of three ways: give an address, Portal('https://acme.bitrix24.com/rest/1/<code>/'); "
    f"set the environment variable {ENVIRONMENT} to it; "
    "or keep it once: `bx24frames connect` in a shell, bx24frames.config.save_profile('acme', address) in Python. "
    "To try without a portal, name 'sandbox' in place of an address.\n" + WEBHOOK_GUIDANCE
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a portal's address came from, and the address; the secret is in no repr.

    Attributes
    ----------
    name : str
        The profile's name, ``"sandbox"``, or ``""`` for an address given as it is.
    url : str
        The address; empty for the sandbox.
    source : str
        What to name in a message: the argument, the environment variable or the profile.
    """

    name: str
    url: str = field(repr=False)
    source: str

    @property
    def is_sandbox(self) -> bool:
        """Whether the built-in portal is meant."""
        return self.name == SANDBOX

    def address(self, *, allow_http: bool = False) -> Address:
        """Return the address, read.

        Raises
        ------
        ConfigError
            It is malformed; the message names the source and shows no secret.
        """
        try:
            return Address.parse(self.url, allow_http=allow_http)
        except ConfigError as error:
            raise ConfigError(f"{self.source}: {error.message}", guidance=error.guidance) from None


def resolve(target: str | None = None) -> Profile:
    """Find the portal that is meant.

    Parameters
    ----------
    target : str or None
        An address, a profile's name or ``"sandbox"``. None: the environment variable ``BX24_WEBHOOK`` (any of the
        three), then the default profile.

    Raises
    ------
    ConfigError
        There is no address, or no profile of that name.

    Examples
    --------
    >>> resolve("https://acme.bitrix24.com/rest/1/abc123/")
    Profile(name='', source='the address given')
    """
    if target is not None:
        return _named(target.strip(), "the address given")
    given = os.environ.get(ENVIRONMENT, "").strip()
    if given:
        return _named(given, f"the environment variable {ENVIRONMENT}")
    settings = _read(profiles_path())
    default = _default(settings)
    if default is None:
        kept = ", ".join(sorted(_profiles(settings)))
        tail = f", and none of the profiles kept ({kept}) is the default" if kept else ""
        raise ConfigError(f"No portal is given{tail}", guidance=_THREE_WAYS)
    return _profile(default, settings)


def profiles_path() -> Path:
    """Return where the profiles are: ``BX24FRAMES_CONFIG``, or ``profiles.toml`` in the user's configuration folder."""
    import platformdirs

    given = os.environ.get(CONFIG_ENVIRONMENT)
    return Path(given).expanduser() if given else platformdirs.user_config_path("bx24frames") / "profiles.toml"


def list_profiles() -> tuple[str, ...]:
    """Return the names of the profiles kept, the default one first.

    Raises
    ------
    ConfigError
        The file is not TOML.
    """
    settings = _read(profiles_path())
    default = _default(settings)
    return tuple(sorted(_profiles(settings), key=lambda name: (name != default, name)))


def check_name(name: str) -> None:
    """Raise `ConfigError` where a profile cannot be called so."""
    if not _NAME.fullmatch(name) or name == SANDBOX:
        raise ConfigError(
            f"A profile cannot be called {shown(name)!r}", guidance="Names are of letters a to z, digits, _ and -."
        )


def save_profile(name: str, webhook: str, default: bool = False, *, keyring: bool = False) -> Path:
    """Keep a webhook's address under a name, in a file only its owner can read.

    Parameters
    ----------
    name : str
        Letters, digits, ``_`` and ``-``.
    webhook : str
        The address; it is checked before anything is written.
    default : bool
        Whether this portal is meant where none is named. The first profile kept always is.
    keyring : bool
        Put the address into the system's keyring and only a reference into the file.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        The name or the address cannot work, the file holds what would be lost, or there is no keyring.
    """
    check_name(name)
    Address.parse(webhook)
    path = profiles_path()
    settings = _read(path)
    profiles = {known: dict(entry) for known, entry in _profiles(settings).items()}
    first = not profiles
    if keyring:
        _put_in_keyring(name, webhook.strip())
        profiles[name] = {"keyring": name}
    else:
        profiles[name] = {"webhook": webhook.strip()}
    text = _toml(name if default or first else _default(settings), profiles)
    try:
        write_private(path, text)
    except OSError as error:
        raise ConfigError(f"The profile cannot be kept in {path}: {error.strerror}") from None
    return path


def _named(target: str, source: str) -> Profile:
    if target == SANDBOX:
        return Profile(SANDBOX, "", source)
    if not target or set(target) & set("/:."):
        return Profile("", target, source)
    return _profile(target, _read(profiles_path()))


def _profile(name: str, settings: Mapping[str, object]) -> Profile:
    profiles = _profiles(settings)
    if name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"There is no profile {shown(name)!r}; kept are: {known}", guidance=_THREE_WAYS)
    source = f"the profile {name!r}"
    entry = profiles[name]
    webhook, reference = entry.get("webhook"), entry.get("keyring")
    if isinstance(webhook, str):
        return Profile(name, webhook, source)
    if isinstance(reference, str):
        return Profile(name, _from_keyring(reference), source)
    raise ConfigError(f"{source} in {profiles_path()} has neither webhook= nor keyring=")


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"The profiles in {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        fault = redact(str(error))
    raise ConfigError(f"The profiles in {path} are not TOML: {fault}", guidance="Correct the file or delete it.")


def _profiles(settings: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    profiles = settings.get("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        raise ConfigError(f"The profiles in {profiles_path()} are not written as [profile.NAME] tables")
    return profiles


def _default(settings: Mapping[str, object]) -> str | None:
    default = settings.get("default")
    return default if isinstance(default, str) else None


def _toml(default: str | None, profiles: Mapping[str, Mapping[str, object]]) -> str:
    """Write the file; a JSON string, integer or boolean is also TOML (https://toml.io/en/v1.0.0#string)."""
    lines = [f"default = {json.dumps(default)}"] if default else []
    for name, entry in profiles.items():
        sound = _NAME.fullmatch(name) and all(
            _NAME.fullmatch(key) and isinstance(value, str | int) for key, value in entry.items()
        )
        if not sound:
            raise ConfigError(
                f"The profile {shown(name)!r} in {profiles_path()} holds more than plain settings, which would be lost",
                guidance="Add the new profile to the file by hand.",
            )
        lines += ["", f"[profile.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def _put_in_keyring(name: str, webhook: str) -> None:
    keyring = _keyring()
    try:
        keyring.set_password(KEYRING_SERVICE, name, webhook)
    except keyring.errors.KeyringError as error:
        fault = redact(str(error))
    else:
        return
    raise ConfigError(f"The system's keyring took nothing: {fault}", guidance="Leave keyring=True out.")


def _from_keyring(reference: str) -> str:
    keyring = _keyring()
    try:
        webhook = keyring.get_password(KEYRING_SERVICE, reference)
    except keyring.errors.KeyringError as error:
        webhook, fault = None, redact(str(error))
    else:
        fault = "it has no such entry"
    if webhook is None:
        raise ConfigError(
            f"The system's keyring gave no address for {reference!r}: {fault}",
            guidance=f"Keep it again: bx24frames.config.save_profile({reference!r}, address, keyring=True)",
        )
    return str(webhook)


def _keyring() -> ModuleType:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ConfigError(
            "The profile is in the system's keyring, and the package keyring is not installed",
            guidance="pip install 'bx24frames[keyring]'",
        ) from None
    return keyring
