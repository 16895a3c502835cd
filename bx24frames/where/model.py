"""The conditions of a read as data: what goes into the parameters, what bounds the ids, what is tested in the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bx24frames.engine.messages import JSON, IdBounds
from bx24frames.where.rowtests import Test
from bx24frames.where.tree import Tree, leaves


@dataclass(frozen=True, slots=True)
class Where:
    """Parsed filters: the conditions for the parameters, the bounds for the engine, and the row tests.

    `params`: the portal's filter map. `bounds`: conditions on the id as an interval.
    `ids`: conditions on the id as a set, ascending; None means no such condition, an empty tuple matches nothing.
    `arguments`: parameters of the method itself by name (``entityTypeId`` of a stage history).
    `owners`: an argument with several values, which are read one after another.
    """

    params: Mapping[str, JSON] = field(default_factory=dict)
    bounds: IdBounds = field(default_factory=IdBounds)
    ids: tuple[int, ...] | None = None
    splits: tuple[tuple[str, tuple[JSON, ...]], ...] = ()
    """Long `in` lists as (filter key, values), to be sent in slices and merged by id."""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    owners: tuple[str, tuple[JSON, ...]] | None = None
    branches: tuple[Where, ...] = ()
    """Alternatives that are read one after another; they replace everything above except `arguments`."""
    tests: Tree[Test] | None = None
    """The row tests; None if there are none."""
    sum: Sum | None = None
    """How to count the rows if the bounds sent are wider than those requested."""
    sieve: frozenset[int] | None = None
    """Ids to pick out of the returned rows if the method cannot filter by id."""
    nothing: bool = False
    """No row can match (``in []``): the result is empty without a data request."""

    @property
    def asked(self) -> Mapping[str, JSON]:
        """The conditions of all parts of the read, by key."""
        found: dict[str, JSON] = {**self.params, **{key: list(values) for key, values in self.splits}}
        for branch in self.branches:
            found.update(branch.asked)
        return found

    @property
    def parted(self) -> bool:
        """Whether the rows are read in parts that may overlap."""
        return bool(self.splits or self.branches)

    @property
    def cut(self) -> bool:
        """Whether more rows are returned than requested."""
        return self.tests is not None and any(test.strict for test in leaves(self.tests))


@dataclass(frozen=True, slots=True)
class Sum:
    """A count of disjoint parts that together cover the rows, in whichever time zone the method reads its bounds.

    `inner`: conditions that only match requested rows; None if there are none.
    `edges`: conditions whose rows must be read and tested.
    """

    inner: Mapping[str, JSON] | None
    edges: tuple[Mapping[str, JSON], ...]
