"""Command-line parameters shared by several commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from bx24frames.cli import completion
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.options import Progress
    from bx24frames.portal.several import PortalsLike

__all__ = [
    "FILES_OUT",
    "EncodingName",
    "Entity",
    "Filter",
    "Form",
    "FormIn",
    "OnErrors",
    "Out",
    "PortalName",
    "PortalNames",
    "ProfileName",
    "Quiet",
    "Separator",
    "bar",
    "portal_named",
    "portals_given",
    "separator",
]

FILES_OUT = "Output file: .parquet, .csv, .jsonl, .xlsx or .duckdb; - is standard output."

Entity: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ENTITY",
        help="Entity such as deal, contact or item:1036; the command `entities` lists them.",
        autocompletion=completion.entities,
    ),
]
PortalName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--portal",
        "-p",
        metavar="PORTAL",
        autocompletion=completion.portals,
        help="Profile name, 'sandbox' or address. Default: BX24_WEBHOOK, then the default profile.",
    ),
]
PortalNames: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--portal",
        "-p",
        metavar="PORTAL",
        autocompletion=completion.portals_or_groups,
        help="Profile name, 'sandbox', address, or group:NAME for a group of profiles. Default: BX24_WEBHOOK, then the "
        "default profile.",
    ),
]
ProfileName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile name (never an address).",
        autocompletion=completion.profiles,
    ),
]
Filter: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="CONDITION",
        help='Condition such as stageId=NEW, "createdTime>=2026-01-01", @stageId=NEW,WON or "companyId is null"; '
        "repeatable. Several equalities on one column match any of the values.",
    ),
]
Out: TypeAlias = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT),
]
Form: TypeAlias = Annotated[
    Literal["parquet", "csv", "jsonl", "xlsx", "duckdb"] | None,
    typer.Option("--format", help="Output format. Default: by the file's extension; csv in a pipe."),
]
FormIn: TypeAlias = Annotated[
    Literal["parquet", "csv", "jsonl", "xlsx"] | None,
    typer.Option("--format", help="Input format. Default: by the file's extension; csv for standard input."),
]
Separator: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--sep",
        metavar="SIGN",
        help="Separator of a CSV file: ; or , or tab. Default: detected when read; a comma when written.",
    ),
]
EncodingName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="Encoding of a CSV file: utf-8, utf-8-sig, utf-16, cp1251. Default: detected when read; utf-8 when "
        "written.",
    ),
]
OnErrors: TypeAlias = Annotated[
    Literal["raise", "report", "stop"],
    typer.Option(
        "--on-error",
        help="raise: send nothing if any row is invalid; report: send the valid rows; stop: stop at the first request "
        "that fails.",
    ),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar.")]


def portal_named(portal: str | None, profile: str | None) -> str | None:
    """Return the portal named by `--portal` or `--profile`.

    Raises
    ------
    ConfigError
        Both are given, `--profile` is an address, or `--portal` a group.
    """
    if portal is not None and portal.startswith(completion.GROUP):
        raise ConfigError(
            "This command takes one portal, not a group",
            guidance="read, scan, count, plan and sync take a group of profiles.",
        )
    return _one_portal(portal, profile)


def portals_given(portal: str | None, profile: str | None) -> PortalsLike:
    """Return the portal named by `--portal` or `--profile`, or the profiles of the group that `--portal` names.

    Raises
    ------
    ConfigError
        As `portal_named`; or there is no such group.
    """
    one = _one_portal(portal, profile)
    if one is None or not one.startswith(completion.GROUP):
        return one
    from bx24frames.config import profiles

    return profiles(one.removeprefix(completion.GROUP))


def _one_portal(portal: str | None, profile: str | None) -> str | None:
    if profile is None:
        return portal
    if portal is not None:
        raise ConfigError("--portal and --profile cannot be combined: give one of them")
    if "/" in profile or ":" in profile:
        raise ConfigError("--profile takes a name, not an address", guidance="Use --portal, or set BX24_WEBHOOK.")
    return profile


def separator(given: str | None) -> str | None:
    """Return the separator of a CSV file; ``tab`` is a tab.

    Raises
    ------
    ConfigError
        It is not a single character.
    """
    sign = {"tab": "\t", "\\t": "\t"}.get(given or "", given)
    if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
        raise ConfigError(f"--sep must be one character, not {given!r}", guidance="Use ';', ',' or tab.")
    return sign


def bar(quiet: bool) -> Progress:
    """Return the `progress=` argument for a verb."""
    return False if quiet else "auto"
