"""The `connect` command: prompt for a webhook address, check it and save it as a profile."""

from __future__ import annotations

import ipaddress
import re
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bx24frames.cli.output import terminal_width
from bx24frames.cli.phrasing import wrapped
from bx24frames.errors import ConfigError
from bx24frames.language import translated

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["connect", "host_of", "profiles"]

NEEDED: Final = frozenset({"address", "credential", "portal", "limits"})
"""Checks that must pass before an address is saved; a missing scope may be intended."""
WHERE: Final = """\
The address is in the portal: Developer resources (Applications menu), Other,
Inbound webhook. Give it the scopes crm and user, and copy the webhook URL:
https://acme.bitrix24.com/rest/1/..."""
"""https://helpdesk.bitrix24.com/open/21133100/"""
STRANGE: Final = re.compile(r"[^A-Za-z0-9_-]+")


def connect(
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the profile. Default: the portal's name.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Use this portal when none is named.")] = False,
    file: Annotated[bool, typer.Option("--file", help="Save to a file even if there is a system keyring.")] = False,
) -> None:
    """Save a webhook address as a profile.

    The address is prompted for, checked, and saved in the system keyring if there is one, else in a file that only you
    can read.
    """
    from bx24frames.cli.doctor import examine
    from bx24frames.config import Profile, check_name, list_profiles, save_profile

    if name is not None:
        check_name(name)
    webhook = _asked()
    host = Profile("", webhook, "the address given").address().host
    chosen = name or _name(host)
    sound = True
    for finding in examine(webhook):
        typer.echo(finding.styled(terminal_width()))
        sound = sound and not (finding.mark == "fail" and finding.subject in NEEDED)
    if not sound:
        raise ConfigError("The address does not work and was not saved")
    known, ring = chosen in list_profiles(), not file and _keyring_is_there()
    try:
        path = save_profile(chosen, webhook, default, keyring=ring)
    except ConfigError as fault:
        if not ring:
            raise
        raise ConfigError(fault.message, guidance="Add --file to save it in a file that only you can read.") from None
    is_default = list_profiles()[0] == chosen
    typer.echo("\n" + wrapped(translated(_saved(chosen, None if ring else path, known=known)), sys.stdout))
    if is_default:
        typer.echo(translated("It is the default, used when no portal is named."))
    named = "" if is_default else f" --profile {chosen}"
    typer.echo(translated(f"Next: bx24frames read deal -c title,stageId,opportunity --labels --limit 5{named}"))
    typer.echo(f"      bx24frames read deal --labels --titles --out deals.xlsx{named}")


def _saved(name: str, path: Path | None, *, known: bool) -> str:
    """Say where a profile was saved: in a file, or in the keyring."""
    if path is None:
        return f"Replaced {name} in the system keyring." if known else f"Saved as {name} in the system keyring."
    if known:
        return f"Replaced {name} in {path}, which only you can read."
    return f"Saved as {name} in {path}, which only you can read."


def profiles() -> None:
    """List the saved profiles: name, portal and groups; no address is shown."""
    import pyarrow as pa

    from bx24frames.cli.output import show, with_spoken_heads
    from bx24frames.config import default_profile, list_groups, list_profiles, profiles_path

    names = list_profiles()
    default = default_profile()
    if not names:
        raise ConfigError("No profile is saved", guidance="Save one with `bx24frames connect`.")
    groups = list_groups()
    columns: dict[str, list[str] | list[bool]] = {
        "profile": list(names),
        "portal": [host_of(name) for name in names],
        "default": [name == default for name in names],
    }
    if groups:
        columns["groups"] = [", ".join(group for group, members in groups.items() if name in members) for name in names]
    show(with_spoken_heads(pa.table(columns)))
    typer.echo(f"\n{profiles_path()}", err=True)


def host_of(name: str) -> str:
    """The host of a profile; in brackets why it has none."""
    from bx24frames.config import resolve

    try:
        return resolve(name).address().host
    except ConfigError as fault:
        return f"({translated(fault.message)})"


def _asked() -> str:
    """Prompt with hidden input in a terminal; else read a line of standard input."""
    if sys.stdin.isatty():
        typer.echo(translated(WHERE), err=True)
        return str(typer.prompt(translated("Webhook address (hidden)"), hide_input=True, err=True)).strip()
    given = sys.stdin.readline().strip()
    if not given:
        raise ConfigError(
            "No address was given",
            guidance="Run the command in a terminal, or pass the address on standard input.",
        )
    return given


def _name(host: str) -> str:
    """First label of the host, such as acme in acme.bitrix24.com."""
    bare = host.rsplit(":", 1)[0]
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return STRANGE.sub("-", bare.split(".")[0])
    return STRANGE.sub("-", bare)


def _keyring_is_there() -> bool:
    """Whether a usable keyring is installed (priorities: https://keyring.readthedocs.io/en/stable/#config-path)."""
    try:
        import keyring
    except ImportError:
        return False
    return bool(keyring.get_keyring().priority >= 1)
