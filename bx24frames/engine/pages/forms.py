"""Paging of a method's own, where an answer has neither a total nor a next: the known forms, and how each goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from bx24frames.engine.messages import JSON, Call, Listing, Path, Row
from bx24frames.engine.pages.cursor import merged, rows_in
from bx24frames.engine.pages.fresh import BARREN, Fresh
from bx24frames.engine.pages.shape import CURSORS, tells_of_more
from bx24frames.errors import ResponseError
from bx24frames.transport.address import API


@dataclass(frozen=True, slots=True)
class Form:
    """How a method is asked for the page behind another one.

    `path`: where the parameter stands. `unit`: what it counts: rows, pages from 1, or it names the last id or cursor.
    `size`: where the wanted number of rows stands beside it.
    """

    path: Path
    unit: Literal["rows", "page", "last", "cursor", "tail"]
    size: Path = ()


_START: Final = Form(("start",), "rows")
_LIMIT: Final = Form(("offset",), "rows", ("limit",))
_UPPER: Final = Form(("OFFSET",), "rows", ("LIMIT",))
_PAGE: Final = Form(("page",), "page")
_INNER: Final = Form(("params", "offset"), "rows", ("params", "limit"))
_LAST: Final = Form(("LAST_ID",), "last", ("LIMIT",))
_API: Final = Form(("pagination", "offset"), "rows", ("pagination", "limit"))
_TAIL: Final = Form(("cursor",), "tail")
_CURSOR: Final = Form(("pagination", "afterCursor"), "cursor")

FORMS: Final[tuple[Form, ...]] = (_START, _LIMIT, _PAGE, _UPPER, _INNER, _LAST)
"""What is tried of a method of an unknown family."""
FAMILIES: Final[Mapping[str, tuple[Form, ...]]] = {
    "landing.": (_INNER, _LIMIT),
    "biconnector.": (_PAGE, _LIMIT),
    "sign.": (_LIMIT,),
    "humanresources.": (_LIMIT,),
    "imbot.v2.": (_LIMIT, _UPPER),
    "im.": (_UPPER, _LAST, _LIMIT),
    "imopenlines.": (_UPPER, _LIMIT),
}
"""The forms of a family of methods, in the order they are tried (docs: the page of each method, its parameters)."""


def forms_of(method: str, value: JSON) -> tuple[Form, ...]:
    """The forms that a method may know, likely ones first."""
    if method.startswith(API):
        if isinstance(value, dict) and any(value.get(name) for name in CURSORS):
            return (_CURSOR,)
        return (_TAIL, _API) if method.endswith(".tail") else (_API,)
    name = method.lower()
    known = next((forms for prefix, forms in FAMILIES.items() if name.startswith(prefix)), ())
    return (*known, *(form for form in FORMS if form not in known))


def is_paged(method: str) -> bool:
    """Whether the family of a method is known to page in another way than by `start`."""
    return method.startswith(API) or method.lower().startswith(tuple(FAMILIES))


class Trail:
    """Follows the pages of a listing in one form; `next` is the call of the page to come, None at the end.

    Raises
    ------
    ResponseError
        A page brings no new row, though it is not the end.
    """

    def __init__(self, listing: Listing, form: Form, first: JSON) -> None:
        self._listing = listing
        self._form = form
        self._fresh = Fresh(listing)
        self._before: list[Row] = []
        self._barren = 0
        self._place = 0
        self._page = 1
        self._size = len(rows_in(listing, first))
        self.method = listing.call.method
        self.next: Call | None = None
        self.rows = self.take(first)

    def take(self, value: JSON) -> list[Row]:
        """The new rows of a page."""
        rows = rows_in(self._listing, value)
        new = self._fresh.of(rows)
        more = tells_of_more(value)
        self._barren = 0 if new else self._barren + 1
        self._place += len(rows) or self._size
        self._page += 1
        again = bool(rows) and not new
        last_again = self._form.unit == "page" and rows == self._before  # beyond its end a list may show it again
        if more is False or (not rows and not more) or (again and last_again and not more):
            self.next = None
        elif again or self._barren >= BARREN:
            raise ResponseError(
                "A page brings no new row, though the list is not at its end", method=self._listing.call.method
            )
        else:
            self.next = self._behind(rows or self._before, value)
        self._before = rows or self._before
        return new

    def _behind(self, rows: list[Row], value: JSON) -> Call | None:
        form, call = self._form, self._listing.call
        last = rows[-1].get(self._listing.id_key) if rows and self._listing.id_key else None
        cursor = next((value[name] for name in CURSORS if value.get(name)), None) if isinstance(value, dict) else None
        params = dict(call.params)
        mark: JSON = {"rows": self._place, "page": self._page, "last": last, "cursor": cursor, "tail": None}[form.unit]
        if form.unit == "tail" and last is not None:
            given = params.get("cursor")
            mark = {**(given if isinstance(given, dict) else {"field": "id", "order": "ASC"}), "value": last}
        if mark is None:
            return None
        if form.size:
            params = _with(params, form.size, self._size)
        return replace(call, params=_with(params, form.path, mark))


def _with(params: Mapping[str, JSON], path: Path, value: JSON) -> dict[str, JSON]:
    *inner, name = path
    return merged(params, tuple(inner), {name: value})
