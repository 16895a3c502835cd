"""A storm against mirrors: portals that change in every way they can, syncs that end at any moment, and three keepers.

Each seed makes a portal and lets it change between runs as people, robots and the portal itself change it. Three
keepers run after each round: `sync_entities`, the recipe that the guide had before, and an incremental merge by
modified time. Some runs of `sync_entities` end in the middle, some of these by SIGKILL. At rest every cell of each copy
is compared with the portal, the product rows, contact links and comments of the deals included for `sync_entities`.
What changed without a new modified time is read again in turn, so our last runs come every quarter of an hour for as
long as the guide says that a round takes.

    python benchmarks/mirror_storm.py --seeds 200
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import math
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import bx24frames as bx
from bx24frames.errors import StoreError, SyncError
from bx24frames.mirror import reads, run, spool
from bx24frames.mirror.stores.duckdb_file import DuckDBStore
from bx24frames.sandbox import Fault, Sandbox
from bx24frames.sandbox.store.roles import Role
from bx24frames.testing import no_waiting

ENTITIES = ("company", "contact", "lead", "deal")
SIZES = {"deal": 70, "contact": 30, "company": 15, "lead": 20}
ROUNDS = 3
FAST = bx.Limits(burst=100_000, per_second=100_000.0)
FIELD = "UF_CRM_STORM"
LAG = dt.timedelta(minutes=5)
QUARTER = 900
OF_DEALS = {
    "deal_contact": ("deal_contact", ("DEAL_ID", "CONTACT_ID"), {}),
    "deal_product_row": ("product_row", ("id",), {"ownerType": "D"}),
    "deal_timeline_comment": ("timeline_comment", ("ID",), {"ENTITY_TYPE": "deal"}),
}
"""Tables of deals' own rows: the entity, its key and its further conditions."""
SIGKILLED = 0.4
"""Share of the ended runs that end by SIGKILL of a process of their own."""

Rows = dict[Any, dict[str, Any]]


class Killed(BaseException):
    """The end of a process, as far as a store and a spool can tell."""


@dataclass
class Clock:
    """The time of the portal."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Storm:
    """One portal under one seed."""

    seed: int
    box: Sandbox
    clock: Clock
    rng: random.Random
    caller: bx.Portal
    happened: Counter[str] = field(default_factory=Counter)
    fields: dict[str, str] = field(default_factory=dict)
    cut: str | None = None

    def some(self, entity: str, most: int = 3) -> list[int]:
        ids = [row["id"] for row in self.box.store.rows(NUMBERS[entity])]
        return self.rng.sample(ids, min(len(ids), self.rng.randint(1, most)))

    def any(self) -> str:
        return self.rng.choice(ENTITIES)

    def blow(self) -> None:
        """Let something happen, some seconds later."""
        self.clock.now += self.rng.choice((0, 1, 30, 600, 7200))
        name = self.rng.choice([*HAPPENINGS])
        HAPPENINGS[name](self)
        self.happened[name] += 1

    def settle(self) -> None:
        """Let what is on its way arrive, and give back the rights."""
        if self.cut:
            rights(self)
        self.clock.now += LAG.total_seconds()
        self.box.settle()


NUMBERS = {"lead": 1, "deal": 2, "contact": 3, "company": 4}
TEXTS = frozenset({"title"})
OLD = "2019-05-05T10:00:00+03:00"


def named(entity: str, text: str) -> dict[str, str]:
    """A row with a name: contacts have no title."""
    return {"name" if entity == "contact" else "title": text}


def add(storm: Storm) -> None:
    entity = storm.any()
    storm.box.admin.add(entity, named(entity, f"new {storm.rng.random()}"), count=storm.rng.randint(1, 4))


def add_late(storm: Storm) -> None:
    entity = storm.any()
    storm.box.admin.add(entity, named(entity, "late"), commit_after=storm.rng.choice((5, 60, 200)))


def flood(storm: Storm) -> None:
    storm.box.admin.add("deal", {"title": "one of many"}, count=120)


def update(storm: Storm) -> None:
    entity = storm.any()
    storm.box.admin.update(entity, storm.some(entity), named(entity, f"changed {storm.rng.random()}"))


def update_late(storm: Storm) -> None:
    entity = storm.any()
    values = named(entity, f"late change {storm.rng.random()}")
    storm.box.admin.update(entity, storm.some(entity), values, commit_after=storm.rng.choice((5, 60, 200)))


def delete(storm: Storm) -> None:
    entity = storm.any()
    storm.box.admin.delete(entity, storm.some(entity))


def restore(storm: Storm) -> None:
    entity = storm.any()
    gone = storm.some(entity, 2)
    storm.box.admin.delete(entity, gone)
    storm.clock.now += storm.rng.choice((0, 900))
    storm.box.admin.restore(entity, gone)


def imported(storm: Storm) -> None:
    entity = storm.any()
    values = {**named(entity, "from long ago"), "createdTime": OLD, "updatedTime": OLD}
    storm.box.admin.import_rows(entity, [values] * storm.rng.randint(1, 3))


def merge(storm: Storm) -> None:
    entity = storm.rng.choice(("contact", "company", "lead"))
    kept, *others = storm.some(entity, 3)
    if others:
        storm.box.admin.merge(entity, kept, others)


def drift(storm: Storm) -> None:
    admin, known = storm.box.admin, storm.fields
    entity = storm.any()
    if entity not in known:
        known[entity] = "string"
        admin.add_field(entity, FIELD, "string")
    elif storm.rng.random() < 0.4:
        del known[entity]
        admin.remove_field(entity, FIELD)
    elif storm.rng.random() < 0.5:
        known[entity] = "boolean" if known[entity] == "string" else "string"
        admin.retype_field(entity, FIELD, known[entity])
    else:
        admin.rename_field(entity, FIELD, f"Title {storm.rng.randint(1, 99)}")


def stage(storm: Storm) -> None:
    storm.box.admin.rename_stage("deal", "NEW", f"Stage {storm.rng.randint(1, 99)}")


def link(storm: Storm) -> None:
    contacts = storm.some("contact", 2)
    for deal in storm.some("deal", 2):
        items = [{"CONTACT_ID": one, "SORT": 10 * place} for place, one in enumerate(contacts, 1)]
        storm.caller.call("crm.deal.contact.items.set", {"id": deal, "items": items})


def products(storm: Storm) -> None:
    for deal in storm.some("deal", 2):
        rows = [{"productName": f"thing {storm.rng.random()}", "price": 5, "quantity": 2}] * storm.rng.randint(0, 2)
        storm.caller.call("crm.item.productrow.set", {"ownerType": "D", "ownerId": deal, "productRows": rows})


def comment(storm: Storm) -> None:
    for deal in storm.some("deal", 2):
        fields = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": f"said {storm.rng.random()}"}
        made = storm.caller.call("crm.timeline.comment.add", {"fields": fields})
        if storm.rng.random() < 0.5:
            said = {"COMMENT": f"put differently {storm.rng.random()}"}
            storm.caller.call("crm.timeline.comment.update", {"id": made, "fields": said})


def rights(storm: Storm) -> None:
    """Cut the rights of the credential's user to a table, or give them back."""
    storm.cut = None if storm.cut else storm.any()
    storm.box.admin.set_role(1, Role(tables={storm.cut: "own"}) if storm.cut else None)


HAPPENINGS: dict[str, Callable[[Storm], None]] = {
    "added": add,
    "added, committed late": add_late,
    "added, 120 in one second": flood,
    "changed": update,
    "changed, committed late": update_late,
    "deleted": delete,
    "restored from the bin": restore,
    "imported with old dates": imported,
    "duplicates merged": merge,
    "fields added, removed, retyped, renamed": drift,
    "stage renamed": stage,
    "contact links set directly": link,
    "product rows set": products,
    "comments added, changed": comment,
    "rights cut, or given back": rights,
}


@contextmanager
def ending(rng: random.Random) -> Iterator[None]:
    """End what runs inside at the n-th of the places at which a process can be killed."""
    left = rng.randint(1, 14)

    def maybe(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and not after:
                raise Killed
            done = real(*given, **named)
            if left == 0:
                raise Killed
            return done

        return step

    from unittest.mock import patch

    with (
        patch.object(DuckDBStore, "commit", maybe(DuckDBStore.commit, after=rng.random() < 0.5)),
        patch.object(spool.Rows, "flush", maybe(spool.Rows.flush, after=False)),
        patch.object(spool.Rows, "append", maybe(spool.Rows.append, after=True)),
        patch.object(run, "take_counts", maybe(run.take_counts, after=False)),
        patch.object(reads, "scan_of", maybe(reads.scan_of, after=False)),
    ):
        yield


@functools.cache
def forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["duckdb", "pyarrow.compute", "aiohttp", "pandas", "bx24frames.verbs.sync"])
    return context


def sync(portal: bx.Portal, path: Path) -> None:
    tables = (*ENTITIES, *OF_DEALS)
    bx.sync_entities(tables, portal, store=path, retyped="column", progress=False)


def sync_apart(url: str, path: Path, part_rows: int) -> None:
    """A sync in a process of its own."""
    spool.PART_ROWS = part_rows  # type: ignore[misc]
    with bx.Portal(url, limits=FAST, cache=False) as portal:
        sync(portal, path)


class Mirror:
    """`sync_entities` into a DuckDB file."""

    name = "bx24frames sync"

    def __init__(self, portal: bx.Portal, folder: Path) -> None:
        self.portal, self.path = portal, folder / "crm.duckdb"
        self.kills = self.sigkills = self.refused = 0

    def round(self, storm: Storm) -> None:
        if storm.rng.random() < 0.5:
            if storm.rng.random() < SIGKILLED:
                self.sigkill(storm)
            else:
                self.end(storm)
            storm.blow()
        self.sync(storm)

    def sync(self, storm: Storm) -> None:
        """Run once; an error is allowed while rights are cut."""
        try:
            sync(self.portal, self.path)
        except (StoreError, SyncError):
            self.refused += 1
            if not storm.cut:
                raise

    def end(self, storm: Storm) -> None:
        """End a run in this process, where a kill would be worst."""
        try:
            with ending(storm.rng):
                self.sync(storm)
        except Killed:
            self.kills += 1

    def sigkill(self, storm: Storm) -> None:
        """Kill the process of a run during one of its requests, or some time after."""
        slow = storm.box.faults.add(Fault("slow", nth=storm.rng.randint(1, 4), seconds=0.05))
        given = (storm.box.url, self.path, spool.PART_ROWS)
        process = forks().Process(target=sync_apart, args=given, daemon=True)
        process.start()
        while process.is_alive() and not slow.fired:
            time.sleep(0.001)
        process.join(storm.rng.uniform(0.0, 0.4))
        process.kill()
        process.join()
        self.sigkills += process.exitcode == -9
        storm.box.faults.clear()

    def rows(self, entity: str) -> Rows:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return by_id(connection.sql(f"FROM {entity}_now").to_arrow_table())

    def of_deals(self, table: str) -> Rows:
        """The rows of a table of deals' own rows."""
        _, key, _ = OF_DEALS[table]
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return by_key(connection.sql(f"FROM {table}_now").to_arrow_table(), key)


class Recipe:
    """The recipe of the guide: what changed since the mark, and from time to time the ids that are left."""

    name = "changed_since and ids"

    def __init__(self, portal: bx.Portal, _: Path) -> None:
        self.portal = portal
        self.copies: dict[str, Rows] = {}
        self.marks: dict[str, dt.datetime] = {}

    def round(self, _: Storm) -> None:
        for entity in ENTITIES:
            mark = self.marks.get(entity)
            found = bx.read_entity(entity, self.portal, changed_since=mark, backend="pyarrow", progress=False)
            read_at = (found.schema.metadata or {})[b"read_at"].decode()
            self.marks[entity] = dt.datetime.fromisoformat(read_at) - LAG
            rows = by_id(found)
            left = self.left(entity)
            copy = {**self.copies.get(entity, {}), **rows}
            self.copies[entity] = {row_id: row for row_id, row in copy.items() if left is None or row_id in left}

    def left(self, entity: str) -> set[int] | None:
        """The ids that the portal has; None where nobody asks."""
        there = bx.read_entity(entity, self.portal, columns=["id"], backend="pyarrow", progress=False)
        return set(there["id"].to_pylist())

    def rows(self, entity: str) -> Rows:
        return self.copies[entity]


class Incremental(Recipe):
    """An incremental merge by modified time, as a resource of dlt or a Singer tap does: nothing tells of deletions."""

    name = "incremental merge"

    def left(self, _: str) -> set[int] | None:
        return None


class Dlt:
    """A resource of dlt with an incremental cursor on the modified time, and the merge of a primary key."""

    name = "dlt resource"
    place = "resource"

    def __init__(self, portal: bx.Portal, folder: Path) -> None:
        import dlt

        self.path = folder / f"{self.place}.duckdb"
        self.pipeline = dlt.pipeline(
            f"storm_{self.place}",
            destination=dlt.destinations.duckdb(str(self.path)),
            dataset_name="crm",
            pipelines_dir=str(folder),
        )
        self.portal = portal

    def resource(self, entity: str) -> Any:
        import dlt

        first = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

        @dlt.resource(name=entity, primary_key="id", write_disposition="merge", max_table_nesting=0)
        def rows(
            updated: Any = dlt.sources.incremental("updatedTime", initial_value=first, lag=LAG.total_seconds()),  # noqa: B008
        ) -> Iterator[list[dict[str, Any]]]:
            since = updated.last_value if updated.last_value > first else None
            table = bx.read_entity(entity, self.portal, changed_since=since, backend="pyarrow", progress=False)
            yield table.to_pylist()

        return rows

    def round(self, _: Storm) -> None:
        self.pipeline.run([self.resource(entity) for entity in ENTITIES])

    def rows(self, entity: str) -> Rows:
        """The ids and titles: dlt renames and retypes the other columns."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            text = "name" if entity == "contact" else "title"
            found = connection.execute(f"SELECT id, {text} FROM crm.{entity}").fetchall()
        return {row_id: {"id": row_id, text: value} for row_id, value in found}


class DltSource(Dlt):
    """The source of this package for dlt; a run that fails while rights are cut loads nothing."""

    name = "bx24frames.connectors.dlt"
    place = "source"

    def round(self, storm: Storm) -> None:
        from dlt.pipeline.exceptions import PipelineStepFailed

        from bx24frames.connectors import dlt as bitrix24

        try:
            self.pipeline.run(bitrix24.source(self.portal, ENTITIES, retyped="column"))
        except PipelineStepFailed:
            if not storm.cut:
                raise


@dataclass
class Verdict:
    """How a copy differs from the portal."""

    missing: int = 0
    foreign: int = 0
    wrong: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.missing + other.missing, self.foreign + other.foreign, self.wrong + other.wrong)

    @property
    def sound(self) -> bool:
        return not (self.missing or self.foreign or self.wrong)


def by_id(table: pa.Table) -> Rows:
    """The rows of a table by their ids."""
    return {row["id"]: row for row in table.to_pylist()}


def by_key(table: pa.Table, key: tuple[str, ...]) -> Rows:
    """The rows of a table by their keys."""
    return {tuple(row[name] for name in key): row for row in table.to_pylist()}


def of_deals(portal: bx.Portal, table: str, deals: list[int]) -> Rows:
    """The rows of all deals, as each of them has them."""
    entity, key, more = OF_DEALS[table]
    owner = {"product_row": "ownerId", "deal_contact": "DEAL_ID"}.get(entity, "ENTITY_ID")
    filters = {**more, owner: deals}
    return by_key(bx.read_entity(entity, portal, filters=filters, backend="pyarrow", progress=False), key)


def titles(there: Rows) -> Rows:
    """The columns in which dlt's copy is compared."""
    return {row_id: {name: row[name] for name in TEXTS & row.keys()} for row_id, row in there.items()}


def judge(copy: Rows, there: Rows) -> Verdict:
    """Compare rows by their keys, and every cell of the portal's columns."""
    both = there.keys() & copy.keys()
    wrong = sum(not alike(copy[key], there[key]) for key in both)
    return Verdict(len(there.keys() - both), len(copy.keys() - both), wrong)


def alike(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether a row has the portal's values; that of a retyped field is in its second column."""
    for name, value in theirs.items():
        names = [one for one in mine if one == name or one.startswith(f"{name}__")]
        if not any(mine[one] == value for one in names) and (names or value is not None):
            return False
    return True


def runs_of_a_round(storm: Storm) -> int:
    """The runs within which the guide promises to find what changed silently: 45 owners of comments a run."""
    deals = len(storm.box.store.rows(NUMBERS["deal"]))
    return math.ceil(deals / 45) if storm.happened["comments added, changed"] else 1


def one_seed(seed: int, keepers: list[type]) -> tuple[dict[str, Verdict], Counter[str], Mirror]:
    """A storm; the verdict on each keeper, what happened, and the mirror with its counts."""
    clock = Clock()
    rng = random.Random(seed)
    spool.PART_ROWS = rng.choice((10, 40, 20_000))  # type: ignore[misc]
    with (
        Sandbox(real_time=False, plan="unlimited", sizes=SIZES, clock=clock, seed=seed, listen=True) as box,
        bx.Portal(box.url, limits=FAST, cache=False) as portal,
        tempfile.TemporaryDirectory() as folder,
    ):
        storm = Storm(seed, box, clock, rng, portal)
        mirror = Mirror(portal, Path(folder))
        running = [mirror, *(keeper(portal, Path(folder)) for keeper in keepers)]
        for _ in range(ROUNDS):
            for one in running:
                one.round(storm)
            for _ in range(rng.randint(1, 6)):
                storm.blow()
        storm.settle()
        for one in running:
            one.round(storm)
        storm.settle()
        for _ in range(runs_of_a_round(storm)):
            clock.now += QUARTER
            mirror.sync(storm)
        for one in running[1:]:
            one.round(storm)
        there = {name: by_id(bx.read_entity(name, portal, backend="pyarrow", progress=False)) for name in ENTITIES}
        verdicts = {}
        for one in running:
            found = (judge(one.rows(name), there[name]) for name in ENTITIES)
            if isinstance(one, Dlt):
                found = (judge(one.rows(name), titles(there[name])) for name in ENTITIES)
            verdicts[one.name] = sum(found, Verdict())
        deals = sorted(there["deal"])
        owned = (judge(mirror.of_deals(name), of_deals(portal, name, deals)) for name in OF_DEALS)
        verdicts[mirror.name] += sum(owned, Verdict())
        return verdicts, storm.happened, mirror


def main() -> int:
    """Run the seeds and print what each keeper got wrong; 1 if ours did."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="sync_entities without the other keepers")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument(
        "--dlt", action="store_true", help="a resource of dlt and our source for it as well, by rows and titles"
    )
    given = parser.parse_args()
    keepers: list[type] = [] if given.alone else [Recipe, Incremental, *([Dlt, DltSource] if given.dlt else [])]
    total: dict[str, Verdict] = {}
    happened: Counter[str] = Counter()
    kills = sigkills = refused = 0
    with no_waiting():
        for seed in range(given.first, given.first + given.seeds):
            verdicts, events, mirror = one_seed(seed, keepers)
            happened += events
            kills += mirror.kills
            sigkills += mirror.sigkills
            refused += mirror.refused
            for name, verdict in verdicts.items():
                total[name] = total.get(name, Verdict()) + verdict
            if given.verbose:
                print(seed, sum(events.values()), mirror.kills, mirror.sigkills, mirror.refused, verdicts, flush=True)
            if not verdicts[Mirror.name].sound:
                print(f"seed {seed}: {verdicts[Mirror.name]}", flush=True)
    print(f"{given.seeds} seeds, {sum(happened.values())} changes")
    print(f"{kills} syncs ended in the process, {sigkills} by SIGKILL")
    print(f"{refused} syncs ended with an error while rights were cut")
    for name, count in happened.most_common():
        print(f"  {count:>5} {name}")
    for name, verdict in total.items():
        counts = f"{verdict.missing} rows missing, {verdict.foreign} too many, {verdict.wrong} with wrong cells"
        print(f"{name}: {counts}")
    return 0 if total[Mirror.name].sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
