"""Dimensions of the storm: one kind of trouble each, as a function from a seed to a verdict."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from storm_faults import FAULTS, one_run
from storm_oracle import Verdict, judge_insert
from storm_process import Child, killed
from storm_rows import near_contacts, near_deals, plain
from storm_world import ADDS, FAST, World, random_quirks, world_of

import bx24frames as bx
from bx24frames.sandbox import Role
from bx24frames.sandbox.fields.normalise import EVERY

Run: TypeAlias = Callable[[int], Verdict]
SIZES = (1, 3, 20, 21, 47)
MANY = (25, 60, 120)
"""Rows of uploads that take several requests."""
CARRIED_OUT = ("drop_after", "gateway_timeout", "truncated", "empty", "notice")
USER = 3
"""A user of the sandbox who is no administrator."""


def attempt(portal: bx.Portal, entity: str, frame: pd.DataFrame, **options: Any) -> tuple[Any, BaseException | None]:
    """An upload's report and error."""
    options = {"mode": "insert", "resume": False, **options}
    try:
        return bx.write_entity(frame, entity, portal, on_error="report", **options), None
    except bx.errors.WriteError as error:
        return error.report, error
    except bx.errors.BX24Error as error:
        return None, error


def judged(world: World, entity: str, frame: pd.DataFrame, portal: bx.Portal | None = None, **options: Any) -> Verdict:
    """One insert under the faults that were set, and its verdict."""
    report, error = attempt(portal or world.portal, entity, frame, **options)
    verdict = judge_insert(world, entity, frame, report, error=error)
    if report is None:
        there = len(world.store.additions)
        if there:
            verdict.faults.append(f"{there} rows behind an error without a report: {error!r}")
    return verdict


def way(rng: random.Random) -> dict[str, Any]:
    """Import or add."""
    return {"automation": rng.choice([None, None, True])}


def trouble(world: World, kinds: tuple[str, ...] = FAULTS) -> None:
    """One to three faults at random requests, at least one of which loses answers."""
    world.fault(world.rng.choice(CARRIED_OUT))
    for _ in range(world.rng.randrange(0, 3)):
        world.fault(world.rng.choice(kinds), method=world.rng.choice([ADDS, "batch", "*"]))


# --- the dimensions --------------------------------------------------------------------------------


def faults(seed: int) -> Verdict:
    """Requests dropped, cut, spoilt or refused at random moments; inserts, updates, upserts and deletions."""
    with world_of(seed) as world:
        rows, unknown, wrong = one_run(seed, world)
        return Verdict(rows, unknown, faults=[wrong] if wrong else [])


def role(seed: int) -> Verdict:
    """A user who adds everything and reads less: own rows, or not every category; rows of somebody else."""
    with world_of(seed) as world:
        rng = world.rng
        entity = rng.choice(["deal", "contact"])
        frame = plain(seed, rng.choice(SIZES))
        if entity == "contact":
            frame = frame.rename(columns={"title": "lastName"}).drop(columns="opportunity")
        hidden = 1 if entity == "deal" else 6
        kind = rng.choice(["own", "own", "mixed", "none", "category"])
        if kind in ("own", "mixed"):
            frame["assignedById"] = [5 if kind == "own" or at % 2 else USER for at in range(len(frame))]
        if kind == "category" and entity == "contact":
            frame["categoryId"] = hidden
        categories = {entity: (0, hidden)} if kind == "category" else {}
        world.store.roles[USER] = Role(
            {"own": "own", "mixed": "own", "none": "none"}.get(kind, "all"),
            hidden_categories=categories, imports=rng.random() < 0.7,
        )  # fmt: skip
        keyed = {"on": "originId"} if rng.random() < 0.3 else {}
        trouble(world)
        return judged(world, entity, frame, world.portal_of(USER), **way(rng), **keyed)


def normalising(seed: int) -> Verdict:
    """A portal that rewrites what it stores."""
    with world_of(seed) as world:
        rng = world.rng
        world.store.normalise = frozenset(rng.sample(sorted(EVERY), rng.randrange(1, len(EVERY) + 1)))
        entity, frame = near_frame(world) if rng.random() < 0.3 else ("deal", odd_frame(rng, seed))
        options: dict[str, Any] = {}
        if entity == "deal" and "originId" in frame and frame["originId"].notna().all() and frame["originId"].is_unique:
            options = rng.choice([{}, {"on": "originId"}, {"mode": "upsert", "on": "originId"}])
        trouble(world)
        return judged(world, entity, frame, **way(rng), **options)


def odd_frame(rng: random.Random, seed: int) -> pd.DataFrame:
    """Rows whose cells all differ, and are all rewritten by some portal."""
    rows = range(rng.choice(SIZES))
    long = "x" * 260 * (rng.random() < 0.3)
    return pd.DataFrame(
        {
            "title": [f" Storm {seed} {at}  a & b \U0001f600{long} " for at in rows],
            "opportunity": [at + 0.005 for at in rows],
            "comments": [f"first {at}\r\nsecond & third" for at in rows],
            "originId": [f"s{seed}&{at}" for at in rows],
            "originatorId": "storm",
        }
    )


def near_frame(world: World) -> tuple[str, pd.DataFrame]:
    size = world.rng.choice([5, 12, 20, 33])
    if world.rng.random() < 0.3:
        return "contact", near_contacts(world.rng, world.seed, size)
    return "deal", near_deals(world.rng, world.seed, size)


def near(seed: int) -> Verdict:
    """Rows that differ in a null, a rounding, a blank, an entity, a phone's form, a line end, an emoji."""
    with world_of(seed) as world:
        entity, frame = near_frame(world)
        if world.rng.random() < 0.5:
            world.store.normalise = frozenset(world.rng.sample(sorted(EVERY), world.rng.randrange(1, 5)))
        trouble(world)
        return judged(world, entity, frame, **way(world.rng))


def lag(seed: int) -> Verdict:
    """Lists that are up to five seconds behind adds."""
    with world_of(seed) as world:
        world.store.lag = world.rng.choice([0.5, 2.0, 5.0])
        for _ in range(world.rng.randrange(1, 3)):
            world.fault(world.rng.choice([*CARRIED_OUT, "server_error", "error_in_200"]), executed=True)
        return judged(world, "deal", plain(seed, world.rng.choice(SIZES)), **way(world.rng))


def queue(seed: int) -> Verdict:
    """Requests that wait in front of the portal, some longer than the client's timeout of 75 seconds."""
    with world_of(seed) as world:
        for _ in range(world.rng.randrange(1, 3)):
            world.fault("queued", seconds=world.rng.choice([5.0, 70.0, 77.0, 90.0, 120.0, world.rng.uniform(60, 130)]))
        if world.rng.random() < 0.3:
            world.store.lag = 3.0
        return judged(world, "deal", plain(seed, world.rng.choice(SIZES)), **way(world.rng))


def gateway(seed: int) -> Verdict:
    """Pages of something in front of the portal, at once; the request is carried out later."""
    with world_of(seed) as world:
        for _ in range(world.rng.randrange(1, 3)):
            kind = world.rng.choice(
                ["gateway_page", "gateway_page", "bad_gateway", "empty", "drop_before", "truncated"]
            )
            late = world.rng.choice([0.5, 1.0, 10.0, 55.0, None])
            world.fault(kind, late=late)
        return judged(world, "deal", plain(seed, world.rng.choice(SIZES)), **way(world.rng))


def quirks(seed: int) -> Verdict:
    """Portals that differ from their documentation, at random, under faults."""
    with world_of(seed, quirks=random_quirks(seed)) as world:
        trouble(world)
        return judged(world, "deal", plain(seed, world.rng.choice(SIZES)), **way(world.rng))


# --- with processes --------------------------------------------------------------------------------


def resumed(
    world: World, frame: pd.DataFrame, journal: Path, portal: bx.Portal | None = None, **options: Any
) -> Verdict:
    """The verdict on an upload that is resumed in this process, until it says that it is done."""
    trouble(world)
    report, error = attempt(portal, "deal", frame, resume=journal, **options)
    for _ in range(2):
        if report is not None and not (report.failed or report.unknown):
            break
        report, error = attempt(portal, "deal", frame, resume=journal, **options)
    return judge_insert(world, "deal", frame, report, error=error)


def kill(seed: int) -> Verdict:
    """SIGKILL at a random request, once or twice, and a resume."""
    with world_of(seed, listen=True) as world:
        frame, journal, options = plain(seed, world.rng.choice(MANY)), world.folder / "j.sqlite", way(world.rng)
        for _ in range(world.rng.randrange(1, 3)):
            killed(world, "deal", frame, journal, mode="insert", **options)
        return resumed(world, frame, journal, http(world), **options)


def http(world: World) -> bx.Portal:
    """The portal over its port: a journal knows a portal by its address."""
    return bx.Portal(world.sandbox.url, limits=FAST)


def process(seed: int) -> Verdict:
    """Two processes that run the same upload at the same time, with the same journal or without one."""
    with world_of(seed, listen=True) as world:
        frame, options = plain(seed, world.rng.choice(MANY)), way(world.rng)
        explicit = world.rng.random() < 0.5
        resume = {"resume": world.folder / "j.sqlite"} if explicit else {}
        first = Child(world, "deal", frame, mode="insert", **options, **resume)
        time.sleep(world.rng.choice([0.0, 0.02, 0.1, 0.2]))
        second = Child(world, "deal", frame, mode="insert", **options, **resume)
        ends = [one for one in (first.result(), second.result()) if one is not None]
        verdict = _overlapped(world, frame, ends, again=not explicit)
        verdict.faults += [f"no error of ours: {end['error']}" for end in ends if not end["own"]]
        return verdict


def _overlapped(world: World, frame: pd.DataFrame, ends: list[dict[str, Any]], *, again: bool) -> Verdict:
    """Rows may be there twice only if one upload was called when the other had finished."""
    done = sorted((end for end in ends if end["report"] is not None), key=lambda end: float(end["called"]))
    after = again and len(done) == 2 and done[1]["called"] > done[0]["finished"]
    if not done:
        verdict = judge_insert(world, "deal", frame, None, error=RuntimeError("refused"))
        verdict.faults.append(f"neither was carried out: {[end['error'] for end in ends]}")
        return verdict
    if after:
        return judge_insert(world, "deal", frame, None, error=RuntimeError("twice"), uploads=2)
    return judge_insert(world, "deal", frame, done[0]["report"])


def credential(seed: int) -> Verdict:
    """An upload that is killed, and resumed with the webhook of another user."""
    with world_of(seed, listen=True) as world:
        frame, journal, options = plain(seed, world.rng.choice(MANY)), world.folder / "j.sqlite", way(world.rng)
        first, second = world.rng.sample([1, USER, 5], 2)
        killed(world, "deal", frame, journal, url=world.sandbox.add_webhook(user_id=first), mode="insert", **options)
        with bx.Portal(world.sandbox.add_webhook(user_id=second), limits=FAST) as portal:
            return resumed(world, frame, journal, portal, **options)


def journal(seed: int) -> Verdict:
    """An upload that is killed, and resumed with a journal that was copied alone, cut, emptied or overwritten."""
    with world_of(seed, listen=True) as world:
        frame, options = plain(seed, world.rng.choice(MANY)), way(world.rng)
        left, copy = world.folder / "j.sqlite", world.folder / "copy.sqlite"
        killed(world, "deal", frame, left, mode="insert", **options)
        if not left.exists():
            return Verdict(rows=len(frame), refused=True)
        shutil.copy(left, copy)
        damage(world.rng, copy)
        try:
            return resumed(world, frame, copy, http(world), **options)
        except Exception as error:  # noqa: BLE001 (whatever ends an upload is a finding)
            return Verdict(len(frame), faults=[f"no error of ours: {error!r}"])


def damage(rng: random.Random, path: Path) -> None:
    content = path.read_bytes()
    kind = rng.choice(["alone", "alone", "cut", "emptied", "zeroed", "noise"])
    if kind == "cut":
        content = content[: rng.randrange(len(content) + 1)]
    elif kind == "emptied":
        content = b""
    elif kind == "zeroed":
        content = bytes(len(content))
    elif kind == "noise" and content:
        at = rng.randrange(len(content))
        content = content[:at] + rng.randbytes(64) + content[at + 64 :]
    path.write_bytes(content)


DIMENSIONS: Mapping[str, tuple[Run, int]] = {
    "faults": (faults, 4),
    "role": (role, 2),
    "normalising": (normalising, 2),
    "near": (near, 3),
    "lag": (lag, 1),
    "queue": (queue, 2),
    "gateway": (gateway, 2),
    "quirks": (quirks, 2),
    "kill": (kill, 2),
    "process": (process, 1),
    "credential": (credential, 1),
    "journal": (journal, 2),
}
"""Every dimension with its share of the runs."""
