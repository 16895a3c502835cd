"""Parsing of filters into the conditions that a list method supports; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from bx24frames.engine.messages import JSON, Paging
from bx24frames.entities.captions import Dictionary
from bx24frames.entities.operands import Unfit, zone
from bx24frames.entities.operators import TIMED, Op
from bx24frames.entities.schema import Entity, Field
from bx24frames.entities.types import comparison
from bx24frames.errors import FilterError
from bx24frames.where.dialects import Dialect, Reach, compared_here, dialect
from bx24frames.where.filters import Given, Tuple, as_map, filter_tree
from bx24frames.where.forms import SentForm, decisive, row_test, sent
from bx24frames.where.ids import Ids, is_of_engine
from bx24frames.where.model import Where
from bx24frames.where.moments import Zones
from bx24frames.where.resolve import Resolved, Resolver, filter_error
from bx24frames.where.rowtests import Test
from bx24frames.where.time_bounds import Narrowest
from bx24frames.where.tree import All, Any, Condition, Tree, alternatives, conjuncts, leaves, mapped, simplified

__all__ = ["MAX_IN", "parse_filters"]

MAX_IN: Final = 100
"""Values of one `in` list per request; longer lists are read in slices."""
MAX_PARTS: Final = 800
"""Values allowed in a list that cannot be sliced: a command holds about 900."""
MAX_BRANCHES: Final = 50
"""Alternatives that may be read one after another."""
MAX_ALTERNATIVES: Final = 10_000
"""Alternatives that may be tested on the returned rows."""


def parse_filters(
    entity: Entity,
    fields: Sequence[Field],
    filters: Given = None,
    *,
    timezone: str | tzinfo | None = None,
    also: Tuple | None = None,
    zones: Zones | None = None,
    closed: Mapping[str, Dictionary] | None = None,
) -> Where:
    """Parse filters and translate them for the list method of an entity.

    Conditions on the id become bounds or a set of ids, so that they never clash with the engine's cursor. Conditions
    that the method does not support become tests of the rows.

    Parameters
    ----------
    entity : Entity
    fields : sequence of Field
        All fields of the entity.
    filters : mapping, tuple, list of tuples, list of lists of tuples, optional
        In one of the forms of `filter_tree`. Columns in any spelling; a list may be a column of any dataframe library.
    timezone : str or tzinfo, optional
        Time zone of naive datetimes in `filters`.
    also : tuple, optional
        A further condition, joined to the filters by AND.
    zones : Zones, optional
        Time zones that decide when a day begins; replaces `timezone`.
    closed : mapping of str to Dictionary, optional
        Dictionaries of the fields that accept only the codes in them.

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
    tree = filter_tree(filters, entity.name)
    if entity.untyped:
        return Where(params=as_map(tree, entity.name))
    found = Resolver(entity, fields, closed or {}).resolve(tree, filter_tree(also, entity.name))
    where = _Composer(entity, zones or Zones(_zone(entity, timezone)), dialect(entity), found).where()
    _needed(entity, where)
    return where


def _zone(entity: Entity, timezone: str | tzinfo | None) -> tzinfo | None:
    try:
        return zone(timezone)
    except Unfit as fault:
        raise FilterError(str(fault), entity=entity.name) from None


def _needed(entity: Entity, where: Where) -> None:
    given = {*where.arguments, *([where.owners[0]] if where.owners else [])}
    for argument in entity.arguments:
        if where.nothing or argument.name in given:
            continue
        guidance = f'Give filters={{"{argument.name}": ...}}, or add it to the name: "{entity.name}:...".'
        if argument.spelled is not None:
            table = entity.name.partition(":")[0]
            guidance = (
                "Owners of different types have the same ids: give "
                f'filters={{"{argument.name}": "deal"}}, or name both: "{table}:deal:15".'
            )
        raise FilterError(f"{entity.name} needs a value for {argument.name}", entity=entity.name, guidance=guidance)


@dataclass(frozen=True, slots=True)
class _Composer:
    """Composes the conditions of a read from its resolved filters."""

    entity: Entity
    zones: Zones
    dialect: Dialect
    asked: Resolved

    def where(self) -> Where:
        """The conditions of the read: one AND, a group sent as such, or alternatives."""
        beside, groups = conjuncts(self.asked.tree)
        if not groups:
            return self._alone(beside)
        if self.dialect.groups and len(groups) == 1:
            where = self._grouped(groups[0], beside)
            if where is not None:
                return where
        branches = alternatives(self.asked.tree, MAX_ALTERNATIVES)
        if branches is None:
            raise self._refusal(f"more than {MAX_ALTERNATIVES} alternatives")
        return self._apart(branches)

    @property
    def _every_row(self) -> Where:
        return Where(arguments=self.asked.arguments, owners=self.asked.owners)

    def _alone(self, conditions: Sequence[Condition]) -> Where:
        """One group of conditions joined by AND, with the conditions on the id separated."""
        params: dict[str, JSON] = {}
        splits: dict[str, tuple[JSON, ...]] = {}
        tests: list[Test] = []
        ids, narrowest, owners = Ids(), Narrowest(self.dialect), self.asked.owners
        nothing = owners is not None and not owners[1]
        for one in conditions:
            if is_of_engine(one, self.entity):
                self._narrow(ids, one)
                continue
            found = self._sent(one)
            tests += [found.test] if found.test is not None else []
            narrowest.add(found)
            nothing |= found.nothing
            for key, value in found.params.items():
                if key in params or key in splits:
                    raise self._twice(one)
                if one.op is Op.IN and isinstance(value, list) and len(value) > MAX_IN:
                    splits[key] = tuple(value)
                else:
                    params[key] = value
        if splits and owners is not None:
            raise self._refusal(
                f"a list of more than {MAX_IN} values with several values of {owners[0]}: read it in parts"
            )
        bounds, total = narrowest.params(params, tests, plain=not splits and ids.chosen is None and not owners)
        where = replace(self._every_row, params={**params, **bounds}, splits=tuple(splits.items()), sum=total)
        return ids.within(replace(where, tests=_tests(All(tuple(tests))), nothing=nothing), self.entity)

    def _narrow(self, ids: Ids, one: Condition) -> None:
        try:
            ids.narrow(one)
        except Unfit as fault:
            raise self._refusal(str(fault), one) from None

    def _grouped(self, some: Any[Condition], beside: Sequence[Condition]) -> Where | None:
        """Alternatives sent as a group, joined by AND to the other conditions; None if the portal would misread it."""
        tree: Tree[Condition] = some
        branches = alternatives(tree, MAX_ALTERNATIVES)
        found = [[self._sent(one) for one in branch] for branch in branches or ()]
        if branches is None or not all(self._is_groupable(one) for branch in found for one in branch):
            return None
        where = self._alone(beside)
        maps = [self._group_part(branch) for branch in found if not any(one.nothing for one in branch)]
        if {} in maps:  # a branch without conditions matches every row
            return where
        if not maps:
            return replace(where, nothing=True)
        group: dict[str, JSON] = {"logic": "OR", **{str(place): part for place, part in enumerate(maps)}}
        tests: Tree[Test] = Any(tuple(All(tuple(one.test or All() for one in branch)) for branch in found))
        return replace(where, params={**where.params, "0": group}, tests=_tests(All((where.tests or All(), tests))))

    def _is_groupable(self, found: SentForm) -> bool:
        """Whether a condition means the same inside a group.

        Some names of user fields are not converted back behind an operator, and some portals misread dates inside
        groups (crm module: lib/controller/item.php; docs: crm-item-list.md, rest-v3/index.md).
        """
        field = found.condition.field
        if found.bounds or (found.test is not None and found.test.strict) or not field.travels:
            return False
        if comparison(field) in TIMED and not self.dialect.timed_groups:
            return False
        return not any(isinstance(value, list) and len(value) > MAX_PARTS for value in found.params.values())

    def _group_part(self, branch: Sequence[SentForm]) -> dict[str, JSON]:
        part: dict[str, JSON] = {}
        for found in branch:
            if part.keys() & found.params.keys():
                raise self._twice(found.condition)
            part.update(found.params)
        return part

    def _apart(self, branches: Sequence[Sequence[Condition]]) -> Where:
        """Alternatives that are read one after another, or tested on the returned rows."""
        found = [self._alone(branch) for branch in branches]
        kept = [one for one in found if not one.nothing]
        if len(kept) < 2 and self.asked.owners is None:
            return kept[0] if kept else replace(self._every_row, nothing=True)
        if self._every_row in found:
            return self._every_row
        tested = all(self._test(one) is not None for one in leaves(self.asked.tree))
        if compared_here(self.entity) or self.asked.owners is not None:
            if not tested:
                raise self._refusal("the returned rows do not show which alternative they match")
            return replace(self._every_row, tests=_tests(mapped(self.asked.tree, self._decided)))
        if self.entity.listing.paging is not Paging.KEYSET or len(kept) > MAX_BRANCHES:
            guidance = "Read each alternative separately and drop duplicate ids."
            raise self._refusal("the method ignores OR groups and would return every row", guidance=guidance)
        if not tested and any(one.cut for one in kept):
            raise self._refusal("the returned rows do not show which alternative they match")
        # a row that matches only the widened bound of one alternative does not match another alternative because of it
        parts = tuple(replace(one, tests=one.tests if tested else None, sum=None) for one in kept)
        tests = _tests(mapped(self.asked.tree, lambda one: self._test(one) or All())) if tested else None
        return Where(branches=parts, tests=tests, arguments=self.asked.arguments)

    def _test(self, one: Condition) -> Test | None:
        return row_test(one, self.entity) if is_of_engine(one, self.entity) else self._sent(one).test

    def _decided(self, one: Condition) -> Tree[Test]:
        """The strict test of a condition that is not sent."""
        test = self._test(one)
        return All() if test is None else decisive(one, self.entity, test)

    def _sent(self, one: Condition) -> SentForm:
        """What the method is sent for one condition."""
        if self.dialect.reach is Reach.CREATED and one.field.code != self.entity.created:
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
        return filter_error(self.entity, message, one, guidance=guidance)


def _tests(tree: Tree[Test]) -> Tree[Test] | None:
    found = simplified(tree)
    return None if found == All() else found
