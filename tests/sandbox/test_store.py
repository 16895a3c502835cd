"""The store: rows by seed, a file that survives, identifiers that never return, user fields at run time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bx24frames.sandbox.portal_store import PortalStore

SMALL = {"lead": 20, "deal": 120, "contact": 60, "company": 30, "quote": 5, "smart_invoice": 5, "128": 10, "1036": 5}


@pytest.fixture
def store() -> Iterator[PortalStore]:
    opened = PortalStore.open(None, seed=3, sizes=SMALL)
    yield opened
    opened.close()


def test_same_seed_same_rows(store: PortalStore) -> None:
    again = PortalStore.open(None, seed=3, sizes=SMALL)
    other = PortalStore.open(None, seed=4, sizes=SMALL)
    assert again.rows(2) == store.rows(2)
    assert other.rows(2) != store.rows(2)
    again.close()
    other.close()


def test_sizes_are_exact_and_ids_sparse(store: PortalStore) -> None:
    for entity_type_id, size in ((1, 20), (2, 120), (3, 60), (4, 30), (7, 5), (31, 5), (128, 10), (1036, 5), (1038, 0)):
        assert len(store.rows(entity_type_id)) == size
    ids = [row["id"] for row in store.rows(2)]
    assert ids == sorted(set(ids))
    assert ids[-1] > len(ids)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        PortalStore.open(None, seed=1, sizes={"nothing": 3})


def test_links_point_to_rows(store: PortalStore) -> None:
    contacts = {row["id"] for row in store.rows(3)}
    companies = {row["id"] for row in store.rows(4)}
    deals = store.rows(2)
    assert {row["contactId"] or 0 for row in deals} <= contacts | {0}
    assert {row["companyId"] or 0 for row in deals} <= companies | {0}
    assert any(len(row["contactIds"]) == 2 for row in deals)
    assert all(row["contactIds"][0] == row["contactId"] for row in deals if row["contactIds"])
    assert {row["companyId"] for row in deals} >= {None, 0}


def test_deleted_ids_never_return(store: PortalStore) -> None:
    last = store.rows(2)[-1]["id"]
    first = store.insert(2, {"title": "one"})[0]
    assert first > last + 1
    store.delete(2, [first])
    assert store.insert(2, {"title": "two"})[0] > first


def test_rows_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "portal.db")
    first = PortalStore.open(path, seed=3, sizes=SMALL)
    number = first.insert(2, {"title": "kept", "UF_CRM_TAGS": ["a", "b"]})[0]
    first.add_user_field(2, "UF_CRM_LATER", "enumeration", items=["x", "y"])
    rows, fields = first.rows(2), first.user_fields(2)
    first.close()
    second = PortalStore.open(path, seed=99, sizes={"deal": 1})
    assert second.rows(2) == rows
    assert second.rows(2)[-1]["id"] == number
    assert second.user_fields(2) == fields
    assert second.seed == 3
    second.close()


def test_a_seed_broken_off_is_not_taken_for_a_portal(tmp_path: Path) -> None:
    path = str(tmp_path / "portal.db")
    first = PortalStore.open(path, seed=3, sizes=SMALL)
    first.database.change("DROP TABLE settings")
    first.close()
    second = PortalStore.open(path, seed=3, sizes=SMALL)
    assert len(second.rows(2)) == 120
    second.close()


def test_insert_takes_every_spelling(store: PortalStore) -> None:
    row_id = store.insert(
        3,
        {
            "NAME": "Анна",
            "lastName": "Smith",
            "createdTime": "2025-01-01T00:00:00+00:00",
            "ufCrmMyString": "text",
            "BIRTHDATE": "1990-05-06",
            "PHONE": [{"VALUE": "+7900", "VALUE_TYPE": "WORK"}],
        },
    )[0]
    row = store.rows(3)[-1]
    assert row["id"] == row_id
    assert (row["name"], row["lastName"], row["createdTime"]) == ("Анна", "Smith", "2025-01-01T03:00:00")
    assert (row["UF_CRM_MY_STRING"], row["birthdate"], row["hasPhone"]) == ("text", "1990-05-06", "Y")
    assert row["fm"][0]["VALUE"] == "+7900"


def test_insert_refuses_what_it_cannot_store(store: PortalStore) -> None:
    with pytest.raises(KeyError, match="nope"):
        store.insert(2, {"nope": 1})
    with pytest.raises(ValueError, match="begindate"):
        store.insert(2, {"begindate": "soon"})


def test_user_fields_come_and_go(store: PortalStore) -> None:
    spec = store.add_user_field(2, "UF_CRM_NEW", "enumeration", multiple=True, items=["a", "b"])
    assert len({choice for choice, _ in spec.items}) == 2
    taken = [choice for known in store.user_fields(2) if known.code != spec.code for choice, _ in known.items]
    assert not {choice for choice, _ in spec.items} & set(taken)
    with pytest.raises(ValueError, match="UF_CRM_NEW"):
        store.add_user_field(2, "UF_CRM_NEW", "string")
    store.remove_user_field(2, "UF_CRM_NEW")
    assert "UF_CRM_NEW" not in {known.code for known in store.user_fields(2)}
    with pytest.raises(KeyError):
        store.remove_user_field(2, "UF_CRM_NEW")


def test_delete_takes_what_hangs_on_a_row(store: PortalStore) -> None:
    row_id = store.insert(3, {"NAME": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}]})[0]
    assert store.delete(3, [row_id, row_id, 10**9]) == 1
    assert store.multifields(3, [row_id]) == {}


def test_threads_may_use_the_store_at_once(store: PortalStore) -> None:
    """A test reads the store while the server's thread writes into it."""

    def write() -> list[int]:
        return [store.insert(2, {"title": f"Ёлка {at}"})[0] for at in range(300)]

    def look() -> list[int]:
        return [len(store.query("SELECT fold(title) FROM deal ORDER BY fold(title)")) for _ in range(300)]

    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(write), pool.submit(write)]
        seen = [pool.submit(look), pool.submit(look)]
    assert len({row_id for ids in written for row_id in ids.result()}) == 600
    assert all(counts.result() == sorted(counts.result()) for counts in seen)
