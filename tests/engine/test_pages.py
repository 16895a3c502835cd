"""The keyset machine: every row once, in order, whatever the ids, the answers and the faults."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from portal_model import Table, classic_listing, drain, flat, item_listing

from bx24frames.engine.messages import IdBounds, Lost, Refusal, Success
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.sizes import Size, Sizes
from bx24frames.errors import PortalError, ResponseError

FAMILIES = {"item": (item_listing, "id", True), "classic": (classic_listing, "ID", False)}


def sizes(commands: int = 50) -> Sizes:
    return Sizes(by_method={name: Size(commands, 50) for name in ("crm.item.list", "crm.deal.list")})


def read(family: str, table: Table, *, parallel: int = 1, commands: int = 50, on_parcel=None, **options) -> list[int]:
    listing, key, _ = FAMILIES[family]
    bounds = options.pop("bounds", IdBounds())
    machine = KeysetPages(listing(bounds=bounds), AS_MAPS, token="t", **options)
    return flat(drain(machine, table, sizes(commands), parallel=parallel, on_parcel=on_parcel), key)


def clustered(seed: int, clusters: int, rows: int, gap: int) -> set[int]:
    rng = random.Random(seed)
    ids, at = set(), 0
    for _ in range(clusters):
        at += rng.randrange(1, gap)
        step = rng.choice([1, 1, 3, 50])
        for _ in range(rng.randrange(1, rows + 1)):
            at += rng.randrange(1, step + 1)
            ids.add(at)
    return ids


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 999, 1000, 1001, 2500, 12_345])
@pytest.mark.parametrize("ascending", [True, False])
def test_every_count_of_rows_is_read_once_in_order(family, count, ascending):
    table = Table(set(range(7, 7 + count)), FAMILIES[family][2])
    assert read(family, table, ascending=ascending) == sorted(table.ids, reverse=not ascending)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 5000),
    st.sampled_from([2, 1000, 10**6]), st.integers(1, 9), st.booleans(), st.sampled_from([3, 20, 50]),
)  # fmt: skip
def test_any_density_and_any_order_of_answers(family, seed, clusters, rows, gap, parallel, ascending, commands):
    table = Table(clustered(seed, clusters, rows, gap), FAMILIES[family][2])
    got = read(family, table, ascending=ascending, parallel=parallel, commands=commands)
    assert got == sorted(table.ids, reverse=not ascending)
    assert table.requests <= 3 * (len(table.ids) // (50 * commands)) + 3 * clusters * parallel + 12


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 4000), st.integers(1, 5))
def test_a_short_page_of_items_is_not_the_end(seed, count, parallel):
    rng = random.Random(seed)
    ids = set(rng.sample(range(1, 10 * count + 2), count))
    missing = {i for i in ids if rng.random() < 0.02}
    table = Table(ids, True, short=missing.__contains__)
    got = read("item", table, parallel=parallel)
    assert got == sorted(set(got))
    assert ids - missing <= set(got) <= ids


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6), st.integers(0, 6000), st.integers(1, 5), st.booleans())
def test_rows_that_stay_are_read_once_while_others_come_and_go(family, seed, count, parallel, ascending):
    rng = random.Random(seed)
    ids = set(rng.sample(range(1, 5 * count + 2), count))
    leaving = {i for i in ids if rng.random() < 0.2}
    table = Table(set(ids), FAMILIES[family][2])

    def moving(parcel):
        answers = table.execute(parcel)
        for _ in range(60):
            if leaving and rng.random() < 0.5:
                table.move(remove=leaving.pop())
            if rng.random() < 0.5:
                table.move(add=rng.randrange(1, 6 * count + 100))
        return answers

    stayed = ids - leaving
    got = read(family, table, parallel=parallel, on_parcel=moving, ascending=ascending)
    assert got == sorted(set(got), reverse=not ascending)
    assert stayed - (ids - table.ids) <= set(got)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6), st.integers(1, 9000), st.integers(1, 5))
def test_faults_cost_time_and_never_rows(family, seed, count, parallel):
    rng = random.Random(seed)
    table = Table(set(rng.sample(range(1, 3 * count + 2), count)), FAMILIES[family][2])
    kinds = [
        Lost("dropped"), Lost("502", status=502), Lost("timeout", timeout=True), Lost("half a JSON", status=200),
        Refusal("QUERY_LIMIT_EXCEEDED", "", 503, whole=True), Refusal("OPERATION_TIME_LIMIT", "", 200),
        Refusal("INTERNAL_SERVER_ERROR", "", 500),
    ]  # fmt: skip
    last = [False]

    def faulty(parcel):
        if last[0] or rng.random() < 0.6:
            last[0] = False
            return table.execute(parcel)
        last[0] = True
        kind = rng.choice(kinds)
        if isinstance(kind, Lost) or kind.whole:
            return {command.label: kind for command in parcel.commands}
        return table.execute(parcel, {rng.choice(parcel.commands).label: kind})

    assert read(family, table, parallel=parallel, on_parcel=faulty) == sorted(table.ids)


PASSING = (
    Lost("dropped"), Lost("502", status=502), Lost("429", status=429), Lost("timeout", timeout=True),
    Refusal("QUERY_LIMIT_EXCEEDED", "", 503, whole=True), Refusal("OPERATION_TIME_LIMIT", "", 200),
    Refusal("INTERNAL_SERVER_ERROR", "", 500),
)  # fmt: skip


class World:
    """A table whose rows come and go while its answers fail; `stayed` are the rows that nothing happened to."""

    def __init__(self, rng: random.Random, ids: set[int], item: bool, *, short: float, faults: float, moves: int):
        self.rng, self.faults, self.moves, self.item = rng, faults, moves, item
        self.leaving = {i for i in sorted(ids) if moves and rng.random() < 0.2}
        self.missing = {i for i in sorted(ids) if item and rng.random() < short}
        self.stayed = ids - self.leaving - self.missing
        self.ever = set(ids)
        self.table = Table(set(ids), item, short=self.missing.__contains__)
        self.failed = 0
        self.calm = True

    def __call__(self, parcel):
        answers = self.answers(parcel)
        for _ in range(self.moves):
            added = self.rng.randrange(1, 2 * max(self.ever) + 100)
            self.ever.add(added)
            self.table.move(add=added, remove=self.leaving.pop() if self.leaving else None)
        return answers

    def answers(self, parcel):
        # faults in a row are told apart from one that stays by their number alone: every other request is spared
        self.calm = not self.calm or self.rng.random() >= self.faults
        if self.calm:
            return self.table.execute(parcel)
        self.failed += 1
        kind = self.rng.choice(PASSING)
        if isinstance(kind, Lost) or kind.whole:
            return {command.label: kind for command in parcel.commands}
        return self.table.execute(parcel, {self.rng.choice(parcel.commands).label: kind})


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 1500),
    st.sampled_from([2, 1000, 10**6]), st.integers(1, 9), st.booleans(), st.sampled_from([3, 20, 50]),
    st.sampled_from([0.0, 0.001, 0.3]), st.sampled_from([0.0, 0.1, 0.7]), st.sampled_from([0, 1, 40]),
)  # fmt: skip
def test_rows_are_right_and_requests_bounded_whatever_happens(
    family, seed, clusters, rows, gap, parallel, ascending, commands, short, faults, moves
):
    rng = random.Random(seed)
    ids = clustered(seed, clusters, rows, gap)
    world = World(rng, ids, FAMILIES[family][2], short=short, faults=faults, moves=moves)
    got = read(family, world.table, parallel=parallel, commands=commands, ascending=ascending, on_parcel=world)
    assert got == sorted(set(got), reverse=not ascending)
    assert world.stayed <= set(got) <= world.ever
    full = len(got) // (50 * commands)
    # a fault spoils what is under way in its request; a short page of items ends its chain
    spoilt = 2 * world.failed + len(world.missing)
    assert world.table.requests <= 3 * full + 3 * clusters * parallel + 12 + spoilt


def spread(*parts: tuple[int, int, int]) -> set[int]:
    """Ids of (rows, ids a row, ids left out behind them), one part after the other."""
    ids, at = set(), 0
    for rows, step, gap in parts:
        ids |= set(range(at + step, at + rows * step + 1, step))
        at += rows * step + gap
    return ids


SPREADS = {
    "even and sparse": spread((30_000, 10_000, 0)),
    "sparse, then dense": spread((1000, 10_000, 0), (30_000, 1, 0)),
    "dense, then sparse": spread((30_000, 1, 0), (1000, 10_000, 0)),
    "a hole": spread((1000, 1, 5_000_000), (30_000, 1, 0)),
    "dense and sparse by turns": spread(*[(1500, 1, 0), (100, 5000, 0)] * 15),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("parallel", [1, 8])
@pytest.mark.parametrize("name", SPREADS)
def test_requests_follow_the_rows_and_not_the_span_of_ids(name, parallel, family):
    ids = SPREADS[name]
    table = Table(set(ids), FAMILIES[family][2])
    assert read(family, table, parallel=parallel) == sorted(ids)
    assert table.requests <= 2 * len(ids) / 2500 + 45
    # a change of density is learnt by the lanes that meet it
    assert table.commands <= 2 * len(ids) / 50 + 1500


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("rows", [300, 3000, 10_000, 60_000])
def test_little_is_asked_for_behind_the_end_of_a_classic_chain(rows, ascending):
    """Nothing stops a classic list's batch at the end of its rows: what is sent behind it runs."""
    rng = random.Random(rows)
    table = Table(set(rng.sample(range(1, rows * 13 // 10 + 1), rows)), False)
    assert len(read("classic", table, parallel=4, ascending=ascending)) == rows
    pages = -(-rows // 50)
    assert table.commands <= max(21, 1.1 * pages + 4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fault_that_stays_is_raised(family):
    table = Table(set(range(1, 500)), FAMILIES[family][2])
    broken = Refusal("ERROR_CORE", "SQL query error!", 500)
    with pytest.raises(PortalError, match="SQL query error"):
        read(family, table, on_parcel=lambda p: {c.label: broken for c in p.commands})


def test_an_error_in_a_live_page_is_never_taken_for_the_end():
    table = Table(set(range(1, 2001)), True)
    denied = Refusal("ACCESS_DENIED", "Access denied", 200)

    def partly(parcel):
        return table.execute(parcel, {parcel.commands[min(5, len(parcel.commands) - 1)].label: denied})

    with pytest.raises(PortalError):
        read("item", table, commands=1, on_parcel=partly)


def test_a_method_that_ignores_the_cursor_is_an_error():
    table = Table(set(range(1, 2001)), True)

    def same_page(parcel):
        rows = [{"id": i} for i in range(1, 51)]
        return {c.label: Success({"items": rows}) for c in parcel.commands}

    with pytest.raises(ResponseError, match="does not keep to the order"):
        read("item", table, on_parcel=same_page)


HABITS = {
    "pages of 49": lambda rows: rows[:49],
    "rows hidden after the page was cut": lambda rows: [row for row in rows if int(row.get("id", row.get("ID"))) % 7],
    "rows as a map by their ids": lambda rows: {str(row.get("id", row.get("ID"))): row for row in rows},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("options", [{}, {"limit": 120}, {"ascending": False}, {"ascending": False, "limit": 120}])
def test_pages_cut_otherwise_than_to_their_size_lose_nothing(family, habit, options):
    """A short page, or one behind a reference that found no row, is no end where the far end tells of more."""
    table = Table(set(range(3, 3600, 3)), FAMILIES[family][2], habit=HABITS[habit])
    hidden = {i for i in table.ids if i % 7 == 0} if "hidden" in habit else set()
    expected = sorted(table.ids - hidden, reverse=not options.get("ascending", True))[: options.get("limit")]
    if (family, habit) == ("classic", "rows as a map by their ids") and options == {"limit": 120}:
        with pytest.raises(ResponseError, match="does not keep to the order"):  # the chain began again from the start
            read(family, table, **options)
    else:
        assert read(family, table, commands=20, **options) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_a_far_end_whose_rows_go_while_they_are_fetched_ends_nothing(family):
    """The page of the highest or lowest ids may come empty: it then tells of no end."""
    table = Table(set(range(1, 3001)), FAMILIES[family][2])

    def empty_far_end(parcel):
        answers = table.execute(parcel)
        [order] = parcel.commands[0].call.params["order"].values()
        if order != ("ASC" if family == "item" else "DESC"):
            answers[parcel.commands[0].label] = Success({"items": []} if family == "item" else [])
        return answers

    assert read(family, table, commands=20, on_parcel=empty_far_end) == sorted(table.ids)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_that_comes_empty_though_its_far_end_is_named_is_an_error(family):
    table = Table(set(range(1, 3001)), FAMILIES[family][2])

    def no_first_page(parcel):
        answers = table.execute(parcel)
        far = len(parcel.commands) > 1
        for command in parcel.commands[far:]:
            answers[command.label] = Success({"items": []} if family == "item" else [])
        return answers

    with pytest.raises(ResponseError, match="gives no rows, though it has some"):
        read(family, table, on_parcel=no_first_page)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_empty_page_before_a_far_end_that_has_gone_is_the_end(family):
    table = Table({5, 6, 7}, FAMILIES[family][2])

    def emptied(parcel):
        answers = table.execute(parcel) if table.requests else {
            command.label: answer if place == 0 else Success({"items": []} if family == "item" else [])
            for place, (command, answer) in enumerate(zip(parcel.commands, table.execute(parcel).values(), strict=True))
        }  # fmt: skip
        table.ids.clear()
        table.in_order = None
        return answers

    assert read(family, table, on_parcel=emptied) == []
    assert table.requests == 2


def test_a_method_that_knows_one_order_only_is_an_error():
    """The highest id would be taken for the fiftieth, and the read for complete there."""
    table = Table(set(range(1, 3001)), True)

    def upwards(parcel):
        calls = [replace(c.call, params={**c.call.params, "order": {"id": "ASC"}}) for c in parcel.commands]
        pairs = zip(parcel.commands, calls, strict=True)
        return table.execute(replace(parcel, commands=tuple(replace(c, call=call) for c, call in pairs)))

    with pytest.raises(ResponseError, match="does not keep to the order"):
        read("item", table, commands=20, on_parcel=upwards)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_method_that_ignores_a_bound_is_an_error(family):
    """Lanes would give the same rows twice."""
    table = Table(set(range(1, 3001)), FAMILIES[family][2])
    ignored = "<=" if family == "item" else ">"

    def unbounded(parcel):
        commands = []
        for command in parcel.commands:
            kept = {k: v for k, v in command.call.params.get("filter", {}).items() if not k.startswith(ignored)}
            call = replace(command.call, params={**command.call.params, "filter": kept})
            commands.append(replace(command, call=call))
        return table.execute(replace(parcel, commands=tuple(commands)))

    with pytest.raises(ResponseError, match="bounds of ids"):
        read(family, table, bounds=IdBounds(after=1510, upto=1530), on_parcel=unbounded)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("limit", [1, 49, 50, 120, 1000, 3000])
@pytest.mark.parametrize("ascending", [True, False])
def test_limit_reads_no_more_pages_than_it_takes(family, limit, ascending):
    table = Table(set(range(3, 9000, 2)), FAMILIES[family][2])
    got = read(family, table, limit=limit, ascending=ascending)
    assert got == sorted(table.ids, reverse=not ascending)[:limit]
    far_end = family == "classic" and limit > 50  # where a short page would end the read
    assert table.commands <= -(-limit // 50) + far_end


@pytest.mark.parametrize("family", FAMILIES)
def test_bounds_are_kept(family):
    table = Table(set(range(1, 5000)), FAMILIES[family][2])
    assert read(family, table, bounds=IdBounds(after=100, upto=3100)) == list(range(101, 3101))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_small_table_costs_one_request(family):
    table = Table(set(range(5, 4995, 5)), FAMILIES[family][2])
    assert len(read(family, table, commands=20)) == 998
    assert table.requests == 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("parallel", [1, 8])
@pytest.mark.parametrize("rows", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_large_table_costs_little_more_than_its_rows(family, parallel, rows):
    """A million rows take at most 420 requests: a hundred thousand, at most 42 and the first."""
    rng = random.Random(1)
    table = Table(set(rng.sample(range(1, rows * 13 // 10), rows)), FAMILIES[family][2])
    assert len(read(family, table, parallel=parallel)) == rows
    assert table.requests <= rows // 2500 * 1.05 + 1
    assert table.rows_read <= rows + 60


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_refused_as_a_whole_is_read_page_by_page(family):
    """One wrong command may spoil a request; a page of its own is judged on its own."""
    table = Table(set(range(1, 481)), FAMILIES[family][2])
    refused = Refusal("ERROR_CORE", "Internal error", 200, whole=True)

    def no_batches(parcel):
        if len(parcel.commands) > 1:
            return {command.label: refused for command in parcel.commands}
        return table.execute(parcel)

    assert read(family, table, on_parcel=no_batches) == sorted(table.ids)


def test_a_page_refused_by_itself_is_an_error():
    refused = Refusal("ERROR_CORE", "Internal error", 400, whole=True)
    with pytest.raises(PortalError, match="Internal error"):
        read("item", Table({1, 2}, True), on_parcel=lambda p: {c.label: refused for c in p.commands})
