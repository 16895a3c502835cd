"""Methods outside the catalogue: rows found by the shape of the answer, read to a proven end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.batch import batchable
from bx24frames.engine.codes import error_of
from bx24frames.engine.fallback import NOT_IN_A_BATCH
from bx24frames.engine.messages import JSON, Call, Listing, Paging, Row, Success
from bx24frames.engine.pages.cursor import rows_in
from bx24frames.engine.pages.forms import Trail, forms_of, is_paged
from bx24frames.engine.pages.fresh import Fresh
from bx24frames.engine.pages.shape import id_key, rows_at, rows_path, tells_of_more
from bx24frames.engine.records import AS_MAPS
from bx24frames.errors import CallError, PortalError, ResponseError

if TYPE_CHECKING:
    from bx24frames.engine.messages import Answer
    from bx24frames.portal.connection import Connection

_PAGE: Final = 50


async def read_by_shape(connection: Connection, method: str, params: dict[str, JSON]) -> JSON:
    """All rows of a method that is not in the catalogue; its result if it lists nothing.

    Raises
    ------
    ResponseError
        A page is full or announces more rows, and no known form of paging reaches the next one.
    """
    call = Call(method, params, direct=True)
    [first] = await connection.answers([call], first=1)
    if not isinstance(first, Success):
        raise error_of(first, method)
    path = rows_path(first.value, method)
    if path is None:
        return first.value
    found = rows_at(first.value, path)
    if not all(isinstance(row, dict) for row in found):
        return found
    listing = Listing(
        call, rows_path=path, id_key=id_key(found), id_filter="", paging=Paging.OFFSET, page_size=max(_PAGE, len(found))
    )
    if first.next is not None or (first.total or 0) > len(found):
        return await _by_offset(connection, listing)
    more = tells_of_more(first.value)
    fits = first.total == len(found)  # of a full page it may be the count of the page
    if not found or more is False or not (more or _looks_full(method, len(found))) or (fits and len(found) != _PAGE):
        return found
    return await _by_form(connection, listing, first.value, more=bool(more), fits=fits)


def _looks_full(method: str, rows: int) -> bool:
    """Whether so many rows may be a page rather than a list: round numbers are, and any of a method known to page."""
    return rows % 10 == 0 or rows % 25 == 0 or (is_paged(method) and rows >= _PAGE // 5)


async def _by_offset(connection: Connection, listing: Listing) -> JSON:
    rows: list[JSON] = []
    try:
        direct = not batchable(listing.call.method, listing.call.params)
        async for page in connection.run(connection.pages(_sent(listing, direct=direct), AS_MAPS)):
            rows.extend(page)
    except PortalError as refusal:
        if refusal.code != NOT_IN_A_BATCH:
            raise
        rows = []
        async for page in connection.run(connection.pages(_sent(listing, direct=True), AS_MAPS)):
            rows.extend(page)
    return rows


def _sent(listing: Listing, *, direct: bool) -> Listing:
    return replace(listing, call=replace(listing.call, direct=direct))


async def _by_form(connection: Connection, listing: Listing, first: JSON, *, more: bool, fits: bool) -> JSON:
    """Find the form that leads behind the first page, and follow it."""
    method = listing.call.method
    rows = rows_in(listing, first)
    ended = False
    for form in forms_of(method, first):
        trail = Trail(listing, form, first)
        if trail.next is None:
            continue
        [answer] = await connection.answers([trail.next], first=1)
        led = _led(listing, rows, answer)
        if led is None:
            continue
        if led:
            return [*rows, *await _follow(connection, trail, answer)]
        ended = True
        if not more:
            break
    if more or not (ended or fits or len(rows) % _PAGE):
        raise ResponseError(
            f"{len(rows)} rows came, and the method has more"
            if more
            else f"{len(rows)} rows came, as many as a page: there may be more",
            method=method,
            guidance="None of the known ways leads to them. Ask for its pages one by one with portal.call().",
        )
    return [*rows]


def _led(listing: Listing, rows: list[Row], answer: Answer) -> bool | None:
    """Whether a form led to new rows; False where it led to an empty page, None where the method does not know it."""
    if not isinstance(answer, Success):
        return None
    try:
        found = rows_in(listing, answer.value)
    except ResponseError:
        return None
    if not found:
        return False
    try:
        return True if Fresh(listing).beside(rows, found) else None
    except CallError:
        return None


async def _follow(connection: Connection, trail: Trail, answer: Answer) -> list[Row]:
    """The rows behind the first page."""
    found: list[Row] = []
    while True:
        if not isinstance(answer, Success):
            raise error_of(answer, trail.method)
        found += trail.take(answer.value)
        if trail.next is None:
            return found
        [answer] = await connection.answers([trail.next], first=1)
