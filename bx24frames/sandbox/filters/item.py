"""The filter and order dialect of ``crm.item.list`` (crm module: lib/controller/validator/filter.php, base.php)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox.fields.casts import php_text, zone_of
from bx24frames.sandbox.fields.names import converted_back
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.filters.base import (
    DAY,
    MOMENT,
    TEXT,
    Fragment,
    Operand,
    WhereClause,
    all_of,
    among,
    any_of,
    compare,
    contains,
    empty_fragment,
    is_filled,
    like,
    or_null,
    system_operand,
    user_operand,
)
from bx24frames.sandbox.registry import MethodError
from bx24frames.sandbox.zones import moved

if TYPE_CHECKING:
    from bx24frames.sandbox.fields.field import FieldSpec
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType

ITEM_OPERATORS: Final = (
    "!><",
    "!=%",
    "!%=",
    "><",
    "!=",
    "!@",
    "!%",
    ">=",
    "<=",
    "=%",
    "%=",
    "=",
    "!",
    "@",
    "%",
    ">",
    "<",
)
UNPREFIXED: Final = frozenset({"contactIds", "observers", "companyIds"})
"""Links to several rows, which take conditions by the bare name only (crm module: lib/controller/item.php)."""
ARRAY_OPERATORS: Final = frozenset({"", "=", "!=", "@", "!@"})
_DATABASE_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?")


def split_operator(key: str, operators: tuple[str, ...] = ITEM_OPERATORS) -> tuple[str, str]:
    """``">=createdTime"`` as ``(">=", "createdTime")``."""
    operator = next((sign for sign in operators if key.startswith(sign)), "")
    return operator, key[len(operator) :]


def upper_snake(name: str) -> str:
    """A name as the controller's converter reads it: ``ID`` behind an operator becomes ``_ID``."""
    return re.sub(r"(?<![A-Z_])([A-Z])", r"_\1", name).upper()


def not_allowed(name: str, where: str = "filter") -> MethodError:
    """The refusal of an unknown field."""
    return MethodError("INVALID_ARG_VALUE", f"Invalid {where}: field '{name}' is not allowed in {where}")


def bad_value(name: str) -> MethodError:
    """The refusal of a value that the operator cannot take."""
    return MethodError("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' has invalid value")


@dataclass(frozen=True, slots=True)
class OperandReading:
    """Settings for reading the values of conditions.

    `shift`: the caller's clock minus the server's. `grouped`: date-times inside groups are read like those
    outside. `listed`: lists of date-times are carried out. `prefixed`: links to several rows take
    prefixes.
    """

    shift: timedelta = timedelta()
    grouped: bool = False
    listed: bool = True
    prefixed: bool = True


_PLAIN: Final = OperandReading()


@dataclass
class ItemNames:
    """Which names an entity's item filter takes."""

    store: Store
    entity: EntityType
    original: bool = False
    quirks: frozenset[str] = frozenset()
    reading: OperandReading = _PLAIN
    user: dict[str, UserField] = field(init=False)

    def __post_init__(self) -> None:
        by_code = self.original or self.converting
        names = self.store.user_field_names(self.entity.id, original=by_code)
        self.user = {names[spec.code]: spec for spec in self.store.user_fields(self.entity.id)}

    @property
    def converting(self) -> bool:
        """Whether names of user fields are converted back to their codes before they are looked up."""
        return not self.original and "names_converted_back" in self.quirks

    def find(self, operator: str, name: str, *, grouped: bool = False) -> FieldSpec | UserField | None:
        """The field of a name; UPPER system names work without an operator only."""
        table = self.entity.table
        if spec := table.by_name.get(name):
            return spec
        if (user := self.user.get(self.user_name(operator, name, grouped=grouped))) is not None:
            return user
        return None if operator else table.by_upper.get(name)

    def user_name(self, operator: str, name: str, *, grouped: bool = False) -> str:
        """The name under which a user field is looked up."""
        if self.converting:
            return converted_back(name, behind_operator=bool(operator))
        if self.original and grouped and operator and "codes_torn_in_groups" in self.quirks:
            return converted_back(operator + name, behind_operator=True)
        return name

    def refusal(self, operator: str, name: str, *, grouped: bool = False) -> MethodError:
        """The refusal of a condition on a name that no field has."""
        if name.startswith(("UF_", "uf")) and (named := self.user_name(operator, name, grouped=grouped)) != name:
            return not_allowed(named)
        return not_allowed(name if name.isupper() and not operator else upper_snake(name))


def _dated(
    operand: Operand, value: Any, name: str, zone: timezone, *, flat: bool, reading: OperandReading = _PLAIN
) -> Any:
    if operand.kind not in {MOMENT, DAY}:
        return operand.bind(value, zone)
    if flat or (reading.grouped and operand.kind == MOMENT):
        bound = operand.bind(value, zone)
        if bound is None:
            raise bad_value(name)
        return moved(bound, reading.shift) if operand.kind == MOMENT else bound
    # dates inside arrays and groups reach the database unconverted
    text = php_text(value)
    return operand.bind(text, zone) if _DATABASE_DATE.fullmatch(text) else None


def _scalar_ops() -> dict[str, Callable[[Operand, Any, Any], Fragment | None]]:
    def unprefixed(operand: Operand, value: Any, bound: Any) -> Fragment:
        return like(operand, php_text(value)) if operand.kind == TEXT else compare(operand, "=", bound)

    def exclaimed(operand: Operand, value: Any, bound: Any) -> Fragment:
        if operand.kind == TEXT:
            return like(operand, php_text(value), negated=True)
        return compare(operand, "<>", bound)

    def unequal(operand: Operand, _: Any, bound: Any) -> Fragment:
        part = compare(operand, "<>", bound)
        return or_null(operand, part) if operand.kind == TEXT else part

    def pattern(negated: bool) -> Callable[[Operand, Any, Any], Fragment]:
        return lambda operand, value, _: like(operand, php_text(value), negated=negated)

    def substring(negated: bool) -> Callable[[Operand, Any, Any], Fragment]:
        return lambda operand, value, _: contains(operand, value, negated=negated)

    def ordered(sign: str) -> Callable[[Operand, Any, Any], Fragment]:
        return lambda operand, _, bound: compare(operand, sign, bound)

    return {
        "": unprefixed,
        "=": ordered("="),
        "@": ordered("="),
        "!": exclaimed,
        "!=": unequal,
        "!@": ordered("<>"),
        ">": ordered(">"),
        ">=": ordered(">="),
        "<": ordered("<"),
        "<=": ordered("<="),
        "%": substring(negated=False),
        "!%": substring(negated=True),
        "=%": pattern(negated=False),
        "%=": pattern(negated=False),
        "!=%": pattern(negated=True),
        "!%=": pattern(negated=True),
        # a range needs two ends, and arrays are refused: the condition is dropped
        "><": lambda *_: None,
        "!><": lambda *_: None,
    }


_SCALAR: Final = _scalar_ops()
_EMPTY_MEANS: Final[dict[str, Callable[[Operand], Fragment]]] = {
    "": empty_fragment,
    "=": empty_fragment,
    "@": empty_fragment,
    "!": is_filled,
    "!=": is_filled,
    "!@": is_filled,
}


def condition(
    operator: str,
    operand: Operand,
    value: Any,
    name: str,
    zone: timezone,
    *,
    flat: bool = True,
    reading: OperandReading = _PLAIN,
) -> Fragment | None:
    """One condition, None if the portal drops it.

    Raises
    ------
    MethodError
        ``INVALID_ARG_VALUE`` for an array where the operator takes none, or a string that is not a date.
    """
    if isinstance(value, list | dict):
        if operand.kind == MOMENT and not reading.listed:
            return None
        return _array(operator, operand, value, name, zone)
    if operator in _EMPTY_MEANS and (value is None or value is False or value == ""):
        return _EMPTY_MEANS[operator](operand)
    return _SCALAR[operator](operand, value, _dated(operand, value, name, zone, flat=flat, reading=reading))


def _array(operator: str, operand: Operand, value: Any, name: str, zone: timezone) -> Fragment | None:
    values = list(value.values()) if isinstance(value, dict) else value
    if operator not in ARRAY_OPERATORS or any(isinstance(one, list | dict) for one in values):
        raise bad_value(name)
    if not values:
        return None
    negated = operator.startswith("!")
    bounds = [_dated(operand, one, name, zone, flat=False) for one in values if one is not None]
    part = among(operand, bounds, negated=negated)
    if negated:
        return or_null(operand, part) if operator == "!=" and operand.kind == TEXT else part
    return any_of([part, empty_fragment(operand)]) if None in values else part


def translate_item(names: ItemNames, conditions: Mapping[str, Any] | list[Any]) -> WhereClause:
    """A filter map as SQL.

    Raises
    ------
    MethodError
        ``INVALID_ARG_VALUE`` for an unknown field or a value the operator cannot take.
    """
    where = WhereClause()
    where.conditions = _parts(names, conditions, where, flat=True)
    return where


def _parts(
    names: ItemNames, conditions: Mapping[str, Any] | list[Any], where: WhereClause, *, flat: bool
) -> list[Fragment]:
    pairs = enumerate(conditions) if isinstance(conditions, list) else conditions.items()
    parts: list[Fragment | None] = []
    for key, value in pairs:
        if str(key).isdigit():
            parts.append(_group(names, value, where))
        elif str(key).lower() != "logic":
            parts.append(_one(names, str(key), value, where, flat=flat))
    return [part for part in parts if part is not None]


def _group(names: ItemNames, value: Any, where: WhereClause) -> Fragment | None:
    if not isinstance(value, dict | list):
        raise bad_value("0")
    logic = str(value.get("logic", value.get("LOGIC", "AND"))).upper() if isinstance(value, dict) else "AND"
    parts = _parts(names, value, where, flat=False)
    if not parts:
        return None
    return any_of(parts) if logic == "OR" else all_of(parts)


def _one(names: ItemNames, key: str, value: Any, where: WhereClause, *, flat: bool) -> Fragment | None:
    operator, name = split_operator(key)
    spec = names.find(operator, name, grouped=not flat)
    if spec is None:
        raise names.refusal(operator, name, grouped=not flat)
    if operator and name in UNPREFIXED and not names.reading.prefixed:
        raise MethodError("0", f"Unknown field definition `{upper_snake(name)}`")
    alias = f"j{len(where.joins)}"
    operand = _operand(spec, alias)
    if operand.join:
        operand = _operand(spec, where.joins.setdefault(operand.join, alias))
    shown = spec.code if isinstance(spec, UserField) else spec.upper_name
    zone = zone_of(names.store.server_zone)
    return condition(operator, operand, value, shown, zone, flat=flat, reading=names.reading)


def _operand(spec: FieldSpec | UserField, alias: str) -> Operand:
    return user_operand(spec, alias) if isinstance(spec, UserField) else system_operand(spec, alias)


def item_order_sql(names: ItemNames, order: Mapping[str, Any]) -> str:
    """An order map as SQL, the id last.

    Raises
    ------
    MethodError
        ``INVALID_ARG_VALUE`` for an unknown field or direction.
    """
    parts: list[str] = []
    for name, direction in order.items():
        spec = names.find("", name)
        if spec is None:
            raise not_allowed(upper_snake(name), "order")
        word = php_text(direction).upper()
        if word not in {"ASC", "DESC"}:
            raise MethodError("INVALID_ARG_VALUE", f"Invalid order: allowed values for '{name}' are ASC, DESC")
        operand = _operand(spec, "")
        parts.append(f"{operand.key if not operand.join else 't.id'} {word}")
    return ", ".join([*parts, "t.id ASC"])
