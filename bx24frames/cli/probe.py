"""The `doctor` command: print the connection diagnosis, or the results of probing a portal's behaviour."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bx24frames.cli.output import terminal_width
from bx24frames.cli.parameters import PortalName, ProfileName, portal_named
from bx24frames.cli.speech import require_yes
from bx24frames.errors import ConfigError
from bx24frames.language import term, translated
from bx24frames.transport.redact import redact

if TYPE_CHECKING:
    from bx24frames.engine.costs import Costs
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.probe import Experiment, Verdict
    from bx24frames.portal.probe.writing import Written

__all__ = ["as_lines", "doctor", "json_table", "probed", "written_lines"]

WIDTH: Final = 80
NAMED: Final = 29
MARKS: Final = {"holds": "holds", "differs": "DIFFERS", "told": "-", "unknown": "?"}
STEP: Final = 8
"""Characters of a step of the write probe and the blank behind it."""
MARKED: Final = 9
LEGEND: Final = "holds: as documented    DIFFERS: not as documented    -: a measurement    ?: cannot be determined here"


def doctor(
    portal: PortalName = None,
    profile: ProfileName = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Test documented behaviour on this portal; about forty read-only requests.")
    ] = False,
    probe_writes: Annotated[
        str | None,
        typer.Option(
            "--probe-writes", metavar="ENTITY", help="Create, update, clear and delete one marked row of this entity."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --probe-writes: do not ask for confirmation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --probe: print the results as JSON.")] = False,
) -> None:
    """Diagnose the connection to a portal.

    Checks the address, portal, credential, scopes, rows, limits and clocks once each, and advises what to do. With
    --probe it tests instead which documented behaviour holds on this portal; the results contain no rows or secrets.
    """
    target = portal_named(portal, profile)
    if as_json and not probe:
        raise ConfigError("--json needs --probe")
    if probe:
        _tell_probe(target, as_json=as_json)
    if probe_writes is not None:
        _tell_writes(target, probe_writes, asked=yes)
    if not probe and probe_writes is None:
        _tell_findings(target)


def _tell_findings(target: str | None) -> None:
    from bx24frames.cli.doctor import examine

    sound = True
    for finding in examine(target):
        typer.echo(finding.styled(terminal_width()))
        sound = sound and finding.mark != "fail"
    if not sound:
        raise typer.Exit(1)


def _tell_probe(target: str | None, *, as_json: bool) -> None:
    from bx24frames.verbs.portals import Portal

    with Portal(target) as opened:
        found = probed(opened.connection)
        costs = [] if as_json else cost_lines(opened.connection.costs())
    typer.echo(json_table(found) if as_json else "\n".join([*as_lines(found), *costs]))


def _tell_writes(target: str | None, entity: str, *, asked: bool) -> None:
    from bx24frames import bridge
    from bx24frames.portal.probe.writing import probe_writes
    from bx24frames.verbs.portals import Portal

    with Portal(target) as opened:
        question = (
            f"Create, update, clear and delete one row of {entity} at {opened.host}? Its robots and triggers may run"
        )
        if not asked:
            require_yes(question, err=False)
        written = bridge.run(probe_writes(opened.connection, entity))
    typer.echo("\n".join(written_lines(written)))
    if not written.deleted:
        raise typer.Exit(1)


def probed(connection: Connection) -> list[tuple[Experiment, Verdict]]:
    """Run every experiment and cache the results.

    Raises
    ------
    BX24Error
        The portal does not answer the first call.
    """
    from bx24frames import bridge

    return bridge.run(_probed(connection))


async def _probed(connection: Connection) -> list[tuple[Experiment, Verdict]]:
    from bx24frames.cli.single_call import look
    from bx24frames.portal.probe import gathered, probe, remember

    await look(connection, "profile", {})  # there is nothing to test on a portal that does not answer
    found = [row async for row in probe(connection)]
    await remember(connection, gathered(verdict for _, verdict in found))
    return found


def cost_lines(costs: Costs) -> list[str]:
    """What calls have cost this portal, a line each."""
    lines = [f"  {rate} ({way}): {cost.seconds:.3f} s" for (rate, way), cost in sorted(costs.known.items())]
    return ["", translated("Server seconds of a call, as measured"), *map(translated, lines)] if lines else []


def as_lines(found: Sequence[tuple[Experiment, Verdict]]) -> Iterator[str]:
    """Format the results as text, in lines of at most 80 characters."""
    from bx24frames import __version__

    yield translated(f"bx24frames {__version__}: what holds on this portal")
    subject = ""
    for experiment, verdict in found:
        if experiment.subject != subject:
            subject = experiment.subject
            yield ""
            yield term(subject)
        text = textwrap.wrap(redact(translated(verdict.text)), WIDTH - NAMED - MARKED) or [""]
        name, mark = term(experiment.name), term(MARKS[verdict.kind])
        yield f"  {name:<{NAMED - 2}.{NAMED - 3}}{mark:<{MARKED}}{text[0]}"
        yield from (f"{'':<{NAMED + MARKED}}{line}" for line in text[1:])
    yield ""
    yield from textwrap.wrap(translated(LEGEND), WIDTH)


def json_table(found: Sequence[tuple[Experiment, Verdict]]) -> str:
    """Format the results as a JSON list of objects: subject, experiment, verdict, text, learned."""
    rows = [
        {
            "subject": experiment.subject,
            "experiment": experiment.name,
            "verdict": verdict.kind,
            "text": redact(verdict.text),
            "learned": dict(verdict.learned),
        }
        for experiment, verdict in found
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def written_lines(written: Written) -> Iterator[str]:
    """Format the outcome of the write probe, one line for each value that was not stored as sent."""
    if written.id is None:
        yield translated(f"No row of {written.entity} was created: {redact('; '.join(written.faults))}")
        return
    for step in ("add", "update", "clear"):
        values = [value for value in written.values if value.step == step]
        other = [value for value in values if not value.same]
        same = translated(f"{len(values) - len(other):,} of {len(values):,} values stored as sent")
        yield f"{term(step):<{STEP - 1}} {same}"
        for value in other:
            lines = textwrap.wrap(f"{value.name} ({value.kind}): {redact(translated(str(value)))}", WIDTH - 10)
            yield from (f"{'':<{8 if place == 0 else 10}}{line}" for place, line in enumerate(lines))
    yield from (translated(f"refused {redact(fault)}") for fault in written.faults)
    end = f"deleted row {written.id}" if written.deleted else f"NOT DELETED: row {written.id} of {written.entity}"
    yield translated(end)
