"""Every method of the portal in a box, given whatever: it answers or refuses, and never breaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError

SMALL: Final = {"lead": 3, "deal": 5, "contact": 5, "company": 3, "quote": 2, "smart_invoice": 2, "128": 2, "1036": 2}
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 5, 2.5, 10**18, "5", "x", "", "²", "2024-01-01", [], {}, [1], ["a"], [None], [[]]),
    *({"a": 1}, {"ID": 5}, {"id": 5}, {">ID": [1]}, {"id": [[1]]}, {"ID": {}}, {"ID": None}, {"0": {"logic": "OR"}}),
    *({"0": [{"id": 1}]}, [["id", "=", 5]], [["id", "in", [5, "x"]]], [{"logic": "or", "conditions": [[]]}], {"": ""}),
    *({"limit": 2, "afterCursor": {}}, {"limit": "x"}, [{"a": []}], {"n0": {"VALUE": 1}}, {"PHONE": "5"}),
    *({"TITLE": ["x"]}, {"LIST": [1]}),
)
NAMES: Final = (
    *(
        "id",
        "ID",
        "filter",
        "FILTER",
        "order",
        "ORDER",
        "select",
        "SELECT",
        "fields",
        "FIELDS",
        "entityTypeId",
        "items",
    ),
    *(
        "rows",
        "data",
        "taskId",
        "moduleId",
        "field",
        "values",
        "type",
        "sort",
        "IBLOCK_ID",
        "ELEMENT_ID",
        "FIND",
        "NAME",
    ),
    *("ELEMENT_CODE", "ELEMENT_ORDER", "ownerType", "ownerId", "productRows", "entityId", "pagination"),
    "useOriginalUfNames",
)
GOOD: Final[dict[str, Any]] = {
    "entityTypeId": 2, "id": 1, "ID": 1, "taskId": 5, "moduleId": "crm", "IBLOCK_TYPE_ID": "lists", "IBLOCK_ID": 31,
    "ownerType": "D", "ownerId": 1, "fields": {"TITLE": "x", "title": "x", "NAME": "x"},
}  # fmt: skip


load_methods()


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    opened = PortalStore.open(None, seed=5, sizes=SMALL)
    yield opened
    opened.close()


@pytest.mark.parametrize("family", sorted({name.rpartition(".")[0] or name for name in METHODS}))
def test_no_handler_breaks(store: PortalStore, family: str) -> None:
    """Odd parameters and a few good ones among them; a refusal is the portal's own."""
    dice = random.Random(family)
    names = [name for name in METHODS if (name.rpartition(".")[0] or name) == family]
    for name in names * 20:
        params = {key: dice.choice(ODD) for key in dice.sample(NAMES, dice.randint(0, 6))}
        params |= {key: value for key, value in GOOD.items() if key not in params and dice.random() < 0.6}
        context = Context(store=store, user_id=1, now=1.79e9, start=dice.choice((None, -1, 0, 7)))
        with suppress(MethodError):
            METHODS[name].handler(params, context)
