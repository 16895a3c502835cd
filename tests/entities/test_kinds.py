"""The table of kinds: complete, and the only place that a new kind has to be entered."""

from __future__ import annotations

import ast
import enum
import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import bx24frames
from bx24frames.entities import types
from bx24frames.entities.decode import typed
from bx24frames.entities.operators import EQUALITY, ORDERING, Comparison, Op, exhaustive
from bx24frames.entities.schema import Family, Field
from bx24frames.entities.types import KIND, KINDS, Kind, kind, write_type
from bx24frames.entities.values import operand, written_value
from bx24frames.where import forms, narrow, rowtests
from bx24frames.where.rowtests import Test

FAMILY_TABLES = (forms._CELLS, narrow._REQUESTS, rowtests._JUDGES)


def test_a_table_that_lacks_a_member_is_refused() -> None:
    class Color(enum.Enum):
        RED = 1
        BLUE = 2

    with pytest.raises(LookupError, match="BLUE"):
        exhaustive(Color, {Color.RED: "red"})


def test_every_kind_has_a_row_and_every_comparison_is_known_where_rows_are_compared() -> None:
    assert set(KIND) == set(Kind)
    for table in FAMILY_TABLES:
        assert set(table) == set(Comparison)


def test_a_type_of_the_portal_belongs_to_one_kind() -> None:
    assert sum(len(spec.types) for spec in KIND.values()) == len(KINDS)


@pytest.mark.parametrize("own", list(Kind), ids=lambda own: own.name)
def test_a_row_agrees_with_itself(own: Kind) -> None:
    """What is compared has an order or equality, what has parts is not compared, and columns get the row's type."""
    spec = KIND[own]
    assert (spec.comparison is Comparison.NONE) == pa.types.is_struct(spec.arrow)
    if spec.comparison is not Comparison.NONE:
        assert spec.operators >= (EQUALITY if spec.comparison is Comparison.FLAG else ORDERING)
    assert typed(own, pa.nulls(2)).type == spec.arrow
    assert write_type(Field("x", spec.types[-1])) is not None


def tables_by_kind() -> list[str]:
    """The modules that hold a mapping keyed by several kinds."""
    root = Path(bx24frames.__file__).parent
    found = []
    for path in sorted(path for path in root.rglob("*.py") if "sandbox" not in path.parts):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text if text.count("Kind.") > 2 else "")):
            keys = node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Set) else []
            if sum(isinstance(key, ast.Attribute) and ast.unparse(key.value) == "Kind" for key in keys) > 2:
                found.append(str(path.relative_to(root)))
    return found


def test_no_other_table_lists_the_kinds() -> None:
    """A new kind would have to be entered there, too."""
    assert tables_by_kind() == ["entities/types.py"]


def test_a_new_kind_is_entered_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A percentage, read as a number and written with its sign: reading, writing, conditions and row tests follow."""

    class WithPercent(enum.Enum):
        PERCENT = "percent"

    percent: Any = WithPercent.PERCENT
    row = replace(
        KIND[Kind.FLOAT],
        types=("percent",),
        read=lambda value: float(str(value).rstrip("%")),
        from_text=lambda raw: pa.compute.replace_substring(raw, "%", "").cast(pa.float64()),
        write=lambda value: f"{value}%",
    )
    monkeypatch.setattr(types, "KIND", {**KIND, percent: row})
    monkeypatch.setattr(types, "KINDS", {**KINDS, "percent": percent})
    for module in (inspect.getmodule(function) for function in (typed, written_value, operand)):
        monkeypatch.setattr(module, "KIND", types.KIND)
    field = Field("share", "percent")
    assert kind(field) is percent
    assert typed(percent, pa.array(["5%", "7.5%"])).to_pylist() == [5.0, 7.5]
    assert written_value(field, Family.ITEM, 7.5) == "7.5%"
    assert operand(field, "7.5") == "7.5"
    assert Test(field, Op.GT, (6.0,), strict=True).holds(pa.array([5.0, 7.5])).to_pylist() == [False, True]
