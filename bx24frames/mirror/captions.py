"""Captions of a mirrored table: which dictionary each coded column has, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bx24frames.entities.captions import UNASKED, Origin, lookup_of
from bx24frames.entities.captions import people as labels_of
from bx24frames.entities.types import is_list
from bx24frames.errors import PortalError
from bx24frames.mirror.tables import entity_type_of
from bx24frames.portal.dictionaries import dictionary, recall_name

if TYPE_CHECKING:
    from bx24frames.entities.captions import Lookup
    from bx24frames.entities.schema import Field
    from bx24frames.mirror.job import Job
    from bx24frames.portal.connection import Connection

USERS: Final = "user"
"""The table of users."""
_PERSON: Final = ["ID", "NAME", "LAST_NAME", "EMAIL"]


async def caption(
    connection: Connection, job: Job, fields: dict[str, Field], refused: frozenset[str], *, people: bool
) -> None:
    """Find the captions of a table's columns; dictionaries that the credential may not see stay as the store has them.

    A coded column has its dictionary whether that can be read or not, so that its type in ``TABLE_labels`` is text
    before and after rights change.

    Parameters
    ----------
    connection : Connection
    job : Job
    fields : dict of str to Field
        The fields by the names of their columns in the store.
    refused : frozenset of str
        Dictionaries that the portal has just refused.
    people : bool
        Whether the names of users come from the table of users instead.
    """
    labels: dict[str, str] = {}
    dictionaries: dict[str, dict[str, str]] = {}
    for name, field in fields.items():
        lookup = lookup_of(field, entity_type_of(job.table))
        if lookup is None or lookup.origin not in UNASKED or is_list(field):
            continue
        key = labels[name] = _name(job.table.name, field, lookup)
        from_rows = people and lookup.origin is Origin.USERS
        if key in dictionaries or from_rows or recall_name(lookup) in refused:
            continue
        try:
            found = await dictionary(connection, field, lookup)
        except PortalError:
            continue
        dictionaries[key] = dict(found.titles)
    job.labels, job.dictionaries = labels, dictionaries


def caption_people(job: Job) -> None:
    """Take the names of users from the rows of their table."""
    rows = [row for batch in job.incoming() for row in batch.select(_PERSON).to_pylist()]
    job.dictionaries = {**job.dictionaries, Origin.USERS.value: dict(labels_of(rows).titles)}


def _name(table: str, field: Field, lookup: Lookup) -> str:
    """The name of a dictionary in the store: one for all users, one for the stages of an entity."""
    if lookup.origin is Origin.CHOICES:
        return f"{table}.{field.code}"
    if lookup.origin is Origin.PIPELINES:
        return f"pipelines:{lookup.entity_type_id}"
    return ":".join(part for part in (lookup.origin.value, lookup.name, lookup.key) if part)
