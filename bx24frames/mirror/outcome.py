"""Outcome of a sync: one row per table, and how they are told as a table of Arrow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.display import first_of
from bx24frames.errors import SyncError

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.errors import BX24Error
    from bx24frames.mirror.state import Drift
    from bx24frames.reports import SyncReported

Status: TypeAlias = Literal["synced", "failed", "skipped"]
DRIFT: Final = ("kind", "column", "before", "after")


@dataclass(frozen=True, slots=True)
class TableOutcome:
    """What a sync did to one table; `skipped`: the credential cannot read the entity."""

    portal: str
    table: str
    entity: str
    status: Status
    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    mark: dt.datetime | None = None
    drift: tuple[Drift, ...] = ()
    fault: BX24Error | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """The outcomes of a sync, with the requests and seconds that it took, and listed portals that failed as a whole."""

    store: str
    outcomes: tuple[TableOutcome, ...]
    requests: int
    seconds: float
    failures: Mapping[str, BX24Error]

    @property
    def tables(self) -> pa.Table:
        """The outcomes, one row per table."""
        return table_outcomes(self.outcomes)


def merged_outcomes(outcomes: Sequence[TableOutcome]) -> tuple[TableOutcome, ...]:
    """One outcome per table: what several commits of a run did to it is added up."""
    found: dict[tuple[str, str], TableOutcome] = {}
    for one in outcomes:
        who = (one.portal, one.table)
        before = found.get(who)
        found[who] = (
            one
            if before is None
            else replace(
                one,
                read=before.read + one.read,
                inserted=before.inserted + one.inserted,
                updated=before.updated + one.updated,
                deleted=before.deleted + one.deleted,
                drift=before.drift + one.drift,
            )
        )
    return tuple(found.values())


def table_outcomes(outcomes: Sequence[TableOutcome]) -> pa.Table:
    """The outcomes, one row per table."""
    import pyarrow as pa

    drift = pa.list_(pa.struct([pa.field(name, pa.string()) for name in DRIFT]))
    texts = {name: [getattr(one, name) for one in outcomes] for name in ("portal", "table", "entity", "status")}
    numbers = {name: [getattr(one, name) for one in outcomes] for name in ("read", "inserted", "updated", "deleted")}
    return pa.table(
        {
            **{name: pa.array(values, pa.string()) for name, values in texts.items()},
            **{name: pa.array(values, pa.int64()) for name, values in numbers.items()},
            "mark": pa.array([one.mark for one in outcomes], pa.timestamp("us", tz="UTC")),
            "drift": pa.array([[asdict(found) for found in one.drift] for one in outcomes], drift),
            "message": pa.array([None if one.fault is None else str(one.fault) for one in outcomes], pa.string()),
        }
    )


def failed_tables(tables: pa.Table) -> dict[str, list[str]]:
    """The tables that were not brought up to date, each with the message of its error, by portal."""
    found: dict[str, list[str]] = {}
    names = ("portal", "table", "status", "message")
    for portal, table, status, message in zip(*(tables[name].to_pylist() for name in names), strict=True):
        if status == "failed":
            first = str(message).partition("\n")[0]
            found.setdefault(str(portal), []).append(f"{table}: {first}" if table else first)
    return found


def sync_error(report: SyncReported, failed: Sequence[str], guidance: str) -> SyncError:
    """The error for the tables of a report that failed.

    Parameters
    ----------
    report : SyncReported
    failed : sequence of str
        The tables with the messages of their errors.
    guidance : str
        What became of the other tables.
    """
    told, more = first_of(failed)
    return SyncError(
        f"{len(failed)} of {report.tables.num_rows} tables were not brought up to date: {told}{more}",
        report=report,
        guidance=guidance,
    )
