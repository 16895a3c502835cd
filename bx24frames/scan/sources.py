"""Source: what gives the rows of a scan.

A source has one schema, says in which column ids are, and reads any range of ids on its own, in order of id. That is
all that resuming, splitting and counting need; how the rows are got is the source's own affair.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.engine.messages import IdBounds
    from bx24frames.portal.plan import Plan

__all__ = ["Source"]


class Source(Protocol):
    """What gives the rows of a scan."""

    @property
    def name(self) -> str:
        """The entity."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """Schema of every batch, whichever range it is from."""
        ...

    @property
    def key(self) -> str | None:
        """Name of the id column; None without one."""
        ...

    @property
    def cursor(self) -> str | None:
        """Name of the column of the last change; None without one."""
        ...

    @property
    def resumable(self) -> bool:
        """Whether rows have an integer id, by which a range is read on its own."""
        ...

    @property
    def fingerprint(self) -> str:
        """Tells these rows from those of another portal, entity or condition; the same in every process."""
        ...

    @property
    def ascending(self) -> bool:
        """Whether ids ascend."""
        ...

    def batches(
        self, part: IdBounds, rows: int | None = None
    ) -> AsyncGenerator[tuple[pa.RecordBatch, int | None], None]:
        """The rows of a range in order of id, in batches of `rows` or as they arrive, each with its last id."""
        ...

    async def ranges(self, part: IdBounds, number: int) -> Sequence[IdBounds]:
        """A range in `number` ones that are disjoint, cover it and hold about the same number of rows."""
        ...

    async def count(self, part: IdBounds) -> int:
        """Rows in a range now."""
        ...

    async def plan(self, part: IdBounds) -> Plan:
        """What reading a range would take."""
        ...
