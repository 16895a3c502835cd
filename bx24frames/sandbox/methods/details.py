"""Layouts of cards: ``crm.X.details.configuration.*``, ``crm.item.details.configuration.*``
(https://apidocs.bitrix24.com/api-reference/crm/deals/custom-form/).

A configuration belongs to all users or to one user; one that was never set is null.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import ENTITY_TYPES, EntityType, Row

_KEPT: Final = "details"
COMMON: Final = "C"
_TABLES: Final = ("lead", "deal", "contact", "company")
EXTRAS: Final = ("dealCategoryId", "leadCustomerType", "categoryId")
"""What distinguishes cards of one type: the pipeline, or simple and repeated leads."""
_DENIED: Final = MethodError("", "Access denied.")


def _entity(entity: EntityType | None, params: Params, context: Context) -> EntityType:
    """The entity type of a call, which universal methods take as a parameter."""
    if entity is not None:
        return entity
    number = params.get("entityTypeId")
    if number is None:
        raise MethodError("", "Parameter 'entityTypeId' is not defined")
    found = context.store.entity(php_int(number))
    if found is None:
        raise MethodError("", f"The entity type '{php_text(number)}' is not supported in current context.")
    return found


def _extras(params: Params) -> str:
    given = params.get("extras")
    chosen = given if isinstance(given, dict) else {}
    return ",".join(
        f"{name}={php_text(chosen[name])}" for name in EXTRAS if php_text(chosen.get(name)) not in ("", "0")
    )


def _scope(params: Params) -> str:
    return COMMON if php_text(params.get("scope")) == COMMON else "P"


def _key(entity: EntityType, params: Params, context: Context) -> str:
    """The configuration of a call. Those of other users, and writing the common one, need an administrator."""
    scope = _scope(params)
    user = php_int(params.get("userId")) or context.user_id
    if scope != COMMON and user != context.user_id and not context.is_admin:
        raise _DENIED
    owner = COMMON if scope == COMMON else f"P{user}"
    return f"{entity.id}|{_extras(params)}|{owner}"


def _kept(context: Context) -> Row:
    kept: Row | None = context.store.kept(_KEPT)
    return dict(kept or {})


def _keep(configurations: Row, context: Context) -> Result:
    context.store.keep(_KEPT, configurations)
    context.writes += 1
    return Result(value=True)


def _get(entity: EntityType | None, params: Params, context: Context) -> Result:
    """The sections of a card; null if they were never set."""
    return Result(_kept(context).get(_key(_entity(entity, params, context), params, context)))


def _sections(params: Params) -> list[Row]:
    """The sections as sent, validated in the order of the portal."""
    data = params.get("data")
    if not isinstance(data, list | dict):
        raise MethodError("", "Parameter 'data' must be array.")
    if not data:
        raise MethodError("", "There are no data to write.")
    if isinstance(data, dict) and list(data) != [str(place) for place in range(len(data))]:
        raise MethodError("", "The data must be indexed array.")
    return [
        _section(place, section if isinstance(section, dict) else {}) for place, section in enumerate(values_of(data))
    ]


def _section(place: int, section: Row) -> Row:
    type_ = php_text(section.get("type"))
    if type_ != "section":
        raise MethodError("", f"Section at index {place} have type {type_}. The expected type is 'section'.")
    for name in ("name", "title"):
        if not php_text(section.get(name)):
            raise MethodError("", f"Section at index {place} does not have {name}.")
    elements = [one if isinstance(one, dict) else {} for one in values_of(section.get("elements") or [])]
    for number, element in enumerate(elements):
        if not php_text(element.get("name")):
            raise MethodError("", f"Element at index {number} in section at index {place} does not have name.")
    return {
        "name": section["name"],
        "title": section["title"],
        "type": type_,
        "elements": [_element(one) for one in elements],
    }


def _element(element: Row) -> Row:
    printed = {"name": php_text(element["name"]), "optionFlags": php_text(element.get("optionFlags", "0"))}
    options = element.get("options")
    return {**printed, "options": options} if isinstance(options, dict) and options else printed


def _set(entity: EntityType | None, params: Params, context: Context) -> Result:
    """Store the sections of a card."""
    key = _key(_entity(entity, params, context), params, context)
    if _scope(params) == COMMON and not context.is_admin:
        raise _DENIED
    return _keep(_kept(context) | {key: _sections(params)}, context)


def _reset(entity: EntityType | None, params: Params, context: Context) -> Result:
    """Delete the sections of a card."""
    key = _key(_entity(entity, params, context), params, context)
    if _scope(params) == COMMON and not context.is_admin:
        raise _DENIED
    return _keep({name: kept for name, kept in _kept(context).items() if name != key}, context)


def _force_common(entity: EntityType | None, params: Params, context: Context) -> Result:
    """Delete the sections of a card of every user."""
    known = _entity(entity, params, context)
    if not context.is_admin:
        raise _DENIED
    own = f"{known.id}|{_extras(params)}|P"
    return _keep({name: kept for name, kept in _kept(context).items() if not name.startswith(own)}, context)


_ACTIONS: Final = {"get": _get, "set": _set, "reset": _reset, "forceCommonScopeForAll": _force_common}


def _register(name: str, entity: EntityType | None) -> None:
    for action, handler in _ACTIONS.items():
        bound: Handler = partial(handler, entity)
        method(f"crm.{name}.details.configuration.{action}", "crm")(bound)


for _known in ENTITY_TYPES.values():
    if _known.name in _TABLES:
        _register(_known.name, _known)
_register("item", None)
