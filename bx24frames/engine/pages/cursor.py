"""How a page is asked for and found: the only place that writes `>id`, the order, `start` and `$result`."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from bx24frames.engine.messages import (
    JSON,
    Answer,
    Call,
    Listing,
    Lost,
    Paging,
    Path,
    RawRows,
    Refusal,
    Row,
    RowShape,
    Success,
)
from bx24frames.engine.pages.columnar import UNREADABLE, opened
from bx24frames.engine.records import Records, Rows
from bx24frames.errors import ResponseError


@dataclass(frozen=True, slots=True)
class Cursor:
    """Writes the calls of one listing.

    `up`: pages run upwards in id.
    """

    listing: Listing
    up: bool

    def page(self, after: int | str | None, upto: int | str | None, *, strict: bool = False) -> Call:
        """One page: ``after < id <= upto``, or ``id < upto`` when `strict` (a reference to the page before)."""
        return self._call(self._bounds(after, upto, strict=strict), up=self.up)

    def follower(self, label: str, after: int | None, upto: int | None) -> Call:
        """The page behind the page `label` of the same batch."""
        path = "".join(f"[{step}]" for step in self.listing.rows_path)
        reference = f"$result[{label}]{path}[{self.listing.page_size - 1}][{self.listing.id_key}]"
        return self.page(reference, upto) if self.up else self.page(after, reference, strict=True)

    def far_end(self, after: int | None, upto: int | None) -> Call:
        """Ids alone, from the end the pages run towards."""
        call = self._call(self._bounds(after, upto), up=not self.up)
        return Call(call.method, {**call.params, **self.listing.select_ids})

    def count(self, after: int | None, upto: int | None) -> Call:
        """Ids alone, and the number of rows as `total`."""
        call = self.far_end(after, upto)
        return Call(call.method, {**call.params, "start": 0})

    def offset(self, start: int) -> Call:
        """The page at an offset; in order of id, after any order that the call has already."""
        listing = self.listing
        params: Mapping[str, JSON] = listing.call.params
        if listing.id_filter and listing.paging is not Paging.WHOLE:
            params = order_by_id(params, listing, up=True)
        if not listing.page_path:
            return Call(listing.call.method, {**params, "start": start})
        *path, name = listing.page_path
        return Call(listing.call.method, merged(params, tuple(path), {name: start // listing.page_size + 1}))

    def _bounds(self, after: int | str | None, upto: int | str | None, *, strict: bool = False) -> dict[str, JSON]:
        bounds: dict[str, JSON] = {}
        if after is not None:
            bounds[f">{self.listing.id_filter}"] = after
        if upto is not None:
            bounds[f"{'<' if strict else '<='}{self.listing.id_filter}"] = upto
        return bounds

    def _call(self, bounds: Mapping[str, JSON], *, up: bool) -> Call:
        listing = self.listing
        params = dict(listing.call.params)
        params = merged(params, listing.filter_path, bounds)
        params = order_by_id(params, listing, up=up)
        params["start"] = -1
        return Call(listing.call.method, params, shape=shape_of(listing), rate=listing.rate)


def order_by_id(params: Mapping[str, JSON], listing: Listing, *, up: bool) -> dict[str, JSON]:
    """Add the order by id in the spelling of the method."""
    if listing.order is not None:
        return {**params, **listing.order[0 if up else 1]}
    return merged(params, listing.order_path, {listing.id_filter: "ASC" if up else "DESC"})


def shape_of(listing: Listing) -> RowShape | None:
    """What the answers of a listing hold, where only some keys are wanted of rows that stand by themselves."""
    return RowShape(listing.rows_path, listing.keys) if listing.keys and not listing.constants else None


def rows_in(listing: Listing, value: JSON) -> list[Row]:
    """Find the rows in a method's result, as maps; PHP prints an empty map as []."""
    found = value
    for step in listing.rows_path:
        if found in ([], {}):
            return []
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, dict):  # a list whose keys were not 0..n-1
        found = list(found.values())
    if not isinstance(found, list):
        where = ".".join(("result", *listing.rows_path))
        raise ResponseError(f"No list of rows at {where}", method=listing.call.method)
    rows = [row if isinstance(row, dict) else _empty(row, listing) for row in found]
    return [{**listing.constants, **row} for row in rows] if listing.constants else rows


def _empty(row: JSON, listing: Listing) -> Row:
    if row != []:
        raise ResponseError(f"A row of the answer is no map: {row!r:.80}", method=listing.call.method)
    return {}


def page_in(listing: Listing, answer: Answer) -> Rows | Refusal | Lost:
    """The rows of an answer: as records where the call had a shape and the rows have it too, else as maps."""
    if isinstance(answer, Refusal | Lost):
        return answer
    if answer.raw is None:
        return rows_in(listing, answer.value)
    try:
        found = opened(answer.raw)
    except ValueError as fault:
        return Lost(f"unreadable rows: {fault}", status=200)
    return found if isinstance(found, Records) else rows_in(listing, found)


def show(listing: Listing, answer: Answer, rows: Rows) -> None:
    """Show the witness of a listing the first page that has rows, with the keys that records leave out."""
    witness = listing.witness
    if witness is None or not witness.waiting or not rows:
        return
    if isinstance(rows, Records) and isinstance(answer, Success) and answer.raw is not None:
        rows = rows_in(listing, _whole(listing, answer.raw))
    witness.look(list(rows))


def _whole(listing: Listing, raw: RawRows) -> JSON:
    """A result with the keys that records leave out, which were not decoded with them."""
    try:
        value: JSON = msgspec.json.decode(raw.text)
    except UNREADABLE as fault:
        raise ResponseError(f"Unreadable rows: {fault}", method=listing.call.method) from None
    return value


def size_of(answer: Answer) -> int:
    """The bytes that the rows of an answer came in, where they are known by themselves."""
    return answer.raw.text.nbytes if isinstance(answer, Success) and answer.raw is not None else 0


def ids_in(listing: Listing, rows: Rows) -> list[int]:
    """The ids of rows, as integers."""
    try:
        if isinstance(rows, Records):
            return [*map(int, rows.column(listing.id_key))]  # type: ignore[arg-type]  # any other type raises here
        return [int(row[listing.id_key]) for row in rows]  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ResponseError(
            f"A row without a usable {listing.id_key}",
            method=listing.call.method,
            guidance="The list method has to return the id of every row: pages are found by it.",
        ) from None


def without_repeats(rows: Rows, ids: list[int]) -> tuple[Rows, list[int]]:
    """Rows and their ids, of those that stand right behind themselves the first: `crm.activity.list` prints a row for
    each binding that a condition was met by.
    """
    if not any(map(operator.eq, ids, islice(ids, 1, None))):
        return rows, ids
    kept = [place for place, row_id in enumerate(ids) if not place or row_id != ids[place - 1]]
    chosen = [ids[place] for place in kept]
    if isinstance(rows, Records):
        return Records(rows.keys, [rows.rows[place] for place in kept]), chosen
    return [rows[place] for place in kept], chosen


def in_order(
    listing: Listing, ids: Sequence[int], *, up: bool, after: int | None = None, upto: int | None = None
) -> None:
    """Hold the ids of a page to the order and the bounds that were asked for: ``after < id <= upto``.

    Raises
    ------
    ResponseError
        If the method did not keep to them: it would be read for ever, or give rows twice, or leave some out.
    """
    if not ids:
        return
    lowest, highest = (ids[0], ids[-1]) if up else (ids[-1], ids[0])
    follows = operator.lt if up else operator.gt
    outside = (after is not None and lowest <= after) or (upto is not None and highest > upto)
    if outside or not all(map(follows, ids, islice(ids, 1, None))):
        raise ResponseError(
            "The list method does not keep to the order and bounds of ids it was asked for", method=listing.call.method
        )


def merged(params: Mapping[str, JSON], path: Path, more: Mapping[str, JSON]) -> dict[str, JSON]:
    """Parameters with more entries in the map at `path`; nothing is put where there is nothing to say."""
    if not more:
        return dict(params)
    if not path:
        return {**params, **more}
    inner = params.get(path[0])
    return {**params, path[0]: merged(inner if isinstance(inner, dict) else {}, path[1:], more)}
