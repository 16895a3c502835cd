"""Dictionaries of captions, one read per entity, cached."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.engine.codes import error_of, normalised
from bx24frames.engine.messages import JSON, Call, Listing, Row, Success
from bx24frames.engine.pages.cursor import order_by_id, rows_in
from bx24frames.engine.pages.shape import rows_at, rows_path
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.sizes import FIRST_READS
from bx24frames.entities import captions as labels
from bx24frames.entities.captions import LINKS, PERSON, Dictionary, Lookup, Origin
from bx24frames.entities.catalog.catalog import CATALOG
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Entity, Field
from bx24frames.errors import AuthError, PortalError
from bx24frames.portal.listing import listing_for, slices
from bx24frames.portal.metadata import SETTLED
from bx24frames.where.model import Where

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection

    Rows: TypeAlias = tuple[Row, ...]


async def dictionary(
    connection: Connection, field: Field, lookup: Lookup, ids: Iterable[int] | None = None
) -> Dictionary:
    """The captions of a field's codes.

    Parameters
    ----------
    connection : Connection
    field : Field
    lookup : Lookup
        What `lookup_of` says of the field.
    ids : iterable of int, optional
        Where the codes are ids of rows: the ids to name; None names all rows of that table.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/status/crm-status-list.html,
    https://apidocs.bitrix24.com/api-reference/crm/universal/category/crm-category-list.html
    """
    if lookup.origin is Origin.CHOICES:
        return labels.choices_of(field)
    if lookup.origin is Origin.ROWS:
        return await _row_names(connection, lookup, ids)
    asking = _asking(connection, _METHODS[lookup.origin].format(lookup.name), lookup.entity_type_id)
    keep = lookup.origin is not Origin.USERS
    try:
        rows = await connection.metadata.recall(recall_name(lookup), asking, _rows, keep=keep)
    except PortalError:
        if lookup.origin is not Origin.FIXED:
            raise
        rows = ()  # only the language of its captions is unknown
    return _READERS[lookup.origin](rows, lookup)


def withheld(error: PortalError) -> bool:
    """Whether a dictionary was refused to this user, or the portal is too old to have it.

    The currencies, for example, are listed for users with access to the settings of the CRM, and refused to others
    without a code (docs: crm-currency-list.md).
    """
    if isinstance(error, AuthError):
        return True
    code = normalised(error.code or "")
    return code in _WITHHELD or (not code and _DENIED.search(error.message) is not None)


async def recall_dictionary(connection: Connection, name: str, answer: JSON, *, keep: bool = True) -> None:
    """Remember a new answer to the method of a dictionary: ``crm.status.list``, ``crm.category.list:2``."""

    async def given() -> JSON:
        return rows_at(answer, rows_path(answer, name) or ())

    connection.metadata.forget(name)
    await connection.metadata.recall(name, given, _rows, keep=keep)


async def renewed_dictionary(connection: Connection, field: Field, lookup: Lookup) -> Dictionary | None:
    """The captions requested again, if the cached ones are old enough for one to have been added since."""
    if lookup.origin is Origin.CHOICES or connection.metadata.age(recall_name(lookup)) < SETTLED:
        return None
    connection.metadata.forget(recall_name(lookup))
    return await dictionary(connection, field, lookup)


def recall_name(lookup: Lookup) -> str:
    """Cache key of a dictionary; all statuses share one."""
    method = _METHODS.get(lookup.origin, "names").format(lookup.name)
    return f"{method}:{lookup.entity_type_id}" if lookup.entity_type_id else method


_WITHHELD: Final = frozenset({"access_denied", "error_method_not_found"})
_DENIED: Final = re.compile(r"access denied|доступ запрещ[её]н", re.IGNORECASE)

_METHODS: Final[Mapping[Origin, str]] = {
    Origin.STATUS: "crm.status.list",
    Origin.STAGES: "crm.status.list",
    Origin.PIPELINES: "crm.category.list",
    Origin.CURRENCIES: "crm.currency.list",
    Origin.USERS: "user.get",
    Origin.ENUM: "crm.enum.{}",
    Origin.FIXED: "crm.status.list",  # shows the portal's language
}
"""The method whose answer holds a dictionary; the braces stand for the dictionary's name."""

_READERS: Final[Mapping[Origin, Callable[[Rows, Lookup], Dictionary]]] = {
    Origin.STATUS: labels.statuses,
    Origin.STAGES: labels.statuses,
    Origin.PIPELINES: lambda rows, _: labels.pipelines(rows),
    Origin.CURRENCIES: lambda rows, _: labels.currencies(rows),
    Origin.USERS: lambda rows, _: labels.people(rows),
    Origin.ENUM: labels.enumeration,
    Origin.FIXED: labels.fixed_list,
}


_TABLES: Final[Mapping[str, Entity]] = {
    one.listing.call.method: one for one in (CATALOG[name] for name in ("status", "category", "currency", "user"))
}
"""The tables that hold captions, by their list methods."""


def _asking(connection: Connection, method: str, number: int | None) -> Callable[[], Awaitable[JSON]]:
    async def ask() -> JSON:
        table = _TABLES.get(method)
        if table is None:
            return rows_at(await connection.result(method, {}), ())
        given: dict[str, JSON] = {"entityTypeId": number} if table.arguments else {}
        return await _listed(connection, listing_for(table, (), Where(arguments=given)))

    return ask


async def _listed(connection: Connection, listing: Listing) -> list[JSON]:
    rows: list[JSON] = []
    async for page in connection.run(connection.pages(listing, AS_MAPS)):
        rows.extend(page)
    return rows


async def _row_names(connection: Connection, lookup: Lookup, ids: Iterable[int] | None) -> Dictionary:
    """Names of rows by id; those of a whole entity are cached in memory only."""
    number = lookup.entity_type_id
    entity = resolve(f"item:{number}")
    codes = PERSON if number == LINKS["crm_contact"] else ("title",)
    fields = [Field(code, "string") for code in codes]
    if ids is None:
        listing = listing_for(entity, fields, Where())
        rows = await connection.metadata.recall(
            recall_name(lookup), lambda: _listed(connection, listing), _rows, keep=False
        )
        return labels.row_names(rows, number)
    parts = slices(entity, Where(ids=tuple(sorted(set(ids)))))
    listings = [listing_for(entity, fields, part) for part in parts]
    calls = [
        Call(one.call.method, {**order_by_id(one.call.params, one, up=True), "start": -1}, direct=one.call.direct)
        for one in listings
    ]
    found: list[Row] = []
    for listing, answer in zip(listings, await connection.answers(calls, first=FIRST_READS), strict=True):
        if not isinstance(answer, Success):
            raise error_of(answer, listing.call.method)
        found += rows_in(listing, answer.value)
    return labels.row_names(found, number)


def _rows(answer: JSON) -> Rows:
    return tuple(row for row in answer if isinstance(row, dict)) if isinstance(answer, list) else ()
