"""An ordinary user, who may use the CRM and not its settings: what they may not read is needed for captions alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames import errors as e

from .conftest import uploaded

ORDINARY = 9


@pytest.fixture
def ordinary(sandbox: bx.Sandbox) -> Iterator[bx.Portal]:
    with bx.Portal(sandbox.add_webhook(user_id=ORDINARY), limits=FAST, cache=False) as opened:
        with pytest.raises(e.PortalError, match="denied"):
            opened.call("crm.currency.list")
        yield opened


FRAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "items": ("deal", {"title": "Upload", "opportunity": 10.0, "currencyId": "EUR", "stageId": "NEW"}),
    "classic": ("crm.deal", {"TITLE": "Upload", "OPPORTUNITY": 10.0, "CURRENCY_ID": "EUR", "STAGE_ID": "NEW"}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_codes_are_written_without_the_dictionary(kind: str, sandbox: bx.Sandbox, ordinary: bx.Portal) -> None:
    entity, row = FRAMES[kind]
    report = bx.write_entity(pd.DataFrame([row] * 3), entity, ordinary, mode="insert")
    assert report.inserted == len(uploaded(sandbox)) == 3
    ids = report.frame()["id"].tolist()
    assert sandbox.store.query("SELECT DISTINCT currencyId FROM deal WHERE id >= ?", (min(ids),)) == [("EUR",)]


@pytest.mark.parametrize("mode", ["update", "upsert"])
def test_existing_rows_are_written_too(mode: Any, sandbox: bx.Sandbox, ordinary: bx.Portal) -> None:
    [row_id] = sandbox.store.insert(2, [{"title": "Upload", "originId": "K1", "currencyId": "RUB"}])
    frame = pd.DataFrame({"id": [row_id], "currencyId": ["EUR"]})
    if mode == "upsert":
        frame = pd.DataFrame({"originId": ["K1"], "currencyId": ["EUR"]})
    on = "originId" if mode == "upsert" else None
    assert bx.write_entity(frame, "deal", ordinary, mode=mode, on=on).updated == 1
    assert sandbox.store.query("SELECT currencyId FROM deal WHERE id = ?", (row_id,)) == [("EUR",)]


def test_a_caption_that_cannot_be_looked_up_is_never_sent_as_a_code(sandbox: bx.Sandbox, ordinary: bx.Portal) -> None:
    frame = pd.DataFrame({"title": ["Upload"], "currencyId": ["Российский рубль"]})
    with pytest.raises(e.PortalError) as caught:
        bx.write_entity(frame, "deal", ordinary, mode="insert")
    assert "Российский рубль" in str(caught.value.guidance)
    assert uploaded(sandbox).empty


@pytest.mark.parametrize("labels", ["all", ["currencyId"]])
def test_labels_without_the_dictionary_name_the_way_out(labels: Any, ordinary: bx.Portal) -> None:
    """Its refusal has no code (docs: crm-currency-list.md)."""
    with pytest.raises(e.PortalError) as caught:
        bx.read_entity("deal", ordinary, columns=["stageId", "currencyId"], labels=labels)
    assert "name the other columns in labels=" in str(caught.value.guidance)
