"""Command line of the sandbox: `python -m bx24frames.sandbox` serves a portal until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from bx24frames.sandbox.limits import PLANS
from bx24frames.sandbox.seed.tidy_words import LOCALE_WORDS
from bx24frames.sandbox.serving import parse_sizes, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bx24frames.sandbox", description=__doc__)
    parser.add_argument("path", nargs="?", help="SQLite file; rows survive a restart")
    parser.add_argument("--port", type=int, default=8024)
    parser.add_argument("--seed", help="a number, or 'tidy': a plausible small company")
    parser.add_argument("--locale", choices=tuple(LOCALE_WORDS), default="ru", help="language of a tidy portal")
    parser.add_argument("--size", action="append", default=[], metavar="TABLE=ROWS")
    parser.add_argument("--plan", choices=tuple(PLANS), default="standard")
    parser.add_argument("--fast", action="store_true", help="server time does not really pass")
    parser.add_argument("--tls", action="store_true", help="https, self-signed")
    parser.add_argument("--certificate", metavar="FILE", help="with --tls: where to write the certificate, in PEM")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND[:METHOD[:NTH[:TIMES]]]")
    given = parser.parse_args(arguments)
    serve(
        given.path,
        port=given.port,
        seed=given.seed,
        locale=given.locale,
        sizes=parse_sizes(given.size),
        plan=given.plan,
        real_time=not given.fast,
        tls=given.tls,
        certificate=given.certificate,
        faults=given.fault,
        announce=partial(print, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
