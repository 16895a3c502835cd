"""Shows that other connectors read and write the sandbox, and that their results are those of bx24frames."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from run import OUT, interpreter

import bx24frames as bx
from bx24frames.sandbox import Sandbox

COLUMNS = {"ID": int, "TITLE": str, "OPPORTUNITY": float, "STAGE_ID": str, "DATE_CREATE": str}


def seen_by(peer: str, url: str, certificate: str) -> dict[str, Any]:
    """What the peer read and wrote."""
    OUT.mkdir(exist_ok=True)
    bundle = OUT / "peers.pem"
    bundle.write_text(certificate)
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(bundle)}
    script = Path(__file__).with_name("peer_client.py")
    done = subprocess.run(
        [interpreter(peer), str(script), peer, url], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{peer}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def as_table(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """A peer's rows as ours are typed: ids and sums as numbers, moments as moments, in order of id."""
    listed = []
    for row in rows:
        moment = pa.scalar(row["DATE_CREATE"]).cast(pa.timestamp("us", "UTC")).as_py()
        listed.append((int(row["ID"]), row["TITLE"], float(row["OPPORTUNITY"] or 0), row["STAGE_ID"], moment))
    return sorted(listed, key=lambda one: one[0])


def ours(portal: bx.Portal) -> list[tuple[Any, ...]]:
    """The same rows through read_entity."""
    table = bx.read_entity("crm.deal", portal, columns=list(COLUMNS), backend="pyarrow", progress=False)
    return [
        (row["ID"], row["TITLE"], row["OPPORTUNITY"] or 0.0, row["STAGE_ID"], row["DATE_CREATE"])
        for row in table.to_pylist()
    ]


def main() -> int:
    """Each peer on a fresh portal."""
    faults = 0
    for peer in ("fast_bitrix24", "b24pysdk"):
        with Sandbox(sizes={"deal": 3000}, plan="unlimited", real_time=False, tls=True) as sandbox:
            with bx.Portal(sandbox.url, ssl=False) as portal:
                before = ours(portal)
                seen = seen_by(peer, sandbox.url, sandbox.certificate)
                after = {row[0]: row for row in ours(portal)}
            titles = {after[one][1] for one in seen["kept"]}
            checks = {
                "reads the same rows": as_table(seen["rows"]) == before,
                "adds": len(seen["kept"]) == 20 and all(title.startswith("From a peer") for title in titles),
                "updates": [after[one][1] for one in seen["changed"]] == [f"Changed {one}" for one in seen["changed"]],
                "deletes": not set(seen["deleted"]) & set(after),
                "leaves the rest": [after[row[0]] for row in before] == before,
                "is refused nothing": sandbox.stats.refused == 0 and not sandbox.stats.broken,
            }
        for check, holds in checks.items():
            print(f"{peer}: {check}: {'yes' if holds else 'NO'}")
            faults += not holds
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
