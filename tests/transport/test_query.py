"""The query strings that PHP reads back: read back here by another library's decoder."""

from __future__ import annotations

import math
from typing import Any

import pytest
import qs_codec
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.transport.query import Unencodable, command, encode, pairs

# The decoder's own lists are off: it merges a list inside a list wrongly, where PHP keeps every index.
DECODE = qs_codec.DecodeOptions(depth=70, parameter_limit=100_000, parse_lists=False)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
outer_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
inner_names = text.filter(lambda t: t and not set(t) & set("[]\0") and t[0] != " ")
scalars = st.one_of(text, st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4), st.dictionaries(inner_names, inner, min_size=1, max_size=4)
    ),
    max_leaves=15,
)


def as_php_sees(value: Any, decoded: Any) -> None:
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        assert list(decoded) == list(value)
        for key, item in value.items():
            as_php_sees(item, decoded[key])
    elif isinstance(value, bool):
        assert decoded == ("Y" if value else "N")
    elif isinstance(value, float):
        assert "e" not in decoded.lower()
        assert float(decoded) == value
    else:
        assert decoded == str(value)


@given(st.dictionaries(outer_names, values, min_size=1, max_size=4))
def test_what_is_encoded_is_read_back(params: dict[str, Any]) -> None:
    """Every nested structure comes back from an independent decoder, scalars as text."""
    as_php_sees(params, qs_codec.decode(encode(params), DECODE))


@given(st.dictionaries(outer_names, values, min_size=1, max_size=4))
def test_pairs_counts_what_php_counts(params: dict[str, Any]) -> None:
    """`pairs` is the number of name=value pairs in the text."""
    assert pairs(params) == encode(params).count("=") == encode(params).count("&") + 1


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"order": {"ID": "ASC"}, "filter": {">ID": 0}, "start": -1}, "order[ID]=ASC&filter[%3EID]=0&start=-1"),
        ({"select": ["ID", "UF_*"]}, "select[0]=ID&select[1]=UF_%2A"),
        ({"fields": {"PHONE": [{"VALUE": "+7 (9)"}]}}, "fields[PHONE][0][VALUE]=%2B7%20%289%29"),
        ({"a": "&+%#[]я"}, "a=%26%2B%25%23%5B%5D%D1%8F"),
        ({"filter": {">id": "$result[p][items][49][id]"}}, "filter[%3Eid]=%24result%5Bp%5D%5Bitems%5D%5B49%5D%5Bid%5D"),
        (
            {"a": 1e22, "b": 1.5e-7, "c": 19000.0, "d": True, "e": 1},
            "a=10000000000000000000000&b=0.00000015&c=19000&d=Y&e=1",
        ),
        ({"a": ""}, "a="),
    ],
)
def test_the_wire_text(params: dict[str, Any], query: str) -> None:
    assert encode(params) == query


def test_a_command_without_parameters_is_the_method() -> None:
    assert command("profile", {}) == "profile"
    assert command("user.get", {"ID": 1}) == "user.get?ID=1"


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"fields": {"TITLE": None}}, ("fields", "TITLE")),
        ({"fields": {"PHONE": []}}, ("fields", "PHONE")),
        ({"filter": {}}, ("filter",)),
        ({"rows": [{"x": math.nan}]}, ("rows", "0", "x")),
        ({"x": math.inf}, ("x",)),
        ({"x": "\ud800"}, ("x",)),
        ({"x": {"a]b": 1}}, ("x", "a]b")),
        ({"x": {"": 1}}, ("x", "")),
        ({"x": {"a\0": 1}}, ("x", "a\0")),
        ({"x.y": 1}, ("x.y",)),
        ({"x": object()}, ("x",)),
    ],
)
def test_what_has_no_string_form_says_where(params: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(Unencodable) as caught:
        encode(params)
    assert caught.value.path == path


def test_deeper_than_php_reads_is_refused() -> None:
    params: Any = "leaf"
    for _ in range(70):
        params = {"k": params}
    with pytest.raises(Unencodable, match="too deep"):
        encode(params)
