"""Comparison of sent values with stored ones: echoes, read-backs, `only_changed`, reconciliation of lost answers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from bx24frames.entities.schema import Field
from bx24frames.entities.stored_forms import nothing
from bx24frames.entities.types import DISK_FILES, KIND, Kind, is_list, kind

_BOUND: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9]*)_)?(\d+)")


def keeps(field: Field, sent: object, kept: object) -> bool:
    """Whether the stored value `kept` is what was sent.

    Parameters
    ----------
    field : Field
    sent, kept : object
        Decoded cells. Phones and e-mails match if every one sent is there; other lists must be equal. None, empty text
        and an empty list were sent to clear the field; a 0 may be returned as null (rest module:
        lib/integration/view/base.php).
    """
    if nothing(sent):
        return nothing(kept)
    if kind(field) is Kind.FILE or field.type in DISK_FILES:
        return not nothing(kept) or _takes_away(sent)
    wanted, held = _parts(field, sent), _parts(field, kept)
    if kind(field) is Kind.MULTIFIELD:
        return set(wanted) <= set(held)
    if field.type == "crm":
        return len(set(wanted)) == len(set(held)) and all(any(_binds_alike(a, b) for b in held) for a in wanted)
    return set(wanted) == set(held)


def _parts(field: Field, cell: object) -> list[Hashable]:
    parts: Sequence[object] = cell if isinstance(cell, list | tuple) else [cell]
    form = KIND[kind(field)].stored
    if kind(field) is Kind.BOOL and not is_list(field):
        return [bool(part) for part in parts]
    if kind(field) is Kind.MULTIFIELD:  # an entry with an empty value removes one
        parts = [part for part in parts if not isinstance(part, Mapping) or part.get("value")]
    found = [form(field, part) for part in parts if part is not None and part != ""]
    return [part for part in found if part is not None]


def _binds_alike(one: Hashable, other: Hashable) -> bool:
    """``CO_5`` and ``5`` are the same link if a field links to one entity only."""
    first, second = _BOUND.fullmatch(str(one)), _BOUND.fullmatch(str(other))
    if first is None or second is None:
        return one == other
    return first[2] == second[2] and (first[1] == second[1] or None in (first[1], second[1]))


def _takes_away(sent: object) -> bool:
    files = sent if isinstance(sent, list | tuple) else [sent]
    return all(isinstance(file, Mapping) and file.get("remove") for file in files)
