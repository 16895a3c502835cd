"""Experiments on the limit of operating time: whom a batch is charged to, and what a page takes.

Two generations of the limiter are about: the older one charges the methods in a batch, the newer one ``batch`` itself
(b24jssdk #459, #539). What takes less than 0.1 s within one request is charged by neither, hence batches of many pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.portal.probe.experiment import (
    Ask,
    Experiment,
    Ground,
    Kind,
    Reply,
    Verdict,
    batch,
    number_of,
    once,
)
from bx24frames.transport.query import Param

PAGES: Final = 20
"""Pages in the batch: 0.6 s of a quick portal, 6 s of a slow one."""


def _bounds(ground: Ground) -> list[int]:
    """Ids of the first page, over and over: no two commands next to each other are the same."""
    ids = [number for row in ground.rows if (number := number_of(row.get("id"))) is not None] or [0]
    return [ids[place % len(ids)] - 1 for place in range(PAGES)]


def _asks(ground: Ground) -> tuple[Ask, ...]:
    if not ground.rows:
        return ()
    items = [
        ground.listing(select=["*"], filter={">id": bound}, order={"id": "ASC"}, start=-1) for bound in _bounds(ground)
    ]
    older: list[tuple[str, Mapping[str, Param]]] = [
        (
            f"{ground.classic}.list",
            {"select": ["*", "UF_*"], "filter": {">ID": bound}, "order": {"ID": "ASC"}, "start": -1},
        )
        for bound in _bounds(ground)
    ]
    name, params = items[0]
    return (
        batch({f"c{place}": call for place, call in enumerate(items)}),
        batch({f"c{place}": call for place, call in enumerate(older)}),
        Ask(name, {**_plain(params)}),
        Ask(older[0][0], {**_plain(older[0][1])}),
    )


def _plain(params: Mapping[str, object]) -> dict[str, JSON]:
    return {name: _json(value) for name, value in params.items()}


def _json(value: object) -> JSON:
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else None


def _next(ground: Ground, replies: Sequence[Reply]) -> Ask | None:
    asks = _asks(ground)
    return asks[len(replies)] if len(replies) < len(asks) else None


def seconds(value: JSON) -> float:
    """A figure of an answer's ``time``."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _durations(reply: Reply) -> list[float]:
    return [seconds(reply.command(f"c{place}").time.get("duration")) for place in range(PAGES)]


def page_seconds(replies: Sequence[Reply]) -> dict[str, float]:
    """Seconds per page by family, in a batch and alone: medians of the durations in the answers."""
    items, older, item, classic = replies
    return {
        "item in a batch": median(_durations(items)),
        "item alone": seconds(item.time.get("duration")),
        "older in a batch": median(_durations(older)),
        "older alone": seconds(classic.time.get("duration")),
    }


def generation(reply: Reply) -> str | None:
    """``nested``: the methods in a batch are charged; ``batch``: the batch is; ``none``: nobody is; None: too quick."""
    nested = [reply.command(f"c{place}").time for place in range(PAGES)]
    if "operating" not in reply.time and not any("operating" in clock for clock in nested):
        return "none"
    if seconds(reply.time.get("operating")) > 0:
        return "batch"
    return "nested" if any(seconds(clock.get("operating")) > 0 for clock in nested) else None


_TOLD: Final[Mapping[str, str]] = {
    "nested": "the methods in a batch are charged, each its own seconds",
    "batch": "a batch is charged as such; single calls have budgets of their own",
    "none": "nothing is charged (no operating in the answers)",
}


_KINDS: Final[Mapping[str, Kind]] = {"nested": "holds", "batch": "differs", "none": "told"}


def _limiter(_: Ground, replies: Sequence[Reply]) -> Verdict:
    found = generation(replies[0])
    if found is None:
        return Verdict("unknown", f"{PAGES} pages in a batch were charged to nobody: too quick to tell")
    return Verdict(_KINDS[found], _TOLD[found], {"generation": found})


def _pages(_: Ground, replies: Sequence[Reply]) -> Verdict:
    taken = page_seconds(replies)
    text = (
        f"items in a batch {taken['item in a batch']:.3f}, alone {taken['item alone']:.3f}; "
        f"classic in a batch {taken['older in a batch']:.3f}, alone {taken['older alone']:.3f}"
    )
    return Verdict("told", text, {"page_seconds": {family: round(value, 4) for family, value in taken.items()}})


def _first(ground: Ground) -> Ask | None:
    asks = _asks(ground)
    return asks[0] if asks else None


COSTS: Final = (
    Experiment("seconds a page", "limits", _next, _pages),
    Experiment("operating time", "limits", once(_first), _limiter),
)
