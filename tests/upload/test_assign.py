"""Rows in doubt among near-equal rows of a portal that normalises: none lost, none doubled, no id crossed."""

from __future__ import annotations

import html
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.entities.schema import Field
from bx24frames.upload.assign import Matches, SoughtRow, assign

FIELDS: Final = {
    "title": Field("title", "string"),
    "opportunity": Field("opportunity", "double"),
    "comments": Field("comments", "string"),
    "phone": Field("phone", "crm_multifield", multiple=True),
}
Values = Mapping[str, Any]


def values(title: str | None, opportunity: float | None = None, comments: str | None = None) -> Values:
    return {"title": title, "opportunity": opportunity, "comments": comments, "phone": None}


def result(doubts: list[Values], rows: list[Values]) -> Matches:
    wanted = [SoughtRow(at, one) for at, one in enumerate(doubts)]
    return assign(wanted, [(100 + at, row) for at, row in enumerate(rows)], FIELDS)


def test_a_row_with_more_cells_comes_first_though_the_portal_rounded_one() -> None:
    """The other row would take it exactly, as far as its own cells go, and would not explain the sum."""
    found = result([values("Chair"), values("Chair", 10.005)], [values("Chair", 10.01)])
    assert (found.found, found.absent, found.unclear) == ({1: 100}, [0], {})


def test_an_identical_row_may_be_what_another_has_become() -> None:
    found = result([values("Chair", 10.004), values("Chair", 10.0)], [values("Chair", 10.0)])
    assert (found.found, found.absent, set(found.unclear)) == ({}, [], {0, 1})


def test_two_possible_owners_are_unclear() -> None:
    found = result([values("Chair  ", 5.0), values("<i>Chair</i>", 5.0)], [values("Chair", 5.0)])
    assert (found.found, found.absent, found.unclear) == ({}, [], {0: (100,), 1: (100,)})


def test_identical_rows_are_interchangeable() -> None:
    found = result([values("Chair  ", 5.0)] * 3, [values("Chair", 5.0), values("Chair  ", 5.0)])
    assert (found.found, found.absent, found.unclear) == ({0: 100, 1: 101}, [2], {})


def test_a_default_of_the_portal_does_not_hide_a_row() -> None:
    found = result([values("Chair", None)], [values("Chair", 3.0)])
    assert found.found == {0: 100}


def test_a_row_that_nobody_explains_is_unclaimed() -> None:
    found = result([values("Chair", 1.0)], [values("Table", 1.0)])
    assert (found.absent, found.unclaimed) == ([0], (100,))


def test_more_candidates_than_doubts_are_unclear() -> None:
    found = result([values("Chair", 1.0)], [values("Chair", 1.0)] * 2)
    assert (found.found, found.unclear) == ({}, {0: (100, 101)})
    assert found.unclaimed == (100, 101)


# --- random frames ---------------------------------------------------------------------------------


CUT: Final = 40
LONG: Final = "What the customer has ordered by telephone & wants "


def cut(text: str) -> str:
    return text[:CUT]


STORE: Final[dict[str, Callable[[str], str]]] = {
    "as it is": lambda text: text,
    "trims": str.strip,
    "trims and collapses": lambda text: " ".join(text.split()),
    "escapes": lambda text: html.escape(text, quote=False),
    "one kind of line ends": lambda text: text.replace("\r\n", "\n"),
    "no emoji": lambda text: "".join(char if ord(char) < 0x10000 else "?" for char in text),
    "drops emoji": lambda text: "".join(char for char in text if ord(char) < 0x10000),
    "upper case": str.upper,
    "cuts": cut,
}
TITLES: Final = [
    "A & B",
    "A & B ",
    " A & B",
    "A &amp; B",
    "A\r\nB",
    "A\nB",
    "A B",
    "A  B",
    "A\U0001f600B",
    "A?B",
    "AB",
    None,
]
SUMS: Final = [10.0, 10.004, 10.005, 10.01, 10.001, 0.0, None]
PHONES: Final = ["+7 900 111-22-33", "8 900 1112233", "79001112233", "+7 900 111-22-34", None]


def stored(row: Values, text: Callable[[str], str], *, rounds: bool, digits: bool) -> Values:
    phones = [
        {"value": "".join(char for char in item["value"] if char.isdigit()) if digits else item["value"]}
        for item in row["phone"] or []
    ]
    amount = row["opportunity"]
    return {
        "title": None if row["title"] is None else text(row["title"]),
        "opportunity": round(amount + 1e-9, 2) if rounds and amount is not None else amount,
        "comments": None if row["comments"] is None else text(row["comments"]),
        "phone": phones or None,
    }


rows_ = st.builds(
    lambda title, amount, comments, phone: {
        "title": title,
        "opportunity": amount,
        "comments": comments,
        "phone": None if phone is None else [{"value": phone}],
    },
    st.sampled_from(TITLES),
    st.sampled_from(SUMS),
    st.sampled_from([*TITLES[:4], None, None]),
    st.sampled_from([*PHONES, None, None]),
)


def as_text(row: Values) -> str:
    return repr(sorted(row.items()))


@settings(max_examples=200, deadline=None)
@given(
    frame=st.lists(rows_, min_size=1, max_size=8),
    seed=st.integers(0, 10**6),
    how=st.sampled_from(sorted(STORE)),
    rounds=st.booleans(),
    digits=st.booleans(),
)
def test_near_equal_rows(frame: list[Values], seed: int, how: str, rounds: bool, digits: bool) -> None:
    """Sending what is absent again gives the portal exactly the frame's rows, and each id is of the row itself."""

    def kept(row: Values) -> Values:
        return stored(row, STORE[how], rounds=rounds, digits=digits)

    rng = random.Random(seed)
    there = [at for at in range(len(frame)) if rng.random() < 0.5]
    rng.shuffle(there)
    portal = {100 + place: kept(frame[at]) for place, at in enumerate(there)}
    matches = assign([SoughtRow(at, row) for at, row in enumerate(frame)], portal.items(), FIELDS)
    decided = {*matches.found, *matches.absent, *matches.unclear}
    assert decided == set(range(len(frame)))
    assert len(set(matches.found.values())) == len(matches.found)
    for position, row_id in matches.found.items():
        assert as_text(frame[there[int(row_id) - 100]]) == as_text(frame[position]), "crossed"
    again = [] if matches.unclaimed else matches.absent
    after = Counter(as_text(frame[at]) for at in (*there, *again))
    wanted = Counter(as_text(row) for row in frame)
    unsure = {*matches.unclear, *(matches.absent if matches.unclaimed else ())}
    assert after <= wanted, "doubled"
    assert wanted - after <= Counter(as_text(frame[at]) for at in unsure), "lost"


@pytest.mark.parametrize("how", sorted(STORE))
def test_distinct_rows_are_all_found(how: str) -> None:
    """A portal that changes signs, case and sums alone leaves nothing unknown."""
    frame = [values(f"Row {at} & co, a title much longer than is kept", at * 1.004) for at in range(30)]
    rows = [stored(row, STORE[how], rounds=True, digits=True) for row in frame[:20]]
    matches = result(frame, rows)
    known = how != "cuts"
    assert len(matches.found) == (20 if known else 0)
    assert bool(matches.unclaimed) is not known
