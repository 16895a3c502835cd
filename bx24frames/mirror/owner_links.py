"""Links as their owners show them: the columns ``contactId`` and ``contactIds`` of deals, beside ``deal_contact``.

Item lists print the ids of linked rows, fifty owners a page; the methods that print whole links take one owner each. So
these columns tell which owners have links at all, and which have others than the mirror.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.mirror.job import Job
    from bx24frames.mirror.state import Owned
    from bx24frames.mirror.stores.protocol import Store


def incoming_links(owner: Job, owned: Owned) -> pa.Table | None:
    """The ids and links of the owners read in this run; None where no column of the rows shows all links."""
    import pyarrow as pa

    columns = _columns(owner, owned)
    if columns is None:
        return None
    names = [*owner.table.key, *columns]
    schema = pa.schema([owner.schema.field(name) for name in names])
    found = pa.Table.from_batches([batch.select(names) for batch in owner.incoming()], schema)
    never_printed = found.num_rows > 0 and found.column(names[-1]).null_count == found.num_rows
    return None if never_printed else found


async def linked_owners(store: Store, owner: Job, owned: Owned) -> set[int]:
    """All owners but those that certainly have no links."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = await asyncio.to_thread(store.ids, owner.portal, owner.table)
    incoming = {int(str(key[0])) for key in owner.seen}
    links = incoming_links(owner, owned)
    if links is None:
        return incoming.union(ids)
    key, several = owner.table.key[0], links.column_names[-1]
    none = pa.array([[]] * len(ids), links.schema.field(several).type)
    unlinked = pa.table({key: pa.array(ids, pa.int64()), several: none})
    kept = await asyncio.to_thread(store.differing, owner.portal, owner.table, unlinked)
    lengths = pc.list_value_length(links.column(several)).to_pylist()
    without = [row_id for row_id, length in zip(links.column(key).to_pylist(), lengths, strict=True) if length == 0]
    return incoming.union(kept).difference(int(str(one)) for one in without)


def _columns(owner: Job, owned: Owned) -> list[str] | None:
    """The columns that show links, by their names in the store, the one with all of them last."""
    names = dict(zip(owner.opened.schema.names, owner.settled.names, strict=True))
    there = [names[code] for code in owned.links if code in names and names[code] not in owner.settled.fresh]
    return there if there and there[-1] == names.get(owned.links[-1]) else None
