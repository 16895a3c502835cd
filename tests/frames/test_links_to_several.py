"""Conditions on links to several rows: reads and counts include each row once."""

from __future__ import annotations

from typing import Any

import pytest
from unlimited import FAST

import bx24frames as bx


@pytest.mark.parametrize("quirks", ["observed", "documented", {"item_links_without_prefix": False}])
def test_links_to_several_rows_in_any_form(quirks: Any) -> None:
    with (
        bx.Sandbox(plan="unlimited", real_time=False, quirks=quirks, sizes={"deal": 200}) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as portal,
    ):
        every = bx.read_entity("deal", portal, columns=["id", "contactIds", "observers"], backend="pyarrow").to_pylist()
        some = sorted({one for row in every for one in row["contactIds"]})[:40]
        chosen = set(some)
        wishes: list[tuple[Any, list[int]]] = [
            ({"contactIds": some}, [row["id"] for row in every if chosen & set(row["contactIds"])]),
            ({"=contactIds": some[0]}, [row["id"] for row in every if some[0] in row["contactIds"]]),
            (("contactIds", "not in", some), [row["id"] for row in every if not chosen & set(row["contactIds"])]),
            (("contactIds", "is null"), [row["id"] for row in every if not row["contactIds"]]),
            (("observers", "not null"), [row["id"] for row in every if row["observers"]]),
            (
                [[("contactIds", "in", some)], [("observers", "=", 1)]],
                [row["id"] for row in every if chosen & set(row["contactIds"]) or 1 in row["observers"]],
            ),
        ]
        for filters, wanted in wishes:
            found = bx.read_entity("deal", portal, columns=["id"], filters=filters, backend="pyarrow")
            assert found.column("id").to_pylist() == wanted, filters
            assert bx.count_entity("deal", portal, filters=filters) == len(wanted), filters
