"""Wrong ways of answering, against every reader: each result has to be the truth or an error of the package.

    python benchmarks/wrong_answers.py [--readers "keyset|top"] [--ways "page 2"]

A portal in a box is read by every public reader while what its list methods answer is changed on the wire: rows left
out, repeated, turned round, without ids; totals that are too low, too high or move; conditions, offsets, orders and
selects that are not heeded; batches with results missing or swapped; bytes that are no JSON. Printed are the numbers of
true results, of errors, of results with a warning, and every result that is wrong, endless or a raw exception.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wrong_ways import Way, Wire, ways

import bx24frames as bx
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.exchange import Exchange
from bx24frames.testing import no_waiting

ROWS: Final = 430
MOST_REQUESTS: Final = 600
FAST: Final = bx.Limits(burst=100_000, per_second=100_000.0)
SIZES: Final = {
    "deal": ROWS,
    "contact": 130,
    "lead": 130,
    "company": 260,
    "task": 170,
    "user": 130,
    "address": 170,
    "workgroup": 130,
}


class Endless(BaseException):
    """A read has sent more requests than any that ends; not an Exception, so that nothing catches it."""


# --- the readers ------------------------------------------------------------------------------------------------------


Read = Callable[[Any], Any]


@dataclass(frozen=True)
class Reader:
    """A way of reading. `method`: the data methods, as a regular expression. `read`: gives comparable rows."""

    name: str
    method: str
    read: Read
    ordered: bool = True

    def rows(self, portal: Any) -> Any:
        found = self.read(portal)
        return found if self.ordered else sorted(found, key=repr)


def frame(entity: str, columns: list[str] | None, **options: Any) -> Read:
    def read(portal: Any) -> Any:
        table = bx.read_entity(entity, portal, columns=columns, backend="pyarrow", progress=False, **options)
        return [tuple(map(plain, row.values())) for row in table.to_pylist()]

    return read


def plain(value: Any) -> Any:
    return repr(value) if isinstance(value, dict | list) else value


def parts(entity: str, columns: list[str]) -> Read:
    def read(portal: Any) -> Any:
        found = bx.iter_entity(entity, portal, columns=columns, backend="pyarrow", chunk_size=100, progress=False)
        return [tuple(row.values()) for part in found for row in part.to_pylist()]

    return read


def lazy(query: Callable[[Any], Any]) -> Read:
    return lambda portal: query(bx.scan_entity("deal", portal)).collect().rows()


ADDRESS: Final = [""]
"""The portal's address, for commands."""


def written(_: Any) -> Any:
    """`read --out`: the command itself, into a file."""
    import pyarrow.parquet as pq
    from typer.testing import CliRunner

    from bx24frames.cli.app import app

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deals.parquet"
        arguments = ["read", "deal", "--columns", "id,title,opportunity", "--out", str(path), "--portal", ADDRESS[0]]
        ended = CliRunner().invoke(app, arguments)
        if ended.exit_code:
            if ended.exception is not None and not isinstance(ended.exception, SystemExit):
                raise ended.exception
            raise bx.errors.BX24Error(ended.output[-300:])
        return [tuple(row.values()) for row in pq.read_table(path).to_pylist()]


def wire(rows: Any) -> Any:
    return [json.dumps(row, sort_keys=True) for row in rows]


def every(method: str, params: dict[str, Any] | None = None) -> Read:
    return lambda portal: wire(portal.get_all(method, params))


THREE: Final = ["id", "title", "opportunity"]
READERS: Final = [
    Reader("item keyset", "crm.item.list", frame("deal", THREE)),
    Reader("classic keyset", "crm.deal.list", frame("crm.deal", THREE)),
    Reader("smart items, all columns", "crm.item.list", frame("company", None)),
    Reader("conditions", "crm.item.list", frame("deal", THREE, filters={">opportunity": 50_000})),
    Reader("last first", "crm.item.list", frame("deal", THREE, order_by=("id", "desc"))),
    Reader("limited", "crm.item.list", frame("deal", THREE, limit=120)),
    Reader("limited, classic", "crm.deal.list", frame("crm.deal", THREE, limit=120)),
    Reader("top-n by a number", "crm.item.list", frame("deal", THREE, order_by=("opportunity", "desc"), limit=40)),
    Reader("top-n by a text", "crm.item.list", frame("deal", THREE, order_by="title", limit=40)),
    Reader("order by a text", "crm.deal.list", frame("crm.deal", THREE, order_by="title")),
    Reader("ids lists", "crm.item.list", frame("deal", THREE, filters={"id": [*range(1, 400, 3)]})),
    Reader("tasks", "tasks.task.list", frame("task", ["id", "title"])),
    Reader("users", "user.get", frame("user", ["ID", "NAME"])),
    Reader("offset list", "crm.address.list", frame("address", None), ordered=False),
    Reader("offset list, smart", "crm.type.list", frame("type", None)),
    Reader("own pages", "call.followup.list", frame("call_followup", None)),
    Reader("REST 3", "main.eventlog.list", frame("event_log", None)),
    Reader("whole list", "crm.currency.list", frame("currency", None)),
    Reader("iter_entity", "crm.item.list", parts("deal", THREE)),
    Reader("scan_entity", "crm.item.list", lazy(lambda query: query.select(THREE).sort("id"))),
    Reader("scan_entity, head", "crm.item.list", lazy(lambda query: query.select(THREE).sort("id").head(70))),
    Reader("get_all, items", "crm.item.list", every("crm.item.list", {"entityTypeId": 2})),
    Reader("get_all, classic", "crm.deal.list", every("crm.deal.list")),
    Reader("get_all, offset", "crm.address.list", every("crm.address.list"), ordered=False),
    Reader(
        "list_and_get", "crm.deal.list",
        lambda portal: sorted(wire(portal.list_and_get("crm.deal").values())),
    ),
    Reader("read --out", "crm.item.list", written),
]  # fmt: skip


# --- one read ---------------------------------------------------------------------------------------------------------


@contextmanager
def between(wire: Wire) -> Iterator[None]:
    """Put a wire between every client and every portal of this process."""
    answered = Exchange.reply

    async def reply(self: Exchange, request: Any, *more: Any) -> Any:
        wire.requests += 1
        if wire.requests > MOST_REQUESTS:
            raise Endless
        method = request.path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".json")
        params = json.loads(request.body or b"null")
        params = wire.request(method, params)
        got = await answered(self, replace(request, body=json.dumps(params).encode()), *more)
        return got if got.status != 200 else replace(got, body=wire.answer(method, params, got.body))

    Exchange.reply = reply  # type: ignore[method-assign]
    try:
        yield
    finally:
        Exchange.reply = answered  # type: ignore[method-assign]


@dataclass(frozen=True)
class Verdict:
    """What a reader made of a way: "true", "error", "warned", "hidden", or what is wrong with it."""

    reader: str
    way: str
    kind: str
    detail: str = ""

    @property
    def bad(self) -> bool:
        return self.kind in ("WRONG", "ENDLESS", "RAW")


def one_read(reader: Reader, way: Way, portal: Any, truth: Any) -> Verdict:
    wire = Wire(way, reader.method)
    with between(wire), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = reader.rows(portal)
        except bx.errors.BX24Error as error:
            return Verdict(reader.name, way.name, "error", str(error).partition("\n")[0][:90])
        except Endless:
            return Verdict(reader.name, way.name, "ENDLESS")
        except Exception as error:  # noqa: BLE001 (that is what is looked for)
            return Verdict(reader.name, way.name, "RAW", f"{type(error).__name__}: {error}"[:200])
    if found == truth:
        return Verdict(reader.name, way.name, "true")
    if not wire.answers and wire.requests:
        return Verdict(reader.name, way.name, "true", "the reader asks another way")
    if re.search(way.hidden, reader.name):
        return Verdict(reader.name, way.name, "hidden")
    short = f"{len(found)} of {len(truth)} rows, {sum(a != b for a, b in zip(found, truth, strict=False))} differ"
    if told:
        return Verdict(reader.name, way.name, "warned", f"{short}: {told[0].message}"[:200])
    return Verdict(reader.name, way.name, "WRONG", short)


def run(readers: list[Reader], chosen: list[Way], *, listen: bool = True) -> Iterator[Verdict]:
    """Every reader under every way, each with a portal object of its own, so that nothing is remembered."""
    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False, listen=listen) as sandbox, no_waiting():
        ADDRESS[0] = sandbox.url
        for reader in readers:
            with bx.Portal(sandbox.url, limits=FAST, cache=False) as portal:
                truth = reader.rows(portal)
            for way in chosen:
                with bx.Portal(sandbox.url, limits=FAST, cache=False) as portal:
                    yield one_read(reader, way, portal, truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", default=".")
    parser.add_argument("--ways", default=".")
    asked = parser.parse_args()
    readers = [one for one in READERS if re.search(asked.readers, one.name)]
    chosen = [one for one in ways() if re.search(asked.ways, one.name)]
    began, kinds = time.perf_counter(), collections.Counter[str]()
    for verdict in run(readers, chosen):
        kinds[verdict.kind] += 1
        if verdict.bad or verdict.kind == "warned":
            print(f"{verdict.kind}: {verdict.reader} / {verdict.way}: {verdict.detail}", flush=True)
    print(f"{len(readers)} readers x {len(chosen)} ways in {time.perf_counter() - began:.0f} s: {dict(kinds)}")
    sys.exit(any(kinds[kind] for kind in ("WRONG", "ENDLESS", "RAW")))


if __name__ == "__main__":
    main()
