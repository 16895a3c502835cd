"""A caller's filters to the conditions a list method carries out as written; anything else is refused here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final, TypeAlias, cast

from bx24frames.engine.messages import JSON, IdBounds, Paging
from bx24frames.entities.binding import clash
from bx24frames.entities.columns import Names
from bx24frames.entities.filters.conditions import Condition, between, condition
from bx24frames.entities.filters.dialects import SPELLINGS, WORDS, Op, dialect, split_key
from bx24frames.entities.filters.operands import Unfit, listed, operand, str_or_int, zone
from bx24frames.entities.schema import Dialect, Entity, Field, Where
from bx24frames.entities.types import Kind, kind
from bx24frames.errors import FilterError

Tuple: TypeAlias = tuple[object, ...]
Filters: TypeAlias = "Mapping[str, object] | Tuple | Sequence[Tuple] | Sequence[Sequence[Tuple]]"

MAX_IN: Final = 100
"""Values of one `in` list in one request; longer ones are read in slices."""
MAX_PARTS: Final = 800
"""Values a list that cannot be sliced may have: a command holds about 900 of them."""
GROUPED: Final = frozenset({Dialect.ITEM, Dialect.ORM, Dialect.API})
"""The dialects that have a group of conditions by OR."""

_TUPLE: Final = 3
_BOUNDS: Final[Mapping[Op, tuple[str, int]]] = {
    Op.GT: ("after", 0),
    Op.GE: ("after", -1),
    Op.LE: ("upto", 0),
    Op.LT: ("upto", -1),
}


def parse_filters(
    entity: Entity,
    fields: Sequence[Field],
    filters: Filters | None = None,
    *,
    timezone: str | tzinfo | None = None,
    also: Tuple | None = None,
) -> Where:
    """Make a caller's conditions ready for the wire.

    Parameters
    ----------
    entity : Entity
    fields : sequence of Field
        The whole description of the table.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's own map with prefixed keys; or ``(column, op, value)`` with op one of ``= == != < <= > >= in
        "not in" like "is null" "not null"``; a list of tuples is AND, a list of lists is OR of ANDs. Columns in any
        spelling; a list may be a column of any dataframe library.
    timezone : str or tzinfo, optional
        The zone of times that name none.
    also : tuple, optional
        A condition that holds beside the filters, whatever their form.

    Returns
    -------
    Where
        Conditions on the id as bounds or as a set, so that they never meet the engine's cursor.

    Raises
    ------
    UnknownColumn
        If a condition names no field: the portal would answer the whole table.
    FilterError
        If the method cannot carry out a condition, or would silently take it for another.

    Notes
    -----
    The portal compares text without regard to case and trailing blanks, and counts the empty text as null.

    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html,
    https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-list.html
    """
    if entity.untyped:
        return _as_written(entity, filters)
    defaults: dict[str, JSON] = {one.name: one.default for one in entity.arguments if one.default is not None}
    reader = _Reader(entity, Names(fields, entity.name), _zone(entity, timezone), defaults)
    branches = reader.branches(filters)
    where = reader.alone(branches[0]) if len(branches) == 1 else reader.either(branches)
    _needed(entity, where)
    return where if also is None else reader.beside(where, also)


def _zone(entity: Entity, timezone: str | tzinfo | None) -> tzinfo | None:
    try:
        return zone(timezone)
    except Unfit as fault:
        raise FilterError(str(fault), entity=entity.name) from None


def _as_written(entity: Entity, filters: Filters | None) -> Where:
    if filters is None:
        return Where()
    if not isinstance(filters, Mapping):
        guidance = "A method outside the catalogue takes its own filter map."
        raise FilterError("conditions as tuples need a described table", entity=entity.name, guidance=guidance)
    return Where(params=cast("Mapping[str, JSON]", filters))


def _needed(entity: Entity, where: Where) -> None:
    given = {*where.arguments, *([where.owners[0]] if where.owners else [])}
    for argument in entity.arguments:
        if where.nothing or argument.name in given:
            continue
        guidance = f'filters={{"{argument.name}": ...}}, or behind the name: "{entity.name}:...".'
        raise FilterError(f"{entity.name} is read for one {argument.name}", entity=entity.name, guidance=guidance)


@dataclass(slots=True)
class _Reader:
    """Reads the filters of one table."""

    entity: Entity
    names: Names
    timezone: tzinfo | None
    arguments: dict[str, JSON] = field(default_factory=dict)
    owners: tuple[str, tuple[JSON, ...]] | None = None

    def branches(self, filters: Filters | None) -> list[list[Condition]]:
        """The conditions as OR of ANDs."""
        if filters is None:
            return [[]]
        if isinstance(filters, Mapping):
            return [list(self._mapped(filters))]
        if isinstance(filters, tuple) and filters and isinstance(filters[0], str):
            return [self._from_tuples([filters])]
        items = list(filters) if isinstance(filters, list | tuple) else [filters]
        if all(isinstance(item, tuple) for item in items):
            return [self._from_tuples(items)]
        if all(isinstance(item, list) for item in items):
            return [self._from_tuples(cast("Sequence[Tuple]", item)) for item in items]
        raise self._refusal("filters are a mapping, a list of (column, op, value), or a list of such lists")

    def _mapped(self, filters: Mapping[str, object]) -> Iterable[Condition]:
        for key, value in filters.items():
            if not isinstance(key, str):
                raise self._refusal(f"a filter key is text, not {key!r}")
            if key.isdigit() or key.lower() == "logic":
                raise self._refusal("groups are written as a list of lists of (column, op, value)")
            prefix, op, name = split_key(key)
            if self._argument(name, op, value):
                continue
            yield condition(self._field(name), prefix, op, value)

    def _from_tuples(self, written: Iterable[object]) -> list[Condition]:
        return [one for one in map(self._from_tuple, written) if one is not None]

    def _from_tuple(self, written: object) -> Condition | None:
        if not isinstance(written, tuple) or not 2 <= len(written) <= _TUPLE:
            raise self._refusal(f"a condition is (column, op, value), not {written!r:.80}")
        name, word, *value = written
        op = WORDS.get(" ".join(str(word).lower().split()))
        if op is None:
            raise self._refusal(f"no operator {word!r}", guidance=f"Operators: {', '.join(WORDS)}.")
        if op in (Op.NULL, Op.NOT_NULL):
            return Condition(self._field(str(name)), op, None, str(word))
        if not value or (value[0] is None and op not in (Op.EQ, Op.NE)):
            raise self._refusal(f"{name} {word} needs a value", guidance='Ask for nulls by "is null" or "not null".')
        if self._argument(str(name), op, value[0]):
            return None
        return condition(self._field(str(name)), "=" if op is Op.EQ else op.value, op, value[0])

    def _argument(self, name: str, op: Op, value: object) -> bool:
        """Take a parameter of the method itself; many values of it are read one after the other."""
        argument = next((one for one in self.entity.arguments if name in one.names), None)
        if argument is None:
            return False
        values = listed(value)
        if op not in (Op.EQ, Op.IN) or (values is not None and argument.decisive):
            raise self._refusal(f"{name} is one value, given with =")
        field = Field(name, argument.type)
        try:
            if values is None:
                self.arguments[argument.name] = one = operand(field, value)
                if argument.named and one != argument.default:
                    raise clash(self.entity, argument)
                return True
            if argument.named:
                raise clash(self.entity, argument)
            found = tuple(dict.fromkeys(str_or_int(operand(field, one)) for one in values))
        except Unfit as fault:
            raise self._refusal(f"{name}: {fault}") from None
        if self.owners is not None:
            raise self._refusal(f"{self.owners[0]} and {name} cannot both be lists")
        self.owners = (argument.name, found)
        return True

    def _field(self, name: str) -> Field:
        """The column meant; a name that the method has for conditions alone means that condition."""
        own = next((field for field in self.names.fields if name in field.conditions), None)
        return replace(own, conditions=(name,)) if own else self.names.lookup(name)

    def alone(self, conditions: list[Condition]) -> Where:
        """One AND, flat, with the conditions on the id taken out."""
        params: dict[str, JSON] = {}
        splits: list[tuple[str, tuple[JSON, ...]]] = []
        ids = _Ids()
        nothing = False
        for one in self._unfolded(conditions):
            if self._is_cursor(one) or self._is_sieve(one):
                ids.narrow(one, self)
                continue
            key, value = self.spelled(one)
            if value == []:  # "in" nothing is no row; "not in" nothing is every row
                nothing = nothing or one.op is Op.IN
            elif one.op is Op.IN and isinstance(value, list) and len(value) > MAX_IN:
                splits.append((key, tuple(value)))
            elif key in params:
                raise self._twice(one)
            else:
                params[key] = value
        if splits and self.owners is not None:
            raise self._refusal(
                f"a list of more than {MAX_IN} values, for many of {self.owners[0]}: read them in parts"
            )
        where = replace(ids.where(params, tuple(splits), self.arguments), owners=self.owners)
        if where.ids is not None and self.entity.listing.paging is not Paging.KEYSET:
            where = replace(where, ids=None, sieve=frozenset(where.ids))
        return replace(where, nothing=True) if nothing or (self.owners and not self.owners[1]) else where

    def either(self, branches: list[list[Condition]]) -> Where:
        """An OR of ANDs, as the one group of the methods that have it (docs: crm-item-list.md, rest-v3/index.md)."""
        if dialect(self.entity) not in GROUPED:
            guidance = "Read each branch by itself, and drop the ids seen twice."
            raise self._refusal("the method drops OR groups and would answer the whole table", guidance=guidance)
        maps = [group for group in (self._group(branch) for branch in branches) if group is not None]
        if {} in maps:  # a branch without conditions holds for every row
            return Where(arguments=self.arguments, owners=self.owners)
        if not maps:
            return Where(arguments=self.arguments, nothing=True)
        group: dict[str, JSON] = {"logic": "OR", **{str(place): map_ for place, map_ in enumerate(maps)}}
        return Where(params={"0": group}, arguments=self.arguments, owners=self.owners)

    def beside(self, where: Where, written: Tuple) -> Where:
        """Add a condition to those of an AND, or outside an OR."""
        params = dict(where.params)
        for one in self._from_tuples([written]):
            key, value = self.spelled(one)
            if key in params:
                raise self._twice(one)
            params[key] = value
        return replace(where, params=params)

    def _group(self, conditions: list[Condition]) -> dict[str, JSON] | None:
        group: dict[str, JSON] = {}
        for one in self._unfolded(conditions):
            if kind(one.field) in (Kind.DATE, Kind.DATETIME) and dialect(self.entity) is not Dialect.API:
                guidance = "Put it outside the OR, or read each branch by itself."
                raise self._refusal("some portals misread dates inside OR groups", one, guidance=guidance)
            key, value = self.spelled(one)
            if value == [] and one.op is Op.IN:
                return None
            if isinstance(value, list) and len(value) > MAX_PARTS:
                raise self._refusal(f"at most {MAX_PARTS} values inside an OR", one)
            if key in group:
                raise self._twice(one)
            if value != []:
                group[key] = value
        return group

    def _unfolded(self, conditions: Iterable[Condition]) -> Iterable[Condition]:
        for one in conditions:
            try:
                yield from between(one)
            except Unfit as fault:
                raise self._refusal(str(fault), one) from None

    def _is_cursor(self, one: Condition) -> bool:
        keyset = self.entity.listing.paging is Paging.KEYSET
        return keyset and one.field.code == self.entity.listing.id_key and one.op not in (Op.NE, Op.NOT_IN, Op.NONE_OF)

    def _is_sieve(self, one: Condition) -> bool:
        """Whether a set of ids is picked out of the rows that came: the method itself cannot."""
        own = one.field.code == self.entity.listing.id_key and kind(one.field) in (Kind.NUMBER, Kind.LINK)
        return own and one.op in (Op.EQ, Op.IN) and one.op not in SPELLINGS[dialect(self.entity)]

    def spelled(self, one: Condition) -> tuple[str, JSON]:
        """The key and the value of one condition in the dialect of the table."""
        if dialect(self.entity) is Dialect.PERIOD and one.field.code != self.entity.created:
            raise self._refusal(f"the method takes >= and <= of {self.entity.created} alone", one)
        try:
            prefix, value = one.spell(dialect(self.entity), self.timezone)
        except Unfit as fault:
            raise self._refusal(str(fault), one) from None
        if isinstance(value, list) and one.op is not Op.IN and len(value) > MAX_PARTS:
            raise self._refusal(f"a list of {len(value)} values cannot be sliced; at most {MAX_PARTS}", one)
        return f"{prefix}{one.field.condition}", value

    def _twice(self, one: Condition) -> FilterError:
        listable = one.op in (Op.EQ, Op.IN, Op.NE, Op.NOT_IN, Op.NONE_OF)
        guidance = 'Join them: "in" and "not in" take lists.' if listable else "Keep the narrower of the two."
        return self._refusal("the portal takes one such condition a column", one, guidance=guidance)

    def _refusal(self, message: str, one: Condition | None = None, *, guidance: str | None = None) -> FilterError:
        told = f"{one}: {message}" if one else message
        return FilterError(told, entity=self.entity.name, guidance=guidance)

    def ids(self, one: Condition) -> list[int]:
        """The ids of a condition on the id."""
        values = listed(one.value) if one.op is Op.IN else [one.value]
        try:
            return [cast("int", operand(Field("id", "integer"), value)) for value in values or ()]
        except Unfit as fault:
            raise self._refusal(str(fault), one) from None

    def refuse_id(self, one: Condition) -> FilterError:
        """The id has an order and a set of values, and nothing else to ask for."""
        return self._refusal("an id is compared with =, in, <, <=, > and >=", one)


@dataclass(slots=True)
class _Ids:
    """The conditions on the id so far."""

    after: int | None = None
    upto: int | None = None
    chosen: set[int] | None = None

    def narrow(self, one: Condition, reader: _Reader) -> None:
        """Add a condition."""
        if one.op in (Op.EQ, Op.IN):
            found = set(reader.ids(one))
            self.chosen = found if self.chosen is None else self.chosen & found
            return
        if one.op not in _BOUNDS:
            raise reader.refuse_id(one)
        side, shift = _BOUNDS[one.op]
        [bound] = reader.ids(one)
        bound += shift
        if side == "after":
            self.after = bound if self.after is None else max(self.after, bound)
        else:
            self.upto = bound if self.upto is None else min(self.upto, bound)

    def where(
        self, params: dict[str, JSON], splits: tuple[tuple[str, tuple[JSON, ...]], ...], arguments: dict[str, JSON]
    ) -> Where:
        """The conditions of the whole AND."""
        if self.chosen is None:
            empty = self.after is not None and self.upto is not None and self.after >= self.upto
            return Where(params, IdBounds(self.after, self.upto), None, splits, arguments, nothing=empty)
        ids = tuple(sorted(row for row in self.chosen if self._within(row)))
        return Where(params, IdBounds(), ids, splits, arguments, nothing=not ids)

    def _within(self, row: int) -> bool:
        return (self.after is None or row > self.after) and (self.upto is None or row <= self.upto)
