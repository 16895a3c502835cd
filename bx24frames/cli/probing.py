"""`doctor --probe`: what holds on a portal and what does not, as a table to be pasted into a report."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bx24frames.transport.redact import redact

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.probe import Experiment, Verdict

__all__ = ["as_json", "as_lines", "probed"]

WIDTH: Final = 80
NAMED: Final = 29
MARKS: Final = {"holds": "holds", "differs": "DIFFERS", "told": "-", "unknown": "?"}
MARKED: Final = 9
LEGEND: Final = "holds: as documented    DIFFERS: otherwise    -: a measurement    ?: not to be told here"


def probed(connection: Connection) -> list[tuple[Experiment, Verdict]]:
    """Try every experiment and remember what they show."""
    from bx24frames import bridge

    return bridge.run(_probed(connection))


async def _probed(connection: Connection) -> list[tuple[Experiment, Verdict]]:
    from bx24frames.portal.probe import gathered, probe, remember

    found = [row async for row in probe(connection)]
    await remember(connection, gathered(verdict for _, verdict in found))
    return found


def as_lines(found: Sequence[tuple[Experiment, Verdict]]) -> Iterator[str]:
    """The table, no line longer than 80 characters."""
    from bx24frames import __version__

    yield f"bx24frames {__version__}: what holds on this portal"
    subject = ""
    for experiment, verdict in found:
        if experiment.subject != subject:
            subject = experiment.subject
            yield ""
            yield subject
        text = textwrap.wrap(redact(verdict.text), WIDTH - NAMED - MARKED) or [""]
        yield f"  {experiment.name:<{NAMED - 2}.{NAMED - 3}}{MARKS[verdict.kind]:<{MARKED}}{text[0]}"
        yield from (f"{'':<{NAMED + MARKED}}{line}" for line in text[1:])
    yield ""
    yield from textwrap.wrap(LEGEND, WIDTH)


def as_json(found: Sequence[tuple[Experiment, Verdict]]) -> str:
    """The table as a JSON list of objects: subject, experiment, verdict, text, learned."""
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
