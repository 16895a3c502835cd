"""Rows read straight from the bytes of a batch: the same as through maps, whatever stands in them."""

from __future__ import annotations

from collections import Counter

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine import batch
from bx24frames.engine.messages import JSON, Answer, Call, Command, Listing, Lost, Parcel, Refusal, RowShape, Success
from bx24frames.engine.pages.cursor import ids_in, page_in
from bx24frames.engine.records import AS_MAPS, Records, joined
from bx24frames.entities.decode import Decoder
from bx24frames.entities.pack import keys_of
from bx24frames.entities.schema import Family, Field, TableSchema
from bx24frames.errors import DecodeError, ResponseError

KEYS = ("id", "title", "amount")
LISTING = Listing(Call("crm.item.list", {}), rows_path=("items",), id_key="id", id_filter="id", keys=KEYS)
SHAPED = Call("crm.item.list", {}, shape=RowShape(("items",), KEYS))
PLAIN = Call("crm.item.list", {})


def answered(result: bytes, *, call: Call = SHAPED, error: bytes = b"[]") -> Answer:
    """A batch of two commands, of which only the first lists rows."""
    parcel = Parcel((Command("a", call), Command("b", Call("user.current", {}))))
    body = (
        b'{"result":{"result":{"a":' + result + b',"b":{"ID":"1"}},"result_error":' + error + b',"result_total":[],'
        b'"result_next":[],"result_time":{"a":{"duration":0.25,"operating":1.5}}},"time":{"finish":5.0}}'
    )
    answers = batch.decode(parcel, 200, body)
    other = answers["b"]
    assert isinstance(other, Success)
    assert other.value == {"ID": "1"}
    return answers["a"]


def test_a_page_becomes_columns() -> None:
    answer = answered(b'{"items":[{"title":"a","id":1,"more":[1]},{"id":2,"amount":null}],"rest":0}')
    assert isinstance(answer, Success)
    assert (answer.seconds, answer.operating) == (0.25, 1.5)
    page = page_in(LISTING, answer)
    assert isinstance(page, Records)
    assert ids_in(LISTING, page) == [1, 2]
    assert AS_MAPS(page) == [{"id": 1, "title": "a"}, {"id": 2, "amount": None}]
    assert AS_MAPS(page[::-1][:1]) == [{"id": 2, "amount": None}]
    assert AS_MAPS(joined([page[:0], page, page[1:]])) == [*page, {"id": 2, "amount": None}]


@pytest.mark.parametrize(
    ("result", "rows"),
    [
        (b"[]", []),
        (b'{"items":[]}', []),
        (b'{"items":{"7":{"id":7},"9":{"id":9}}}', [{"id": 7}, {"id": 9}]),
        (b'{"items":[[],{"id":9}]}', [{}, {"id": 9}]),
    ],
)
def test_what_php_makes_of_lists_is_read_as_ever(result: bytes, rows: list[JSON]) -> None:
    shaped, plain = (page_in(LISTING, answered(result, call=call)) for call in (SHAPED, PLAIN))
    assert not isinstance(shaped, Refusal | Lost)
    assert AS_MAPS(shaped) == plain == rows


@pytest.mark.parametrize("row", [b"null", b'"ID"', b"5", b"[1]"])
@pytest.mark.parametrize("call", [SHAPED, PLAIN])
def test_a_row_that_is_no_map_is_no_row(call: Call, row: bytes) -> None:
    with pytest.raises(ResponseError, match="no map"):
        page_in(LISTING, answered(b'{"items":[{"id":1},' + row + b"]}", call=call))


@pytest.mark.parametrize("result", [b'{"total":0}', b'{"tasks":[]}', b"null", b'{"items":null}', b"7"])
@pytest.mark.parametrize("call", [SHAPED, PLAIN])
def test_an_answer_without_the_list_is_no_empty_page(call: Call, result: bytes) -> None:
    with pytest.raises(ResponseError, match=r"No list of rows at result\.items"):
        page_in(LISTING, answered(result, call=call))


def test_a_page_of_another_shape_between_others_is_not_lost() -> None:
    """PHP prints a list whose keys are not 0 to n-1 as a map: such a page does not become records."""
    pages = []
    for result in (b'{"items":[{"id":1,"title":"a"}]}', b'{"items":{"5":{"id":2,"title":"b"}}}', b"[]"):
        page = page_in(LISTING, answered(result))
        assert not isinstance(page, Refusal | Lost)
        pages.append(page)
    rows = joined(pages)
    assert AS_MAPS(rows) == [{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]
    schema = TableSchema("deal", (Field("title", "string"),), pa.schema([("title", pa.string())]), Family.ITEM, "id")
    assert Decoder(schema, "raise", Counter()).pack(rows).ids == (1, 2)


@pytest.mark.parametrize("text", [b'"\xff"', b'"\\ud800"', b'"\xed\xa0\x80"'])
def test_text_in_no_encoding_is_no_answer(text: bytes) -> None:
    """Neither reading makes up characters; the page is asked for again."""
    page = page_in(LISTING, answered(b'{"items":[{"id":1,"title":"a"}]}'))
    assert not isinstance(page, Refusal | Lost)
    parcel = Parcel((Command("a", SHAPED), Command("b", PLAIN)))
    for result in (b'{"a":{"items":[{"id":1,"title":' + text + b"}]}}", b'{"b":{"items":[' + text + b"]}}"):
        answers = batch.decode(parcel, 200, b'{"result":{"result":' + result + b"}}")
        assert any(isinstance(page_in(LISTING, answer), Lost) for answer in answers.values())


@pytest.mark.parametrize("place", [b'{"a":%b}', b'{"a":{"items":[{"id":%b}]}}', b'{"a":{"items":[]},"b":%b}'])
def test_an_answer_nested_without_end_is_no_answer(place: bytes) -> None:
    parcel = Parcel((Command("a", SHAPED), Command("b", PLAIN)))
    answers = batch.decode(parcel, 200, b'{"result":{"result":' + place % (b"[" * 9000 + b"]" * 9000) + b"}}")
    page = page_in(LISTING, answers["a"])
    if not isinstance(page, Lost):  # from Python 3.13 on, extensions in C may go deeper
        assert not isinstance(page, Refusal)
        with pytest.raises(ResponseError):
            ids_in(LISTING, page)


def test_an_id_that_is_nested_is_none() -> None:
    page = page_in(LISTING, answered(b'{"items":[{"id":' + b"[" * 900 + b"]" * 900 + b"}]}"))
    assert not isinstance(page, Refusal | Lost)
    with pytest.raises(ResponseError):
        ids_in(LISTING, page)


def test_a_request_refused_as_a_whole_is_a_refusal() -> None:
    parcel = Parcel((Command("a", SHAPED), Command("b", SHAPED)))
    body = b'{"result":{"result":{}},"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}'
    assert {type(answer) for answer in batch.decode(parcel, 503, body).values()} == {Refusal}


def test_a_refused_command_does_not_hide_the_others() -> None:
    answer = answered(b'{"items":[{"id":1}]}', error=b'{"c":{"error":"ACCESS_DENIED","error_description":""}}')
    assert isinstance(page_in(LISTING, answer), Records)


SCHEMA = TableSchema(
    "deal",
    (
        Field("id", "integer"), Field("title", "string"), Field("count", "integer"), Field("amount", "double"),
        Field("contactId", "crm_contact"), Field("closed", "boolean"), Field("tags", "string", multiple=True),
        Field("ufCrm_1", "string", printed="ufCrm1"), Field("created", "datetime"),
    ),
    pa.schema(
        [
            ("id", pa.int64()), ("title", pa.string()), ("count", pa.int64()), ("amount", pa.float64()),
            ("contactId", pa.int64()), ("closed", pa.bool_()), ("tags", pa.list_(pa.string())),
            ("ufCrm_1", pa.string()), ("created", pa.timestamp("us", "UTC")),
        ]
    ),
    Family.ITEM,
    "id",
)  # fmt: skip

NUMBERS = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(NUMBERS, st.booleans(), st.text(max_size=4), st.sampled_from(["7", "1.5", "Y", "N", "", "x"]))
USUAL = {
    "title": st.text(max_size=5),
    "count": st.integers(0, 3),
    "amount": st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(0, 9)),
    "contactId": st.sampled_from([0, None, False, 5]),
    "closed": st.sampled_from(["Y", "N"]),
    "tags": st.one_of(st.just(False), st.lists(st.text(max_size=3), max_size=2)),
    "ufCrm1": st.text(max_size=3),
    "ufCrm_1": st.text(max_size=3),
    "created": st.sampled_from(["", None, "2026-03-01T10:00:00+03:00"]),
}
ROWS = st.lists(
    st.fixed_dictionaries({"id": st.integers(1, 9)}, optional={**USUAL, "other": SCALARS})
    | st.fixed_dictionaries({}, optional=dict.fromkeys(("id", *USUAL), SCALARS)),
    max_size=7,
)


@settings(deadline=None, max_examples=200)
@given(ROWS, st.integers(1, 4), st.sampled_from(["raise", "null"]))
def test_packed_by_parts_the_rows_are_the_same(rows: list[dict[str, JSON]], step: int, policy: str) -> None:
    """Through maps at once, and through bytes and columns a few rows at a time: the same frame, or the same refusal."""
    shape = RowShape(("items",), keys_of(SCHEMA))
    counted: tuple[Counter[str], Counter[str]] = (Counter(), Counter())

    def by_maps() -> pa.RecordBatch:
        parsed = orjson.loads(body(rows))["items"]
        decoder = Decoder(SCHEMA, policy, counted[0])  # type: ignore[arg-type]
        return decoder.join([decoder.pack(parsed)])

    def by_bytes() -> pa.RecordBatch:
        decoder = Decoder(SCHEMA, policy, counted[1])  # type: ignore[arg-type]
        parts = []
        for at in range(0, len(rows), step):
            page = page_in(LISTING, answered(body(rows[at : at + step]), call=Call("crm.item.list", {}, shape=shape)))
            assert not isinstance(page, Refusal | Lost)
            parts.append(decoder.pack(page))
        return decoder.join(parts)

    outcomes = []
    for way in (by_maps, by_bytes):
        try:
            outcomes.append(way())
        except DecodeError as fault:
            outcomes.append((fault.column, fault.row_id))
    assert outcomes[0] == outcomes[1]
    assert counted[0] == counted[1]


def body(rows: list[dict[str, JSON]]) -> bytes:
    return b'{"items":' + json_of(rows) + b"}"


def json_of(rows: list[dict[str, JSON]]) -> bytes:
    """As PHP prints them: integers of any size keep their digits in a text only."""
    big = [{key: str(cell) if _is_big(cell) else cell for key, cell in row.items()} for row in rows]
    return orjson.dumps(big)


def _is_big(cell: JSON) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) >= 2**63


def test_digits_beyond_a_double_are_kept() -> None:
    """orjson makes a double of an integer of more than 64 bits; read straight from the bytes it stays what it was."""
    schema = TableSchema("deal", (Field("id", "string"),), pa.schema([("id", pa.string())]), Family.ITEM, "id")
    decoder = Decoder(schema, "raise", Counter())
    page = page_in(LISTING, answered(b'{"items":[{"id":123456789012345678901234567890}]}'))
    assert isinstance(page, Records)
    assert decoder.join([decoder.pack(page)]).column(0).to_pylist() == ["123456789012345678901234567890"]
