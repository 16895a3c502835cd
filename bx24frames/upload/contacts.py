"""Rows whose key is a phone or an e-mail: the portal decides what is equal, and is refined, never overruled."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from bx24frames.entities.normal import contact
from bx24frames.portal.duplicates import ids_by_contact, in_parts

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.match import Id

Answers = Mapping[tuple[str, ...], set["Id"]]


async def ask_together(connection: Connection, table: Table, field: Field, values: Sequence[str]) -> Answers:
    """The ids that the portal names for phones or e-mails, some of these at a time."""
    return await ids_by_contact(connection, table, field, in_parts(list(dict.fromkeys(values))))


async def ask_singly(
    connection: Connection, table: Table, field: Field, answers: Answers, forms: Mapping[Id, set[Hashable]]
) -> dict[str, set[Id]]:
    """The ids of the values that no row holds in the form they have here, though the portal named rows for them.

    Parameters
    ----------
    answers : mapping
        What `ask_together` gave.
    forms : mapping of id to set
        The forms of the phones or e-mails that each of these rows has.
    """
    doubtful = [value for part, ids in answers.items() for value in unexplained(field, part, ids, forms)]
    singly: dict[tuple[str, ...], set[Id]] = {part: ids for part, ids in answers.items() if len(part) == 1}
    unasked = [(value,) for value in doubtful if (value,) not in singly]
    asked = await ids_by_contact(connection, table, field, unasked) if unasked else {}
    every: dict[tuple[str, ...], set[Id]] = {**singly, **asked}
    return {value: every.get((value,), set()) for value in doubtful}


def unexplained(field: Field, part: Sequence[str], ids: set[Id], forms: Mapping[Id, set[Hashable]]) -> list[str]:
    """The values of a part that no row has, where the portal named a row that has none of the others either."""
    mine = {value: contact(field, value) for value in part}
    read = {row_id: forms[row_id] for row_id in ids if row_id in forms}
    strangers = [row_id for row_id in ids if not (row_id in read and read[row_id] & set(mine.values()))]
    held = {form for found in read.values() for form in found}
    return [value for value, form in mine.items() if form not in held] if strangers else []
