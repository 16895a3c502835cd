"""The ways of writing, each with rows of its own, and the portal's own table to compare them with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import pandas as pd

import bx24frames as bx

Row = tuple[str, float]
TAG: Final = count(1)


@dataclass(frozen=True)
class Way:
    """One way of writing. `calls`: the methods that do it. `rows`: enough for some requests of this way."""

    verb: str
    calls: str
    rows: int
    options: dict[str, Any]

    def frame(self, box: bx.Sandbox) -> pd.DataFrame:
        """Rows of this upload alone; those to change or delete are there already."""
        tag = next(TAG)
        frame = pd.DataFrame(
            {
                "title": [f"Matrix {tag} {at} &+%#[] ёж" for at in range(self.rows)],
                "opportunity": [at * 1.25 for at in range(self.rows)],
                "originId": [f"M{tag}_{at}" for at in range(self.rows)],
            }
        )
        there = {"insert": 0, "upsert": self.rows // 2}.get(self.verb, self.rows)
        old = frame[:there].assign(title=f"Matrix {tag} old", opportunity=0.5)
        ids = box.store.insert(2, old.to_dict("records"))
        return frame.assign(id=ids) if self.verb in ("update", "delete") else frame

    def write(self, frame: pd.DataFrame, portal: bx.Portal, **more: Any) -> bx.WriteReport:
        """Carry it out."""
        if self.verb == "delete":
            return bx.delete_entity(frame["id"], "deal", portal, **more)
        on = {"on": "originId"} if self.verb == "upsert" else {}
        return bx.write_entity(frame, "deal", portal, mode=self.verb, **on, **self.options, **more)  # type: ignore[arg-type]

    def done(self, frame: pd.DataFrame) -> list[str]:
        """What the report says of each row when all went well."""
        half = len(frame) // 2
        if self.verb == "upsert":
            return ["updated"] * half + ["inserted"] * (len(frame) - half)
        return [f"{self.verb}ed" if self.verb == "insert" else f"{self.verb}d"] * len(frame)


WAYS: Final = {
    "insert by import": Way("insert", "crm.item.batchImport", 65, {}),
    "insert by batch": Way("insert", "crm.item.add", 24, {"automation": True}),
    "insert singly": Way("insert", "crm.item.add", 4, {"automation": True, "rows_per_request": 1}),
    "update by batch": Way("update", "crm.item.update", 24, {}),
    "update singly": Way("update", "crm.item.update", 4, {"rows_per_request": 1}),
    "upsert by import": Way("upsert", "crm.item.[bu]*", 80, {}),
    "upsert by batch": Way("upsert", "crm.item.[au]*", 40, {"automation": True}),
    "upsert singly": Way("upsert", "crm.item.[au]*", 4, {"automation": True, "rows_per_request": 1}),
    "delete": Way("delete", "crm.item.delete", 24, {}),
    "delete one": Way("delete", "crm.item.delete", 1, {}),
}


def there(box: bx.Sandbox, frame: pd.DataFrame) -> dict[int, Row]:
    """What the portal's own table has of an upload."""
    tag = frame["originId"].iloc[0].split("_")[0]
    rows = box.store.query("SELECT id, title, opportunity FROM deal WHERE originId LIKE ? ESCAPE '~'", (f"{tag}~_%",))
    return {row_id: (title, float(opportunity)) for row_id, title, opportunity in rows}


def is_as_told(way: Way, frame: pd.DataFrame, report: bx.WriteReport, box: bx.Sandbox) -> None:
    """Byte for byte: each row is in the portal's table under the id that the report names, and nothing else is."""
    found = there(box, frame)
    told = report.frame()
    assert told["action"].tolist() == way.done(frame)
    if way.verb == "delete":
        assert not found
    else:
        rows = zip(frame["title"], frame["opportunity"], strict=True)
        assert found == dict(zip(told["id"].astype(int), rows, strict=True))
