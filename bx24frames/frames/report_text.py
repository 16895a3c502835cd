"""How a write report looks in a terminal and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from bx24frames.display import table_html
from bx24frames.upload.outcomes import ACTIONS

if TYPE_CHECKING:
    from bx24frames.frames.report import WriteReport

__all__ = ["as_html", "as_text", "clipped"]

FIRST: Final = 5
"""Failures shown; the rest are counted."""
WIDTH: Final = 100
ROBOTS: Final = {True: "robots ran", False: "robots did not run", None: ""}
BAD: Final = ("failed", "unknown")
SHOWN: Final = ("position", "label", "id", "action", "code", "message", "column")


def as_text(report: WriteReport) -> str:
    """Write the counts and the first failures as plain lines."""
    counts = [f"  {action:<10}{number:>12,}" for action, number in _counts(report)]
    lines = [f"  row {line['position']}: {_told(line)}" for line in _failures(report)]
    return "\n".join([_title(report), *counts, *lines, *_rest(report), *_journal(report)])


def as_html(report: WriteReport) -> str:
    """Write the counts and the first failures as two tables; every text of the portal is escaped."""
    parts = [table_html(("action", "rows"), _counts(report), title=_title(report))]
    failures = _failures(report)
    if failures:
        shown = ([_cell(line[name]) for name in SHOWN] for line in failures)
        parts.append(table_html(SHOWN, shown, title="What failed, row by row"))
    parts += [f"<p>{escape(line.strip())}</p>" for line in (*_rest(report), *_journal(report))]
    return "\n".join(parts)


def clipped(text: str, width: int = WIDTH) -> str:
    """Bring a text to one line of at most `width` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def _title(report: WriteReport) -> str:
    requests = f"{report.requests:,} request{'' if report.requests == 1 else 's'}"
    spent = f"{requests} in {report.seconds:.1f} s"
    least = f", at least {report.seconds:,.0f} s at {report.basis}" if report.seconds >= 1 else ""
    planned = f"dry run: nothing was sent; about {requests}{least}"
    notes = (planned if report.dry_run else spent, ROBOTS[report.robots_ran])
    facts = ", ".join(note for note in notes if note)
    return f"{report.mode} of {len(report):,} rows, {report.entity} at {report.host} ({facts})"


def _counts(report: WriteReport) -> list[tuple[str, int]]:
    return [(action, number) for action in ACTIONS if (number := report.count(action))]


def _failures(report: WriteReport) -> list[dict[str, object]]:
    bad = report.outcomes.take(report.positions(*BAD)[:FIRST])
    lines: list[dict[str, object]] = bad.to_pylist()
    return lines


def _told(line: dict[str, object]) -> str:
    parts = (line["action"], line["column"], line["code"], line["message"])
    return clipped(": ".join(str(part) for part in parts if part))


def _cell(value: object) -> str:
    """Positions and ids are names of rows, not amounts."""
    return "" if value is None else clipped(str(value))


def _rest(report: WriteReport) -> list[str]:
    more = report.failed + report.unknown - FIRST
    return [f"  and {more:,} more: .frame() has a line a row"] if more > 0 else []


def _journal(report: WriteReport) -> list[str]:
    return [f"  journal {report.journal}"] if report.journal else []
