"""Read plan: the rows, requests and seconds that a read is estimated to take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bx24frames.display import table_html
from bx24frames.engine.charges import Generation, charged_share
from bx24frames.engine.ledger import WINDOW
from bx24frames.engine.messages import Listing
from bx24frames.engine.sizes import FIRST_READS
from bx24frames.engine.usage import Usage, allowed_requests
from bx24frames.language import term, translated
from bx24frames.portal.counts import listings_of, settled_where, totals
from bx24frames.portal.metadata import find_table
from bx24frames.portal.probe.findings import charged_by_batch, probed_page_seconds
from bx24frames.where.filters import filter_tree

if TYPE_CHECKING:
    from bx24frames.options import Limits
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.where.filters import Given
    from bx24frames.where.model import Where

TAILS: Final = 0.015
"""Requests above those that full batches would take: ends of lanes, measured on tables of 10,000 to 1,000,000 rows."""
PAGE_SECONDS: Final = 0.05
"""What a page of a list is taken to cost the portal until one has been measured: answers of real portals name 0.046 to
0.055 s for 50 leads in a batch."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Estimate of a read.

    Attributes
    ----------
    entity : str
        The entity.
    rows : int or None
        Rows that meet the conditions now; None where the method cannot count.
    requests : int
        HTTP requests, approximately, without the description of the fields, which is requested once.
    seconds : float
        Lower bound by the portal's limits for batches of one list method, from an empty bucket. Single calls beside
        them and a second list method make long reads faster.
    page_seconds : float
        Seconds of the portal's work that a page of 50 rows is taken to cost.
    measured : bool
        Whether that was measured, in this process, an earlier one or by a probe; it is an assumption otherwise.
    usage : Usage
        Shares of the budgets of ten minutes that the read takes: `server` and `requests`; `binds` names the one that
        limits it, and `advice` what would help. ``str()`` says it in words.
    """

    entity: str
    rows: int | None
    requests: int
    seconds: float
    page_seconds: float = PAGE_SECONDS
    measured: bool = False
    usage: Usage = field(default_factory=lambda: Usage(0.0, 0.0))

    def __repr__(self) -> str:
        requests = f"{self.requests:,} request{'' if self.requests == 1 else 's'}"
        facts = ", ".join((_rows(self.rows), translated(requests), _time(self.seconds)))
        basis = f" {translated(f'at {self._basis()}')}; {self.usage}" if self.seconds >= 1 else ""
        return f"<Plan {self.entity}: {facts}{basis}>"

    def _repr_html_(self) -> str:
        heads = ("entity", "rows", "requests", "time at the limit", "basis", "limits", "what would help")
        rows = term("unknown") if self.rows is None else self.rows
        told = (str(self.usage), "; ".join(map(translated, self.usage.advice)))
        return table_html(
            heads, [(self.entity, rows, self.requests, _time(self.seconds), translated(self._basis()), *told)]
        )

    def _basis(self) -> str:
        if self.measured:
            return f"{self.page_seconds:.3f} s a page (measured)"
        return f"{self.page_seconds:.3f} s a page (assumed)"


async def plan_read(connection: Connection, entity: str, filters: Given = None) -> Plan:
    """Count the rows by one request, and estimate the rest.

    Raises
    ------
    UnknownEntity, UnknownColumn, FilterError
        As the read would.
    """
    filters = filter_tree(filters, entity)
    table = await find_table(connection, entity, filters)
    return await plan_where(connection, table, await settled_where(connection, table, filters))


async def plan_where(connection: Connection, table: Table, where: Where) -> Plan:
    """Plan the read of the rows that meet parsed conditions."""
    listings = listings_of(table.entity, where, table.fields)
    measured = connection.cost(listings[0].rate or listings[0].call.method) if listings else None
    if measured is None:
        measured = probed_page_seconds(connection, table.entity.family)
    page_seconds = PAGE_SECONDS if measured is None else measured
    counts = await totals(connection, listings)
    requests = _requests(listings, counts, connection.settings.limits.commands_per_batch)
    pages = sum(_pages(listing, count) for listing, count in zip(listings, counts, strict=True))
    known = [count for count in counts if count is not None]
    limits, work = connection.settings.limits, page_seconds * pages
    share = charged_share(generation_of(connection))
    seconds = least_seconds(limits, requests, work, share=share)
    return Plan(
        table.entity.name,
        sum(known) if len(known) == len(counts) else None,
        requests,
        seconds,
        page_seconds,
        measured is not None,
        Usage(
            work * share / limits.operating,
            requests / allowed_requests(limits.burst, limits.per_second),
            seconds,
        ),
    )


def generation_of(connection: Connection) -> Generation:
    """Which budget the portal charges batches to, as answers show, or else a probe."""
    known = connection.generation()
    return Generation.BY_BATCH if known is Generation.UNKNOWN and charged_by_batch(connection) else known


def least_seconds(limits: Limits, requests: int, operating: float, *, share: float = 1.0) -> float:
    """Seconds that so many requests, with so much work of one method, take at least; `share` of it is charged."""
    by_bucket = max(0.0, requests - (limits.burst - 1)) / limits.per_second
    windows = max(0, math.ceil(operating * share / limits.operating) - 1) if math.isfinite(limits.operating) else 0
    by_work = operating / max(1, min(limits.max_in_flight, requests))
    return max(by_bucket, windows * WINDOW, by_work)


def _pages(listing: Listing, count: int | None) -> int:
    return 1 if count is None else max(1, math.ceil(count / listing.page_size))


def _requests(listings: list[Listing], counts: list[int | None], commands: int) -> int:
    """Requests of the data: the first carries `FIRST_READS` pages, those after it as many as fit."""
    pages = [_pages(listing, count) for listing, count in zip(listings, counts, strict=True)]
    if all(number == 1 for number in pages):
        return math.ceil(len(pages) / commands)
    first = min(FIRST_READS, commands)
    return sum(1 + math.ceil(max(0, number - first) / commands * (1 + TAILS)) for number in pages)


def _rows(rows: int | None) -> str:
    return translated("rows unknown" if rows is None else f"{rows:,} rows")


def _time(seconds: float) -> str:
    if seconds < 1:
        return translated("under a second")
    minutes, rest = divmod(round(seconds), 60)
    return translated(f"{minutes:,} min {rest} s" if minutes else f"{rest} s")
