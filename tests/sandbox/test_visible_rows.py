"""What a caller's lists show: the rows its role reads, once they are committed and replicated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from handlers import opened

from bx24frames.sandbox import Role
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError

USER = 3
NOW = 1.79e9


@pytest.fixture
def store() -> Iterator[PortalStore]:
    with opened(24, {"deal": 3, "contact": 3}) as found:
        yield found


def call(store: PortalStore, name: str, *, now: float = NOW, **params: object):
    context = Context(store=store, user_id=USER, now=now, start=0)
    return METHODS[name.lower()].handler(params, context)


def shown(store: PortalStore, **options: object) -> set[str]:
    found = call(store, "crm.item.list", entityTypeId=2, filter={"%title": "mine"}, **options)
    listed = call(store, "crm.deal.list", filter={"%TITLE": "mine"}, **options)
    assert found.total == listed.total == len(found.value["items"])
    assert {row["title"] for row in found.value["items"]} == {row["TITLE"] for row in listed.value}
    return {row["title"] for row in found.value["items"]}


def add(store: PortalStore, title: str, **fields: object) -> int:
    return call(store, "crm.item.add", entityTypeId=2, fields={"title": title, **fields}).value["item"]["id"]


def test_a_role_may_add_what_it_does_not_read(store: PortalStore) -> None:
    store.roles[USER] = Role("own")
    add(store, "mine 1")
    row_id = add(store, "mine 2", assignedById=5)
    assert shown(store) == {"mine 1"}
    with pytest.raises(MethodError, match="Доступ запрещен"):
        call(store, "crm.item.get", entityTypeId=2, id=row_id)
    with pytest.raises(MethodError, match="Access denied"):
        call(store, "crm.deal.get", id=row_id)
    store.roles.clear()
    assert shown(store) == {"mine 1", "mine 2"}


def test_a_role_is_set_for_tables_and_pipelines(store: PortalStore) -> None:
    add(store, "mine 1")
    add(store, "mine 2", categoryId=1)
    store.roles[USER] = Role(hidden_categories={"deal": (1,)})
    assert shown(store) == {"mine 1"}
    store.roles[USER] = Role(tables={"deal": "none"})
    assert shown(store) == set()
    assert call(store, "crm.item.list", entityTypeId=3).total == 3


def test_a_role_may_not_import(store: PortalStore) -> None:
    store.roles[USER] = Role(imports=False)
    with pytest.raises(MethodError, match="Доступ запрещен"):
        call(store, "crm.item.import", entityTypeId=2, fields={"title": "x"})


def test_an_administrator_with_a_role_is_none(store: PortalStore) -> None:
    context = Context(store=store, user_id=1, now=NOW)
    assert context.is_admin
    store.roles[1] = Role()
    assert not context.is_admin


def test_lists_lag_behind_adds(store: PortalStore) -> None:
    store.lag = 5.0
    for place in range(20):
        add(store, f"mine {place}")
    at_once, soon, later = (shown(store, now=NOW + seconds) for seconds in (0.0, 2.5, 5.1))
    assert at_once < soon < later
    assert len(later) == 20


def test_added_rows_are_recorded_as_they_were_sent(store: PortalStore) -> None:
    store.additions, store.normalise = [], True
    call(store, "crm.deal.add", fields={"TITLE": " a ", "NO_SUCH": 1})
    call(store, "crm.item.batchImport", entityTypeId=2, data={"r1": {"title": "b"}})
    assert [dict(one.values) for one in store.additions] == [{"TITLE": " a ", "NO_SUCH": 1}, {"title": "b"}]
    assert [store.row("deal", one.id)["title"] for one in store.additions] == ["a", "b"]
