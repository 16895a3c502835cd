"""Shared parts of both filter dialects: operands, SQL fragments with parameters, comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timezone
from typing import Any, Final

from bx24frames.sandbox.fields.casts import fold, lowered, parse_date, parse_datetime, php_float, php_int, php_text
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.fields.user import UserField

TEXT, NUMBER, MOMENT, DAY = "text", "number", "moment", "day"

_KINDS: Final[dict[Kind, str]] = {
    Kind.INT: NUMBER,
    Kind.NUMBER: NUMBER,
    Kind.INT_LIST: NUMBER,
    Kind.FILE: NUMBER,
    Kind.BOOL: NUMBER,
    Kind.DATE: DAY,
    Kind.DATETIME: MOMENT,
}
_USER_KINDS: Final = {"date": DAY, "datetime": MOMENT, "double": NUMBER, "boolean": NUMBER}


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a WHERE clause and its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Operand:
    """The left side of a condition.

    `join` is the list a multiple value is looked up in, as an SQL table expression; then `sql` reads one element.
    """

    sql: str
    kind: str
    whole: bool = False
    join: str = ""

    @property
    def key(self) -> str:
        """The expression that is compared for equality and order."""
        return f"fold({self.sql})" if self.kind == TEXT else self.sql

    def bind(self, value: Any, zone: timezone) -> Any:
        """A value as the column stores it; None if it is not a date."""
        if self.kind == TEXT:
            return fold(php_text(value))
        if self.kind == NUMBER:
            return php_int(value) if self.whole else php_float(value)
        return (parse_datetime if self.kind == MOMENT else parse_date)(value, zone)


@dataclass(slots=True)
class WhereClause:
    """A translated filter: conditions joined by AND, and joins that repeat a row for each matching element."""

    conditions: list[Fragment] = field(default_factory=list)
    joins: dict[str, str] = field(default_factory=dict)

    def clause(self) -> Fragment:
        """The joins and the WHERE clause."""
        joins = " ".join(f"LEFT JOIN {source} AS {alias}" for source, alias in self.joins.items())
        if not self.conditions:
            return Fragment(joins)
        both = all_of(self.conditions)
        return Fragment(f"{joins} WHERE {both.sql}", both.params)


def all_of(parts: Iterable[Fragment]) -> Fragment:
    """Every one of them."""
    return _joined(list(parts), " AND ", "1")


def any_of(parts: Iterable[Fragment]) -> Fragment:
    """At least one of them."""
    return _joined(list(parts), " OR ", "0")


def _joined(parts: list[Fragment], word: str, empty: str) -> Fragment:
    if not parts:
        return Fragment(empty)
    return Fragment(f"({word.join(part.sql for part in parts)})", tuple(p for part in parts for p in part.params))


def system_operand(spec: FieldSpec, alias: str) -> Operand:
    """A system field as the left side of a condition; `alias` names the join of a multiple one."""
    column = f't."{spec.column}"'
    kind = _KINDS.get(spec.kind, TEXT)
    whole = spec.kind is not Kind.NUMBER
    if spec.type == "productproperty":  # by the value, not its wrapping
        each = f"json_each(CASE json_type({column}) WHEN 'array' THEN {column} ELSE json_array(json({column})) END)"
        value = f"json_extract({alias or 'j'}.value, '$.value')"
        if spec.property_type == "N":  # b_iblock_element_property.VALUE_NUM (iblock module: MkPropertyFilter)
            return Operand(f"CAST({value} AS REAL)", NUMBER, whole=False, join=each)
        return Operand(value, TEXT, whole, each)
    if spec.kind is Kind.INT_LIST or spec.type == "array":
        return Operand(f"{alias}.value", kind, whole, f"json_each({column})")
    return Operand(column, kind, whole)


def user_operand(spec: UserField, alias: str) -> Operand:
    """A user field as the left side of a condition."""
    kind = NUMBER if spec.is_integer else _USER_KINDS.get(spec.type, TEXT)
    path = f"'$.\"{spec.code}\"'"
    whole = spec.type != "double"
    if spec.multiple:
        return Operand(f"{alias}.value", kind, whole, f"json_each(t.uf, {path})")
    return Operand(f"json_extract(t.uf, {path})", kind, whole)


def empty_fragment(operand: Operand) -> Fragment:
    """NULL, or a value that PHP calls empty."""
    zero = {TEXT: f"{operand.sql} = ''", NUMBER: f"{operand.sql} = 0"}.get(operand.kind)
    return Fragment(f"({operand.sql} IS NULL OR {zero})" if zero else f"{operand.sql} IS NULL")


def is_filled(operand: Operand) -> Fragment:
    """The opposite of `empty_fragment`."""
    return Fragment(f"NOT {empty_fragment(operand).sql}")


def compare(operand: Operand, sign: str, bound: Any) -> Fragment:
    """``=``, ``<>`` or an order; a NULL column never satisfies it."""
    return Fragment(f"{operand.key} {sign} ?", (bound,))


def among(operand: Operand, bounds: Sequence[Any], *, negated: bool = False) -> Fragment:
    """IN or NOT IN; a NULL column never satisfies it."""
    marks = ", ".join("?" * len(bounds))
    return Fragment(f"{operand.key} {'NOT IN' if negated else 'IN'} ({marks})", tuple(bounds))


def or_null(operand: Operand, part: Fragment) -> Fragment:
    """The condition, or NULL."""
    return Fragment(f"({operand.sql} IS NULL OR {part.sql})", part.params)


def like(operand: Operand, pattern: str, *, negated: bool = False) -> Fragment:
    """LIKE with ``%`` and ``_`` as wildcards."""
    word = "NOT LIKE" if negated else "LIKE"
    return Fragment(f"lowered(CAST({operand.sql} AS TEXT)) {word} ? ESCAPE '\\'", (lowered(pattern),))


def contains(operand: Operand, value: Any, *, negated: bool = False) -> Fragment:
    """A substring, taken literally."""
    text = php_text(value)
    for mark in ("\\", "%", "_"):
        text = text.replace(mark, "\\" + mark)
    return like(operand, f"%{text}%", negated=negated)


def between(operand: Operand, low: Any, high: Any, *, negated: bool = False) -> Fragment:
    """From one value to another, both ends included; a NULL column never satisfies it."""
    return Fragment(f"{operand.key} {'NOT ' if negated else ''}BETWEEN ? AND ?", (low, high))
