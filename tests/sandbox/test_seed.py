"""The seed: awkward values are there, and every dictionary code that a row uses exists."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import Result, method
from bx24frames.sandbox.seed.fill import merged_sizes
from bx24frames.sandbox.seed.snapshots import Snapshots
from bx24frames.sandbox.seed.values import AWKWARD
from bx24frames.sandbox.store.database import Database
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


def test_a_copy_of_a_snapshot_is_the_seeded_portal_and_shares_nothing():
    """The second store of a seed is a copy: equal rows, user fields and statistics, and no write shows in another."""
    sizes = {"deal": 11, "contact": 7}
    snapshots = Snapshots()

    def opened() -> PortalStore:
        store = PortalStore(Database.open(None), seed=5, sizes=merged_sizes(sizes))
        snapshots.seed(store)
        return store

    first = opened()
    before = (first.rows(2), first.rows(3), first.user_fields(2), first.query("SELECT * FROM sqlite_stat1"))
    first.insert(2, {"title": "written to the first"})
    first.add_user_field(2, "UF_CRM_NEW", "string")
    second = opened()
    assert (second.rows(2), second.rows(3), second.user_fields(2), second.query("SELECT * FROM sqlite_stat1")) == before
    assert second.database.query("SELECT sql FROM sqlite_master ORDER BY name") == first.database.query(
        "SELECT sql FROM sqlite_master ORDER BY name"
    )
    first.close()
    assert second.insert(2, {"title": "x"})[0] > max(row["id"] for row in before[0])
    second.close()


def test_snapshots_stay_within_their_bytes():
    snapshots = Snapshots(max_bytes=1)
    store = PortalStore(Database.open(None), seed=5, sizes=merged_sizes({"deal": 1}))
    snapshots.seed(store)
    assert not snapshots._kept
    assert store.rows(2)
    store.close()


def test_a_method_has_one_handler():
    """Two modules that register one method are an error at import: the last would silently win."""
    with pytest.raises(ValueError, match=r"crm\.deal\.list is registered in"):
        method("crm.deal.list")(lambda params, context: Result(None))
