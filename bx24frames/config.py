"""Portal configuration: addresses from an argument, the environment or saved profiles, and the sandbox."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from bx24frames.errors import ConfigError
from bx24frames.transport.address import WEBHOOK_GUIDANCE, Address
from bx24frames.transport.private_file import write_private
from bx24frames.transport.redact import redact, shown_address

__all__ = [
    "ENVIRONMENT",
    "SANDBOX",
    "VARIABLE",
    "Profile",
    "check_name",
    "default_profile",
    "is_sandbox",
    "list_groups",
    "list_profiles",
    "profiles",
    "profiles_path",
    "resolve",
    "save_profile",
    "variable_value",
]

ENVIRONMENT: Final = "BX24_WEBHOOK"
CONFIG_ENVIRONMENT: Final = "BX24FRAMES_CONFIG"
SANDBOX: Final = "sandbox"
VARIABLE: Final = "env:"
"""Beginning of a portal's name that names the environment variable with its address: ``env:ACME_WEBHOOK``."""
KEYRING_SERVICE: Final = "bx24frames"

# TOML's bare keys (https://toml.io/en/v1.0.0#keys)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_WAYS: Final = "\n".join(
    (
        "Save its address once: `bx24frames connect` in a shell, bx24frames.config.save_profile('acme', address) in "
        "Python.",
        "Or pass an address, Portal('https://acme.bitrix24.com/rest/1/<code>/'); or "
        f"set the environment variable {ENVIRONMENT} to it. "
        "To try it without a portal, use 'sandbox' in place of an address.",
        WEBHOOK_GUIDANCE,
    )
)


@dataclass(frozen=True, slots=True)
class Profile:
    """A portal's address and where it came from; the repr does not show the secret.

    Attributes
    ----------
    name : str
        The profile's name, ``"env:VARIABLE"``, that of a sandbox, or ``""`` for an address given directly.
    url : str
        The address; empty for the sandbox.
    source : str
        Origin of the address for messages: the argument, the environment variable or the profile.
    """

    name: str
    url: str = field(repr=False)
    source: str

    @property
    def is_sandbox(self) -> bool:
        """Whether this is a built-in sandbox."""
        return is_sandbox(self.name)

    def address(self, *, allow_http: bool = False) -> Address:
        """Return the parsed address.

        Raises
        ------
        ConfigError
            The address is malformed; the message names the source and shows no secret.
        """
        try:
            return Address.parse(self.url, allow_http=allow_http)
        except ConfigError as error:
            raise ConfigError(f"{self.source}: {error.message}", guidance=error.guidance) from None


def is_sandbox(name: str) -> bool:
    """Whether a name is that of a built-in sandbox: ``sandbox``, or ``sandbox:`` with what it holds."""
    return name.partition(":")[0] == SANDBOX


def resolve(target: str | None = None) -> Profile:
    """Find the configured portal.

    Parameters
    ----------
    target : str or None
        An address, a profile name, ``"env:VARIABLE"``, which names the environment variable with the address, or
        ``"sandbox"``, which may be followed by what it holds (``"sandbox:tidy:en"``).
        Default: the environment variable ``BX24_WEBHOOK`` (which may hold any of these), then the default profile.

    Raises
    ------
    ConfigError
        No portal is configured, or there is no profile of that name.

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
        tail = f", and none of the saved profiles ({kept}) is the default" if kept else ""
        raise ConfigError(f"No portal is given{tail}", guidance=_WAYS)
    return _profile(default, settings)


def variable_value(variable: str) -> str:
    """The address in an environment variable.

    Raises
    ------
    ConfigError
        The variable is not set.
    """
    address = os.environ.get(variable, "").strip()
    if not address:
        raise ConfigError(
            f"The environment variable {shown_address(variable)} is not set",
            guidance="It holds an address, and is set in every process that needs it.",
        )
    return address


def profiles_path() -> Path:
    """Return the path of the profiles: ``BX24FRAMES_CONFIG``, else ``profiles.toml`` in the user's config folder."""
    import platformdirs

    given = os.environ.get(CONFIG_ENVIRONMENT)
    return Path(given).expanduser() if given else platformdirs.user_config_path("bx24frames") / "profiles.toml"


def list_profiles() -> tuple[str, ...]:
    """Return the names of the saved profiles, the default one first.

    Raises
    ------
    ConfigError
        The file is not TOML.
    """
    settings = _read(profiles_path())
    default = _default(settings)
    return tuple(sorted(_profiles(settings), key=lambda name: (name != default, name)))


def profiles(group: str | None = None) -> tuple[str, ...]:
    """Return the names of the profiles of a group, in its order, to pass them as a list of portals.

    Groups are a table in the file of the profiles (`profiles_path`)::

        [groups]
        clients = ["acme", "globex"]

    Parameters
    ----------
    group : str, optional
        Default: all profiles, as `list_profiles` returns them.

    Raises
    ------
    ConfigError
        There is no such group, it is empty, or it names a profile that is not saved.
    """
    if group is None:
        return list_profiles()
    settings = _read(profiles_path())
    groups = _groups(settings)
    if group not in groups:
        known = ", ".join(sorted(groups)) or "none"
        raise ConfigError(
            f"There is no group {shown_address(group)!r}; groups: {known}",
            guidance=f'Write it in {profiles_path()}, in the table [groups]: clients = ["acme", "globex"].',
        )
    names = groups[group]
    saved = _profiles(settings)
    unknown = [name for name in names if name not in saved]
    if unknown or not names:
        fault = f"names {unknown[0]!r}, which is not a saved profile" if unknown else "names no profile"
        raise ConfigError(f"The group {group!r} in {profiles_path()} {fault}")
    return names


def list_groups() -> dict[str, tuple[str, ...]]:
    """Return the groups of profiles: the names of the profiles by the name of the group.

    Raises
    ------
    ConfigError
        The file is not TOML, or a group is not a list of names.
    """
    return _groups(_read(profiles_path()))


def default_profile() -> str | None:
    """Return the name of the default profile; None if there is none."""
    return _default(_read(profiles_path()))


def check_name(name: str) -> None:
    """Raise `ConfigError` if `name` is not a valid profile name."""
    if not _NAME.fullmatch(name) or name == SANDBOX:
        raise ConfigError(
            f"{shown_address(name)!r} is not a valid profile name",
            guidance=f"Use the letters a to z, digits, _ and -; {SANDBOX!r} is reserved.",
        )


def save_profile(name: str, webhook: str, default: bool = False, *, keyring: bool = False) -> Path:
    """Save a webhook address as a profile, in a file that only its owner can read.

    Parameters
    ----------
    name : str
        Letters, digits, ``_`` and ``-``.
    webhook : str
        The address; it is validated before anything is written.
    default : bool
        Use this portal when none is named. The first profile saved always becomes the default.
    keyring : bool
        Store the address in the system keyring and only a reference in the file.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        The name or address is invalid, the file holds settings that would be lost, or there is no keyring.
    """
    check_name(name)
    Address.parse(webhook)
    path = profiles_path()
    settings = _read(path)
    groups = _groups(settings)
    saved = {known: dict(entry) for known, entry in _profiles(settings).items()}
    first = not saved
    if keyring:
        _put_in_keyring(name, webhook.strip())
        saved[name] = {"keyring": name}
    else:
        saved[name] = {"webhook": webhook.strip()}
    text = _toml(name if default or first else _default(settings), saved, groups)
    try:
        write_private(path, text)
    except OSError as error:
        raise ConfigError(f"The profile cannot be saved in {path}: {error.strerror}") from None
    return path


def _named(target: str, source: str) -> Profile:
    if is_sandbox(target):
        return Profile(target, "", source)
    if target.startswith(VARIABLE):
        variable = target.removeprefix(VARIABLE)
        return Profile(target, variable_value(variable), f"the environment variable {variable}")
    if not target or set(target) & set("/:."):
        return Profile("", target, source)
    return _profile(target, _read(profiles_path()))


def _profile(name: str, settings: Mapping[str, object]) -> Profile:
    saved = _profiles(settings)
    if name not in saved:
        lacking = f"There is no profile {shown_address(name)!r}"
        known = f"saved profiles: {', '.join(sorted(saved))}" if saved else "none is saved"
        raise ConfigError(f"{lacking}; {known}", guidance=_WAYS)
    source = f"the profile {name!r}"
    entry = saved[name]
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
    saved = settings.get("profile", {})
    if not isinstance(saved, dict) or not all(isinstance(entry, dict) for entry in saved.values()):
        raise ConfigError(f"The profiles in {profiles_path()} are not written as [profile.NAME] tables")
    return saved


def _groups(settings: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    groups = settings.get("groups", {})
    named = groups.values() if isinstance(groups, dict) else [groups]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in named):
        raise ConfigError(f'The groups in {profiles_path()} are not lists of profiles: clients = ["acme", "globex"]')
    return {group: tuple(names) for group, names in groups.items()} if isinstance(groups, dict) else {}


def _default(settings: Mapping[str, object]) -> str | None:
    default = settings.get("default")
    return default if isinstance(default, str) else None


def _toml(default: str | None, saved: Mapping[str, Mapping[str, object]], groups: Mapping[str, Sequence[str]]) -> str:
    """Format the file: strings, integers, booleans and lists of JSON are valid TOML (https://toml.io/en/v1.0.0)."""
    lines = [f"default = {json.dumps(default)}"] if default else []
    if groups:
        lines += [
            "",
            "[groups]",
            *(f"{json.dumps(name)} = {json.dumps(list(names))}" for name, names in groups.items()),
        ]
    for name, entry in saved.items():
        sound = _NAME.fullmatch(name) and all(
            _NAME.fullmatch(key) and isinstance(value, str | int) for key, value in entry.items()
        )
        if not sound:
            raise ConfigError(
                f"The profile {shown_address(name)!r} in {profiles_path()} has nested settings, which would be lost",
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
    raise ConfigError(f"The system keyring refused the address: {fault}", guidance="Leave out keyring=True.")


def _from_keyring(reference: str) -> str:
    keyring = _keyring()
    try:
        webhook = keyring.get_password(KEYRING_SERVICE, reference)
    except keyring.errors.KeyringError as error:
        webhook, fault = None, redact(str(error))
    else:
        fault = "there is no such entry"
    if webhook is None:
        raise ConfigError(
            f"The system keyring has no address for {reference!r}: {fault}",
            guidance=f"Save it again: bx24frames.config.save_profile({reference!r}, address, keyring=True)",
        )
    return str(webhook)


def _keyring() -> ModuleType:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ConfigError(
            "The profile is in the system keyring, but the package keyring is not installed",
            guidance="pip install 'bx24frames[keyring]'",
        ) from None
    return keyring
