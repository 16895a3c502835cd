"""A name means one table, or an error that helps."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bx24frames.engine.messages import Paging
from bx24frames.entities.catalog.catalog import CATALOG, ROWS
from bx24frames.entities.names import needs_types, resolve
from bx24frames.entities.schema import Entity, Family
from bx24frames.errors import UnknownEntity

TYPES = [
    {"id": 1, "entityTypeId": 128, "title": "Project", "code": "PRJ"},
    {"id": 2, "entityTypeId": 1036, "title": "Заявка", "code": None},
    {"id": 3, "entityTypeId": 1040, "title": "project", "code": "OTHER"},
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("deal", "deal"),
        ("Deals", "deal"),
        ("COMPANIES", "company"),
        ("smart invoice", "smart_invoice"),
        ("crm.Lead", "crm.lead"),
        ("crm.deals", "crm.deal"),
        ("statuses", "status"),
        ("item:2", "deal"),
        ("Item:31", "smart_invoice"),
        ("item:1036", "item:1036"),
        ("stage-history", "stage_history"),
        ("product sections", "section"),
        ("disk", "disk_storage"),
    ],
)
def test_spellings(name: str, found: str) -> None:
    assert resolve(name).name == found
    assert not needs_types(name)


def test_smart_process_by_code_and_title() -> None:
    assert resolve("prj", TYPES).entity_type_id == 128
    assert resolve("заявка", TYPES).entity_type_id == 1036
    assert needs_types("заявка")


def test_two_smart_processes_of_one_title_are_named_both() -> None:
    with pytest.raises(UnknownEntity, match=r"item:128 .* and item:1040"):
        resolve("Project", TYPES)


def test_unknown_names_the_nearest() -> None:
    with pytest.raises(UnknownEntity, match=r"Did you mean.*deal") as caught:
        resolve("dael", TYPES)
    assert "list_entities" in str(caught.value)
    with pytest.raises(UnknownEntity):
        resolve("")


def test_a_misspelled_classic_table_is_not_a_method() -> None:
    with pytest.raises(UnknownEntity, match=r"crm\.deal"):
        resolve("crm.dael")


def test_a_method_outside_the_catalogue_is_untyped() -> None:
    entity = resolve("log.blogpost.get")
    assert entity.untyped
    assert entity.family is Family.OTHER
    assert entity.listing.call.method == "log.blogpost.get"


@pytest.mark.parametrize("entity", ROWS, ids=lambda row: row.name)
def test_every_row_is_whole(entity: Entity) -> None:
    assert CATALOG[entity.name] is entity
    assert resolve(entity.name) is entity
    assert entity.fields.method or entity.fields.static
    assert entity.listing.call.method.count(".") >= 1
    if entity.family is Family.ITEM:
        assert entity.base_params == {"entityTypeId": entity.entity_type_id, "useOriginalUfNames": "Y"}
        assert entity.listing.upward
        assert not entity.listing.short_page_ends
        assert entity.listing.rows_path == ("items",)
    if entity.name.startswith("crm.") and entity.listing.paging is Paging.KEYSET:
        assert entity.listing.wraps
        assert entity.listing.short_page_ends
        assert not entity.listing.upward


def test_names_load_no_dataframe_library() -> None:
    code = (
        "import sys, bx24frames.entities.names; print([m for m in ('pyarrow', 'pandas', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
