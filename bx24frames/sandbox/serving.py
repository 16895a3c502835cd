"""Serve a sandbox in the foreground until interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from bx24frames.sandbox.control import SEED, Sandbox
from bx24frames.sandbox.faults import Fault, FaultKind
from bx24frames.sandbox.seed.tidy_words import Locale


def parse_fault(text: str) -> Fault:
    """Parse ``kind[:method[:nth[:times]]]``; an empty method means any, ``times`` 0 means always.

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


def _kind(text: str) -> FaultKind:
    known: tuple[FaultKind, ...] = get_args(FaultKind)
    for kind in known:
        if kind == text:
            return kind
    raise ValueError(f"unknown fault {text!r}; known: {', '.join(known)}")


def parse_sizes(texts: Sequence[str]) -> dict[str, int]:
    """Parse ``deal=1000`` strings."""
    pairs = (text.partition("=") for text in texts)
    return {table: int(rows) for table, _, rows in pairs}


def serve(
    path: str | None = None,
    *,
    port: int = 8024,
    seed: int | str | None = None,
    locale: Locale | str = "ru",
    sizes: Mapping[str, int] | None = None,
    plan: str = "standard",
    real_time: bool = True,
    tls: bool = False,
    certificate: str | None = None,
    faults: Sequence[str] = (),
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until Ctrl-C; call it from the main thread.

    Parameters
    ----------
    path, port, seed, locale, sizes, plan, real_time, tls
        As for `Sandbox`.
    certificate : str, optional
        With `tls`: file to write the certificate to (PEM), for clients to trust.
    faults : sequence of str
        ``kind[:method[:nth[:times]]]``, as `parse_fault` reads it.
    announce : callable
        Called with the address once requests are accepted.
    """
    if certificate is not None and not tls:
        raise ValueError("--certificate needs --tls")
    chosen = [parse_fault(text) for text in faults]
    with Sandbox(
        path,
        port=port,
        seed=SEED if seed is None else seed,
        locale=locale,
        sizes=sizes,
        plan=plan,
        real_time=real_time,
        tls=tls,
    ) as sandbox:
        for fault in chosen:
            sandbox.faults.add(fault)
        if certificate is not None:
            Path(certificate).write_text(sandbox.certificate, encoding="ascii")
        wait_for_interrupt(partial(announce, sandbox.url))


def wait_for_interrupt(begin: Callable[[], None]) -> None:
    """Call `begin`, then block until SIGINT or SIGTERM."""
    # shells start background jobs with SIGINT ignored, and Python keeps that
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        begin()
        threading.Event().wait()
    except KeyboardInterrupt:
        return
