"""Documented keys that no description names become columns; files have their address in any spelling."""

from __future__ import annotations

import pytest

from bx24frames.engine.messages import JSON
from bx24frames.entities.columns import table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.names import resolve

from .decoding import decode


def read(table: str, row: dict[str, JSON], columns: list[str], described: JSON = None) -> dict[str, object]:
    entity = resolve(table)
    fields = parse_fields(entity, described)
    found: dict[str, object] = decode([row], table_schema(entity, fields, columns)).to_pylist()[0]
    return found


@pytest.mark.parametrize(
    ("table", "described", "printed", "read_as"),
    [
        ("deal_user_field", None, {"EDIT_FORM_LABEL": "Colour", "HELP_MESSAGE": None}, {}),
        ("user_field", None, {"editFormLabel": {"de": "Farbe"}}, {"editFormLabel": '{"de":"Farbe"}'}),
        ("call", None, {"CALL_LOG": "https://x.test/1", "RECORD_DURATION": "15"}, {"RECORD_DURATION": 15}),
        ("list", None, {"RSS_TTL": "24", "SECTIONS_NAME": "Parts", "REST_ON": "N"}, {"RSS_TTL": 24, "REST_ON": False}),
        ("api_workgroup", None, {"type": "group", "imageId": "5", "dialogId": "chat1"}, {"imageId": 5}),
        ("type", {"fields": {}}, {"isPaymentsEnabled": "N", "isCountersEnabled": "Y"},
         {"isPaymentsEnabled": False, "isCountersEnabled": True}),
        ("product_row", {"fields": {}}, {"priceAccount": 90000, "xmlId": "b_1"}, {"priceAccount": 90000.0}),
        ("product:1", {"product": {}}, {"barcodeMulti": "Y", "trialPriceId": 175},
         {"barcodeMulti": True, "trialPriceId": 175}),
    ],
)  # fmt: skip
def test_documented_keys_are_columns(
    table: str, described: JSON, printed: dict[str, JSON], read_as: dict[str, object]
) -> None:
    row = {"id": 1, "ID": "1", **printed}
    assert read(table, row, list(printed), described) == {**printed, **read_as}


@pytest.mark.parametrize(
    "printed", [{"35": {"id": 35, "title": "urgent"}, "7": {"id": 7, "title": "old"}}, ["urgent", "old"]]
)
@pytest.mark.parametrize("described", [{}, {"TAGS": {"type": "array"}}])
def test_tags_of_tasks_are_their_titles(described: dict[str, JSON], printed: JSON) -> None:
    row: dict[str, JSON] = {"id": "1", "tags": printed, "status": "2", "subStatus": "-1"}
    found = read("task", row, ["tags", "subStatus"], {"fields": described})
    assert found == {"tags": ["urgent", "old"], "subStatus": "-1"}
    assert read("task", {"id": "1", "tags": []}, ["tags"], {"fields": described}) == {"tags": []}


@pytest.mark.parametrize(
    ("file", "read_as"),
    [
        ({"id": 1, "name": "a.gif", "urlShow": "/s/1", "urlDownload": "/d/1"}, (1, "a.gif", "/s/1")),
        ({"id": "2", "showUrl": "/s/2", "downloadUrl": "/d/2"}, (2, None, "/s/2")),
        ({"ID": "3", "NAME": "b", "DETAIL_URL": "/s/3", "DOWNLOAD_URL": "/d/3?token=x"}, (3, "b", "/s/3")),
        ({"id": 4, "urlDownload": "/d/4?ncc=1"}, (4, None, "/d/4?ncc=1")),
        ({"id": 5, "downloadUrl": "/d/5?auth=secret"}, (5, None, None)),
        ({"id": 6, "url": "/u/6", "urlMachine": "/rest/1/code/x"}, (6, None, "/u/6")),
    ],
)
def test_a_file_has_its_page_in_any_spelling_and_no_token(file: JSON, read_as: tuple[object, ...]) -> None:
    described: JSON = {"FILES": {"type": "attached_diskfile", "isMultiple": True}, "ID": {"type": "integer"}}
    found = read("timeline_comment", {"ID": "1", "FILES": {"1": file}}, ["FILES"], described)
    assert found == {"FILES": [dict(zip(("id", "name", "url"), read_as, strict=True))]}
