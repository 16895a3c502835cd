"""Experiments on clocks: whose clock a bound of ``crm.item.list`` is read in, and how far it is from the server's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.portal.probe.experiment import (
    Ask,
    Experiment,
    Ground,
    Reply,
    Verdict,
    batch,
    number_of,
)
from bx24frames.transport.query import Param

FIELD: Final = "createdTime"
"""A moment that does not change while it is tried."""
QUARTER: Final = 15
_WIDEST: Final = 26 * 60
"""Minutes: between the zones at -12:00 and +14:00."""
HOURS: Final = tuple(range(-14 * 60, 15 * 60, 60))
FAR: Final = (*range(-_WIDEST, -14 * 60, 60), *range(15 * 60, _WIDEST + 1, 60))


def known(ground: Ground) -> tuple[int, dt.datetime] | None:
    """A row's id and its moment."""
    for row in ground.rows:
        number = number_of(row.get("id"))
        try:
            moment = dt.datetime.fromisoformat(str(row.get(FIELD)))
        except ValueError:
            continue
        if number is not None and moment.tzinfo is not None:
            return number, moment
    return None


def _tried(ground: Ground, minutes: Sequence[int]) -> Ask | None:
    found = known(ground)
    if found is None:
        return None
    number, moment = found
    commands = {}
    for shift in minutes:
        bound = (moment + dt.timedelta(minutes=shift)).isoformat()
        condition: dict[str, Param] = {"=id": number, f">={FIELD}": bound}
        commands[_label(shift)] = ground.listing(select=["id"], filter=condition, start=-1)
    return batch(commands)


def _label(shift: int) -> str:
    return f"m{shift}" if shift >= 0 else f"n{-shift}"


def _latest(reply: Reply, minutes: Sequence[int]) -> int | None:
    """The latest bound, in minutes after the row's own moment, that still selects the row."""
    came = [shift for shift in minutes if reply.command(_label(shift)).rows("items")]
    return max(came) if came else None


def ask_shift(ground: Ground, replies: Sequence[Reply]) -> Ask | None:
    """First whole hours, then, where the answer is at an edge, the far ones, then the quarters after the latest."""
    if not replies:
        return _tried(ground, HOURS)
    hour, far = _hour(replies)
    if far and len(replies) == 1:
        return _tried(ground, FAR)
    if hour is None or len(replies) > (2 if far else 1):
        return None
    return _tried(ground, [hour + QUARTER * step for step in (1, 2, 3)])


def _hour(replies: Sequence[Reply]) -> tuple[int | None, bool]:
    """The latest whole hour, and whether the far ones had to be asked for."""
    near = _latest(replies[0], HOURS)
    far = near is None or near == HOURS[-1]
    if not far or len(replies) < 2:
        return near, far
    beyond = [shift for shift in (near, _latest(replies[1], FAR)) if shift is not None]
    return (max(beyond) if beyond else None), far


def shift_of(replies: Sequence[Reply]) -> int | None:
    """Minutes by which the portal moves a bound before it compares: the user's offset less the server's."""
    hour, _ = _hour(replies)
    if hour is None:
        return None
    quarters = _latest(replies[-1], [hour + QUARTER * step for step in (1, 2, 3)])
    return hour if quarters is None else quarters


def _shift(_: Ground, replies: Sequence[Reply]) -> Verdict:
    minutes = shift_of(replies)
    if minutes is None:
        return Verdict("differs", "no bound at all selects a row whose moment is known")
    learned: Mapping[str, JSON] = {"shift_minutes": minutes}
    if minutes == 0:
        return Verdict("holds", "read as written (or the user's clock is the server's)", learned)
    hours = f"{abs(minutes) // 60}:{abs(minutes) % 60:02}"
    if minutes > 0:
        return Verdict("differs", f"read in the user's clock: selects from {hours} earlier than written", learned)
    return Verdict("differs", f"read in the user's clock: selects from {hours} later than written", learned)


def _server(ground: Ground, _: Sequence[Reply]) -> Verdict:
    try:
        moment = dt.datetime.fromisoformat(ground.date_start)
    except ValueError:
        return Verdict("unknown", "the answers tell no time")
    offset = moment.utcoffset()
    if offset is None:
        return Verdict("differs", "the answers' time has no offset")
    zone = str(ground.profile.get("TIME_ZONE") or "the portal's own")
    return Verdict(
        "told",
        f"the server is at {moment:%z}, the user's zone is {zone}",
        {"server_offset": int(offset.total_seconds())},
    )


CLOCK: Final = (
    Experiment("server's clock", "clock", None, _server),
    Experiment("moments of crm.item.list", "clock", ask_shift, _shift),
)
