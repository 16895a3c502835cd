"""The `portals` command: the saved profiles, or those of a group, each with the state of its portal in one line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bx24frames.cli import completion
from bx24frames.cli.output import show, with_spoken_heads
from bx24frames.errors import ConfigError
from bx24frames.language import term
from bx24frames.portal.several import PORTALS_AT_ONCE

if TYPE_CHECKING:
    from bx24frames.cli.doctor import Mark

__all__ = ["portals"]

_MARKS: Final[tuple[Mark, ...]] = ("fail", "warn", "ok")
"""From the worst to the best."""
_SHOWN: Final = ("credential", "scopes")
"""The checks with a column of their own."""


def portals(
    group: Annotated[
        str | None,
        typer.Argument(metavar="[GROUP]", help="Group of profiles. Default: all.", autocompletion=completion.groups),
    ] = None,
) -> None:
    """List the saved profiles, or those of a group, with the state of each portal.

    Each portal is checked as `doctor` does, several at the same time; a line has its worst finding. The exit status is
    1 if one of them fails.
    """
    import pyarrow as pa

    from bx24frames.config import profiles

    names = profiles(group)
    if not names:
        raise ConfigError("No profile is saved", guidance="Save one with `bx24frames connect`.")
    with ThreadPoolExecutor(PORTALS_AT_ONCE) as threads:
        states = list(threads.map(_state, names))
    show(with_spoken_heads(pa.table({column: [state[column] for state in states] for column in states[0]})))
    if any(state["state"] == "fail" for state in states):
        raise typer.Exit(1)


def _state(profile: str) -> dict[str, str]:
    """What `doctor` finds out about a portal, as a row: its worst mark, what is wrong, who reads, and the scopes."""
    from bx24frames.cli.connect import host_of
    from bx24frames.cli.doctor import examine

    findings = list(examine(profile))
    troubles = [f"{term(one.subject)}: {one.lines[0]}" for mark in _MARKS[:-1] for one in findings if one.mark == mark]
    sound = {one.subject: one.lines[0] for one in findings if one.mark != "fail"}
    return {
        "profile": profile,
        "portal": host_of(profile),
        "state": next(mark for mark in _MARKS if any(one.mark == mark for one in findings)),
        "trouble": "; ".join(troubles),
        **{subject: sound.get(subject, "") for subject in _SHOWN},
    }
