"""Removal of rows: the recycle bin, and what becomes of links to them.

Links to a deleted row are emptied, and links to a merged one are moved, by SQL that leaves the modified time of the
linking rows alone (crm module: CCrmDeal::ProcessContactDeletion, ::ProcessCompanyDeletion, ::Rebind and their like).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.store.tables import ENTITY_TYPES

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType

_LINKS: Final[Mapping[int, tuple[str, str]]] = {
    1: ("leadId", ""),
    2: ("dealId", ""),
    3: ("contactId", "contactIds"),
    4: ("companyId", "companyIds"),
}
"""Columns that link to a type: the first or only row, and the list of all."""
_LINKING: Final = tuple(ENTITY_TYPES[number] for number in (1, 2, 3, 4, 7))
_BIN: Final = (
    "CREATE TABLE IF NOT EXISTS recycle_bin (id INTEGER PRIMARY KEY AUTOINCREMENT, entityTypeId INTEGER, "
    "elementId INTEGER, content TEXT)"
)
_OWNED: Final = "FROM product_row WHERE ownerType = ? AND ownerId = ? ORDER BY id"


def remove(store: Store, entity: EntityType, ids: Iterable[int]) -> int:
    """Move rows to the recycle bin and empty the links to them; returns how many there were."""
    store.database.change(_BIN)
    gone = [row_id for row_id in ids if _throw(store, entity, row_id)]
    store.delete(entity.id, gone)
    rebind(store, entity.id, dict.fromkeys(gone))
    return len(gone)


def _throw(store: Store, entity: EntityType, row_id: int) -> bool:
    row = store.row(entity.name, row_id)
    if row is None:
        return False
    products = [
        store.row("product_row", number) for (number,) in store.query(f"SELECT id {_OWNED}", (entity.short, row_id))
    ]
    content = {"row": row, "fm": store.multifields(entity.id, [row_id]).get(row_id, []), "products": products}
    values = {"entityTypeId": entity.id, "elementId": row_id, "content": orjson.dumps(content).decode()}
    store.insert_row("recycle_bin", values)
    return True


def restore(store: Store, entity: EntityType, row_id: int) -> int:
    """Take a row out of the recycle bin: a new id, and the old times of its creation, change and moves
    (crm module: lib/integration/recyclebin). Links to it and its stage history do not come back.

    Raises
    ------
    KeyError
        The bin does not have it.
    """
    store.database.change(_BIN)
    condition = "FROM recycle_bin WHERE entityTypeId = ? AND elementId = ?"
    found = store.query(f"SELECT content {condition} ORDER BY id DESC LIMIT 1", (entity.id, row_id))
    if not found:
        raise KeyError(f"{entity.name} {row_id} is not in the recycle bin")
    store.database.change(f"DELETE {condition}", (entity.id, row_id))
    content = orjson.loads(found[0][0])
    new_id = store.insert_row(entity.name, {name: cell for name, cell in content["row"].items() if name != "id"})
    for entry in content["fm"]:
        values = {"typeId": entry["TYPE_ID"], "valueType": entry["VALUE_TYPE"], "value": entry["VALUE"]}
        store.insert_row("multifield", {"entityTypeId": entity.id, "elementId": new_id, **values})
    for product in content["products"]:
        kept = {name: cell for name, cell in product.items() if name != "id"}
        store.insert_row("product_row", kept | {"ownerId": new_id})
    return new_id


def rebind(store: Store, type_id: int, targets: Mapping[int, int | None]) -> int:
    """Replace links to rows of a type, or empty them, without a change of the modified time; returns how many rows."""
    if type_id not in _LINKS or not targets:
        return 0
    one, many = _LINKS[type_id]
    return sum(_rebind_table(store, entity, one, many, targets) for entity in _LINKING)


def _rebind_table(store: Store, entity: EntityType, one: str, many: str, targets: Mapping[int, int | None]) -> int:
    columns = set(entity.table.columns)
    if one not in columns:
        return 0
    ids = ", ".join(map(str, targets))
    where = f'"{one}" IN ({ids})'
    several = many in columns
    if several:
        listed_in = f'json_each(t."{many}") j WHERE j.value IN ({ids})'
        where += f" OR EXISTS (SELECT 1 FROM {listed_in})"  # noqa: S608
    read = f'"{one}", "{many}"' if several else f'"{one}", NULL'
    found = store.query(f'SELECT id, {read} FROM "{entity.name}" t WHERE {where}')  # noqa: S608
    for row_id, first, listed in found:
        store.update_row(entity.name, row_id, _rebound(one, many, first, listed, targets))
    return len(found)


def _rebound(one: str, many: str, first: Any, listed: str | None, targets: Mapping[int, int | None]) -> dict[str, Any]:
    if listed is None:
        return {one: targets.get(first, first)}
    ids: Sequence[int | None] = [targets.get(number, number) for number in orjson.loads(listed)]
    left = [number for number in dict.fromkeys(ids) if number is not None]
    return {one: left[0] if left else None, many: orjson.dumps(left).decode() if left else None}
