"""What a selective condition over a large lazy table costs: requests sent, and rows moved for each row returned."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import polars as pl

import bx24frames as bx
from bx24frames.engine.pages import pages
from bx24frames.engine.records import Records
from bx24frames.sandbox import Sandbox

ALLOWED_RATIO = 1.2
WANTED = 1000


class Moved:
    """Counts the rows in the answers, before anything drops one."""

    def __init__(self) -> None:
        self.rows = 0
        # pages of rows, and the ids of the far end
        pages.page_in, pages.rows_in = self._counting(pages.page_in), self._counting(pages.rows_in)

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            rows = real(*given)
            self.rows += len(rows) if isinstance(rows, list | Records) else 0
            return rows

        return counted


def conditions(lazy: pl.LazyFrame) -> dict[str, pl.Expr]:
    """Conditions that about a thousand rows meet, of each kind that goes to the portal."""
    known = lazy.select("id", "opportunity", "createdTime", "companyId").collect()
    ids, amounts, times = (known[name].drop_nulls().sort(descending=True) for name in known.columns[:3])
    companies = known["companyId"].drop_nulls().value_counts(sort=True)
    few = companies["companyId"].head(max(1, WANTED // companies["count"][0])).to_list()
    return {
        "amount above a bound": pl.col("opportunity") > amounts[WANTED],
        "moment after a bound": pl.col("createdTime") > times[WANTED],
        "ids above a bound": pl.col("id") > ids[WANTED],
        "one of some companies": pl.col("companyId").is_in(few),
        "amount and stage": (pl.col("opportunity") > amounts[4 * WANTED]) & pl.col("stageId").is_in(["NEW", "WON"]),
    }


def main() -> int:
    """Print a line a condition; the answer is 1 if one of them costs more than is allowed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--deals", type=int, default=200_000)
    given = parser.parse_args()
    worst, most = 0.0, 0
    limits = bx.Limits(burst=100_000, per_second=100_000.0)
    with (
        Sandbox(sizes={"deal": given.deals}, plan="unlimited", real_time=False) as box,
        bx.Portal(box.url, limits=limits) as portal,
    ):
        lazy = bx.scan_entity("deal", portal)
        moved = Moved()
        for name, condition in conditions(lazy).items():
            box.stats.reset()
            moved.rows, began = 0, time.perf_counter()
            found = lazy.filter(condition).select("id", "title", "opportunity").collect()
            ratio = moved.rows / max(found.height, 1)
            worst, most = max(worst, ratio), max(most, box.stats.requests)
            print(
                f"{name:24} {found.height:6,} rows of {given.deals:,}; moved {moved.rows:6,} = {ratio:.2f} x; "
                f"{box.stats.requests} request(s); {time.perf_counter() - began:.2f} s"
            )
    print(f"worst: {worst:.2f} x the rows returned (allowed {ALLOWED_RATIO}), {most} request(s)")
    return int(worst > ALLOWED_RATIO or most > 1)


if __name__ == "__main__":
    raise SystemExit(main())
