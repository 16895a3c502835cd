"""Addresses and parameters of one HTTP request."""

import pytest

from bx24frames.sandbox.wire import Incoming, MethodAddress, read_address, read_params

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/rest/1/abc/crm.deal.list", MethodAddress("crm.deal.list", "1", "abc")),
        ("/rest/1/abc/crm.deal.list.json", MethodAddress("crm.deal.list", "1", "abc")),
        ("/rest/1/abc/crm.deal.list/", MethodAddress("crm.deal.list", "1", "abc")),
        ("/rest/crm.deal.list.json/", MethodAddress("crm.deal.list")),
        ("/rest/crm.deal.list.xml", MethodAddress("crm.deal.list")),
        ("/rest/1/abc/profile.txt", MethodAddress("profile.txt", "1", "abc")),
        ("/rest/", None),
        ("/rest/1/crm.deal.list", None),
        ("/rest/1/abc//crm.deal.list", MethodAddress("crm.deal.list", "1", "abc")),
        ("//rest//1/abc///crm.deal.list.json//", MethodAddress("crm.deal.list", "1", "abc")),
        ("/rest//api//1/abc//tasks.task.get", MethodAddress("api/tasks.task.get", "1", "abc")),
        ("/rest/1/abc/x/y", None),
        ("/index.php", None),
    ],
)
def test_addresses(path, expected):
    """Only .json and .xml are suffixes, a method name keeps its dots, and a run of slashes is one slash."""
    assert read_address(path) == expected


def post(body, content_type="", query=""):
    return read_params(Incoming("POST", "/rest/x", query, content_type, body))


def test_the_body_wins_over_the_query_key_by_key():
    """The top level is merged, not the maps below it."""
    params = post(b'{"filter": {"A": 1}}', JSON, "filter[B]=2&start=50")
    assert params == {"filter": {"A": 1}, "start": "50"}


def test_json_keeps_its_types():
    assert post(b'{"a": [1, null, true, 2.5]}', JSON + "; charset=utf-8") == {"a": [1, None, True, 2.5]}


def test_a_broken_json_body_is_ignored_without_a_word():
    """The method then runs with the query string alone."""
    assert post(b'{"a": 1', JSON, "b=2") == {"b": "2"}


def test_json_under_a_form_type_is_a_form():
    """The form list is not empty, so the body is not read as JSON."""
    assert post(b'{"a":1}', FORM) == {'{"a":1}': ""}


def test_a_body_without_a_type_is_read_as_a_query_string():
    assert post(b"a[]=1&a[]=2") == {"a": ["1", "2"]}


def test_a_body_of_a_get_is_not_read():
    assert read_params(Incoming("GET", "/rest/x", "a=1", JSON, b'{"b": 2}')) == {"a": "1"}


def test_a_multipart_form_is_a_form():
    """Text fields arrive, files stay apart."""
    lines = (
        '--X\r\nContent-Disposition: form-data; name="filter[>ID]"\r\n\r\nпять\r\n'
        '--X\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nfile\r\n--X--\r\n'
    )
    assert post(lines.encode(), "multipart/form-data; boundary=X") == {"filter": {">ID": "пять"}}
