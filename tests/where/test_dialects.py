"""Dialects: one table decides everything that depends on a list method's conditions."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import bx24frames
from bx24frames.engine.messages import Call, IdBounds
from bx24frames.entities.names import resolve
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Entity, Field
from bx24frames.errors import FilterError
from bx24frames.where import dialects
from bx24frames.where.dialects import DIALECTS, Dialect
from bx24frames.where.parse import parse_filters

FIELDS = (Field("ID", "integer"), Field("NAME", "string"), Field("SUM", "double"))


def own(speaking: Dialect, monkeypatch: pytest.MonkeyPatch) -> Entity:
    """An entity whose list method has a dialect of a test."""
    monkeypatch.setattr(dialects, "DIALECTS", {**DIALECTS, "vendor.thing.list": speaking})
    entity = resolve("requisite")
    return replace(entity, listing=replace(entity.listing, call=Call("vendor.thing.list", {})))


def test_a_new_dialect_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    entity = own(Dialect({Op.EQ: "eq:", Op.GE: "from:", Op.IN: "any:"}, "a test"), monkeypatch)
    where = parse_filters(entity, FIELDS, {"NAME": "x", ">=SUM": 5, "<ID": 9})
    assert dict(where.params) == {"eq:NAME": "x", "from:SUM": 5}
    assert where.bounds == IdBounds(None, 8)
    with pytest.raises(FilterError, match="does not support this condition"):
        parse_filters(entity, FIELDS, {"<SUM": 5})


@pytest.mark.parametrize("groups", [True, False])
def test_alternatives_are_a_group_where_the_row_says_so(monkeypatch: pytest.MonkeyPatch, *, groups: bool) -> None:
    entity = own(Dialect({Op.EQ: "="}, "a test", groups=groups), monkeypatch)
    where = parse_filters(entity, FIELDS, [[("NAME", "=", "x")], [("SUM", "=", 1)]])
    assert bool(where.branches) is not groups
    if groups:
        assert where.params == {"0": {"logic": "OR", "0": {"=NAME": "x"}, "1": {"=SUM": 1}}}


def test_nothing_outside_the_table_asks_which_dialect_a_method_has() -> None:
    """A new dialect would have to be entered there, too."""
    names = {name for name, value in vars(dialects).items() if isinstance(value, Dialect)}
    root = Path(bx24frames.__file__).parent
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if dialects.__name__ in text:
            imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            taken = [alias.name for node in imports if node.module == dialects.__name__ for alias in node.names]
            assert not names.intersection(taken), path
