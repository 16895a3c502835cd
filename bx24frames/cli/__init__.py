"""Entry point of the command line: run `bx24frames`, report failures as a line on stderr and an exit status."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Final, NoReturn

from bx24frames.cli.phrasing import phrased, wrapped
from bx24frames.errors import TRACEBACK, BX24Error, ConfigError
from bx24frames.extras import require
from bx24frames.language import translated

__all__ = ["main"]

POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"
"""Selects Arrow's allocator; read when pyarrow is imported (https://arrow.apache.org/docs/cpp/env_vars.html)."""
FAILED: Final = 1
INTERRUPTED: Final = 130
"""128 + SIGINT, the convention of shells."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit the process.

    Parameters
    ----------
    arguments : sequence of str, optional
        Used instead of ``sys.argv[1:]``.

    Raises
    ------
    SystemExit
        Status 0 for success, 1 for failure, 2 for a usage error, 130 after Ctrl-C.
    """
    # other allocators hold on to freed memory: 50 MB more for a read in chunks
    os.environ.setdefault(POOL, "system")
    try:
        require("typer")
    except ConfigError as error:
        sys.exit(f"bx24frames: {failure_text(error)}")
    from bx24frames.cli.app import app

    warnings.showwarning = _warn
    if isinstance(sys.stdout, io.TextIOWrapper):
        # in a pipe, Windows encodes with its code page: a character it lacks must not fail the command
        sys.stdout.reconfigure(errors="replace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="bx24frames")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        print(wrapped(f"bx24frames: {failure_text(error)}", sys.stderr), file=sys.stderr)  # noqa: T201
        sys.exit(FAILED)
    sys.exit(0)


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as one line; its place in the package is of no use at a shell."""
    from bx24frames.transport.redact import redact

    print(wrapped(f"bx24frames: {redact(phrased(translated(str(message))))}", sys.stderr), file=sys.stderr)  # noqa: T201


def failure_text(error: Exception) -> str:
    """Return the text of a failure for the user, without secrets."""
    from bx24frames.transport.redact import redact

    if isinstance(error, BX24Error):
        return redact(phrased(str(error)))
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return redact(f"{where}{translated(error.strerror)}")
    if isinstance(error, ValueError | NotImplementedError):
        return redact(translated(str(error)))
    return redact(
        translated(
            f"internal error of bx24frames ({type(error).__name__}: {error}); set {TRACEBACK}=1 to see the traceback"
        )
    )
