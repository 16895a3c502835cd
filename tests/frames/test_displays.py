"""Displays of portals, plans, reports and statistics: well-formed, escaped, without secrets."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.display import facts_html, table_html
from bx24frames.engine.stats import MethodStats, Stats
from bx24frames.frames.report import WriteReport
from bx24frames.sandbox import Sandbox
from bx24frames.upload.outcomes import Outcome, outcome_table

ODD = '<b>"Tom" & Co</b>'
TOKENS = {"client_secret": "cl1entsecretcl1entsecret", "access_token": "acc3sstoken", "refresh_token": "r3freshtoken"}


class Cells(HTMLParser):
    """The texts of the cells; every tag is closed in order, and none sets a colour."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert set(attrs) <= {("class", "dataframe"), ("style", "text-align: left")}
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def outcomes() -> WriteReport:
    found = [Outcome(0, "failed", code=ODD, message=ODD, column=ODD, attempts=1), Outcome(1, "updated", id=1234567)]
    return WriteReport(outcome_table(found, 2, None), entity=ODD, host="acme.bitrix24.com", mode="update")


def test_a_table_of_odd_texts():
    cells = Cells(table_html(["a", ODD], [[ODD, 1234567], [None, 0.25], [True, None]], title=ODD)).cells
    assert cells == ["a", ODD, ODD, "1,234,567", "", "0.2", "True", ""]
    assert Cells(facts_html({ODD: ODD})).cells == [ODD, ODD]
    assert Cells(table_html(["a"], [])).cells == ["a"]


def test_a_report_names_rows_without_thousands():
    html = outcomes()._repr_html_()
    assert "1,234,567" not in html
    assert Cells(html).cells[:6] == ["action", "rows", "updated", "1", "failed", "1"]


def test_figures_by_method():
    stats = Stats(requests=1200, methods={"crm.item.list": MethodStats(commands=5000, seconds=12.34, operating=1.0)})
    assert Cells(stats._repr_html_()).cells[5:] == ["crm.item.list", "5,000", "0", "12.3", "1.0"]
    assert "1,200 requests" in str(stats)


@pytest.fixture
def everything(bx24_sandbox: Sandbox) -> Callable[[], list[Any]]:
    def make() -> list[Any]:
        portal = bx.Portal(bx24_sandbox.url)
        report = bx.write_entity(pd.DataFrame({"title": [ODD]}), "deal", portal, mode="insert")
        application = bx.Portal("https://acme.bitrix24.com/rest/", auth=bx.OAuth("app.1", **TOKENS))
        return [
            portal,
            bx.aio.Portal(bx24_sandbox.url),
            application,
            application.connection.settings,
            portal.connection.settings,
            portal.connection.address,
            portal.plan("deal"),
            portal.check(),
            portal.stats,
            bx.Limits(shared="host"),
            bx24_sandbox,
            report,
            bx.OAuth("app.1", **TOKENS),
        ]

    return make


def test_nothing_shows_a_secret_and_all_is_sound_html(everything, bx24_sandbox: Sandbox):
    code = bx24_sandbox.url.rstrip("/").rpartition("/")[2]
    for one in everything():
        draw = getattr(one, "_repr_html_", None)
        html = draw() if draw else ""
        Cells(html)
        told = f"{one!r}{one}{html}"
        assert not [secret for secret in (code, *TOKENS.values()) if secret in told], type(one)


def test_a_portal_says_who_it_is_and_what_it_cost(bx24_sandbox: Sandbox):
    with bx.Portal(bx24_sandbox.url) as portal:
        portal.call("profile")
        html = portal._repr_html_()
        assert Cells(html).cells[:4] == ["credential", "webhook of user 1", "limits", "50 requests at once, 2 a second"]
        assert "1 request (0 refused)" in html
        assert repr(portal) == f"<Portal {bx24_sandbox.host}, user 1>"


def test_a_described_table_is_a_frame_of_its_own_library(bx24_sandbox: Sandbox):
    html = bx.describe_entity("deal", bx24_sandbox.url)._repr_html_()
    assert "<th>arrow_type</th>" in html


def test_a_credential_limits_and_a_sandbox_are_tables(bx24_sandbox: Sandbox):
    checked = bx.Portal(bx24_sandbox.url).check()
    assert "administrator" in Cells(checked._repr_html_()).cells
    assert "operating time" in Cells(bx.Limits()._repr_html_()).cells
    assert "lead" in Cells(bx24_sandbox._repr_html_()).cells
