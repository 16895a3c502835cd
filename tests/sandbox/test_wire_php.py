"""PHP's reading of names, values and casts."""

from urllib.parse import urlencode

import pytest
import qs_codec
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.sandbox import php

PARSED = [
    ("", {}),
    ("a=1&b=2", {"a": "1", "b": "2"}),
    ("a=1&a=2", {"a": "2"}),
    ("a", {"a": ""}),
    ("&&a=1&&", {"a": "1"}),
    ("filter[%3EID]=5", {"filter": {">ID": "5"}}),
    ("filter%5B%3EID%5D=5", {"filter": {">ID": "5"}}),
    ("select[]=ID&select[]=TITLE", {"select": ["ID", "TITLE"]}),
    ("select[0]=ID&select[1]=TITLE", {"select": ["ID", "TITLE"]}),
    ("select[1]=ID&select[0]=TITLE", {"select": {"1": "ID", "0": "TITLE"}}),
    ("a[5]=x&a[]=y", {"a": {"5": "x", "6": "y"}}),
    ("a[01]=x&a[]=y", {"a": {"01": "x", "0": "y"}}),
    ("a[x]=1&a[]=2", {"a": {"x": "1", "0": "2"}}),
    ("a=1&a[b]=2", {"a": {"b": "2"}}),
    ("a[b]=2&a=1", {"a": "1"}),
    ("a[b]glued=1", {"a": {"b": "1"}}),
    ("a[b=1", {"a_b": "1"}),
    ("a[b][c=1", {"a": {"b": "1"}}),
    ("[a]=1", {}),
    ("a.b c=1", {"a_b_c": "1"}),
    ("a[b.c d]=1", {"a": {"b.c d": "1"}}),
    ("t=a+b%2Bc%26d", {"t": "a b+c&d"}),
    ("t=%D0%9F%ff", {"t": "П\ufffd"}),
    ("0[a]=x&1[a]=y", {"0": {"a": "x"}, "1": {"a": "y"}}),
]


@pytest.mark.parametrize(("text", "expected"), PARSED)
def test_parse_str_reads_names_as_php_does(text, expected):
    """Brackets, lists, overwriting and mangled names follow main/php_variables.c."""
    assert php.parse_str(text) == expected


def test_parse_str_drops_names_beyond_max_input_vars_silently():
    """The 1001st name is gone, without an error."""
    parsed = php.parse_str("&".join(f"a[]={n}" for n in range(1200)))
    assert parsed["a"] == [str(n) for n in range(1000)]


def test_parse_str_drops_a_name_nested_too_deep():
    """Sixty-five steps are dropped, sixty-four are not."""
    assert php.parse_str("a" + "[b]" * 64 + "=1&c=2") == {"c": "2"}
    assert "a" in php.parse_str("a" + "[b]" * 63 + "=1")


KEYS = st.text("abcXYZ_>@", min_size=1, max_size=4)
LEAVES = st.text(max_size=5)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(KEYS, inner, min_size=1, max_size=4),
        max_leaves=20,
    ),
    min_size=1,
    max_size=4,
)


@given(TREES)
def test_parse_str_undoes_what_another_encoder_wrote(tree):
    """qs-codec writes the brackets, parse_str reads the same tree back."""
    assert php.parse_str(qs_codec.encode(tree)) == tree


@given(st.dictionaries(st.text("abc", min_size=1), st.text(), max_size=5))
def test_flat_values_survive_form_encoding(values):
    """Any text comes through a form."""
    assert php.parse_str(urlencode(values)) == values


@pytest.mark.parametrize(
    ("value", "expected"),
    [("50", 50), ("-1", -1), (" 7x", 7), ("x", 0), ("", 0), (True, 1), (None, 0), (3.9, 3), ([], 0), (["a"], 1)],
)
def test_to_int_is_intval(value, expected):
    assert php.to_int(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("false", True), ("0", False), ("", False), (0, False), (1, True), (None, False), ([], False), ("0.0", True)],
)
def test_is_true_is_a_bool_cast(value, expected):
    assert php.is_true(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, []),
        ({"0": 1, "1": 2}, [1, 2]),
        ({"1": 1, "0": 2}, {"1": 1, "0": 2}),
        ({"0": 1, "a": 2}, {"0": 1, "a": 2}),
        ({"00": 1}, {"00": 1}),
    ],
)
def test_array_is_a_list_only_for_keys_from_zero_on(value, expected):
    assert php.array(value) == expected
