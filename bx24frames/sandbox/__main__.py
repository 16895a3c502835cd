"""`python -m bx24frames.sandbox`: a portal on a port until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import get_args

from bx24frames.sandbox.faults import Fault, Kind
from bx24frames.sandbox.limits import PLANS


def parse_fault(text: str) -> Fault:
    """Read ``kind[:method[:nth[:times]]]``; an empty method is any, ``times`` 0 is always.

    >>> parse_fault("drop_after:crm.item.add:2").nth
    2
    """
    kind, method, nth, times = (*text.split(":"), "", "", "")[:4]
    return Fault(
        _kind(kind),
        method=method or None,
        nth=int(nth or 1),
        times=int(times or 1) or None,
    )


def _kind(text: str) -> Kind:
    known: tuple[Kind, ...] = get_args(Kind)
    for kind in known:
        if kind == text:
            return kind
    raise ValueError(f"unknown fault {text!r}; known: {', '.join(known)}")


def parse_sizes(texts: Sequence[str]) -> dict[str, int]:
    """Read ``deal=1000`` texts."""
    pairs = (text.partition("=") for text in texts)
    return {table: int(rows) for table, _, rows in pairs}


def serve(
    path: str | None = None,
    *,
    port: int = 8024,
    seed: int | None = None,
    sizes: Mapping[str, int] | None = None,
    plan: str = "standard",
    real_time: bool = True,
    tls: bool = False,
    faults: Sequence[str] = (),
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until Ctrl-C.

    Parameters
    ----------
    path, port, seed, sizes, plan, real_time, tls
        As for `Sandbox`.
    faults : sequence of str
        ``kind[:method[:nth[:times]]]``, as `parse_fault` reads it.
    announce : callable
        Told the address once requests are taken.
    """
    from bx24frames.sandbox.sandbox import SEED, Sandbox
    from bx24frames.sandbox.server import wait_for_interrupt

    chosen = [parse_fault(text) for text in faults]
    with Sandbox(
        path, port=port, seed=SEED if seed is None else seed, sizes=sizes, plan=plan, real_time=real_time, tls=tls
    ) as sandbox:
        for fault in chosen:
            sandbox.faults.add(fault)
        announce(sandbox.url)
        wait_for_interrupt()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m bx24frames.sandbox", description=__doc__)
    parser.add_argument("path", nargs="?", help="SQLite file; rows survive a restart")
    parser.add_argument("--port", type=int, default=8024)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--size", action="append", default=[], metavar="TABLE=ROWS")
    parser.add_argument("--plan", choices=tuple(PLANS), default="standard")
    parser.add_argument("--fast", action="store_true", help="server time does not really pass")
    parser.add_argument("--tls", action="store_true", help="https, self-signed")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND[:METHOD[:NTH[:TIMES]]]")
    given = parser.parse_args(arguments)
    serve(
        given.path,
        port=given.port,
        seed=given.seed,
        sizes=parse_sizes(given.size),
        plan=given.plan,
        real_time=not given.fast,
        tls=given.tls,
        faults=given.fault,
        announce=partial(print, flush=True),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
