"""Probe run: carries out experiments on a portal, one request at a time, with a verdict for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Final, cast

import orjson

from bx24frames.portal.probe.clock import CLOCK
from bx24frames.portal.probe.conditions import CONDITIONS
from bx24frames.portal.probe.costs import COSTS
from bx24frames.portal.probe.experiment import (
    CLASSIC,
    UNTRIED,
    Ask,
    Commands,
    Experiment,
    Ground,
    Reply,
    Verdict,
    batch,
    read_reply,
)
from bx24frames.portal.probe.names import NAMES
from bx24frames.portal.probe.paging import PAGING
from bx24frames.portal.probe.rights import RIGHTS
from bx24frames.transport.base import NoReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bx24frames.engine.messages import JSON
    from bx24frames.portal.connection import Connection

EXPERIMENTS: Final[tuple[Experiment, ...]] = (*NAMES, *CONDITIONS, *CLOCK, *PAGING, *COSTS, *RIGHTS)
_PATIENCE: Final = 60.0
"""Seconds; the portal aborts a request after 60 (https://apidocs.bitrix24.com/limits.html)."""


async def send(connection: Connection, ask: Ask) -> Reply:
    """Send one request once, and return its answer unchanged."""
    try:
        reply = await connection.transport.post(ask.method, orjson.dumps(ask.params), timeout=_PATIENCE)
        reply = await reply.whole()
    except NoReply as fault:
        return Reply(code="NO_ANSWER", text=fault.reason)
    try:
        data: JSON = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        data = None
    return read_reply(data, reply.status)


async def ground_of(connection: Connection) -> Ground:
    """What the experiments stand on: who asks, and the fullest of the portal's tables of items."""
    profile = await send(connection, Ask("profile"))
    scopes = await send(connection, Ask("scope"))
    listed: Commands = {
        f"t{type_id}": ("crm.item.list", {"entityTypeId": type_id, "select": ["id"], "start": 0}) for type_id in CLASSIC
    }
    counts = await send(connection, batch(listed))
    totals = {type_id: counts.command(f"t{type_id}").total or 0 for type_id in CLASSIC}
    type_id = max(totals, key=lambda number: totals[number])
    page: Mapping[str, JSON] = {"entityTypeId": type_id, "select": ["*"], "order": {"id": "ASC"}, "start": -1}
    first = await send(connection, Ask("crm.item.list", page))
    described = await send(connection, Ask("crm.item.fields", {"entityTypeId": type_id}))
    fields = described.value.get("fields") if isinstance(described.value, dict) else {}
    return Ground(
        type_id,
        totals[type_id],
        first.rows("items"),
        cast("Mapping[str, Mapping[str, JSON]]", fields if isinstance(fields, dict) else {}),
        profile.value if isinstance(profile.value, dict) else {},
        frozenset(map(str, scopes.value)) if isinstance(scopes.value, list) else frozenset(),
        str(profile.time.get("date_start") or ""),
    )


async def probe(
    connection: Connection, experiments: Iterable[Experiment] = EXPERIMENTS
) -> AsyncIterator[tuple[Experiment, Verdict]]:
    """The experiments and what each showed, in order."""
    ground = await ground_of(connection)
    for experiment in experiments:
        replies: list[Reply] = []
        while experiment.ask is not None and (ask := experiment.ask(ground, replies)) is not None:
            replies.append(await send(connection, ask))
        yield experiment, judged(experiment, ground, replies)


def judged(experiment: Experiment, ground: Ground, replies: Sequence[Reply]) -> Verdict:
    """The verdict of an experiment: unknown without an answer, and after a refusal that it does not judge."""
    if experiment.ask is not None and not replies:
        return UNTRIED
    refused = [reply for reply in replies if not reply.sound]
    if refused and not experiment.refusals:
        return Verdict("unknown", f"refused: {refused[0].code} {refused[0].text[:60]}".rstrip())
    return experiment.judge(ground, replies)
