"""The forms in which an item list can be asked for the same rows, the lightest first.

No form is right for every field and every portal: a named select together with `useOriginalUfNames` loses the system
fields, phones come with ``*`` alone, and some names of user fields do not convert back (b24-rest-docs #263, #268, #368;
crm module: lib/controller/item.php).
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
EVERYTHING: Final = "*"


class Form(enum.Enum):
    """How the fields of a list are named."""

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
    """The forms that can answer a read, the lightest first; the first one of a table of another family alone.

    Parameters
    ----------
    entity : Entity
    wanted : iterable of Field
    known : sequence of Field
        The whole description.
    conditions, order : mapping, optional
        As they go to the portal, user fields in camelCase.
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
    """Of each user field that is compared or sorted by, whether its camelCase name leads to it."""
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


def by_code(known: Iterable[Field], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions, or an order, with user fields named by their codes, as `useOriginalUfNames` has them."""
    return renamed({field.camel: field.code for field in known if field.camel}, conditions)


def by_camel(known: Iterable[Field], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions, or an order, with user fields in camelCase, as calls without `useOriginalUfNames` have them."""
    return renamed({field.code: field.camel for field in known if field.camel}, conditions)


def renamed(names: Mapping[str, str], conditions: Mapping[str, JSON]) -> dict[str, JSON]:
    """Conditions with other names, inside groups as well."""
    found: dict[str, JSON] = {}
    for key, value in conditions.items():
        if isinstance(value, dict) and key.isdigit():
            found[key] = renamed(names, value)
            continue
        prefix, _, name = split_key(key)
        found[f"{prefix}{names.get(name, name)}"] = value
    return found


def params_in(form: Form) -> dict[str, JSON]:
    """The parameters of a list that asks for every field."""
    own: dict[str, JSON] = {ORIGINAL: "Y"} if form is Form.CODES else {}
    return {"select": [EVERYTHING], **own}
