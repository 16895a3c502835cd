"""The parameter `select` by the rules of each family of methods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.sandbox.fields.names import converted_back
from bx24frames.sandbox.shapes.cells import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bx24frames.sandbox.store.base import Store
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


_UNPRINTED = frozenset({"opportunityAccount", "accountCurrencyId"})


def item_selection(
    store: Store, entity: EntityType, select: Sequence[str] | None, *, original: bool, converting: bool = False
) -> Selection:
    """An item `select`: none or ``*`` is everything with `fm`; otherwise only the named keys, unknown ones left out.

    A user field goes by its code with `original`, by its camelCase name without; `converting`: by the name that
    converts back to its code.
    """
    names = store.user_field_names(entity.id, original=original)
    wanted = {"*"} if select is None else set(select)
    everything = "*" in wanted
    found = {converted_back(name) for name in wanted} if converting else wanted
    fields = [spec for spec in entity.fields if spec.has("item") and spec.stored]
    system = [(s.column, s) for s in fields if everything or s.column in wanted or s.upper_name in wanted]
    user = [
        (names[u.code], u)
        for u in store.user_fields(entity.id)
        if everything or "UF_*" in wanted or (u.code in found if converting else names[u.code] in wanted)
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


def listed_selection(
    store: Store, entity: EntityType, select: Sequence[str] | None, *, original: bool, quirks: frozenset[str]
) -> Selection:
    """An item `select` as ``crm.item.list`` carries it out, with the quirks of the portal."""
    converting = "names_converted_back" in quirks and not original
    chosen = item_selection(store, entity, select, original=original, converting=converting)
    named = select is not None and "*" not in select
    if named and original and "select_loses_system_fields" in quirks:
        return Selection("item", (), chosen.user)
    if "unprinted_fields" in quirks:
        chosen = replace(chosen, system=tuple(pair for pair in chosen.system if pair[0] not in _UNPRINTED))
    if named and entity.type_id and "select_skips_user_fields" in quirks:
        chosen = replace(chosen, user=chosen.user[::2])
    return chosen
