"""Listings of an entity: the list call with the wanted fields, conditions and bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing
from bx24frames.engine.pages.cursor import merged
from bx24frames.engine.records import Rows
from bx24frames.entities.columns import select_params
from bx24frames.entities.encode import unbatchable
from bx24frames.entities.forms import ALL_FIELDS, Form, conditions_by_code, forms_of, params_in
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Entity, Field
from bx24frames.where.dialects import dialect
from bx24frames.where.model import Where
from bx24frames.where.parse import MAX_IN

_PAGE: Final = 50
WIDTHS: Final = ((1, 8), (9, 30), (31, 100))
"""Numbers of columns whose pages cost about the same."""
FILTERED: Final = ", filtered"
"""End of the rates of lists with conditions."""


def listing_for(
    entity: Entity,
    fields: Iterable[Field],
    where: Where,
    known: Sequence[Field] = (),
    form: Form | None = None,
    order: Mapping[str, JSON] | None = None,
) -> Listing:
    """Put the wanted fields and the conditions of a read into the list call of the entity.

    Parameters
    ----------
    entity : Entity
    fields : iterable of Field
        The wanted ones, from a `TableSchema`.
    where : Where
        Without `ids` and `splits`: see `slices`.
    known : sequence of Field
        The whole description, where conditions may name user fields of items.
    form : Form, optional
        How fields are named; None is the first form that can answer.
    order : mapping, optional
        An order that the portal keeps, by another column than the id.

    Returns
    -------
    Listing
        `call.direct` where a batch cannot carry a condition as it is written.
    """
    listing, fields = entity.listing, list(fields)
    form = form or forms_of(entity, fields, known, where.params, order)[0]
    more = select_params(entity, fields) if form is Form.NAMED else params_in(form)
    conditions, order = where.params, order or {}
    if form is Form.CODES:
        conditions, order = conditions_by_code(known, conditions), conditions_by_code(known, order)
    params = merged({**listing.call.params, **more}, listing.filter_path, conditions)
    if order:
        *path, name = listing.order_path
        params = merged(params, tuple(path), {name: dict(order)})
    given = {one.name: where.arguments[one.name] for one in entity.arguments}
    for one in entity.arguments:
        *path, name = one.path
        params = merged(params, tuple(path), {name: given[one.name]})
    call = Call(
        listing.call.method, params, direct=listing.call.direct or any(unbatchable(value) for value in params.values())
    )
    select_ids = more if form is Form.CODES else listing.select_ids
    rate = rate_name(call, entity, conditions)
    return replace(listing, call=call, bounds=where.bounds, select_ids=select_ids, constants=given, rate=rate)


def rate_name(call: Call, entity: Entity, conditions: Mapping[str, JSON]) -> str:
    """The rate of a list's pages: their cost depends on the table, the width of the select, and conditions.

    Examples
    --------
    >>> from bx24frames.entities.catalog.catalog import CATALOG
    >>> rate_name(Call("crm.deal.list", {"select": ["ID", "TITLE"]}), CATALOG["crm.deal"], {})
    'crm.deal.list of 2, 1-8 columns'
    """
    select = call.params.get(entity.select) if entity.select else None
    wide = not isinstance(select, list) or ALL_FIELDS in select
    width = next(
        (f"{low}-{high} columns" for low, high in WIDTHS if isinstance(select, list) and len(select) <= high), ""
    )
    table = "" if entity.entity_type_id is None else f" of {entity.entity_type_id}"
    return f"{call.method}{table}, {'all columns' if wide or not width else width}{FILTERED if conditions else ''}"


def picked(entity: Entity, where: Where, rows: Rows) -> Rows:
    """The rows whose ids are wanted, where the list method cannot be asked for ids; all rows otherwise."""
    if where.sieve is None:
        return rows
    wanted = {str(row_id) for row_id in where.sieve}
    return [row for row in rows if str(row.get(entity.listing.id_key)) in wanted]


def slices(entity: Entity, where: Where) -> Iterator[Where]:
    """One read as several: one an owner, and of these a set of ids page by page, long lists in parts.

    A read without any of them is one slice; one that no row can satisfy has none.
    """
    if where.nothing:
        return
    if where.branches:
        for branch in where.branches:
            yield from slices(entity, branch)
        return
    if where.owners is not None:
        name, values = where.owners
        for value in values:
            yield from slices(entity, replace(where, owners=None, arguments={**where.arguments, name: value}))
        return
    lists: list[list[tuple[str, JSON]]] = [
        [(key, list(part)) for part in _parts(values, MAX_IN)] for key, values in where.splits
    ]
    if where.ids is not None:
        spelled = dialect(entity).spells.get(Op.IN)
        if spelled is None:
            equal = dialect(entity).spells.get(Op.EQ, "")
            lists.append([(f"{equal}{entity.listing.id_filter}", row_id) for row_id in where.ids])
        else:
            lists.append([(f"{spelled}{entity.listing.id_filter}", list(part)) for part in _parts(where.ids, _PAGE)])
    for chosen in product(*lists):
        params: dict[str, JSON] = {**where.params, **dict(chosen)}
        yield replace(where, params=params, ids=None, splits=())


def _parts(values: tuple[JSON, ...] | tuple[int, ...], size: int) -> Iterator[list[JSON]]:
    for start in range(0, len(values), size):
        yield list(values[start : start + size])
