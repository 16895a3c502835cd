"""Lists whose answers say what comes behind them: cursors followed to their end, trees spread out, faults sat out."""

from __future__ import annotations

from typing import Any

import pytest

from bx24frames.engine.messages import (
    JSON,
    Answer,
    Call,
    Done,
    Listing,
    Lost,
    Paging,
    Parcel,
    Refusal,
    Row,
    Success,
    Wait,
)
from bx24frames.engine.pages.own import OwnPages, spread
from bx24frames.engine.sizes import Sizes
from bx24frames.errors import PortalError, ResponseError, TransportError

LISTING = Listing(
    Call("api/note.collection.list", {"pagination": {"limit": 2}}, direct=True),
    rows_path=("items",),
    id_key="id",
    id_filter="",
    paging=Paging.OWN,
)


def page(*ids: int, behind: JSON = None, under: str = "nextCursor") -> Success:
    return Success({"items": [{"id": one} for one in ids], under: behind})


def machine(limit: int | None = None) -> OwnPages[list[Row]]:
    return OwnPages(LISTING, list, token="t", limit=limit)


def sent(one: OwnPages[list[Row]], now: float = 0.0) -> Parcel:
    parcel = one.due(now, Sizes())
    assert isinstance(parcel, Parcel)
    assert isinstance(one.due(now, Sizes()), Wait)  # one page at a time: the next is not known yet
    return parcel


def given(one: OwnPages[list[Row]], answer: Answer, now: float = 0.0) -> tuple[Any, list[int]]:
    """Send the next page and answer it: where it was asked for, and the ids that came out."""
    parcel = sent(one, now)
    [command] = parcel.commands
    rows = [row for part in one.feed(parcel, {command.label: answer}, now) for row in part]
    return command.call.params["pagination"], [int(str(row["id"])) for row in rows]


@pytest.mark.parametrize("under", ["nextCursor", "afterCursor"])
def test_a_cursor_is_handed_back_as_it_came(under: str) -> None:
    one = machine()
    cursor: JSON = {"position": 100, "id": 2}
    assert given(one, page(1, 2, behind=cursor, under=under)) == ({"limit": 2}, [1, 2])
    assert given(one, page(3, under=under)) == ({"limit": 2, "afterCursor": cursor}, [3])
    assert isinstance(one.due(0.0, Sizes()), Done)


def test_a_row_that_moved_between_pages_comes_once() -> None:
    one = machine()
    given(one, page(1, 2, behind={"id": 2}))
    assert given(one, page(2, 3))[1] == [3]


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    one = machine()
    assert given(one, page(behind={"id": 9}))[1] == []
    assert given(one, page(4))[1] == [4]


def test_a_limit_ends_between_pages_and_within_one() -> None:
    one = machine(limit=3)
    assert given(one, page(1, 2, behind={"id": 2}))[1] == [1, 2]
    assert given(one, page(3, 4, behind={"id": 4}))[1] == [3]
    assert isinstance(one.due(0.0, Sizes()), Done)
    assert isinstance(machine(limit=0).due(0.0, Sizes()), Done)


def test_a_lost_page_is_asked_for_again_at_the_same_place() -> None:
    one = machine()
    given(one, page(1, behind={"id": 1}))
    assert given(one, Lost("no answer"), now=5.0)[1] == []
    waited = one.due(5.0, Sizes())
    assert isinstance(waited, Wait)
    assert waited.until > 5.0
    assert given(one, page(2), now=waited.until) == ({"limit": 2, "afterCursor": {"id": 1}}, [2])


def test_a_refusal_and_too_many_losses_are_errors() -> None:
    with pytest.raises(PortalError, match="Access denied"):
        given(machine(), Refusal("BITRIX_REST_V3_EXCEPTION_ACCESSDENIEDEXCEPTION", "Access denied", 403))
    with pytest.raises(TransportError, match="no answer"):
        lose_for_ever(machine())


def lose_for_ever(one: OwnPages[list[Row]]) -> None:
    now = 0.0
    while True:
        given(one, Lost("no answer"), now=now)
        step = one.due(now, Sizes())
        now = step.until if isinstance(step, Wait) else now


def test_a_cursor_that_leads_nowhere_new_is_an_error() -> None:
    one = machine()
    given(one, page(1, behind={"id": 1}))
    with pytest.raises(ResponseError, match="no page would end"):
        given(one, page(2, behind={"id": 1}))


def test_cursors_that_lead_round_are_an_error() -> None:
    one = machine()
    given(one, page(1, behind="a"))
    given(one, page(2, behind="b"))
    with pytest.raises(ResponseError, match="no page would end"):
        given(one, page(3, behind="a"))


def test_a_row_that_cannot_be_told_from_others_is_an_error() -> None:
    nameless: Answer = Success({"items": [{"id": 1}, {"title": "a"}, {"title": "b"}]})
    with pytest.raises(ResponseError, match="A row without id"):
        given(machine(), nameless)


def test_a_tree_is_spread_and_a_cut_one_is_an_error() -> None:
    leaf: list[Any] = []
    for number in range(5000, 0, -1):  # deeper than Python's own stack
        leaf = [{"id": number, "children": leaf}]
    assert [row["id"] for row in spread(leaf)] == list(range(1, 5001))
    tree: JSON = [{"id": 1, "children": [{"id": 2, "children": []}, {"id": 3}]}, {"id": 4, "children": None}]
    assert given_tree(tree)[1] == [1, 2, 3, 4]
    with pytest.raises(ResponseError, match="cut the tree short"):
        given_tree(tree, truncated=True)


def given_tree(tree: JSON, *, truncated: bool = False) -> tuple[Any, list[int]]:
    return given(machine(), Success({"items": tree, "truncated": truncated}))
