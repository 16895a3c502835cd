"""Field titles as column names."""

from __future__ import annotations

import pytest
from look import cells, columns, dtypes

import bx24frames as bx
from bx24frames.entities.columns import unique_titles
from bx24frames.entities.schema import Field
from bx24frames.options import Backend


@pytest.mark.parametrize("entity", ["contact", "crm.contact"])
def test_contact_points_are_known_by_the_words_that_people_have_for_them(portal: bx.Portal, entity: str):
    names = ["Телефон", "Рабочий e-mail"]
    found = bx.read_entity(entity, portal, columns=names, limit=3, backend="pyarrow")
    assert found.column_names == names
    codes = bx.read_entity(entity, portal, columns=["phone", "email"], limit=3, backend="pyarrow")
    assert found["Телефон"] == codes["phone"]


def test_a_read_and_a_description_agree_on_the_names(portal: bx.Portal, backend: Backend):
    described = bx.describe_entity("deal", portal, titles=True, backend=backend)
    named = dict(zip(cells(described, "code"), cells(described, "title"), strict=True))
    plain = bx.read_entity("deal", portal, backend=backend, limit=2)
    titled = bx.read_entity("deal", portal, backend=backend, limit=2, titles=True)
    assert columns(titled) == [named[code] for code in columns(plain)]
    assert len(set(columns(titled))) == len(columns(titled))
    assert list(dtypes(titled).values()) == list(dtypes(plain).values())


def test_a_title_that_fields_share_has_the_code_behind_it(portal: bx.Portal):
    wanted = ["id", "sourceId", "UF_CRM_ORIGIN_SOURCE"]
    found = columns(bx.read_entity("deal", portal, columns=wanted, limit=1, titles=True))
    assert found == ["ID", "Источник (sourceId)", "Источник (UF_CRM_ORIGIN_SOURCE)"]
    alone = columns(bx.read_entity("deal", portal, columns=["SOURCE_ID"], limit=1, titles=True))
    assert alone == ["Источник (sourceId)"]


@pytest.mark.parametrize("index", ["id", "ID"])
def test_the_index_is_named_by_code_or_by_title(portal: bx.Portal, deal_ids: list[int], index: str):
    frame = bx.read_entity("deal", portal, columns=["id", "title"], titles=True, index=index, limit=3)
    assert (frame.index.name, frame.index.tolist(), list(frame.columns)) == ("ID", deal_ids[:3], ["Название"])
    assert str(frame.index.dtype) == "int64"


def test_chunks_and_captions_have_titles_too(portal: bx.Portal):
    for chunk in bx.iter_entity("deal", portal, columns=["id", "stageId"], titles=True, labels=True, chunk_size=100):
        assert list(chunk.columns) == ["ID", "Стадия сделки"]
        assert str(chunk.dtypes["Стадия сделки"]) == "category"


def test_without_titles_a_description_shows_each_fields_own(portal: bx.Portal):
    shown = bx.describe_entity("deal", portal).set_index("code")["title"]
    assert shown["sourceId"] == shown["UF_CRM_ORIGIN_SOURCE"] == "Источник"


def test_a_name_made_unique_never_meets_another():
    fields = [Field("a", "string", "Date"), Field("b", "string", "Date"), Field("c", "string", "Date (a)")]
    assert unique_titles(fields) == {"a": "a", "b": "Date (b)", "c": "c"}
    assert unique_titles([Field("x", "string"), Field("y", "string", "  ")]) == {"x": "x", "y": "y"}


def test_a_field_read_in_two_spellings_has_them_behind_its_title(portal: bx.Portal):
    found = bx.read_entity("deal", portal, columns=["stageId", "STAGE_ID"], limit=1, titles=True, labels=True)
    assert columns(found) == ["Стадия сделки (stageId)", "Стадия сделки (STAGE_ID)"]
