"""Spark errors: what goes wrong in Spark's Python processes, as the one line that the driver shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Final

from bx24frames.errors import BX24Error

__all__ = ["as_line", "one_line", "unread"]

_NAMED: Final = 3
"""Portals that an error names."""


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
    told = "; ".join(as_line(error, host) for host, error in islice(failures.items(), _NAMED))
    if portals == 1:
        return BX24Error(told)
    more = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return BX24Error(f"{len(failures)} of {portals} portals cannot be read: {told}{more}")


def as_line(error: BX24Error, portal: str = "") -> str:
    """The text of an error in one line, after the name of the portal."""
    text = ". ".join(line.strip().removesuffix(".") for line in str(error).splitlines())
    return f"{portal}: {text}" if portal else text
