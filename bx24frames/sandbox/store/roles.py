"""Roles of the CRM: what a user reads, whatever the user may write.

The rights to read, add and change are granted apart (documentation: access permissions of the CRM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Reads: TypeAlias = Literal["all", "own", "none"]


@dataclass(frozen=True, slots=True)
class Role:
    """What a user of the CRM reads; a user with a role is no administrator.

    Parameters
    ----------
    reads : {"all", "own", "none"}
        ``"own"``: the rows the user is responsible for (`assignedById`).
    tables : mapping of str to {"all", "own", "none"}
        The same for single tables, by name: ``{"deal": "own"}``.
    hidden_categories : mapping of str to tuple of int
        Pipelines, or categories of contacts and companies, whose rows are not read, by table.
    imports : bool
        Whether the user may import.

    Examples
    --------
    >>> Role("own").of("deal"), Role(tables={"deal": "none"}).of("lead")
    ('own', 'all')
    """

    reads: Reads = "all"
    tables: Mapping[str, Reads] = field(default_factory=dict)
    hidden_categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    imports: bool = True

    def of(self, table: str) -> Reads:
        """What the user reads of a table."""
        return self.tables.get(table, self.reads)
