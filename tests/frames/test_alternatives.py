"""OR conditions read one alternative at a time: each keeps only the rows that match it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from unlimited import FAST

import bx24frames as bx

SERVER = dt.timezone(dt.timedelta(hours=3))


@pytest.mark.parametrize("quirks", ["observed", "documented"])
def test_a_row_beside_the_moment_of_one_alternative_is_not_taken_for_a_row_of_another(quirks: Any) -> None:
    with (
        bx.Sandbox(plan="unlimited", real_time=False, quirks=quirks, sizes={"deal": 120}) as sandbox,
        bx.Portal(sandbox.url, limits=FAST) as portal,
    ):
        rows = list(sandbox.store.rows(2))
        made = {row["id"]: dt.datetime.fromisoformat(row["createdTime"]).replace(tzinfo=SERVER) for row in rows}
        bare = sorted(made[row["id"]] for row in rows if row["sourceId"] is None)
        assert bare
        since = bare[len(bare) // 2] + dt.timedelta(
            minutes=45
        )  # behind a row without a source, within any zone's shift
        wanted = [row["id"] for row in rows if row["sourceId"] not in (None, "", "WEB") or made[row["id"]] >= since]
        filters = [[("createdTime", ">=", since)], [("sourceId", "not in", ["WEB"])]]
        found = bx.read_entity("deal", portal, columns=["id"], filters=filters, backend="pyarrow")
        assert found.column("id").to_pylist() == wanted
        assert bx.count_entity("deal", portal, filters=filters) == len(wanted)
