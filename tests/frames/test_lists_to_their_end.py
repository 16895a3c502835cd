"""Lists as live portals page them: read to a proven end, with rows that only administrators see."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from odd_portal import OddPortal
from unlimited import FAST

import bx24frames as bx
from bx24frames.errors import PortalError, ResponseError, UnknownEntity
from bx24frames.sandbox import Sandbox


@pytest.fixture(scope="module", params=["observed", "documented"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(plan="unlimited", real_time=False, quirks=request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def portal(sandbox: Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(sandbox.url, limits=FAST, cache=False) as opened:
        yield opened


def read(portal: bx.Portal, method: str, **more: Any) -> pa.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bx.read_entity(method, portal, backend="pyarrow", progress=False, **more)


@pytest.mark.parametrize(
    ("method", "rows"),
    [
        ("landing.site.getList", 120), ("biconnector.dataset.list", 120), ("im.recent.list", 120),
        ("sign.b2e.personal.tail", 60), ("humanresources.hcmlink.employee.list", 120),
        ("crm.documentgenerator.template.list", 70), ("sale.order.list", 127), ("crm.item.payment.list", 3),
        ("bizproc.workflow.instances", 70),
    ],
)  # fmt: skip
def test_a_method_outside_the_catalogue_is_read_to_its_end(portal: bx.Portal, method: str, rows: int) -> None:
    table = read(portal, method)
    assert table.num_rows == rows
    key = "ID" if "ID" in table.column_names else "id"
    assert len(set(table.column(key).to_pylist())) == rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(portal.get_all(method)) == rows  # type: ignore[arg-type]


def test_rows_that_a_list_counts_and_does_not_show_are_told(portal: bx.Portal) -> None:
    with pytest.warns(UserWarning, match="counts 3 rows more than it shows"):
        assert len(portal.get_all("sale.order.list")) == 127  # type: ignore[arg-type]


def test_the_document_of_rest_3_is_a_result(portal: bx.Portal) -> None:
    told = portal.call("api/rest.documentation.openapi")
    assert isinstance(told, dict)
    assert told["openapi"] == "3.0.0"


def test_an_administrator_sees_everybody_and_every_group(sandbox: Sandbox, portal: bx.Portal) -> None:
    assert len(bx.read_entity("user", portal)) == sandbox.store.scalar('SELECT count(*) FROM "user"', ())
    assert len(portal.get_all("user.get")) == len(bx.read_entity("user", portal))  # type: ignore[arg-type]
    groups = sandbox.store.scalar('SELECT count(*) FROM "workgroup"', ())
    assert len(bx.read_entity("workgroup", portal)) == len(bx.read_entity("api_workgroup", portal)) == groups
    hidden = sandbox.store.scalar("SELECT count(*) FROM \"user\" WHERE ufDepartment = '[]'", ())
    assert hidden > 0


def test_smart_processes_that_a_user_may_not_list_are_told_of() -> None:
    with Sandbox(plan="unlimited", real_time=False) as sandbox:
        plain = sandbox.add_webhook(user_id=3)
        with bx.Portal(plain, limits=FAST, cache=False) as portal:
            with pytest.warns(UserWarning, match="Smart processes are left out"):
                listed = bx.list_entities(portal)
            assert "deal" in set(listed["name"])
            assert "item:1036" not in set(listed["name"])
            with pytest.raises(UnknownEntity, match=r"'item:1036'"):
                bx.read_entity("Projects", portal)
            assert len(bx.read_entity("item:128", portal)) > 0  # they can be read all the same
            assert len(bx.read_entity("user", portal)) < sandbox.store.scalar('SELECT count(*) FROM "user"', ())


def test_rest_3_is_available_where_its_methods_are() -> None:
    with (
        Sandbox(plan="unlimited", real_time=False, quirks={"rest3_incomplete": True}) as sandbox,
        bx.Portal(sandbox.url, limits=FAST, cache=False) as portal,
    ):
        listed = bx.list_entities(portal).set_index("name")["available"]
        assert listed["task.v3"]
        assert not listed["department.v3"]
        assert not listed["time_record"]
        with pytest.raises(PortalError, match="Method not found"):
            bx.read_entity("department.v3", portal)


@pytest.mark.parametrize("name", ["crm.deal.delete", "disk.folder.uploadfile", "task.item.startexecution", "x.y.addTo"])
def test_a_method_that_changes_something_is_never_read(portal: bx.Portal, name: str) -> None:
    with pytest.raises(UnknownEntity, match="changes something"):
        bx.read_entity(name, portal)


def test_an_order_by_text_is_sorted_here_and_complete(sandbox: Sandbox, portal: bx.Portal) -> None:
    titles = bx.read_entity("deal", portal, columns=["title"], order_by="title", backend="pyarrow").column("title")
    every = bx.read_entity("deal", portal, columns=["title"], backend="pyarrow").column("title").to_pylist()
    assert titles.to_pylist() == sorted(every, key=lambda text: (text is not None, (text or "").lower(), text or ""))
    last = len(sandbox.log)
    bx.read_entity("deal", portal, columns=["title"], order_by="title")
    assert not any("order[title]" in line.excerpt or '"title":"ASC"' in line.excerpt for line in sandbox.log[last:])


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 50, 120])
def test_the_first_rows_of_an_order_are_the_first_rows(portal: bx.Portal, way: Any, limit: int) -> None:
    every = bx.read_entity("deal", portal, columns=["id", "opportunity"], order_by=("opportunity", way))
    some = bx.read_entity("deal", portal, columns=["id", "opportunity"], order_by=("opportunity", way), limit=limit)
    assert some["opportunity"].tolist() == every["opportunity"].tolist()[:limit]


def test_a_full_page_that_nothing_leads_behind_is_an_error(odd_list: Any) -> None:
    with pytest.raises(ResponseError, match="there may be more"):
        read(odd_list(50), "some.thing.list")
    assert read(odd_list(37), "some.thing.list").num_rows == 37


@pytest.fixture
def odd_list() -> Iterator[Any]:
    """Make a portal whose list always returns the same number of rows."""
    opened: list[Any] = []

    def make(rows: int) -> bx.Portal:
        odd = OddPortal()
        odd.do_some_thing_list = lambda params: {"result": [{"ID": one} for one in range(rows)]}  # type: ignore[attr-defined]
        portal = bx.Portal(odd.url, limits=FAST, cache=False)
        opened.extend([odd, portal])
        return portal

    yield make
    for one in opened[::-1]:
        one.close()
