"""Pickling of errors, as process pools need it."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames import errors as e

MADE: dict[str, dict[str, Any]] = {
    "PortalError": {"status": 400, "code": "X", "method": "crm.deal.get", "retryable": True, "rows": [3]},
    "AuthError": {"status": 401, "guidance": "Sign in."},
    "ValidationError": {"failures": pd.DataFrame({"position": [1]}), "entity": "deal"},
    "DecodeError": {"column": "id", "value": "x", "row_id": "3"},
    "UnfinishedUpload": {"journal": Path("/tmp/a.sqlite")},
    "SyncError": {"report": SimpleNamespace(failed=1)},
    "PortalsError": {"failures": {"acme.bitrix24.com": e.TransportError("no answer")}, "frame": {"b.example": 3}},
}


@pytest.mark.parametrize("name", e.__all__)
def test_an_error_is_the_same_after_a_journey(name: str) -> None:
    """Every attribute and the text survive."""
    given = MADE.get(name, {})
    if name in ("WriteError", "WriteInterrupted"):
        given = {"report": bx.delete_entity([-1], "deal", "sandbox", on_error="report")}
    error = getattr(e, name)("what happened", **given)
    for journey in (lambda one: pickle.loads(pickle.dumps(one)), copy.copy, copy.deepcopy):
        came = journey(error)
        assert type(came) is type(error)
        assert str(came) == str(error)
        assert set(vars(came)) == set(vars(error))
        for attribute in set(given) - {"report", "failures", "rows"}:
            assert getattr(came, attribute) == given[attribute]
        if "report" in given:
            assert came.report.failed == 1


def test_ipython_shows_the_frames_of_the_caller_alone_unless_all_are_asked_for(monkeypatch):
    pytest.importorskip("IPython")

    def shown() -> str:
        with pytest.raises(e.ConfigError) as caught:
            bx.Portal("https://acme.bitrix24.com/rest/1/abc123/", limits=3)
        return "".join(caught.value._render_traceback_())

    monkeypatch.delenv("BX24FRAMES_TRACEBACK", raising=False)
    short = shown()
    assert "in shown" in short
    assert "bx24frames/portal" not in short
    monkeypatch.setenv("BX24FRAMES_TRACEBACK", "1")
    assert "bx24frames/portal" in shown()
