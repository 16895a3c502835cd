"""What a `select` asks for, by the rules of each method family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.sandbox.shapes.shapes import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bx24frames.sandbox.store.store import Store
    from bx24frames.sandbox.store.tables import EntityType

MULTIFIELD_NAMES = ("phone", "email", "web", "im")


def classic_selection(store: Store, entity: EntityType, select: Sequence[str]) -> Selection:
    """A classic `select`: none means ``*`` and ``UF_*``; ID always; unknown names ignored; multifields by name only."""
    wanted = set(select) or {"*", "UF_*"}
    everything = "*" in wanted
    listed = [spec for spec in entity.fields if spec.has("classic") and spec.stored and spec.listed]
    system = [(s.code, s) for s in listed if everything or s.code in wanted or s.code == "ID"]
    user = [(u.code, u) for u in store.user_fields(entity.id) if "UF_*" in wanted or u.code in wanted]
    named = tuple(s.code for s in entity.fields if not s.stored and s.has("classic") and s.code in wanted)
    return Selection("classic", tuple(system), tuple(user), multifields=named)


def classic_whole(store: Store, entity: EntityType) -> Selection:
    """What a classic `get` prints: every field and every multifield."""
    chosen = classic_selection(store, entity, ())
    named = tuple(s.code for s in entity.fields if not s.stored and s.has("classic"))
    return Selection("classic", chosen.system, chosen.user, multifields=named)


def item_selection(store: Store, entity: EntityType, select: Sequence[str] | None, *, original: bool) -> Selection:
    """An item `select`: none or ``*`` is everything with `fm`; otherwise only the named keys."""
    names = store.user_field_names(entity.id, original=original)
    wanted = {"*"} if select is None else set(select)
    everything = "*" in wanted
    fields = [spec for spec in entity.fields if spec.has("item") and spec.stored]
    system = [(s.column, s) for s in fields if everything or s.column in wanted or s.upper_name in wanted]
    user = [
        (names[u.code], u)
        for u in store.user_fields(entity.id)
        if everything or "UF_*" in wanted or names[u.code] in wanted or u.code in wanted
    ]
    first = tuple(name for name in MULTIFIELD_NAMES if entity.multifields and name in wanted)
    return Selection(
        "item",
        tuple(system),
        tuple(user),
        contact_data=everything and entity.multifields,
        first_values=first,
        constants=(("entityTypeId", entity.id),) if everything else (),
    )
