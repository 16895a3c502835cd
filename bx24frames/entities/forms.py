"""Request forms of item lists: different parameters for the same rows, the cheapest first.

No form is right for every field and every portal: named fields together with `useOriginalUfNames` lose the system
fields, phones are returned only with ``*``, and some names of user fields are not converted back (b24-rest-docs #263,
#268, #368; crm module: lib/controller/item.php).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.fields import MULTIFIELDS
from bx24frames.entities.operators import split_key
from bx24frames.entities.schema import UNTYPED, Entity, Family, Field

ORIGINAL: Final = "useOriginalUfNames"
ALL_FIELDS: Final = "*"


class Form(enum.Enum):
    """How the fields are selected and named."""

    NAMED = "named"
    """The wanted fields by name, user fields in camelCase."""
    WHOLE = "whole"
    """Every field, user fields in camelCase."""
    CODES = "codes"
    """Every field, user fields by their codes."""


def forms_of(
    entity: Entity,
    wanted: Iterable[Field],
    known: Sequence[Field] = (),
    conditions: Mapping[str, JSON] | None = None,
    order: Mapping[str, JSON] | None = None,
) -> tuple[Form, ...]:
    """The forms that can serve a read, the cheapest first; for other families, only the first.

    Parameters
    ----------
    entity : Entity
    wanted : iterable of Field
    known : sequence of Field
        All fields.
    conditions, order : mapping, optional
        As sent to the portal, with user fields in camelCase.
    """
    if entity.family is not Family.ITEM:
        return (Form.NAMED,)
    user_fields = {field.camel: field for field in known if field.camel}
    conditions, order = conditions or {}, order or {}
    if not all(_lead(user_fields, conditions, order)):
        return (Form.CODES, Form.WHOLE)
    fields = {field.code: field for field in wanted}
    forms: tuple[Form, ...] = (Form.NAMED, Form.WHOLE)
    everything = bool(known) and all(field.code in fields for field in known if field.listed)
    if everything or any(
        code in MULTIFIELDS or field.type == UNTYPED or not field.reachable for code, field in fields.items()
    ):
        forms = (Form.WHOLE,)
    named = any(field.camel for field in fields.values()) or any(True for _ in _lead(user_fields, conditions, order))
    return (*forms, Form.CODES) if named else forms


def _lead(
    user_fields: Mapping[str, Field], conditions: Mapping[str, JSON], order: Mapping[str, JSON]
) -> Iterator[bool]:
    """For each user field in a condition or an order, whether its camelCase name identifies it."""
    for name in order:
        if name in user_fields:
            yield user_fields[name].reachable
    for key, value in conditions.items():
        if isinstance(value, dict) and key.isdigit():
            yield from _lead(user_fields, value, {})
            continue
        prefix, _, name = split_key(key)
        if name in user_fields:
            yield user_fields[name].travels if prefix else user_fields[name].reachable


def conditions_by_code(known: Iterable[Field], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions or an order with user fields named by code, as `useOriginalUfNames` requires."""
    return renamed({field.camel: field.code for field in known if field.camel}, conditions)


def by_camel(known: Iterable[Field], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions or an order with user fields in camelCase, as calls without `useOriginalUfNames` require."""
    return renamed({field.code: field.camel for field in known if field.camel}, conditions)


def renamed(names: Mapping[str, str], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions with names replaced, also inside groups."""
    found: dict[str, JSON] = {}
    for key, value in conditions.items():
        if isinstance(value, dict) and key.isdigit():
            found[key] = renamed(names, value)
            continue
        prefix, _, name = split_key(key)
        found[f"{prefix}{names.get(name, name)}"] = value
    return found


def params_in(form: Form) -> dict[str, JSON]:
    """The parameters of a list call that selects every field."""
    own: dict[str, JSON] = {ORIGINAL: "Y"} if form is Form.CODES else {}
    return {"select": [ALL_FIELDS], **own}
