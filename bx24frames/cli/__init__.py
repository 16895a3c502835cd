"""The command `bx24frames`: runs it, and turns every failure into a line on stderr and a status."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Final, NoReturn

from bx24frames.bridge import TRACEBACK
from bx24frames.cli.phrasing import phrased
from bx24frames.errors import BX24Error

__all__ = ["main"]

POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"
"""Which allocator Arrow takes, read when it is loaded (https://arrow.apache.org/docs/cpp/env_vars.html)."""
FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells count it."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of ``sys.argv[1:]``.

    Raises
    ------
    SystemExit
        0 done, 1 failed, 2 wrong usage, 130 interrupted.
    """
    # the others keep what they gave back: 50 MB more for a read whose chunks come and go
    os.environ.setdefault(POOL, "system")
    from bx24frames.cli.app import app

    warnings.showwarning = _warn
    if isinstance(sys.stdout, io.TextIOWrapper):
        # into a pipe, Windows' code page stands for the console's: a sign it lacks is no failure
        sys.stdout.reconfigure(errors="replace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="bx24frames")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        print(f"bx24frames: {told(error)}", file=sys.stderr)  # noqa: T201
        sys.exit(FAILED)
    sys.exit(0)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning is one line too: where in the package it comes from helps nobody at a shell."""
    from bx24frames.transport.redact import redact

    print(f"bx24frames: {redact(phrased(str(message)))}", file=sys.stderr)  # noqa: T201


def told(error: Exception) -> str:
    """What a failure means to whoever typed the command, without any secret."""
    from bx24frames.transport.redact import redact

    if isinstance(error, BX24Error):
        return redact(phrased(str(error)))
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return redact(f"{where}{error.strerror}")
    if isinstance(error, ValueError | NotImplementedError):
        return redact(str(error))
    return redact(
        f"this is a fault of bx24frames itself ({type(error).__name__}: {error}); {TRACEBACK}=1 shows where it happened"
    )
