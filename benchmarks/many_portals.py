"""Portals in a process of their own: sandboxes over a few files of rows, told over a pipe what to count."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.limits import Plan

OTHERS = {"lead": 0, "contact": 20, "company": 20}


def main() -> None:
    """Serve until the pipe closes: a line in, a JSON object out with what all portals counted together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("sizes", help="numbers of deals, a portal each: 500,1000")
    parser.add_argument("--bucket", help="burst and requests a second, 5,2: the limits are kept in real time")
    parser.add_argument("--tls", action="store_true")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    plan: Plan | str = "unlimited"
    if given.bucket:
        burst, per_second = given.bucket.split(",")
        plan = Plan(burst=int(burst), per_second=float(per_second))
    with ExitStack() as stack:
        boxes = [
            stack.enter_context(
                Sandbox(
                    given.folder / f"{size}.sqlite",
                    sizes={"deal": size, **OTHERS},
                    plan=plan,
                    real_time=bool(given.bucket),
                    tls=given.tls,
                )
            )
            for size in sizes
        ]
        print(json.dumps([box.url for box in boxes]), flush=True)
        for _ in sys.stdin:
            stats = [box.stats for box in boxes]
            figures = {"requests": sum(one.requests for one in stats), "refused": sum(one.refused for one in stats)}
            print(json.dumps({**figures, "broken": sum(len(one.broken) for one in stats)}), flush=True)


if __name__ == "__main__":
    main()
