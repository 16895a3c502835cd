"""Spark errors: what goes wrong in Spark's Python processes, as the one line that the driver shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bx24frames.connectors.spark_runs import REPORTS
from bx24frames.display import first_of
from bx24frames.errors import BX24Error
from bx24frames.upload.outcomes import ACTIONS, BAD

if TYPE_CHECKING:
    from bx24frames.connectors.spark_runs import Run

__all__ = ["as_line", "one_line", "unread", "unwritten"]


@contextmanager
def one_line(portal: str = "") -> Iterator[None]:
    """Give an error of this package the name of the portal, and its text one line.

    Spark sends the text of a traceback to the driver, with the causes of an error, and shows its last line.
    """
    try:
        yield
    except BX24Error as error:
        fault = as_line(error, portal)
    else:
        return
    raise BX24Error(fault)


def unread(failures: Mapping[str, BX24Error], portals: int) -> BX24Error:
    """The error of a read of which some portals cannot be read, by their hosts."""
    told, more = first_of([as_line(error, host) for host, error in failures.items()])
    if portals == 1:
        return BX24Error(told)
    return BX24Error(f"{len(failures)} of {portals} portals cannot be read: {told}{more}")


def unwritten(entity: str, counts: Mapping[str, int], run: Run) -> BX24Error:
    """The error of a run of which rows failed or are unknown, by their outcomes."""
    told = ", ".join(f"{counts[action]:,} {action}" for action in ACTIONS if counts.get(action))
    bad, total = sum(counts.get(action, 0) for action in BAD), sum(counts.values())
    return BX24Error(
        f"{entity}: {bad:,} of {total:,} rows failed or are unknown ({told}); they are with the reasons in "
        f"{run.path / REPORTS}",
        guidance=f'To try them again, write the same DataFrame with .option("resume", "{run.name}"): rows that were '
        "written are not sent again.",
    )


def as_line(error: BX24Error, portal: str = "") -> str:
    """The text of an error in one line, after the name of the portal."""
    text = ". ".join(line.strip().removesuffix(".") for line in str(error).splitlines())
    return f"{portal}: {text}" if portal else text
