"""Descriptions and dictionaries of many entities, requested anew in one request and remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, MAX_COMMANDS, Call, Success
from bx24frames.engine.pages.cursor import Cursor
from bx24frames.entities.arguments import described_alone
from bx24frames.entities.catalog.catalog import CATALOG
from bx24frames.errors import BX24Error
from bx24frames.portal.dictionaries import recall_dictionary
from bx24frames.portal.metadata import table_of

if TYPE_CHECKING:
    from bx24frames.engine.messages import Answer
    from bx24frames.entities.schema import Entity
    from bx24frames.portal.connection import Connection

_STATUS: Final = "crm.status.list"
CATEGORY: Final = "crm.category.list"
_USERS: Final = "user.get"


@dataclass(frozen=True, slots=True)
class Told:
    """The result of one request: refusals by entity, names of refused dictionaries, answers to further calls."""

    faults: Mapping[str, BX24Error]
    refused: frozenset[str]
    answers: Sequence[Answer]


async def describe_together(
    connection: Connection,
    entities: Sequence[Entity],
    categories: Iterable[int],
    more: Sequence[Call],
    *,
    people: bool = False,
) -> Told:
    """Describe entities anew, with the dictionaries of their stages and pipelines, and make further calls.

    Parameters
    ----------
    connection : Connection
        Its metadata are renewed.
    entities : sequence of Entity
    categories : iterable of int
        Entity types whose pipelines are wanted; none: no dictionaries at all.
    more : sequence of Call
    people : bool
        Whether the names of users are wanted, which are remembered if they fit on one page.
    """
    described = [one for one in entities if one.fields.method is not None]
    calls = description_calls(described)
    numbers = list(categories)
    named: list[tuple[str, Call]] = [(_STATUS, Call(_STATUS, {}))] if numbers else []
    named += [(f"{CATEGORY}:{number}", Call(CATEGORY, {"entityTypeId": number})) for number in numbers]
    if people:
        named.append((_USERS, Cursor(CATALOG["user"].listing, up=True).offset(0)))
    answers = await connection.answers([*calls, *(call for _, call in named), *more], first=MAX_COMMANDS, mixed=True)
    faults: dict[str, BX24Error] = {}
    for entity in described:
        try:
            described_alone(entity)
            await _remember(connection, entity, answers[calls.index(_description(entity))])
        except BX24Error as fault:
            faults[entity.name] = fault
    refused = set()
    for (name, _), answer in zip(named, answers[len(calls) :], strict=False):
        if not isinstance(answer, Success):
            refused.add(name)
        elif (
            name != _USERS and answer.next is not None
        ):  # it goes on behind this page, and is read whole when it is wanted
            connection.metadata.forget(name)
        elif name != _USERS or (isinstance(answer.value, list) and len(answer.value) == answer.total):
            await recall_dictionary(connection, name, answer.value, keep=name != _USERS)
    return Told(faults, frozenset(refused), answers[len(calls) + len(named) :])


def description_calls(entities: Iterable[Entity]) -> list[Call]:
    """The calls that describe entities, each once: the product rows of deals and of leads have one description."""
    found: list[Call] = []
    for entity in entities:
        if entity.fields.method is not None and (call := _description(entity)) not in found:
            found.append(call)
    return found


def _description(entity: Entity) -> Call:
    return Call(str(entity.fields.method), entity.fields.params)


async def _remember(connection: Connection, entity: Entity, answer: Answer) -> None:
    if not isinstance(answer, Success):
        raise error_of(answer, str(entity.fields.method))
    found: JSON = answer.value
    await table_of(connection, entity, given=found)
