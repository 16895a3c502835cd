"""Generic tables: pages, conditions, printing and writes that need no special rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields import field as fields
from bx24frames.sandbox.fields.casts import php_text, zone_of
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.filters.base import Fragment, WhereClause, between, contains, system_operand
from bx24frames.sandbox.filters.classic import CLASSIC_OPERATORS, system_condition
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.paging import PageWindow
from bx24frames.sandbox.registry import Context, MethodError
from bx24frames.sandbox.shapes.cells import Selection, read_rows
from bx24frames.sandbox.shapes.write import SKIP, NotValid, WriteContext, classic_cell, values_of, write_context
from bx24frames.sandbox.store.tables import TABLES, Row, Table

_Names = Mapping[str, FieldSpec]
Pager = Callable[[int | None, Callable[[], int]], PageWindow]
Refuse = Callable[[str], MethodError]

RANGES: Final = ("!><", "><")
CLASSIC_PREFIXES: Final = tuple(prefix for prefix in CLASSIC_OPERATORS)


def by_code(table: str) -> _Names:
    """The fields of a table in classic methods, by their UPPER names."""
    return TABLES[table].by_code


def by_name(table: str) -> _Names:
    """The fields of a table in controllers, by their camelCase names."""
    return TABLES[table].by_name


@dataclass(frozen=True, slots=True)
class View:
    """How one list method shows a table.

    `printed`: the keys of a row. `asked`: names in conditions and orders. `family`: how values are printed.
    `pager`: the paging engine. `refuse`: the error for an unknown name; None drops the condition, as old methods do.
    `prefixes`: of conditions. `plain_sql`: whether ``!%`` negates and ``><`` is a range, as outside the CRM's classic
    methods. `sorted_by`: where no order is given.
    """

    table: str
    printed: _Names
    asked: _Names
    family: str
    pager: Pager
    refuse: Refuse | None = None
    prefixes: tuple[str, ...] = CLASSIC_PREFIXES
    hidden: frozenset[str] = frozenset()
    default: tuple[str, ...] = ("id",)
    own: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    plain_sql: bool = False
    sorted_by: str = ""

    def conditions(self, given: Mapping[str, Any], zone: str) -> Fragment:
        """A filter map as SQL."""
        where = WhereClause()
        for key, value in given.items():
            prefix, name = split_operator(str(key), self.prefixes)
            spec = self.asked.get(name)
            if spec is None:
                if self.refuse is not None:
                    raise self.refuse(name)
                continue
            part = self.condition(prefix, spec, value, zone)
            if part is not None:
                where.conditions.append(part)
        return where.clause()

    def condition(self, prefix: str, spec: FieldSpec, value: Any, zone: str) -> Fragment | None:
        """One condition; None if it is dropped."""
        if self.plain_sql and prefix in RANGES:
            ends = [system_operand(spec, "").bind(one, zone_of(zone)) for one in values_of(value)]
            if len(ends) != 2 or None in ends:
                return None
            return between(system_operand(spec, ""), *ends, negated=prefix.startswith("!"))
        if self.plain_sql and prefix == "!%":
            return contains(system_operand(spec, ""), php_text(value), negated=True)
        return system_condition(prefix, spec, value, zone_of(zone))

    def order(self, given: Mapping[str, Any]) -> str:
        """An order map as SQL."""
        parts = []
        for name, direction in given.items():
            spec = self.asked.get(name)
            if spec is None:
                if self.refuse is not None:
                    raise self.refuse(name)
                continue
            word = "DESC" if php_text(direction).upper() == "DESC" else "ASC"
            operand = system_operand(spec, "")
            parts.append(f"{'t.id' if operand.join else operand.key} {word}")
        if not parts and self.sorted_by:
            parts.append(f't."{self.asked[self.sorted_by].column}" ASC')
        return ", ".join([*parts, "t.id"])

    def chosen(self, select: Sequence[str]) -> dict[str, FieldSpec]:
        """The keys of a row by `select`; default: all but those that must be named."""
        wanted = set(select)
        everything = not wanted or "*" in wanted
        return {
            key: spec
            for key, spec in self.printed.items()
            if key in wanted
            or spec.code in wanted
            or (everything and spec.code not in self.hidden)
            or (key.lower() == "id" and "id" in self.default)
        }

    def page(
        self,
        context: Context,
        conditions: Mapping[str, Any],
        order: Mapping[str, Any],
        select: Sequence[str] = (),
        also: Fragment | None = None,
    ) -> tuple[list[Row], PageWindow]:
        """The rows of the page at ``start``; `also`: a condition for the rights of the caller."""
        where = self.conditions(conditions, context.store.server_zone)
        if also is not None:
            word = "AND" if " WHERE " in where.sql else "WHERE"
            where = Fragment(f"{where.sql} {word} {also.sql}", (*where.params, *also.params))
        window = self.pager(
            context.start,
            lambda: context.store.scalar(f'SELECT count(*) FROM "{self.table}" t {where.sql}', where.params),  # noqa: S608
        )
        chosen = self.chosen(select)
        tail = f"{where.sql} ORDER BY {self.order(order)} LIMIT {window.size} OFFSET {window.offset}"
        selection = Selection(self.family, tuple(chosen.items()))
        found = [row for _, row in read_rows(context.store, TABLES[self.table], selection, tail, where.params)]
        for row in found:
            row.update({key: show(row[key]) for key, show in self.own.items() if key in row})
        context.rows += len(found)
        return found, window

    def one(self, context: Context, conditions: Mapping[str, Any], select: Sequence[str] = ()) -> Row | None:
        """The first row that meets the conditions, ignoring ``start``."""
        first: Pager = lambda _, __: PageWindow(0, None, None, 1)  # noqa: E731 (a pager of one row)
        found, _ = replace(self, pager=first).page(context, conditions, {}, select)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Desk:
    """How rows of a table are written; `created` and `modified` are columns that the portal fills in.

    `nullable`: whether an empty value clears a number, as controllers do; older methods make it 0.
    """

    table: str
    names: _Names
    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    nullable: bool = False
    refuse: Callable[[str, str], MethodError] = field(default=lambda name, why: MethodError("", f"{name}: {why}"))

    @property
    def _table(self) -> Table:
        return TABLES[self.table]

    def _draft(self, values: Mapping[str, Any], context: Context, *, adding: bool) -> Row:
        portal = write_context(context.store)
        draft: Row = {}
        for name, value in values.items():
            spec = self.names.get(name)
            if spec is None or spec.read_only or (spec.immutable and not adding):
                continue
            stored = self._stored(spec, value, portal)
            if stored is not SKIP:
                draft[spec.column] = stored
        for spec in self._table.fields:
            known = spec.required and spec.code in {one.code for one in self.names.values()}
            if adding and spec.column in self.authors and spec.column not in draft:
                continue  # default: the caller
            if known and (adding or spec.column in draft) and not php_text(draft.get(spec.column)).strip():
                raise self.refuse(spec.title, "required")
        return draft

    def _stored(self, spec: FieldSpec, value: Any, portal: WriteContext) -> Any:
        if spec.type == "crm_activity_communication":
            return orjson.dumps([one for one in values_of(value) if isinstance(one, dict)]).decode()
        if spec.kind is Kind.JSON:
            # of the JSON columns, callers can write only plain lists
            return orjson.dumps([php_text(one) for one in _parts(value)]).decode() if spec.type == "array" else SKIP
        if self.nullable and spec.kind in {Kind.INT, Kind.NUMBER} and value in (None, ""):
            return None
        try:
            return classic_cell(spec, value, portal)
        except NotValid:
            return SKIP

    def add(self, values: Mapping[str, Any], context: Context) -> int:
        """Save a new row; its id."""
        now = context.store.local_time(context.now)
        draft = self._draft(values, context, adding=True)
        own = dict.fromkeys((*self.created, *self.modified), now) | dict.fromkeys(self.authors, context.user_id)
        context.writes += 1
        return context.store.insert_row(self.table, {**own, **draft})

    def update(self, row_id: int, values: Mapping[str, Any], context: Context, absent: MethodError) -> None:
        """Change a row."""
        if context.store.row(self.table, row_id) is None:
            raise absent
        draft = self._draft(values, context, adding=False)
        now = context.store.local_time(context.now)
        context.store.update_row(self.table, row_id, {**draft, **dict.fromkeys(self.modified, now)})
        context.writes += 1

    def delete(self, row_id: int, context: Context, absent: MethodError) -> None:
        """Delete a row."""
        sql = f'DELETE FROM "{self.table}" WHERE id = ?'  # noqa: S608
        if not context.store.database.change(sql, (row_id,)):
            raise absent
        context.writes += 1


def _parts(value: Any) -> list[Any]:
    """The filled entries of a written list."""
    return [one for one in values_of(value) if one not in (None, "", False) and not isinstance(one, list | dict)]


def describe_plain(names: _Names, hidden: frozenset[str] = frozenset(), *, as_live: bool = False) -> Row:
    """``crm.X.fields``."""
    return {key: fields.describe_classic(spec, as_live=as_live) for key, spec in names.items() if key not in hidden}


CLASSIC_DIALECT: Final[Pager] = paging.classic
COUNTING: Final[Pager] = paging.always_counting
CONTROLLER: Final[Pager] = paging.controller
EXACT: Final[Pager] = paging.offset
