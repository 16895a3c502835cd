"""Absence has to be proved: what a list does not show, or not yet, may be there, and is never sent a second time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.testing import no_waiting

from .conftest import deals, uploaded
from .lens import Lens, Loss, Row, Word

pytestmark = pytest.mark.filterwarnings("ignore:deal. .* stored differently")
"""A row that the role may not read cannot be read back either."""

SOMEBODY = 2
BLIND = "no row like it is visible|does not show row"


@pytest.fixture
def lens(sandbox: bx.Sandbox) -> Lens:
    return Lens(sandbox)


@pytest.fixture
def seen(sandbox: bx.Sandbox, lens: Lens) -> Iterator[bx.Portal]:
    """The portal through the lens."""
    with bx.Portal(sandbox.url, limits=FAST, transport=lens) as opened:
        yield opened


def own(row: Row) -> bool:
    return int(row["assignedById"]) == 1


def is_told(report: bx.WriteReport, frame: pd.DataFrame, sandbox: bx.Sandbox) -> None:
    """No row is there twice; what is told inserted is there, under its id; what is told failed is not."""
    there = uploaded(sandbox).set_index("id")["title"].to_dict()
    assert len(set(there.values())) == len(there)
    for row in report.frame().itertuples():
        title = frame["title"].iloc[row.position]
        if row.action == "inserted":
            assert there[row.id] == title
        elif row.action != "unknown":
            assert title not in there.values()


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("arrives", [True, False])
def test_a_role_that_reads_less_than_it_adds_proves_nothing(
    automation: bool | None, arrives: bool, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    lens.shows, lens.losses = own, [Loss(after=0.0 if arrives else None)]
    frame = deals(3).assign(assignedById=SOMEBODY)
    report = bx.write_entity(frame, "deal", seen, mode="insert", automation=automation, on_error="report")
    assert report.unknown == 3
    assert report.frame()["message"].str.contains(BLIND).all()
    is_told(report, frame, sandbox)


@pytest.mark.parametrize("assigned", [None, 1])
def test_a_role_that_reads_its_own_rows_proves_those_absent(
    assigned: int | None, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    lens.shows, lens.losses = own, [None, Loss()]
    frame = deals(60) if assigned is None else deals(60).assign(assignedById=assigned)
    report = bx.write_entity(frame, "deal", seen, mode="insert", rows_per_request=20)
    assert report.inserted == 60
    is_told(report, frame, sandbox)


def test_rows_of_this_upload_that_are_not_shown_either_are_a_reason_for_doubt(
    sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    lens.shows, lens.losses = own, [None, Loss(), None]
    frame = deals(60).assign(assignedById=[1, SOMEBODY] * 30)
    report = bx.write_entity(frame, "deal", seen, mode="insert", rows_per_request=20, on_error="report")
    told = report.frame()
    assert told["action"][20:40].tolist() == ["inserted", "unknown"] * 10
    is_told(report, frame, sandbox)


def test_a_probe_shows_whether_the_list_contains_new_rows(sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal) -> None:
    """The list shows older rows and none of this upload: one row is sent, not all."""
    newest = max(int(row["id"]) for row in sandbox.store.rows(2))
    lens.shows, lens.losses = lambda row: int(row["id"]) <= newest, [Loss(after=0.0)]
    frame = deals(20)
    report = bx.write_entity(frame, "deal", seen, mode="insert", on_error="report")
    assert len(uploaded(sandbox)) == 21
    assert (report.inserted, report.unknown) == (1, 19)
    first = report.frame().iloc[0]
    assert (first["action"], first["code"]) == ("inserted", "NOT_STORED")
    assert "it may be there twice" in first["message"]


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("rows", [1, 3])
def test_rows_of_a_webhook_that_has_another_owner_by_now_are_not_doubled(
    rows: int, automation: bool | None, sandbox: bx.Sandbox
) -> None:
    """When its maker is dismissed, a webhook keeps its address and writes as another user."""
    url = sandbox.add_webhook(user_id=1, acts_as=9)
    frame = deals(rows)
    for loss in (Loss(after=0.0), Loss()):
        with bx.Portal(url, limits=FAST, transport=Lens(sandbox, [loss], url=url)) as portal:
            report = bx.write_entity(frame, "deal", portal, mode="insert", automation=automation, resume=False)
        assert report.inserted == rows
    assert len(uploaded(sandbox)) == 2 * rows


@pytest.mark.parametrize("automation", [None, True])
@pytest.mark.parametrize("rows", [1, 3])
def test_rows_of_an_author_who_is_not_the_credentials_user_are_not_doubled(
    rows: int, automation: bool | None, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    """Whatever the portal stores as the author, an equal new row may be this one."""
    sandbox.store.database.change("UPDATE deal SET createdBy = 1")
    lens.losses, lens.stores = [Loss(after=0.0)], "createdBy = 9"
    frame = deals(rows)
    report = bx.write_entity(frame, "deal", seen, mode="insert", automation=automation, on_error="report")
    assert report.unknown == rows == len(uploaded(sandbox))
    assert report.frame()["message"].str.contains("it may be one of these rows").all()


@pytest.mark.parametrize("word", ["page", "half", "empty", "page 502"])
@pytest.mark.parametrize("automation", [None, True])
def test_only_the_portals_word_ends_a_request(
    word: Word, automation: bool | None, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    """A gateway answers at once, and the portal executes the request a second later."""
    lens.losses = [Loss(word, after=1.0)]
    frame = deals(3)
    report = bx.write_entity(frame, "deal", seen, mode="insert", automation=automation)
    assert report.inserted == 3 == len(uploaded(sandbox))


@pytest.mark.parametrize("word", ["page", "half", "empty", "JSON 500", "JSON 400", "nothing"])
def test_lists_may_be_behind(word: Word, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal) -> None:
    lens.lag, lens.losses = 3.0, [Loss(word, after=0.0)]
    report = bx.write_entity(deals(3), "deal", seen, mode="insert")
    assert report.inserted == 3 == len(uploaded(sandbox))


@pytest.mark.parametrize("word", ["JSON 400", "nothing"])
def test_lists_that_are_far_behind_are_noticed_by_the_rows_they_lack(
    word: Word, sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    lens.lag, lens.losses = 25.0, [None, Loss(word, after=0.0), None]
    frame = deals(60)
    report = bx.write_entity(frame, "deal", seen, mode="insert", rows_per_request=20, on_error="report")
    assert report.inserted == 60
    is_told(report, frame, sandbox)


def test_a_request_ends_so_long_after_the_connection_was_closed(
    sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal, waits: no_waiting
) -> None:
    """It queues for 77 s; the client has given up after 75, and looks for the rows when it can last have ended."""
    lens.losses = [Loss(after=77.0, hangs=75.0)]
    report = bx.write_entity(deals(3), "deal", seen, mode="insert")
    assert report.inserted == 3 == len(uploaded(sandbox))
    assert waits.seconds >= 75 + 60


def test_a_poorer_row_does_not_take_the_place_of_a_rounded_one(
    sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal
) -> None:
    """The portal rounds 10.005; the row without a sum was never carried out."""
    frame = pd.DataFrame({"title": ["Upload a", "Upload a"], "opportunity": [None, 10.005]})
    lens.losses, lens.stores = [Loss(after=None), Loss(after=0.0)], "opportunity = 10.01 * (opportunity > 0)"
    report = bx.write_entity(frame, "deal", seen, mode="insert", automation=True, rows_per_request=1)
    there = uploaded(sandbox).set_index("id")["opportunity"].to_dict()
    assert report.inserted == 2 == len(there)
    assert [there[int(row_id)] for row_id in report.ids("inserted")] == [0.0, 10.01]


def test_a_key_does_not_lower_the_standard(sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal) -> None:
    """The portal stores key and title otherwise than they were sent: its row is ours, or it may be."""
    frame = pd.DataFrame({"title": ["upload a"], "originatorId": ["shop"], "originId": ["k1"]})
    before = len(sandbox.store.rows(2))
    lens.losses, lens.stores = [Loss(after=0.0)], "title = 'No. ' || id, originId = '?' || id"
    report = bx.write_entity(frame, "deal", seen, mode="insert", on="originId", on_error="report")
    assert report.unknown == 1 == len(sandbox.store.rows(2)) - before


def test_a_key_in_other_letters_is_known_again(sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal) -> None:
    frame = pd.DataFrame({"title": ["upload a"], "originatorId": ["shop"], "originId": ["k&1"]})
    before = len(sandbox.store.rows(2))
    lens.losses, lens.stores = [Loss(after=0.0)], "originId = 'K&amp;1'"
    report = bx.write_entity(frame, "deal", seen, mode="insert", on="originId")
    assert report.inserted == 1 == len(sandbox.store.rows(2)) - before


def test_only_the_credential_that_sent_a_row_proves_it_absent(
    sandbox: bx.Sandbox, lens: Lens, seen: bx.Portal, tmp_path: Path
) -> None:
    """An upload begun with one user's webhook is resumed with another's, who sees none of its rows."""
    frame = deals(40)
    journal = tmp_path / "one.sqlite"
    lens.losses = [None, *[Loss(after=0.0, word="page")] * 2]
    lens.shows = lambda _: False  # the first user's search finds nothing either
    with pytest.raises(bx.errors.WriteError):
        bx.write_entity(frame, "deal", seen, mode="insert", rows_per_request=20, resume=journal)
    lens.losses, lens.shows = [], lambda row: int(row["createdBy"]) == SOMEBODY
    other = bx.Portal(sandbox.add_webhook(user_id=SOMEBODY), transport=lens, limits=FAST)
    with other:
        report = bx.write_entity(frame, "deal", other, mode="insert", resume=journal, on_error="report")
    assert len(uploaded(sandbox)) == 40
    assert report.unknown == 20
