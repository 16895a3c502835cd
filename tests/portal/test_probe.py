"""Probing: a verdict follows what the portal does, nothing is written, and what was learned is remembered."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping

import pytest

from bx24frames import Portal, bridge
from bx24frames.cli.probe import as_lines
from bx24frames.portal.probe import Learned, gathered, probe, recalled, remember
from bx24frames.portal.probe.clock import FAR, HOURS, ask_shift, shift_of
from bx24frames.portal.probe.costs import PAGES, generation
from bx24frames.portal.probe.experiment import Experiment, Ground, Reply, Verdict, read_reply
from bx24frames.portal.probe.paging import PAGED, page_fault
from bx24frames.portal.probe.run import EXPERIMENTS
from bx24frames.portal.probe.writing import probe_writes
from bx24frames.portal.probe.written import alike
from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.faults import Fault
from bx24frames.sandbox.quirks import QUIRKS

SHOWN: Mapping[str, str] = {
    "select_loses_system_fields": "select + original names",
    "names_converted_back": "user fields in conditions",
    "codes_torn_in_groups": "UF_ codes inside groups",
    "item_moments_in_user_clock": "moments of crm.item.list",
    "item_moment_lists_dropped": "lists of moments",
    "item_links_without_prefix": "contactIds",
    "catalog_conditions_dropped": "catalog.product.list",
    "user_moments_not_understood": "moments of user.get",
    "required_flags_unfounded": "required fields",
    "hides_users_without_department": "users that are hidden",
    "hides_secret_groups": "groups that are hidden",
    "next_counts_rows": "second pages",
    "batch_charged": "operating time",
}
"""Quirks of the sandbox and the experiment that shows each."""
SIZES = {"deal": 120, "contact": 60, "company": 20, "lead": 20, "user": 12}


def box(**options: object) -> Sandbox:
    return Sandbox(sizes=SIZES, plan="standard", real_time=False, **options)  # type: ignore[arg-type]


def probed(url: str, *names: str) -> dict[str, Verdict]:
    """Verdicts by the experiment's name; of all of them without names."""

    async def gather(portal: Portal) -> list[tuple[Experiment, Verdict]]:
        chosen = [experiment for experiment in EXPERIMENTS if not names or experiment.name in names]
        return [row async for row in probe(portal.connection, chosen)]

    with Portal(url) as portal:
        return {experiment.name: verdict for experiment, verdict in bridge.run(gather(portal))}


@pytest.fixture(scope="module")
def documented() -> Iterator[dict[str, Verdict]]:
    with box(quirks="documented") as sandbox:
        yield probed(sandbox.url)


@pytest.mark.parametrize("quirk", sorted(set(SHOWN) & set(QUIRKS)))
def test_a_quirk_that_is_on_is_shown(quirk: str, documented: dict[str, Verdict]):
    alone = {name: name == quirk for name in QUIRKS}
    with box(quirks=alone) as sandbox:
        shown = probed(sandbox.url, SHOWN[quirk])[SHOWN[quirk]]
    assert shown.kind == "differs", shown
    assert documented[SHOWN[quirk]].kind == "holds", documented[SHOWN[quirk]]


def test_a_documented_portal_differs_in_nothing(documented: dict[str, Verdict]):
    assert {name: verdict.text for name, verdict in documented.items() if verdict.kind == "differs"} == {}


def test_a_probe_changes_nothing_and_shows_neither_rows_nor_secrets(bx24_sandbox: Sandbox):
    with Portal(bx24_sandbox.url) as portal:
        before = portal.get_all("crm.deal.list", {"select": ["*"]})
        bx24_sandbox.stats.reset()
        rows = bridge.run(_all(portal))
        log = bx24_sandbox.log
        assert portal.get_all("crm.deal.list", {"select": ["*"]}) == before
    asked = {name for entry in log for name in (entry.commands or (entry.method,))}
    assert {name.rpartition(".")[2] for name in asked} <= {"profile", "scope", "batch", "list", "fields", "get"}
    text = "\n".join(as_lines(rows))
    assert max(map(len, text.splitlines())) <= 80
    assert bx24_sandbox.url.rstrip("/").rpartition("/")[2] not in text
    titles = [str(row["TITLE"]) for row in before if isinstance(row, dict) and len(str(row["TITLE"])) > 8]
    assert not [title for title in titles if title in text]


async def _all(portal: Portal) -> list[tuple[Experiment, Verdict]]:
    return [row async for row in probe(portal.connection)]


def test_what_was_learned_is_known_to_the_next_process(monkeypatch, tmp_path):
    monkeypatch.setenv("BX24FRAMES_CACHE", str(tmp_path))
    monkeypatch.setenv("BX24FRAMES_CACHE_LOOPBACK", "1")
    with box(quirks="documented") as sandbox, Portal(sandbox.url) as portal, Portal(sandbox.url) as later:
        assert recalled(later.connection) is None
        found = [verdict for _, verdict in bridge.run(_all(portal))]
        now = bridge.run(remember(portal.connection, gathered(found)))
        assert recalled(later.connection) == now
    assert now.shift_minutes is not None
    assert now.select == "names"
    assert set(now.page_seconds) == {"item in a batch", "item alone", "older in a batch", "older alone"}
    assert now.admin is True


def test_what_an_older_version_kept_is_read_as_far_as_it_goes():
    assert Learned.read({"select": "*", "no such thing": 1}) == Learned(select="*")
    assert Learned.read([]) == Learned()


def test_a_portal_without_rows_tells_nothing_and_fails_nowhere():
    sizes = {"deal": 0, "contact": 0, "company": 0, "lead": 0}
    with Sandbox(sizes=sizes, real_time=False, quirks="documented") as sandbox:
        found = probed(sandbox.url)
    assert found["select by names"].kind == "unknown"
    assert found["moments of crm.item.list"].kind == "unknown"
    assert found["credential"].kind == "told"


def test_a_credential_without_scopes_gives_refusals_not_failures(bx24_sandbox: Sandbox):
    found = probed(bx24_sandbox.add_webhook(["user"]))
    assert {found[name].kind for name in ("select by names", "crm.item.list", "seconds a page")} == {"unknown"}
    assert found["user.get"].kind in ("holds", "differs")


# --- judgements without a portal --------------------------------------------------------------------

MOMENT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
GROUND = Ground(2, 1, [{"id": 7, "createdTime": MOMENT.isoformat()}], {"id": {}})


def answered(minutes: tuple[int, ...], shift: int) -> Reply:
    """A batch's answer where every bound is moved back by so many minutes before it is compared."""
    result = {
        (f"m{bound}" if bound >= 0 else f"n{-bound}"): {"items": [{"id": 7}] if bound <= shift else []}
        for bound in minutes
    }
    return Reply({"result": result, "result_error": []})


@pytest.mark.parametrize("shift", [0, 60, -180, 345, -570, 14 * 60, 15 * 60, -15 * 60, 26 * 60, -26 * 60, 1425])
def test_the_shift_between_two_clocks_is_found_to_the_quarter(shift: int):
    replies: list[Reply] = []
    while (ask := ask_shift(GROUND, replies)) is not None:
        labels = ask.params["cmd"]
        assert isinstance(labels, dict)
        assert len(labels) <= 50
        replies.append(answered(tuple(int(label[1:]) * (1 if label[0] == "m" else -1) for label in labels), shift))
    assert shift_of(replies) == shift
    assert len(replies) <= 3


def test_the_bounds_cover_every_pair_of_zones():
    assert min(FAR) == -26 * 60
    assert max(FAR) == 26 * 60
    assert not set(FAR) & set(HOURS)


@pytest.mark.parametrize(
    ("envelope", "nested", "found"),
    [({"operating": 0.4}, {"operating": 0}, "batch"), ({"operating": 0}, {"operating": 0.4}, "nested"),
     ({}, {}, "none"), ({"operating": 0}, {"operating": 0}, None), ({}, {"operating": 0.2}, "nested")],
)  # fmt: skip
def test_the_generation_of_the_limiter_is_who_is_charged(envelope, nested, found):
    times = {f"c{place}": nested for place in range(PAGES)}
    assert generation(Reply({"result": {}, "result_time": times}, time=envelope)) == found


def page(first: int, rows: int, told: int | None) -> Reply:
    return Reply([{"ID": str(number)} for number in range(first, first + rows)], 130, told)


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [(page(1, 50, 50), page(51, 50, 100), None), (page(1, 47, 47), page(51, 50, 100), "next is 47"),
     (page(1, 50, 50), page(1, 50, 50), "start is ignored"), (page(1, 50, None), page(51, 50, None), "no next"),
     (page(1, 50, 50), page(40, 50, 100), "come again")],
)  # fmt: skip
def test_what_is_wrong_with_a_second_page_is_named(first, second, fault):
    listed = next(paged for paged in PAGED if paged.method == "crm.deal.list")
    found = page_fault(listed, first, second)
    assert found is None if fault is None else fault in str(found)


def test_answers_of_both_generations_of_errors_are_read():
    old = read_reply({"error": "NOT_FOUND", "error_description": "no"}, 400)
    new = read_reply({"error": {"code": "BITRIX_REST_V3_X", "message": "no"}}, 404)
    assert (old.code, new.code) == ("NOT_FOUND", "BITRIX_REST_V3_X")
    assert read_reply("<html>", 200).code == "NO_ANSWER"
    assert Reply({"result": [], "result_error": {"a": "X"}}).command("a").code == "X"


@pytest.mark.parametrize(
    ("sent", "kept", "kind", "same"),
    [(600.5, "601", "double", False), (600.5, "600.50", "double", True), ("Y", True, "boolean", True),
     ("", None, "string", True), ("", "old", "string", False), ([], ["x"], "string", False),
     ("2026-01-31", "2026-01-31T03:00:00+03:00", "date", True), ("2026-01-31", "2026-02-01", "date", False),
     ("2026-01-31T23:30:00+00:00", "2026-02-01T02:30:00+03:00", "datetime", True),
     ("2026-01-31T23:30:00+00:00", "2026-01-31T23:30:00+03:00", "datetime", False),
     ("10.25|EUR", "10.25|EUR", "money", True), ("7.5|EUR", "7.50|EUR", "money", True), ("a", "A", "string", False),
     (["a", "b"], ["b", "a"], "string", False), ("a", None, "string", False)],
)  # fmt: skip
def test_what_was_kept_is_compared_by_its_meaning(sent, kept, kind, same):
    assert alike(sent, kept, kind) is same


# --- the row that is written ------------------------------------------------------------------------


@pytest.mark.parametrize("entity", ["deal", "contact", "company", "lead"])
def test_the_row_that_is_written_is_gone_afterwards(entity: str):
    with box(quirks="documented") as sandbox, Portal(sandbox.url) as portal:
        before = portal.get_all(f"crm.{entity}.list", {"select": ["ID"]})
        written = bridge.run(probe_writes(portal.connection, entity))
        assert portal.get_all(f"crm.{entity}.list", {"select": ["ID"]}) == before
    assert written.deleted
    assert written.id is not None
    assert {value.step for value in written.values} == {"add", "update", "clear"}


@pytest.mark.parametrize(
    "fault",
    [Fault("command_error", method="crm.item.update", code="ERROR_CORE"), Fault("drop_after", method="crm.item.add"),
     Fault("drop_after", method="crm.item.update"), Fault("bad_gateway", method="crm.item.get")],
)  # fmt: skip
def test_a_step_that_fails_leaves_no_row_behind(bx24_sandbox: Sandbox, fault: Fault):
    with Portal(bx24_sandbox.url) as portal:
        before = portal.get_all("crm.deal.list", {"select": ["ID"]})
        bx24_sandbox.faults.add(fault)
        written = bridge.run(probe_writes(portal.connection, "deal"))
        assert fault.fired
        assert written.deleted
        assert portal.get_all("crm.deal.list", {"select": ["ID"]}) == before


def test_an_interrupted_probe_takes_its_row_away(bx24_sandbox: Sandbox):
    with Portal(bx24_sandbox.url) as portal:
        before = portal.get_all("crm.deal.list", {"select": ["ID"]})
        bx24_sandbox.faults.add(Fault("slow", method="crm.item.update", seconds=0.5))

        async def cut_short() -> None:
            await asyncio.wait_for(probe_writes(portal.connection, "deal"), 0.2)

        with pytest.raises(TimeoutError):
            bridge.run(cut_short())
        assert portal.get_all("crm.deal.list", {"select": ["ID"]}) == before


def test_a_refused_row_is_told(bx24_sandbox: Sandbox):
    bx24_sandbox.faults.add(Fault("command_error", method="crm.item.add", code="ACCESS_DENIED", status=403))
    with Portal(bx24_sandbox.url) as portal:
        written = bridge.run(probe_writes(portal.connection, "deal"))
    assert written.id is None
    assert "ACCESS_DENIED" in written.faults[0]
