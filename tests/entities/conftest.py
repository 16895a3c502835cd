"""Two tables, one of each family, with their fields parsed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bx24frames.entities.columns import Names
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Entity, Field

from .descriptions import CLASSIC, ITEM


@dataclass(frozen=True)
class Table:
    entity: Entity
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        return Names(self.fields).lookup(name)

    def columns(self, *names: str) -> dict[str, Field]:
        return {name: self[name] for name in names}


@pytest.fixture(scope="session")
def deal() -> Table:
    entity = resolve("deal")
    return Table(entity, parse_fields(entity, {"fields": ITEM}))


@pytest.fixture(scope="session")
def lead() -> Table:
    entity = resolve("crm.lead")
    return Table(entity, parse_fields(entity, CLASSIC))
