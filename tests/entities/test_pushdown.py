"""Conditions of a query: wider than the values wanted, whatever these are, and never in the way of the caller's own."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.engine.messages import IdBounds
from bx24frames.entities.catalog.catalog import CATALOG
from bx24frames.entities.schema import Field
from bx24frames.where.domains import ANY_VALUE, NO_ROW, Domain, Possible, after, before
from bx24frames.where.model import Where
from bx24frames.where.narrow import narrowed

DEAL = CATALOG["deal"]
FIELDS = {
    "id": Field("id", "integer"),
    "count": Field("count", "integer"),
    "company": Field("companyId", "crm_company"),
    "amount": Field("opportunity", "double"),
    "stage": Field("stageId", "crm_status"),
    "title": Field("title", "string"),
    "comments": Field("comments", "string"),
    "place": Field("ufCrmPlace", "address", user_field=True),
    "day": Field("begindate", "date"),
    "moment": Field("createdTime", "datetime"),
    "own_moment": Field("ufCrmMoment", "datetime", user_field=True),
    "flag": Field("opened", "boolean"),
    "several": Field("observers", "user", multiple=True),
}
NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def ask(where: Where = Where(), /, entity: Any = DEAL, **domains: Domain) -> Where:  # noqa: B008 (frozen)
    return narrowed(where, entity, FIELDS, Possible(domains))


def one_of(*values: Any) -> Domain:
    return Domain(among=frozenset(values))


ASKED: dict[str, tuple[dict[str, Domain], dict[str, object]]] = {
    "a code": ({"stage": one_of("WON")}, {"=stageId": "WON"}),
    "codes": ({"stage": one_of("WON", "NEW")}, {"@stageId": ["NEW", "WON"]}),
    "a number": ({"count": one_of(5)}, {"=count": 5}),
    "numbers": ({"company": one_of(5, 7)}, {"@companyId": [5, 7]}),
    "very many numbers": ({"company": one_of(*range(5, 500))}, {">=companyId": 5, "<=companyId": 499}),
    "an interval": ({"count": Domain(3, 9)}, {">=count": 3, "<=count": 9}),
    "an amount": ({"amount": one_of(10.5)}, {">=opportunity": 9, "<=opportunity": 12}),
    "a day": ({"day": one_of(dt.date(2026, 3, 10))}, {">=begindate": "2026-03-08", "<=begindate": "2026-03-12"}),
    "a moment": ({"moment": Domain(low=NOON)}, {">=createdTime": "2026-03-09T09:00:00+00:00"}),
    "a user's moment": ({"own_moment": Domain(high=NOON)}, {"<=ufCrmMoment": "2026-03-12T14:00:00+00:00"}),
}
NOT_ASKED: dict[str, dict[str, Domain]] = {
    "what nulls are printed as": {"count": Domain(-1, 5)},
    "zero among others": {"company": one_of(0, 5)},
    "an amount that may be nothing": {"amount": Domain(high=5.0)},
    "the empty text": {"title": one_of("", "a")},
    "blanks the database ignores": {"title": one_of("a ")},
    "signs kept in another form": {"title": one_of("\U0001f600")},
    "signs that are not printed": {"title": one_of("a\nb")},
    "a long text": {"title": one_of("a" * 300)},
    "very many texts": {"title": one_of(*map(str, range(1, 200)))},
    "a text rewritten on its way": {"comments": one_of("a")},
    "an address": {"place": one_of("Berlin")},
    "a flag": {"flag": one_of(1)},
    "a list": {"several": one_of(5)},
    "no number of a database": {"count": one_of(2**70)},
    "an interval beyond it": {"count": Domain(low=2**70)},
    "digits that are gone": {"amount": Domain(low=1e300)},
    "a day before all years": {"day": Domain(low=dt.date(1, 1, 1))},
    "no column of the table": {"other": one_of(5)},
}


@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_for(case: str):
    domains, params = ASKED[case]
    assert ask(**domains) == Where(params=params)


@pytest.mark.parametrize("case", NOT_ASKED)
def test_what_is_not_asked_for(case: str):
    assert ask(**NOT_ASKED[case]) == Where()


def test_ids_are_the_cursors_own():
    assert ask(id=Domain(5, 9)) == Where(bounds=IdBounds(4, 9))
    assert ask(id=one_of(9, 5)) == Where(ids=(5, 9))
    bounded = Where(bounds=IdBounds(6, 100))
    assert ask(bounded, id=Domain(5, 9)) == Where(bounds=IdBounds(6, 9))
    assert ask(bounded, id=one_of(5, 9)) == Where(ids=(9,))
    assert ask(bounded, id=one_of(5)).nothing
    assert ask(bounded, id=Domain(high=6)).nothing
    chosen = Where(ids=(5, 7, 9))
    assert ask(chosen, id=Domain(6)) == Where(ids=(7, 9))
    assert ask(chosen, id=one_of(7, 8)) == Where(ids=(7,))
    assert ask(chosen, id=Domain(10)).nothing


def test_the_callers_own_conditions_stay():
    own = Where(params={">=count": 1}, splits=(("@stageId", ("A", "B")),))
    found = ask(own, count=Domain(5, 9), stage=one_of("A", "C"))
    assert found == Where(params={">=count": 1, "<=count": 9}, splits=own.splits)


def test_dialects_that_mean_something_else_are_asked_for_ids_alone():
    for name in ("task", "call"):
        entity = next(one for key, one in CATALOG.items() if key.startswith(name))
        assert ask(entity=entity, stage=one_of("WON"), count=one_of(5)) == Where()


def test_nothing_known_asks_nothing_and_no_row_reads_nothing():
    assert narrowed(Where(), DEAL, FIELDS, ANY_VALUE) == Where()
    assert narrowed(Where(), DEAL, FIELDS, NO_ROW).nothing


INTS = st.integers(-5, 5)
DOMAINS = st.one_of(
    st.builds(Domain, st.none() | INTS, st.none() | INTS),
    st.frozensets(INTS).map(lambda values: Domain(among=values)),
)


@given(DOMAINS, DOMAINS, INTS)
def test_a_meeting_holds_what_both_hold_and_a_joining_what_either_does(one: Domain, two: Domain, value: int):
    assert one.meet(two).holds(value) == (one.holds(value) and two.holds(value))
    assert one.join(two).holds(value) or not (one.holds(value) or two.holds(value))
    assert one.meet(two).empty or any(one.meet(two).holds(number) for number in range(-7, 8))


ROWS = st.fixed_dictionaries({"a": INTS, "b": INTS})
KNOWN = st.one_of(st.just(ANY_VALUE), st.just(NO_ROW), st.dictionaries(st.sampled_from("ab"), DOMAINS).map(Possible))


def admits(known: Possible, row: dict[str, int]) -> bool:
    return not known.none and all(domain.holds(row[column]) for column, domain in known.domains.items())


@given(KNOWN, KNOWN, ROWS)
def test_what_is_known_of_rows_admits_every_row_of_either(one: Possible, two: Possible, row: dict[str, int]):
    assert admits(one.meet(two), row) == (admits(one, row) and admits(two, row))
    assert admits(one.join(two), row) or not (admits(one, row) or admits(two, row))


@pytest.mark.parametrize("value", [5, 5.5, dt.date(2026, 1, 1), NOON])
def test_between_a_value_and_the_next_there_is_none(value: Any):
    assert before(value) < value < after(value)
    assert before(after(value)) == value


def test_texts_have_no_next():
    with pytest.raises(KeyError):
        after("a")
