"""`connect`: a portal's address asked for once, tried, and kept where only its owner can read it."""

from __future__ import annotations

import ipaddress
import re
import sys
from typing import Annotated, Final

import typer

from bx24frames.errors import ConfigError

__all__ = ["connect"]

NEEDED: Final = frozenset({"address", "credential", "portal", "limits"})
"""What must not fail for an address to be worth keeping; a missing scope may be meant."""
STRANGE: Final = re.compile(r"[^A-Za-z0-9_-]+")


def connect(
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of the profile; without it, the portal's own.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Mean this portal where none is named.")] = False,
    file: Annotated[bool, typer.Option("--file", help="Keep it in a file, though there is a keyring.")] = False,
) -> None:
    """Ask for a webhook once, try it and keep it.

    It is kept in the system's keyring where there is one, else in a file that only you can read.
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
        typer.echo(str(finding))
        sound = sound and not (finding.mark == "fail" and finding.subject in NEEDED)
    if not sound:
        raise ConfigError("The address does not work, and is not kept")
    known, ring = chosen in list_profiles(), not file and _keyring_is_there()
    try:
        path = save_profile(chosen, webhook, default, keyring=ring)
    except ConfigError as fault:
        if not ring:
            raise
        raise ConfigError(fault.message, guidance="Say --file to keep it in a file that only you can read.") from None
    where = "the system's keyring" if ring else f"{path}, which only you can read"
    is_default = list_profiles()[0] == chosen
    typer.echo(f"\n{'Replaced' if known else 'Kept as'} {chosen} in {where}{', the default' if is_default else ''}.")
    typer.echo(f"Now: bx24frames read deal --limit 5{'' if is_default else f' --profile {chosen}'}")


def _asked() -> str:
    """Hidden where it is typed; a line of standard input otherwise."""
    if sys.stdin.isatty():
        return str(typer.prompt("Webhook address (hidden)", hide_input=True, err=True)).strip()
    given = sys.stdin.readline().strip()
    if not given:
        raise ConfigError(
            "No address was given",
            guidance="Run it in a terminal, or give the address on standard input.",
        )
    return given


def _name(host: str) -> str:
    """The portal's own name: acme of acme.bitrix24.com."""
    bare = host.rsplit(":", 1)[0]
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return STRANGE.sub("-", bare.split(".")[0])
    return STRANGE.sub("-", bare)


def _keyring_is_there() -> bool:
    """A keyring that can keep something; https://keyring.readthedocs.io/en/stable/#config-path on priorities."""
    try:
        import keyring
    except ImportError:
        return False
    return bool(keyring.get_keyring().priority >= 1)
