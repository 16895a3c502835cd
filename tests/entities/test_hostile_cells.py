"""Values of no measure: a reader gives a value or refuses it, and what is refused is told as `DecodeError`."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest

from bx24frames.entities.cells import READ_ERRORS, stored_file
from bx24frames.entities.columns import table_schema
from bx24frames.entities.types import KIND, Kind
from bx24frames.errors import DecodeError

from .conftest import Table
from .decoding import decode


def nested(depth: int, kind: str) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


HOSTILE = {
    "400 digits": 10**400, "minus 400 digits": -(10**400), "5000 digits": 10**5000, "400 digits of text": "9" * 400,
    "900 lists": nested(900, "list"), "9000 lists": nested(9000, "list"), "900 maps": nested(900, "map"),
    "9000 maps": nested(9000, "map"), "infinity": float("inf"), "no number": float("nan"), "huge exponent": "1e999999",
}  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_a_reader_gives_a_value_or_refuses(kind: Kind, value: object) -> None:
    try:
        KIND[kind].read(value)
    except READ_ERRORS:
        return


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "name", ["id", "opportunity", "title", "stageId", "opened", "createdTime", "begindate", "contactIds", "companyId"]
)
def test_what_is_refused_is_an_error_of_the_package(deal: Table, name: str, value: object) -> None:
    schema, key = table_schema(deal.entity, deal.fields, [name]), deal[name].code
    with contextlib.suppress(DecodeError):
        decode([{key: None}, {key: value}], schema)
    nulled: Counter[str] = Counter()
    decode([{key: None}, {key: value}], schema, on_bad_value="null", nulled=nulled)
    assert nulled.total() <= 1


def test_the_address_of_a_file_holds_no_webhooks_code() -> None:
    """Links of a webhook hold its code: a frame that is passed on would pass on the portal."""
    for url in (
        "https://acme.bitrix24.com/rest/1/abc123def456gh78/download/?token=x",
        "https://acme.bitrix24.com/bitrix/tools/disk/uf.php?attachedId=7&auth[aplogin]=1&auth[ap]=abc123def456gh78",
    ):
        found = stored_file({"id": 7, "urlMachine": url, "url": url})
        assert found is not None
        assert "abc123def456gh78" not in str(found)
