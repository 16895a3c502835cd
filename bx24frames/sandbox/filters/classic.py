"""The filter and order dialect of ``crm.{deal,lead,…}.list`` (crm module: classes/general/restservice.php;
main module: classes/general/sql_util.php).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

from bx24frames.sandbox.fields.casts import php_text, zone_of
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.filters.base import (
    DAY,
    MOMENT,
    NUMBER,
    Fragment,
    Operand,
    WhereClause,
    all_of,
    among,
    compare,
    contains,
    empty_fragment,
    is_filled,
    like,
    or_null,
    system_operand,
    user_operand,
)
from bx24frames.sandbox.filters.item import ITEM_OPERATORS, split_operator
from bx24frames.sandbox.filters.item import condition as item_condition
from bx24frames.sandbox.registry import MethodError
from bx24frames.sandbox.store.initial import stage_order

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType, Table

CLASSIC_OPERATORS: Final = (
    "!=",
    "!@",
    "!%",
    ">=",
    "<=",
    "=%",
    "%=",
    "*=",
    "*%",
    "=",
    "!",
    "@",
    "%",
    ">",
    "<",
    "?",
    "*",
)
FORCED_CATEGORY: Final = frozenset({"contact", "company"})


def _search(operand: Operand, value: Any) -> Fragment:
    words = php_text(value).split()
    return all_of(contains(operand, word) for word in words)


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else [value]


def _equals(operand: Operand, value: Any, bounds: list[Any]) -> Fragment:
    if not isinstance(value, list | dict) and _is_blank(operand, value):
        return empty_fragment(operand)
    return compare(operand, "=", bounds[0]) if len(bounds) == 1 else among(operand, bounds)


def _differs(operand: Operand, value: Any, bounds: list[Any]) -> Fragment:
    if not isinstance(value, list | dict) and _is_blank(operand, value):
        return is_filled(operand)
    return or_null(operand, among(operand, bounds, negated=True))


def _is_blank(operand: Operand, value: Any) -> bool:
    return php_text(value) == "" or (operand.kind == NUMBER and operand.bind(value, zone_of("+00:00")) == 0)


def _ordered(sign: str) -> Callable[[Operand, Any, list[Any]], Fragment]:
    def build(operand: Operand, _: Any, bounds: list[Any]) -> Fragment:
        part = compare(operand, sign, bounds[0])
        reaches_zero = operand.kind == NUMBER and "=" in sign and bounds[0] == 0
        return or_null(operand, part) if reaches_zero else part

    return build


def _pattern(operand: Operand, value: Any, _: list[Any]) -> Fragment:
    return like(operand, php_text(_values(value)[0]))


def _contains(operand: Operand, value: Any, _: list[Any]) -> Fragment:
    return contains(operand, _values(value)[0])


_BUILDERS: Final[dict[str, Callable[[Operand, Any, list[Any]], Fragment]]] = {
    "": _equals,
    "=": _equals,
    "!": _differs,
    "!=": _differs,
    "@": lambda operand, _, bounds: among(operand, bounds),
    "!@": lambda operand, _, bounds: among(operand, bounds, negated=True),
    ">": _ordered(">"),
    ">=": _ordered(">="),
    "<": _ordered("<"),
    "<=": _ordered("<="),
    "%": _contains,
    # the negation is lost on system text fields
    "!%": _contains,
    "=%": _pattern,
    "%=": _pattern,
    "?": lambda operand, value, _: _search(operand, value),
    "*": lambda operand, value, _: _search(operand, value),
    "*=": _equals,
    "*%": lambda operand, value, _: _search(operand, value),
}
_ANY_OF: Final = frozenset({"", "=", "@"})
_LIKE: Final = frozenset({"%", "!%", "=%", "%=", "?", "*", "*=", "*%"})
_LIKE_IS_EQUAL: Final = frozenset({Kind.INT, Kind.CODE, Kind.FLAG, Kind.NUMBER, Kind.DATE, Kind.DATETIME})


def system_condition(
    operator: str, spec: FieldSpec, value: Any, zone: timezone, *, zero_is_null: bool = False
) -> Fragment | None:
    """One condition on a system field; None if it is dropped.

    `zero_is_null`: a list that contains 0 also matches rows without a number.
    """
    operand = system_operand(spec, "j")
    values = _values(value)
    if not values:
        return None
    if operator in _LIKE and spec.kind in _LIKE_IS_EQUAL:
        operator = ""
    bounds = [operand.bind(one, zone) for one in values]
    if operand.kind in {MOMENT, DAY} and any(
        bound is None and php_text(one) for one, bound in zip(values, bounds, strict=True)
    ):
        return None
    part = _BUILDERS[operator](operand, value, bounds)
    if zero_is_null and isinstance(value, list | dict) and operator in _ANY_OF and operand.kind == NUMBER:
        part = or_null(operand, part) if 0 in bounds else part
    return _within(operand, part)


def _within(operand: Operand, part: Fragment) -> Fragment:
    """A condition on an element of a list holds if any element meets it; the row is not repeated."""
    if not operand.join:
        return part
    inner = f"SELECT 1 FROM (SELECT 1) LEFT JOIN {operand.join} AS j WHERE {part.sql}"  # noqa: S608 (no caller's text)
    return Fragment(f"EXISTS ({inner})", part.params)


def user_condition(operator: str, spec: UserField, value: Any, zone: timezone) -> Fragment | None:
    """One condition on a user field, in the item dialect; what items refuse is dropped."""
    operand = user_operand(spec, "j")
    if operator not in {"", *ITEM_OPERATORS}:
        return None
    try:
        part = item_condition(operator, operand, value, spec.code, zone)
    except MethodError:
        return None
    return part and _within(operand, part)


def multifield_condition(operator: str, type_id: str, value: Any, entity: EntityType) -> Fragment | None:
    """PHONE and its like match by prefix, the first value only; ``=`` and ``@`` are dropped."""
    if operator not in {"", "%"}:
        return None
    text = php_text(_values(value)[0]) if _values(value) else ""
    if not text:
        return None
    exact = "substr(lowered(value), 1, ?) = lowered(?)" if not operator else "instr(lowered(value), lowered(?)) > 0"
    params: tuple[Any, ...] = (entity.id, type_id, len(text), text) if not operator else (entity.id, type_id, text)
    return Fragment(
        f"t.id IN (SELECT elementId FROM multifield WHERE entityTypeId = ? AND typeId = ? AND {exact})",  # noqa: S608
        params,
    )


def translate_classic(
    store: Store, entity: EntityType, conditions: Mapping[str, Any], *, zero_is_null: bool = False
) -> WhereClause:
    """A filter map as SQL; conditions on unknown names are dropped silently."""
    zone = zone_of(store.server_zone)
    users = {spec.code: spec for spec in store.user_fields(entity.id)}
    where = WhereClause()
    for key, value in conditions.items():
        operator, name = split_operator(str(key), CLASSIC_OPERATORS)
        part: Fragment | None = None
        if name in users:
            every = tuple(sorted({*ITEM_OPERATORS, *CLASSIC_OPERATORS}, key=len)[::-1])
            item_operator, _ = split_operator(str(key), every)
            part = user_condition(item_operator, users[name], value, zone)
        elif spec := entity.table.by_code.get(name):
            part = _known(operator, spec, value, entity, zone, zero_is_null=zero_is_null)
        if part is not None:
            where.conditions.append(part)
    if entity.name in FORCED_CATEGORY:
        where.conditions.append(Fragment('coalesce(t."categoryId", 0) = 0'))
    return where


def _known(
    operator: str, spec: FieldSpec, value: Any, entity: EntityType, zone: timezone, *, zero_is_null: bool
) -> Fragment | None:
    if spec.stored:
        return system_condition(operator, spec, value, zone, zero_is_null=zero_is_null)
    return multifield_condition(operator, spec.code, value, entity)


def table_conditions(table: Table, conditions: Mapping[str, Any], zone: str) -> WhereClause:
    """A filter map over a table without user fields (users, stage history); unknown names are dropped."""
    where = WhereClause()
    for key, value in conditions.items():
        operator, name = split_operator(str(key), CLASSIC_OPERATORS)
        spec = table.by_code.get(name)
        part = system_condition(operator, spec, value, zone_of(zone)) if spec and spec.stored else None
        if part is not None:
            where.conditions.append(part)
    return where


def classic_order_sql(entity: EntityType, order: Mapping[str, Any]) -> str:
    """An order map as SQL; unknown names are dropped; a stage sorts by its sort index."""
    parts: list[str] = []
    for name, direction in order.items():
        spec = entity.table.by_code.get(name)
        if spec is None or not spec.stored or spec.kind is Kind.INT_LIST:
            continue
        word = "DESC" if php_text(direction).upper() == "DESC" else "ASC"
        parts.append(f"{_order_key(entity, spec)} {word}")
    return ", ".join([*parts, "t.id ASC"])


def _order_key(entity: EntityType, spec: FieldSpec) -> str:
    operand = system_operand(spec, "")
    if spec.code != entity.stage:
        return operand.key
    # the codes are constants, never text of the caller
    cases = " ".join(f"WHEN '{code}' THEN {sort}" for code, sort in stage_order(entity.stages).items())
    return f"CASE {operand.sql} {cases} END"
