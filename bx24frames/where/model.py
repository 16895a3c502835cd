"""The conditions of a read as data: what goes into the parameters, what bounds the ids, what is tested in the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bx24frames.engine.messages import JSON, IdBounds
from bx24frames.where.rowtests import Test


@dataclass(frozen=True, slots=True)
class Where:
    """A caller's conditions, made ready: what goes into the parameters, and what the engine must bound.

    `params`: the portal's filter map. `bounds`: conditions on the id as an interval.
    `ids`: conditions on the id as a set, ascending; None is no such condition, an empty tuple matches nothing.
    `arguments`: parameters of the method itself by name (``entityTypeId`` of a stage history).
    `owners`: an argument with many values: its rows are read for each of them.
    """

    params: Mapping[str, JSON] = field(default_factory=dict)
    bounds: IdBounds = field(default_factory=IdBounds)
    ids: tuple[int, ...] | None = None
    splits: tuple[tuple[str, tuple[JSON, ...]], ...] = ()
    """Long `in` lists: (filter key, values), to be sent in slices and merged by id."""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    owners: tuple[str, tuple[JSON, ...]] | None = None
    branches: tuple[Where, ...] = ()
    """Alternatives that are read one by one, in place of everything above but `arguments`."""
    tests: tuple[tuple[Test, ...], ...] = ()
    """What a row that is meant meets, all of one of them; none is no test."""
    sum: Sum | None = None
    """How the rows are counted where the bounds sent are wider than those meant."""
    sieve: frozenset[int] | None = None
    """Ids to pick out of the rows that come, where the method takes no condition on them."""
    nothing: bool = False
    """A condition that no row can meet (``in []``): an empty frame without a data request."""

    @property
    def asked(self) -> Mapping[str, JSON]:
        """The conditions of every part of the read, by key."""
        found: dict[str, JSON] = {**self.params, **{key: list(values) for key, values in self.splits}}
        for branch in self.branches:
            found.update(branch.asked)
        return found

    @property
    def parted(self) -> bool:
        """Whether its rows come in parts that may overlap."""
        return bool(self.splits or self.branches)

    @property
    def cut(self) -> bool:
        """Whether more rows come than are meant."""
        return any(test.strict for tests in self.tests for test in tests)


@dataclass(frozen=True, slots=True)
class Sum:
    """A count in parts that cover the rows and do not overlap, in whichever clock the method reads its bounds.

    `inner`: conditions that hold for rows that are meant, every one of them; None where there are none such.
    `edges`: conditions whose rows have to be looked at.
    """

    inner: Mapping[str, JSON] | None
    edges: tuple[Mapping[str, JSON], ...]
