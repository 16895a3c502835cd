"""References between the commands of a batch."""

import pytest

from bx24frames.sandbox.references import fill, substitute

ANSWERS = {
    "result": {
        "page": [{"ID": "7", "TITLE": "x y"}, {"ID": "9", "TITLE": None}],
        "items": {"items": [{"id": 5, "price": 2.0, "on": True}]},
        "new": 42,
    },
    "next": {"page": 50},
    "total": {"page": 120},
    "time": {"page": {"duration": 0.5}},
    "error": {},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$result[page][1][ID]", "9"),
        ("$result[items][items][0][id]", 5),
        ("$result[new]", 42),
        ("$next[page]", 50),
        ("$total[page]", 120),
        ("$time[page][duration]", 0.5),
        # the walk stops at the first missing or null step, with what it has
        ("$result[page][49][ID]", ANSWERS["result"]["page"]),
        ("$result[page][1][TITLE][x]", ANSWERS["result"]["page"][1]),
        ("$result[nobody][0]", ANSWERS["result"]),
        ("$error[page]", {}),
        # a text can be walked by its offset
        ("$result[page][0][TITLE][2]", "y"),
        ("$result[page][0][TITLE][-1]", "y"),
        # what looks like a number and is no canonical one is another key
        ("$result[page][01][ID]", ANSWERS["result"]["page"]),
        ("$result[page][--1][ID]", ANSWERS["result"]["page"]),
        ("$result[page][²][ID]", ANSWERS["result"]["page"]),
        # glued text is swallowed
        ("$result[page][0][ID]0", "7"),
        ("$resultglued[page][0][ID]", "7"),
        # embedded: scalars only
        ("id $result[page][0][ID] end", "id 7 end"),
        ("id $result[new]/x end", "id 42 end"),
        ("price $result[items][items][0][price]", "price 2"),
        ("on $result[items][items][0][on]", "on 1"),
        ("all $result[page] end", "all $result[page] end"),
        ("x$result[new]", "x42"),
        # the word in any case counts, but is looked up as written
        ("$RESULT[new]", None),
        ("see $RESULT[new]", "see $RESULT[new]"),
        # no path, no reference
        ("$result", "$result"),
        ("costs $5 [net]", "costs $5 [net]"),
        ("$result [new]", "$result [new]"),
    ],
)
def test_a_reference_becomes_what_it_names(text, expected):
    assert substitute(text, ANSWERS) == expected


def test_references_are_replaced_in_every_value_and_no_name():
    params = {"filter": {">ID": "$result[page][0][ID]"}, "list": ["$result[new]", "plain"], "$result[new]": "k"}
    assert fill(params, ANSWERS) == {"filter": {">ID": "7"}, "list": [42, "plain"], "$result[new]": "k"}
