"""Outcome of a sync: one row per table, as Arrow, and the error for the tables that failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
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
            "message": pa.array([None if one.fault is None else one.fault.in_english for one in outcomes], pa.string()),
        }
    )


def failed_tables(tables: pa.Table) -> dict[str, list[str]]:
    """The tables that were not brought up to date, each with the message of its error, by portal."""
    return {portal: [told for told, _ in some] for portal, some in _faults(tables).items()}


def sync_error(report: SyncReported, portals: Iterable[str], guidance: str) -> SyncError:
    """The error for the tables of a report that failed.

    Parameters
    ----------
    report : SyncReported
    portals : iterable of str
        The portals whose tables are meant, each with one that failed.
    guidance : str
        What became of the other tables. What to do about the errors stands before it if it is the same for all.
    """
    faults = _faults(report.tables)
    failed = [one for portal in portals for one in faults[portal]]
    advice = {advice for _, advice in failed}
    told, more = first_of([told for told, _ in failed])
    return SyncError(
        f"{len(failed)} of {report.tables.num_rows} tables were not brought up to date: {told}{more}",
        report=report,
        guidance="\n".join(filter(None, [*(advice if len(advice) == 1 else ()), guidance])),
    )


def _faults(tables: pa.Table) -> dict[str, list[tuple[str, str]]]:
    """The message and the guidance of each table that failed, by portal."""
    found: dict[str, list[tuple[str, str]]] = {}
    names = ("portal", "table", "status", "message")
    for portal, table, status, message in zip(*(tables[name].to_pylist() for name in names), strict=True):
        if status == "failed":
            first, _, advice = str(message).partition("\n")
            found.setdefault(str(portal), []).append((f"{table}: {first}" if table else first, advice))
    return found
