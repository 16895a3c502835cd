"""The parameters that several commands share: their spelling, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from bx24frames.cli import completion
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.options import Progress

__all__ = [
    "FILES_OUT",
    "Entity",
    "Filter",
    "Form",
    "FormIn",
    "OnErrors",
    "Out",
    "PortalName",
    "ProfileName",
    "Quiet",
    "bar",
    "portal_named",
]

FILES_OUT = "file.parquet, .csv, .jsonl, .xlsx or .duckdb; - is standard output."

Entity: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ENTITY",
        help="deal, contact, item:1036, crm.deal, ...: `entities` lists them.",
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
        help="A profile's name, 'sandbox', or an address. Without it: BX24_WEBHOOK, then the default profile.",
    ),
]
ProfileName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="A profile's name, and nothing else.",
        autocompletion=completion.profiles,
    ),
]
Filter: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="CONDITION",
        help='stageId=NEW, "createdTime>=2026-01-01", @stageId=NEW,WON, "companyId is null"; repeat it for more. '
        "Several equalities of one column mean any of the values.",
    ),
]
Out: TypeAlias = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT),
]
Form: TypeAlias = Annotated[
    Literal["parquet", "csv", "jsonl", "xlsx", "duckdb"] | None,
    typer.Option("--format", help="Where the file's name does not say it; csv in a pipe."),
]
FormIn: TypeAlias = Annotated[
    Literal["parquet", "csv", "jsonl", "xlsx"] | None,
    typer.Option("--format", help="Where the file's name does not say it; csv of standard input."),
]
OnErrors: TypeAlias = Annotated[
    Literal["raise", "report", "stop"],
    typer.Option(
        "--on-error",
        help="raise: one bad row in the file and nothing is sent; report: send the others; stop: end at the first "
        "request that fails.",
    ),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar on stderr.")]


def portal_named(portal: str | None, profile: str | None) -> str | None:
    """The portal that is meant.

    Raises
    ------
    ConfigError
        Both are given, or an address as a profile's name.
    """
    if profile is None:
        return portal
    if portal is not None:
        raise ConfigError("--portal and --profile are two ways to say one thing: give one")
    if "/" in profile or ":" in profile:
        raise ConfigError("--profile takes a name, not an address", guidance="Say --portal, or set BX24_WEBHOOK.")
    return profile


def bar(quiet: bool) -> Progress:
    """What `progress=` a verb is given."""
    return False if quiet else "auto"
