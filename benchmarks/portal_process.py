"""A sandbox in a process of its own, told over a pipe what to count: the client's process then measures only itself."""

from __future__ import annotations

import argparse
import json
import sys
import time

from bx24frames.sandbox import Sandbox


def main() -> None:
    """Serve until the pipe closes: each line in is ``reset`` or ``stats``, each line out one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--deals", type=int, required=True)
    parser.add_argument("--plan", default="unlimited")
    parser.add_argument("--real-time", action="store_true")
    parser.add_argument("--tls", action="store_true")
    given = parser.parse_args()
    with Sandbox(
        given.path, sizes={"deal": given.deals}, plan=given.plan, real_time=given.real_time, tls=given.tls
    ) as sandbox:
        print(json.dumps({"url": sandbox.url, "certificate": sandbox.certificate}), flush=True)
        began = time.process_time()
        for line in sys.stdin:
            if line.strip() == "reset":
                sandbox.stats.reset()
                began = time.process_time()
            stats = sandbox.stats
            figures = {
                "requests": stats.requests,
                "refused": stats.refused,
                "calls": dict(stats.calls),
                "seconds": dict(stats.seconds),
                "peak_in_flight": stats.peak_in_flight,
                "cpu": time.process_time() - began,
            }
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
