"""The metadata cache: what is stored, where and for how long, and what is never stored."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from look import asked
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import ResponseError, UnknownColumn, UnknownEntity
from bx24frames.portal.cache import Cache, open_cache

Ask = Callable[[], Awaitable[object]]


class Clock:
    """A clock that advances on request."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Portal:
    """A function that counts its calls."""

    def __init__(self, answer: object = "as it is") -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self) -> object:
        self.asked += 1
        return self.answer


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Cache loopback portals, too, in a folder of the test."""
    monkeypatch.setenv("BX24FRAMES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BX24FRAMES_CACHE_LOOPBACK", "1")
    return tmp_path / "cache"


async def test_an_answer_is_believed_for_an_hour(clock: Clock, tmp_path: Path):
    portal = Portal()
    cache = Cache(tmp_path, clock=clock)
    for _ in range(3):
        assert await cache.recall("types", portal, str) == "as it is"
    clock.now += 3599
    assert await cache.recall("types", portal, str) == "as it is"
    assert portal.asked == 1
    clock.now += 1
    portal.answer = "changed"
    assert await cache.recall("types", portal, str) == "changed"
    assert portal.asked == 2


async def test_another_process_reads_it_from_disk_and_believes_it_no_longer(clock: Clock, tmp_path: Path):
    portal = Portal({"fields": [1, None]})
    await Cache(tmp_path, clock=clock).recall("fields:deal", portal, dict)
    clock.now += 3000
    other = Cache(tmp_path, clock=clock)
    assert await other.recall("fields:deal", portal, dict) == {"fields": [1, None]}
    assert portal.asked == 1
    assert other.age("fields:deal") == 3000
    clock.now += 600
    await other.recall("fields:deal", portal, dict)
    assert portal.asked == 2


async def test_a_clock_that_was_put_back_makes_nothing_young(clock: Clock, tmp_path: Path):
    portal = Portal()
    await Cache(tmp_path, clock=clock).recall("types", portal, str)
    clock.now -= 10
    await Cache(tmp_path, clock=clock).recall("types", portal, str)
    assert portal.asked == 2


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"format": 1}', b'{"format": 1, "at": "soon", "answer": 1}']
)
async def test_a_file_that_is_not_what_was_written_is_replaced(clock: Clock, tmp_path: Path, content: bytes):
    portal = Portal("sound")
    await Cache(tmp_path, clock=clock).recall("types", portal, str)
    [file] = files(tmp_path)
    file.write_bytes(content)
    with pytest.warns(UserWarning, match="unreadable"):
        assert await Cache(tmp_path, clock=clock).recall("types", portal, str) == "sound"
    assert await Cache(tmp_path, clock=clock).recall("types", portal, str) == "sound"
    assert portal.asked == 2


async def test_an_answer_on_disk_that_can_no_longer_be_understood_is_asked_for_anew(clock: Clock, tmp_path: Path):
    portal = Portal("old")
    await Cache(tmp_path, clock=clock).recall("types", portal, str)

    def read(answer: object) -> str:
        if answer == "old":
            raise ResponseError("not a description")
        return str(answer)

    portal.answer = "new"
    with pytest.warns(UserWarning, match="unreadable"):
        assert await Cache(tmp_path, clock=clock).recall("types", portal, read) == "new"


async def test_another_format_is_asked_for_anew(clock: Clock, tmp_path: Path):
    portal = Portal()
    await Cache(tmp_path, clock=clock).recall("types", portal, str)
    [file] = files(tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 0}))
    await Cache(tmp_path, clock=clock).recall("types", portal, str)
    assert portal.asked == 2


async def test_a_folder_that_cannot_be_written_is_told_once_and_stops_nothing(clock: Clock, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    cache = Cache(tmp_path / "file" / "below", clock=clock)
    with pytest.warns(UserWarning, match=r"unreadable|not cached on disk"):
        assert await cache.recall("types", Portal(), str) == "as it is"
    assert await cache.recall("statuses", Portal(), str) == "as it is"


async def test_what_holds_names_of_people_stays_in_memory(clock: Clock, tmp_path: Path):
    cache, portal = Cache(tmp_path, clock=clock), Portal()
    await cache.recall("users", portal, str, keep=False)
    await cache.recall("users", portal, str, keep=False)
    assert portal.asked == 1
    assert files(tmp_path) == []


async def test_switched_off_it_remembers_nothing(clock: Clock, tmp_path: Path):
    cache, portal = Cache(tmp_path, enabled=False, clock=clock), Portal()
    await cache.recall("types", portal, str)
    await cache.recall("types", portal, str)
    assert portal.asked == 2
    assert files(tmp_path) == []


async def test_names_that_look_alike_have_files_of_their_own(clock: Clock, tmp_path: Path):
    cache = Cache(tmp_path, clock=clock)
    for name in ("fields:item:1036", "fields:item-1036", "FIELDS:item:1036", "../../etc/passwd", "x" * 300):
        await cache.recall(name, Portal(name), str)
    assert len(files(tmp_path)) == 5
    assert await Cache(tmp_path, clock=clock).recall("fields:item-1036", Portal("other"), str) == "fields:item-1036"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "localhost:81", "[::1]:80", "box.localhost:1"])
def test_portals_of_this_machine_are_not_kept_unless_forced(kept: Path, monkeypatch: pytest.MonkeyPatch, host: str):
    assert open_cache(host, "key").folder is not None
    monkeypatch.delenv("BX24FRAMES_CACHE_LOOPBACK")
    assert open_cache(host, "key").folder is None
    assert open_cache("acme.bitrix24.com", "key").folder is not None
    assert open_cache("acme.bitrix24.com", "key", enabled=False).folder is None


def test_portals_and_credentials_have_folders_of_their_own(kept: Path):
    hosts = [("acme.bitrix24.com", "a"), ("acme.bitrix24.com", "b"), ("other.bitrix24.com", "a")]
    folders = {open_cache(host, f"{host}#{key}").folder for host, key in hosts}
    assert len(folders) == 3
    assert {folder.parent for folder in folders if folder} == {kept}


def test_the_users_own_cache_folder_is_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("BX24FRAMES_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = open_cache("acme.bitrix24.com", "key").folder
    assert folder is not None
    assert "bx24frames" in folder.parts


def test_a_new_portal_object_asks_for_no_description_again(kept: Path, read_only_sandbox: bx.Sandbox):
    for expected in (1, 0):
        with bx.Portal(read_only_sandbox.url, limits=FAST) as portal:
            bx.read_entity("deal", portal, columns=["id", "stageId", "categoryId"], labels=True, limit=1)
            counts = asked(portal)
            described = [counts.get(name, 0) for name in ("crm.item.fields", "crm.status.list", "crm.category.list")]
        assert described == [expected] * 3


def test_no_secret_and_no_persons_name_is_on_disk(kept: Path, read_only_sandbox: bx.Sandbox):
    secret = read_only_sandbox.url.rstrip("/").rsplit("/", 1)[-1]
    with bx.Portal(read_only_sandbox.url, limits=FAST) as portal:
        frame = bx.read_entity("deal", portal, labels=["stageId", "assignedById", "companyId", "contactId"])
        bx.list_entities(portal)
    names = {name for column in ("assignedById", "companyId", "contactId") for name in frame[column].cat.categories}
    assert files(kept)
    for file in files(kept):
        text = file.read_text()
        assert secret not in text + str(file)
        assert not [name for name in names if len(name) > 4 and name in text]
        assert file.stat().st_mode & 0o077 == 0


def test_cache_false_asks_each_time_and_leaves_nothing(kept: Path, read_only_sandbox: bx.Sandbox):
    with bx.Portal(read_only_sandbox.url, limits=FAST, cache=False) as portal:
        for _ in range(2):
            bx.read_entity("deal", portal, columns=["id"], limit=1)
        assert asked(portal)["crm.item.fields"] == 2
    assert not kept.exists()


def test_a_field_new_on_the_portal_is_found_although_the_description_is_remembered():
    with bx.Sandbox(sizes={"deal": 5}, plan="unlimited", real_time=False) as sandbox, bx.Portal(sandbox.url) as portal:
        clock = Clock()
        portal.connection.metadata.clock = clock
        bx.read_entity("deal", portal, columns=["id"])
        sandbox.store.add_user_field(2, "UF_CRM_BRAND_NEW", "string")
        with pytest.raises(UnknownColumn):
            bx.read_entity("deal", portal, columns=["UF_CRM_BRAND_NEW"])
        assert asked(portal)["crm.item.fields"] == 1
        clock.now += 61
        assert len(bx.read_entity("deal", portal, columns=["UF_CRM_BRAND_NEW"])) == 5
        assert asked(portal)["crm.item.fields"] == 2


def test_a_description_that_is_remembered_takes_milliseconds(portal: bx.Portal):
    bx.describe_entity("deal", portal)
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        bx.describe_entity("deal", portal)
        best = min(best, time.perf_counter() - started)
    assert best < 0.020


async def test_reads_under_way_at_once_ask_once(read_only_sandbox: bx.Sandbox):
    portal = bx.aio.Portal(read_only_sandbox.url, limits=FAST)
    reads = (bx.aio.read_entity("deal", portal, columns=["stageId"], labels=True, limit=1) for _ in range(5))
    frames = await asyncio.gather(*reads)
    await portal.close()
    assert [len(frame) for frame in frames] == [1] * 5
    counts = {name: figures.commands for name, figures in portal.stats.methods.items()}
    assert counts["crm.item.fields"] == counts["crm.status.list"] == 1


async def test_a_read_that_fails_leaves_the_next_one_to_ask(clock: Clock, tmp_path: Path):
    cache = Cache(tmp_path, clock=clock)

    async def refused() -> object:
        raise ResponseError("no answer")

    with pytest.raises(ResponseError):
        await cache.recall("types", refused, str)
    assert await cache.recall("types", Portal(), str) == "as it is"


def test_a_smart_process_new_on_the_portal_is_found_although_the_list_is_remembered(portal: bx.Portal):
    clock = Clock()
    portal.connection.metadata.clock = clock
    for _ in range(2):
        with pytest.raises(UnknownEntity):
            bx.describe_entity("No such process", portal)
    assert asked(portal)["crm.type.list"] == 1
    clock.now += 61
    with pytest.raises(UnknownEntity):
        bx.describe_entity("No such process", portal)
    assert asked(portal)["crm.type.list"] == 2


def test_what_a_token_function_sees_is_not_kept_for_other_processes() -> None:
    """The user behind the tokens is unknown there, and another user may see other fields."""
    at = "https://acme.bitrix24.com/rest/"
    assert bx.Portal(at, auth=lambda: "token").connection.metadata.folder is None
    assert bx.Portal(at, auth=bx.OAuth("app", "s", refresh_token="r")).connection.metadata.folder is not None
