"""Parsing of filters into the conditions that a list method supports; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final, TypeAlias, cast

from bx24frames.engine.messages import JSON, IdBounds, Paging
from bx24frames.entities.arguments import clash
from bx24frames.entities.captions import Dictionary
from bx24frames.entities.columns import Names
from bx24frames.entities.operands import Unfit, listed, operand, str_or_int, zone
from bx24frames.entities.operators import WORDS, Op, split_key
from bx24frames.entities.schema import Dialect, Entity, Field
from bx24frames.entities.types import Kind, kind
from bx24frames.errors import FilterError
from bx24frames.where.closed import coded, pipeline_of
from bx24frames.where.conditions import Condition, Sent, between, condition, decisive, row_test, sent
from bx24frames.where.dialects import SPELLINGS, compared_here, dialect, speech
from bx24frames.where.model import Where
from bx24frames.where.moments import Zones
from bx24frames.where.narrowest import Narrowest
from bx24frames.where.rowtests import Test

Tuple: TypeAlias = tuple[object, ...]
Filters: TypeAlias = "Mapping[str, object] | Tuple | Sequence[Tuple] | Sequence[Sequence[Tuple]]"

MAX_IN: Final = 100
"""Values of one `in` list per request; longer lists are read in slices."""
MAX_PARTS: Final = 800
"""Values allowed in a list that cannot be sliced: a command holds about 900."""
MAX_BRANCHES: Final = 50
"""Alternatives that may be read one after another."""

_TUPLE: Final = 3
_TIMES: Final = frozenset({Kind.DATE, Kind.DATETIME})
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
    zones: Zones | None = None,
    closed: Mapping[str, Dictionary] | None = None,
) -> Where:
    """Parse filters and translate them for the list method of an entity.

    Parameters
    ----------
    entity : Entity
    fields : sequence of Field
        All fields of the entity.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        The portal's own map with prefixed keys; or ``(column, op, value)`` with op one of ``= == != < <= > >= in
        "not in" like "is null" "not null"``; a list of tuples is AND, a list of lists is OR of ANDs. Columns in any
        spelling; a list may be a column of any dataframe library.
    timezone : str or tzinfo, optional
        Time zone of naive datetimes in `filters`.
    also : tuple, optional
        A further condition, joined to the filters by AND.
    zones : Zones, optional
        Time zones that decide when a day begins; replaces `timezone`.
    closed : mapping of str to Dictionary, optional
        Dictionaries of the fields that accept only the codes in them.

    Returns
    -------
    Where
        Conditions on the id become bounds or a set of ids, so that they never clash with the engine's cursor.
        Conditions that the method does not support become tests of the rows.

    Raises
    ------
    UnknownColumn
        If a condition names an unknown field: the portal would ignore it and return every row.
    FilterError
        If the method does not support a condition, or would silently apply a different one.

    Notes
    -----
    The portal ignores case and trailing blanks when it compares text, and treats empty text as null.

    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html,
    https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-list.html
    """
    if entity.untyped:
        return _as_written(entity, filters)
    defaults: dict[str, JSON] = {one.name: one.default for one in entity.arguments if one.default is not None}
    zones = zones or Zones(_zone(entity, timezone))
    reader = _Reader(entity, Names(fields, entity.name), zones, defaults, closed=closed or {})
    reader.pipeline = pipeline_of(filters, fields) if closed else None
    branches = reader.branches(filters)
    beside = [] if also is None else reader.from_tuples([also])
    where = reader.alone([*branches[0], *beside]) if len(branches) == 1 else reader.either(branches, beside)
    _needed(entity, where)
    return where


def _zone(entity: Entity, timezone: str | tzinfo | None) -> tzinfo | None:
    try:
        return zone(timezone)
    except Unfit as fault:
        raise FilterError(str(fault), entity=entity.name) from None


def _as_written(entity: Entity, filters: Filters | None) -> Where:
    if filters is None:
        return Where()
    if not isinstance(filters, Mapping):
        guidance = "A method outside the catalogue takes a mapping of its own parameters."
        raise FilterError(
            "conditions written as tuples need an entity of the catalogue", entity=entity.name, guidance=guidance
        )
    return Where(params=cast("Mapping[str, JSON]", filters))


def _needed(entity: Entity, where: Where) -> None:
    given = {*where.arguments, *([where.owners[0]] if where.owners else [])}
    for argument in entity.arguments:
        if where.nothing or argument.name in given:
            continue
        guidance = f'Give filters={{"{argument.name}": ...}}, or add it to the name: "{entity.name}:...".'
        if argument.spelled is not None:
            guidance = (
                f'Rows of different owners share the same ids: give filters={{"{argument.name}": "deal"}}, or both in the '
                f'name: "{entity.name.partition(":")[0]}:deal:15".'
            )
        raise FilterError(f"{entity.name} needs a value for {argument.name}", entity=entity.name, guidance=guidance)


@dataclass(slots=True)
class _Reader:
    """Parses the filters of one entity."""

    entity: Entity
    names: Names
    zones: Zones
    arguments: dict[str, JSON] = field(default_factory=dict)
    owners: tuple[str, tuple[JSON, ...]] | None = None
    closed: Mapping[str, Dictionary] = field(default_factory=dict)
    pipeline: int | None = None

    def branches(self, filters: Filters | None) -> list[list[Condition]]:
        """The conditions as an OR of ANDs."""
        if filters is None:
            return [[]]
        if isinstance(filters, Mapping):
            return [list(self._mapped(filters))]
        if isinstance(filters, tuple) and filters and isinstance(filters[0], str):
            return [self.from_tuples([filters])]
        items = list(filters) if isinstance(filters, list | tuple) else [filters]
        if all(isinstance(item, tuple) for item in items):
            return [self.from_tuples(items)]
        if all(isinstance(item, list) for item in items):
            return [self.from_tuples(cast("Sequence[Tuple]", item)) for item in items]
        raise self._refusal("filters must be a mapping, a list of (column, op, value), or a list of such lists")

    def _mapped(self, filters: Mapping[str, object]) -> Iterable[Condition]:
        for key, value in filters.items():
            if not isinstance(key, str):
                raise self._refusal(f"a filter key must be text, not {key!r}")
            if key.isdigit() or key.lower() == "logic":
                raise self._refusal("groups must be written as a list of lists of (column, op, value)")
            prefix, op, name = split_key(key)
            if self._argument(name, op, value):
                continue
            found = self._field(name)
            yield condition(found, prefix, op, self._coded(found, op, value))

    def from_tuples(self, written: Iterable[object]) -> list[Condition]:
        """The conditions written as tuples."""
        return [one for one in map(self._from_tuple, written) if one is not None]

    def _from_tuple(self, written: object) -> Condition | None:
        if not isinstance(written, tuple) or not 2 <= len(written) <= _TUPLE:
            raise self._refusal(f"a condition must be (column, op, value), not {written!r:.80}")
        name, word, *value = written
        op = WORDS.get(" ".join(str(word).lower().split()))
        if op is None:
            raise self._refusal(f"unknown operator {word!r}", guidance=f"Operators: {', '.join(WORDS)}.")
        if op in (Op.NULL, Op.NOT_NULL):
            return Condition(self._field(str(name)), op, None, str(word))
        if not value or (value[0] is None and op not in (Op.EQ, Op.NE)):
            raise self._refusal(
                f"{name} {word} needs a value", guidance='Use "is null" or "not null" to test for nulls.'
            )
        if self._argument(str(name), op, value[0]):
            return None
        found = self._field(str(name))
        return condition(found, "=" if op is Op.EQ else op.value, op, self._coded(found, op, value[0]))

    def _coded(self, asked: Field, op: Op, value: object) -> object:
        """The value with captions replaced by codes."""
        dictionary = self.closed.get(asked.code)
        if dictionary is None:
            return value
        try:
            return coded(asked, op, value, dictionary, self.pipeline)
        except Unfit as fault:
            guidance = "describe_entity() and crm.status.list show the codes."
            raise self._refusal(f"condition on {asked.code}: {fault}", guidance=guidance) from None

    def _argument(self, name: str, op: Op, value: object) -> bool:
        """Take the condition if it sets a parameter of the method; several values are read one after another."""
        argument = next((one for one in self.entity.arguments if name in one.names), None)
        if argument is None:
            return False
        values = listed(value)
        if op not in (Op.EQ, Op.IN) or (values is not None and argument.decisive):
            raise self._refusal(f"{name} takes one value, given with =")
        field = Field(name, argument.type)
        try:
            if values is None:
                self.arguments[argument.name] = one = operand(field, argument.value(value))
                if argument.named and one != argument.default:
                    raise clash(self.entity, argument)
                return True
            if argument.named:
                raise clash(self.entity, argument)
            found = tuple(dict.fromkeys(str_or_int(operand(field, argument.value(one))) for one in values))
        except Unfit as fault:
            raise self._refusal(f"{name}: {fault}") from None
        if self.owners is not None:
            raise self._refusal(f"{self.owners[0]} and {name} cannot both have several values")
        self.owners = (argument.name, found)
        return True

    def _field(self, name: str) -> Field:
        """The field of a column name; a name that exists only in conditions gives a field for that condition."""
        own = next((field for field in self.names.fields if name in field.conditions), None)
        if own is None:
            return self.names.lookup(name)
        # a condition under another name does not compare the value that the column shows
        return replace(own, conditions=(name,), listed=own.listed and name == own.condition)

    def alone(self, conditions: list[Condition]) -> Where:
        """One group of conditions joined by AND, with the conditions on the id separated."""
        params: dict[str, JSON] = {}
        splits: list[tuple[str, tuple[JSON, ...]]] = []
        tests: list[Test] = []
        ids, narrowest = _Ids(), Narrowest(speech(self.entity))
        nothing = False
        for one in self._unfolded(conditions):
            if self._is_cursor(one) or self._is_sieve(one):
                ids.narrow(one, self)
                continue
            found = self.sent(one)
            tests += [found.test] if found.test is not None else []
            narrowest.add(one.field, found)
            for prefix, value in found.pairs:
                key = f"{prefix}{one.field.condition}"
                if value == []:  # "in []" matches no row; "not in []" matches every row
                    nothing = nothing or one.op is Op.IN
                elif one.op is Op.IN and isinstance(value, list) and len(value) > MAX_IN:
                    splits.append((key, tuple(value)))
                elif key in params:
                    raise self._twice(one)
                else:
                    params[key] = value
        if splits and self.owners is not None:
            raise self._refusal(
                f"a list of more than {MAX_IN} values with several values of {self.owners[0]}: read it in parts"
            )
        bounds, total = narrowest.params(params, tests, plain=not splits and ids.chosen is None and not self.owners)
        where = replace(ids.where({**params, **bounds}, tuple(splits), self.arguments), owners=self.owners, sum=total)
        where = replace(where, tests=(tuple(tests),) if tests else ())
        if where.ids is not None and self.entity.listing.paging is not Paging.KEYSET:
            where = replace(where, ids=None, sieve=frozenset(where.ids))
        return replace(where, nothing=True) if nothing or (self.owners and not self.owners[1]) else where

    def either(self, branches: list[list[Condition]], beside: list[Condition]) -> Where:
        """An OR of ANDs: sent as one group where the method has groups, else read one alternative at a time, or tested
        here.
        """
        if speech(self.entity).groups:
            sent = [[(one, self.sent(one)) for one in self._unfolded(branch)] for branch in branches]
            group = self._group(sent)
            if group is not None:
                return self._grouped(group, sent, beside)
        alternatives = [self.alone([*branch, *beside]) for branch in branches]
        kept = [one for one in alternatives if not one.nothing]
        if len(kept) < 2 and self.owners is None:
            return kept[0] if kept else alternatives[0]
        tests = tuple(self._tests([*branch, *beside]) for branch in branches)
        if any(one == Where(arguments=self.arguments, owners=self.owners) for one in alternatives):  # matches every row
            return Where(arguments=self.arguments, owners=self.owners)
        if compared_here(self.entity) or self.owners is not None:
            self._all_told([*branches, beside], tests)
            strict = tuple(self._tests([*branch, *beside], strict=True) for branch in branches)
            return Where(arguments=self.arguments, owners=self.owners, tests=strict)
        if self.entity.listing.paging is not Paging.KEYSET or len(kept) > MAX_BRANCHES:
            guidance = "Read each alternative separately and drop duplicate ids."
            raise self._refusal("the method ignores OR groups and would return every row", guidance=guidance)
        told = tests if all(map(self._is_told, [[*branch, *beside] for branch in branches])) else ()
        if not told and any(one.cut for one in kept):
            raise self._refusal("the returned rows do not show which alternative they match")
        # a row that matches only the widened bound of one alternative does not match another alternative because of it
        apart = tuple(replace(one, tests=one.tests if told else (), sum=None) for one in kept)
        return Where(branches=apart, tests=told, arguments=self.arguments)

    def _tests(self, conditions: list[Condition], *, strict: bool = False) -> tuple[Test, ...]:
        """The tests of one alternative, including those on the id."""
        found = [(one, self._test(one)) for one in self._unfolded(conditions)]
        return tuple(decisive(one, self.entity, test) if strict else test for one, test in found if test is not None)

    def _is_told(self, conditions: list[Condition]) -> bool:
        return all(self._test(one) is not None for one in self._unfolded(conditions))

    def _test(self, one: Condition) -> Test | None:
        engines = self._is_cursor(one) or self._is_sieve(one)
        return row_test(one, self.entity) if engines else self.sent(one).test

    def _all_told(self, branches: list[list[Condition]], tests: tuple[tuple[Test, ...], ...]) -> None:
        if not tests or not all(map(self._is_told, branches)):
            raise self._refusal("the returned rows do not show which alternative they match")

    def _grouped(
        self, group: dict[str, JSON], sent: list[list[tuple[Condition, Sent]]], beside: list[Condition]
    ) -> Where:
        """A group of alternatives, and the conditions joined to it by AND."""
        where = self.alone(beside)
        if not group:  # a branch without conditions matches every row
            return where
        if len(group) == 1:
            return replace(where, nothing=True)
        told = [[found.test for _, found in branch] for branch in sent]
        tests: tuple[tuple[Test, ...], ...] = where.tests
        if all(test is not None for branch in told for test in branch):
            more = where.tests[0] if where.tests else ()
            tests = tuple((*(test for test in branch if test is not None), *more) for branch in told)
        return replace(where, params={**where.params, "0": group}, tests=tests)

    def _group(self, sent: list[list[tuple[Condition, Sent]]]) -> dict[str, JSON] | None:
        """The alternatives as a group: empty if one matches every row; None if the portal would misread it.

        Some names of user fields are not converted back behind an operator, and some portals misread dates inside
        groups (crm module: lib/controller/item.php; docs: crm-item-list.md, rest-v3/index.md).
        """
        timed = dialect(self.entity) is not Dialect.API
        maps: list[dict[str, JSON]] = []
        for branch in sent:
            group: dict[str, JSON] = {}
            none = False
            for one, found in branch:
                cut = found.test is not None and found.test.strict
                if cut or found.bounds or not one.field.travels or (timed and kind(one.field) in _TIMES):
                    return None
                for prefix, value in found.pairs:
                    key = f"{prefix}{one.field.condition}"
                    if isinstance(value, list) and len(value) > MAX_PARTS:
                        return None
                    if key in group:
                        raise self._twice(one)
                    none |= value == [] and one.op is Op.IN
                    if value != []:
                        group[key] = value
            if not none:
                maps.append(group)
        if {} in maps:
            return {}
        return {"logic": "OR", **{str(place): map_ for place, map_ in enumerate(maps)}}

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
        """Whether a set of ids is picked out of the returned rows because the method cannot filter by it."""
        own = one.field.code == self.entity.listing.id_key and kind(one.field) in (Kind.NUMBER, Kind.LINK)
        return own and one.op in (Op.EQ, Op.IN) and one.op not in SPELLINGS[dialect(self.entity)]

    def sent(self, one: Condition) -> Sent:
        """What the method is sent for one condition."""
        if dialect(self.entity) is Dialect.PERIOD and one.field.code != self.entity.created:
            raise self._refusal(f"the method supports only >= and <= on {self.entity.created}", one)
        try:
            found = sent(one, self.entity, self.zones)
        except Unfit as fault:
            raise self._refusal(str(fault), one) from None
        for _, value in found.pairs:
            if isinstance(value, list) and one.op is not Op.IN and len(value) > MAX_PARTS:
                raise self._refusal(
                    f"a list of {len(value)} values cannot be split into requests; at most {MAX_PARTS}", one
                )
        return found

    def _twice(self, one: Condition) -> FilterError:
        listable = one.op in (Op.EQ, Op.IN, Op.NE, Op.NOT_IN, Op.NONE_OF)
        guidance = 'Combine them: "in" and "not in" take lists.' if listable else "Keep the narrower of the two."
        return self._refusal("the portal accepts one such condition per column", one, guidance=guidance)

    def _refusal(self, message: str, one: Condition | None = None, *, guidance: str | None = None) -> FilterError:
        told = f"{one}: {message}" if one else message
        return FilterError(told, entity=self.entity.name, guidance=guidance)

    def ids(self, one: Condition) -> list[int]:
        """The ids in a condition on the id."""
        values = listed(one.value) if one.op is Op.IN else [one.value]
        try:
            return [cast("int", operand(Field("id", "integer"), value)) for value in values or ()]
        except Unfit as fault:
            raise self._refusal(str(fault), one) from None

    def refuse_id(self, one: Condition) -> FilterError:
        """The error for a condition that the id does not support."""
        return self._refusal("an id supports only =, in, <, <=, > and >=", one)


@dataclass(slots=True)
class _Ids:
    """Collects the conditions on the id."""

    after: int | None = None
    upto: int | None = None
    chosen: set[int] | None = None

    def narrow(self, one: Condition, reader: _Reader) -> None:
        """Add one condition."""
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
        """The conditions of the whole group."""
        if self.chosen is None:
            empty = self.after is not None and self.upto is not None and self.after >= self.upto
            return Where(params, IdBounds(self.after, self.upto), None, splits, arguments, nothing=empty)
        ids = tuple(sorted(row for row in self.chosen if self._within(row)))
        return Where(params, IdBounds(), ids, splits, arguments, nothing=not ids)

    def _within(self, row: int) -> bool:
        return (self.after is None or row > self.after) and (self.upto is None or row <= self.upto)
