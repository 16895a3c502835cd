"""Raw rows of any list method: by id where the catalogue says how, else by offset, found by the shape of the answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.batch import batchable
from bx24frames.engine.messages import JSON, Call, Listing, Paging
from bx24frames.engine.pages.cursor import merged, order_by_id
from bx24frames.engine.pages.shape import id_key
from bx24frames.engine.records import AS_MAPS
from bx24frames.entities.catalog.catalog import ROWS, item_entity
from bx24frames.entities.catalog.portal import SEES_ALL
from bx24frames.entities.columns import Names
from bx24frames.entities.forms import ALL_FIELDS, by_camel, conditions_by_code
from bx24frames.entities.operators import split_key
from bx24frames.entities.schema import Family
from bx24frames.errors import ConfigError, ResponseError
from bx24frames.portal import item_calls
from bx24frames.portal.last_resort import read_by_shape
from bx24frames.portal.metadata import table_of
from bx24frames.portal.wire.conditions import spelled, taken_out
from bx24frames.portal.wire.parameters import refuse_clauses, wired
from bx24frames.where.resolve import bound_by

if TYPE_CHECKING:
    from bx24frames.entities.schema import Entity
    from bx24frames.portal.connection import Connection

OWN_CLAUSES: Final = ("start", "order", "limit")
OWN_PLACES: Final = ("offset", "page")
"""Where methods outside the catalogue are told the page."""
_SPELLINGS: Final = {"filter": "filter", "arfilter": "filter", "select": "select", "arselect": "select"}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")


async def read_all(connection: Connection, method: str, params: dict[str, JSON]) -> JSON:
    """All rows of a list method as the portal prints them; of any other method, its result."""
    refuse_clauses(params, method, OWN_CLAUSES, "get_all()")
    params = wired(params, method)
    entity = _catalogued(method, params)
    if entity is None:
        refuse_clauses(params, method, OWN_PLACES, "get_all()")
        return await read_by_shape(connection, method, params)
    if entity.family is Family.ITEM and item_calls.names_user_fields(params):
        params = item_calls.as_taken((await table_of(connection, entity)).fields, params)
    listing, ordered = await _listing(connection, entity, params)
    if entity.family is Family.ITEM and item_calls.original(listing.call.params):
        listing = replace(listing, select_ids={"select": [ALL_FIELDS]})
    if entity.family is Family.ITEM and item_calls.loses_ids(listing.call.params):
        return await _items(connection, entity, listing, ordered=ordered)
    return await _rows(connection, listing, ordered=ordered)


async def _rows(connection: Connection, listing: Listing, *, ordered: bool) -> list[JSON]:
    rows: list[JSON] = []
    async for page in connection.run(connection.pages(listing, AS_MAPS, ordered=ordered)):
        rows.extend(page)
    return rows


async def _items(connection: Connection, entity: Entity, listing: Listing, *, ordered: bool) -> list[JSON]:
    """Rows by a select that may lose the id: where it does, they are read whole and cut here."""
    try:
        return await _rows(connection, listing, ordered=ordered)
    except ResponseError:
        params = listing.call.params
        wanted = params["select"] if isinstance(params["select"], list) else []
    everything: dict[str, JSON] = {"select": [ALL_FIELDS]}
    call = replace(listing.call, params={**params, **everything})
    whole = replace(listing, call=call, select_ids=everything)
    rows = await _rows(connection, whole, ordered=ordered)
    fields = (await table_of(connection, entity)).fields
    return [*item_calls.cut([row for row in rows if isinstance(row, dict)], [*map(str, wanted)], fields)]


def id_parameter(method: str) -> str:
    """The id parameter of a get method: that of the catalogue, else `ID`."""
    name = method.lower()
    if name == "crm.item.get":
        return "id"
    known = next((row for row in ROWS if (row.get_method or "").lower() == name), None)
    return "ID" if known is None or known.writes is None else known.writes.id_param


async def read_ids(connection: Connection, method: str, params: dict[str, JSON]) -> list[int | str]:
    """The ids of every row of a list method; the text of a number, as classic methods print it, as that number."""
    entity = _catalogued(method, params)
    if entity is not None and "select" not in {name.lower() for name in params}:
        params = {**params, **entity.listing.select_ids}
    rows = await read_all(connection, method, params)
    if not isinstance(rows, list):
        raise ConfigError(f"{method} lists nothing", method=method)
    key = entity.listing.id_key if entity is not None else id_key(rows)
    found = [row.get(key) for row in rows if isinstance(row, dict)]
    return [_whole(value) for value in found if isinstance(value, int | str)]


def _catalogued(method: str, params: dict[str, JSON]) -> Entity | None:
    name = method.lower()
    if name == "crm.item.list":
        number = str(params.get("entityTypeId", ""))
        return item_entity(int(number), f"item:{number}", "") if number.isdigit() else None
    return next((row for row in ROWS if row.listing.call.method.lower() == name), None)


async def _listing(connection: Connection, entity: Entity, params: dict[str, JSON]) -> tuple[Listing, bool]:
    """The listing with the user's parameters, and whether it has to be read by offset for a condition on the id."""
    listing, method = entity.listing, entity.listing.call.method
    refuse_clauses(params, method, _own_names(listing), "get_all()")
    given = {_SPELLINGS.get(name.lower(), name): value for name, value in params.items()}
    if isinstance(given.get("filter"), list):
        raise ConfigError(
            "get_all() finds its pages by conditions of its own, which a list has no place for",
            method=method,
            guidance="Write the filter as a map, {'>=id': 5}.",
        )
    conditions = taken_out(method, given)
    if listing.page_path:  # arguments are matched by their order: those of the method itself stand first
        select = {entity.select or "select": given.pop("select")} if "select" in given else {}
        given = {**given, **listing.call.params, **select}
    on_id = False
    if conditions:
        bound = bound_by(entity, {**given, **conditions})
        conditions, on_id = await _checked(connection, bound, conditions, original=item_calls.original(given))
        given = merged(given, listing.filter_path, conditions)
    given = {**SEES_ALL.get(method, {}), **_with_ids(listing, given)}
    if listing.call.direct:  # REST 3.0: the size of a page is the one its pages are counted by
        sizes = {name: value for name, value in listing.call.params.items() if name == "pagination"}
        given = {**listing.call.params, **given, **sizes}
    ordered = order_by_id(given, listing, up=True) if on_id else given
    call = Call(method, ordered, direct=listing.call.direct or not batchable(method, ordered))
    # A parameter of the call names the owner of the rows, which need not say it themselves.
    own = {name for one in entity.arguments for name in one.names}
    row_key = tuple(name for name in listing.row_key if name not in own)
    return replace(listing, call=call, row_key=row_key), on_id and listing.paging is Paging.KEYSET


def _own_names(listing: Listing) -> frozenset[str]:
    """The parameters in which the order and the number of a page stand."""
    order = listing.order[0] if listing.order is not None else listing.order_path[:1]
    return frozenset(name.lower() for name in (*order, *listing.page_path[:1]))


def _with_ids(listing: Listing, params: dict[str, JSON]) -> dict[str, JSON]:
    """The parameters, with the id among the wanted fields."""
    wanted = params.get("select")
    if not isinstance(wanted, list) or {"*", listing.id_key, listing.id_filter} & set(map(str, wanted)):
        return params
    if not wanted:
        raise ConfigError(
            "'select' is empty", method=listing.call.method, guidance="Leave it out for all that the method gives."
        )
    keys = listing.row_key or (listing.id_filter or listing.id_key,)
    return {**params, "select": [*wanted, *(key for key in keys if key not in wanted)]}


async def _checked(
    connection: Connection, entity: Entity, conditions: dict[str, JSON], *, original: bool
) -> tuple[dict[str, JSON], bool]:
    """The conditions as the method knows them; True if one is on the id."""
    if any(one.decisive and one.default is None for one in entity.arguments):  # its columns are not known yet
        return conditions, any(split_key(key)[2] == entity.listing.id_key for key in conditions)
    table = await table_of(connection, entity)
    found, on_id = spelled(entity, Names(table.fields, entity.name), conditions)
    if entity.family is Family.ITEM:
        found = conditions_by_code(table.fields, found) if original else by_camel(table.fields, found)
    return found, on_id


def _whole(value: int | str) -> int | str:
    """An integer for the text that an integer prints; ``"007"`` is a text."""
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
