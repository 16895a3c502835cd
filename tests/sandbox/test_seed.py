"""The seed: awkward values are there, and every dictionary code that a row uses exists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.seed.values import AWKWARD
from bx24frames.sandbox.store.initial import semantics, stage_dictionary, status_codes, status_rows
from bx24frames.sandbox.store.tables import ENTITY_TYPES


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    opened = PortalStore.open(None, seed=1)
    yield opened
    opened.close()


def test_stages_belong_to_their_pipeline(store: PortalStore) -> None:
    codes: dict[str, set[str]] = {}
    for row in status_rows():
        codes.setdefault(row["ENTITY_ID"], set()).add(row["STATUS_ID"])
    for entity in ENTITY_TYPES.values():
        if entity.stage:
            for row in store.rows(entity.id):
                dictionary = stage_dictionary(entity.stages, row.get("categoryId") or 0)
                assert row["stageId"] in codes[dictionary]
                if "stageSemanticId" in row:
                    assert row["stageSemanticId"] == semantics(entity.stages, row["stageId"])


def test_titles_are_awkward(store: PortalStore) -> None:
    titles = {row["title"] for row in store.rows(2)}
    assert len(titles & set(AWKWARD)) > len(AWKWARD) * 0.7


def test_several_pipelines_currencies_and_days(store: PortalStore) -> None:
    deals = store.rows(2)
    assert {row["categoryId"] for row in deals} == {0, 1, 5}
    assert {row["currencyId"] for row in deals} == {"RUB", "USD"}
    assert {"2024-12-31", "2025-01-01"} <= {row["closedate"] for row in deals}
    assert {0} < {row["opportunity"] for row in deals}
    assert any(isinstance(row["opportunity"], float) for row in deals)


def test_every_user_field_of_deals_is_filled_somewhere(store: PortalStore) -> None:
    seen = {key for row in store.rows(2) for key in row if key.startswith("UF_")}
    assert seen == {spec.code for spec in store.user_fields(2)}
    types = {(spec.type, spec.multiple) for spec in store.user_fields(2)}
    assert {("enumeration", False), ("enumeration", True), ("file", True), ("crm", True), ("date", True)} <= types


def test_flags_agree_with_contact_data(store: PortalStore) -> None:
    for row in store.rows(3):
        types = {entry["TYPE_ID"] for entry in row["fm"]}
        assert (row["hasPhone"] == "Y") == ("PHONE" in types)
        assert (row["hasEmail"] == "Y") == ("EMAIL" in types)


def test_contacts_of_other_categories_exist(store: PortalStore) -> None:
    assert {row["categoryId"] for row in store.rows(3)} == {0, 6}


def test_times_follow_each_other(store: PortalStore) -> None:
    for row in store.rows(2):
        assert row["createdTime"] <= row["movedTime"] <= row["updatedTime"]


def test_stage_codes_of_all_pipelines_are_accepted() -> None:
    assert {"NEW", "C1:NEW", "C5:WON"} <= status_codes("DEAL_STAGE")
    assert "DT128_9:NEW" not in status_codes("DEAL_STAGE")
    assert "DT128_10:NEW" in status_codes("DYNAMIC_128_STAGE_9")
    assert "NEW" in status_codes("STATUS")
    assert "C1:NEW" not in status_codes("STATUS")
