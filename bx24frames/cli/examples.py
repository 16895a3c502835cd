"""Example command lines, shown at the end of each command's help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["EXAMPLES", "epilog"]

EXAMPLES: Final[Mapping[str, Sequence[str]]] = {
    "connect": ["connect --name acme"],
    "profiles": ["profiles"],
    "portals": ["portals", "portals clients"],
    "doctor": ["doctor", "doctor --profile acme"],
    "read": [
        "read deal --out deals.xlsx --labels --titles",
        "read deal --out deals.csv --for excel",
        'read deal -o won.csv -f stageId=WON -f "createdTime>=2025-01-01"',
        "read contact --format jsonl -c id,lastName,phone --limit 10",
        "read deal --out deals.parquet --resume",
        "read deal --out deals.parquet --portal group:acme",
    ],
    "scan": ['scan deal "SELECT stageId, count(*) FROM deal GROUP BY stageId"'],
    "count": ["count deal -f stageId=NEW -f stageId=WON", 'count deal -f "companyId is null"'],
    "plan": ["plan deal"],
    "describe": ["describe deal", "describe deal --out fields.csv"],
    "schema": ["schema contact"],
    "entities": ["entities"],
    "write": [
        "write deal deals.xlsx --mode insert --dry-run",
        'write deal deals.csv --mode insert --map "Сумма=opportunity"',
        "write deal deals.csv --mode insert --report failed.xlsx",
        "write deal deals.csv --mode update --only-changed",
        "write deal shop.csv --mode upsert --on originatorId,originId",
    ],
    "delete": ["delete deal 15 16", "delete deal --from report.csv --dry-run"],
    "sync": ["sync --store crm.duckdb", "sync deal contact stage_history:2 --history stageId"],
    "call": ["call user.current", """call user.get '{"ID": 1}'""", "call crm.deal.get - < ids.jsonl"],
    "batch": ["""batch '{"a": "user.get", "b": "user.get?ID=$result[a][0][ID]"}'"""],
    "get-all": ["get-all user.get", """get-all crm.deal.list '{"filter": {"STAGE_ID": "NEW"}}'"""],
    "get-by-id": ["get-by-id user.get 1 2 3"],
    "list-and-get": ["list-and-get crm.lead"],
    "sandbox": ["sandbox --port 8024 --size deal=10000"],
}


def epilog(command: str) -> str:
    """Return the examples of a command, marked so that click does not rewrap them."""
    lines = (f"  bx24frames {line}" for line in EXAMPLES[command])
    # https://click.palletsprojects.com/en/stable/documentation/#escaping-click-s-wrapping
    return "\n".join(("\b", "Examples:", *lines))
