"""Conditions of a raw list call: existing fields only, in the method's spelling, and none that it would drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import Unfit
from bx24frames.entities.operators import split_key
from bx24frames.entities.schema import Entity, Family, Field
from bx24frames.entities.types import Kind, kind
from bx24frames.errors import FilterError
from bx24frames.where.dialects import GROUP_KEY, dialect
from bx24frames.where.spell import in_dialect
from bx24frames.where.tree import condition_on

INLINE: Final[Mapping[str, frozenset[str]]] = {
    "user.get": frozenset({"ADMIN_MODE", "SELECT"}),
    "department.get": frozenset({"SELECT"}),
}
"""Methods whose conditions may stand beside the other parameters, and what those are (docs: user-get.md,
department-get.md); ``FILTER`` of `user.get`, in which a page is asked for, replaces the ones that stand so."""


def taken_out(method: str, params: dict[str, JSON]) -> dict[str, JSON]:
    """Separate the conditions from the other parameters."""
    given = params.pop("filter", None)
    found = dict(given) if isinstance(given, dict) else {}
    own = INLINE.get(method.lower())
    if own is not None:
        for name in [name for name in params if name.upper() not in own]:
            found.setdefault(name, params.pop(name))
    return found


def spelled(entity: Entity, names: Names, conditions: Mapping[str, JSON]) -> tuple[dict[str, JSON], bool]:
    """The conditions in the method's spelling, and whether one is on the id.

    Raises
    ------
    UnknownColumn
        If a condition names no field: many methods would return all rows.
    FilterError
        If the method would silently drop a condition.
    """
    found: dict[str, JSON] = {}
    on_id = False
    # what the method needs to be told stands among its conditions, and some have names that are no field's
    plain = {name for one in entity.arguments for name in one.names}
    plain |= {*entity.conditions, *(name for field in names.fields for name in field.conditions)}
    for key, value in conditions.items():
        if _is_group(key, value):
            _check_group(entity, key)
            found[key] = value
            continue
        prefix, _, name = split_key(key)
        if name in plain:
            found[key] = value
            continue
        field = names.lookup(name)
        on_id |= field.code == entity.listing.id_key
        found[_key(entity, field, prefix, name, value)] = value
    return found, on_id


def _is_group(key: str, value: JSON) -> bool:
    """Whether a part of a filter is a group of conditions, or says how they are joined."""
    return key.isdigit() or key.lower() == "logic" or key.startswith(GROUP_KEY) or isinstance(value, dict)


def _check_group(entity: Entity, key: str) -> None:
    own = dialect(entity)
    if own.checks_groups or (own.subfilters and key.startswith(GROUP_KEY)):
        return
    raise FilterError(
        f"the method drops the group {key!r}, and would answer the whole table",
        entity=entity.name,
        guidance="Read each alternative separately and drop duplicate ids.",
    )


def _key(entity: Entity, field: Field, prefix: str, name: str, value: JSON) -> str:
    own = dialect(entity)
    one = condition_on(field, prefix, split_key(f"{prefix}{name}")[1], value)
    if own.by_equality:
        if one.op not in own.spells:
            raise FilterError(f"{one}: the method drops it", entity=entity.name, guidance="Filter the rows that come.")
        prefix = own.spells[one.op]
    if own.raw is not None and prefix not in own.raw:
        raise FilterError(f"{one}: the method drops it", entity=entity.name, guidance="Filter the rows that come.")
    if kind(field) is Kind.MULTIFIELD and own.by_sql_util:
        try:
            prefix, _ = in_dialect(one, own, None)
        except Unfit as fault:
            raise FilterError(f"{one}: {fault}", entity=entity.name) from None
    if entity.family is Family.ITEM and field.user_field:
        return f"{prefix}{name}"  # either name of a user field is right with its own useOriginalUfNames
    return f"{prefix}{field.wire}"
