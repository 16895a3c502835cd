"""Warnings attributed to the user's line that called the package, from any thread."""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Final

from bx24frames.language import translated

_PACKAGE: Final = str(Path(__file__).parent)
_CALLER: ContextVar[tuple[str, int] | None] = ContextVar("caller", default=None)
"""The line that called a public function; context variables are copied to the background loop."""


def called_from() -> tuple[str, int] | None:
    """Return the nearest line outside this package; None on a thread whose stack has none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_PACKAGE, "<")):
            return name, frame.f_lineno
        frame = frame.f_back
    return None


def remember_caller() -> None:
    """Remember the calling line, for warnings issued on the background loop."""
    _CALLER.set(called_from())


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning in the language of the process, attributed to the caller's line."""
    message, place = translated(message), _CALLER.get() or called_from()
    if place is None:
        warnings.warn(message, category, stacklevel=2)
        return
    name, line = place
    warnings.warn_explicit(message, category, name, line)
