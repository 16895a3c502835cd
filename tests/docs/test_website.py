"""The documentation site: every link holds, search finds a page, and both colour schemes and languages show."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("zensical", reason="the documentation site is built by the dependency group docs")
playwright = pytest.importorskip("playwright.sync_api", reason="the dependency group docs drives a browser")

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The built site under an address of this machine; a broken link or anchor fails the build."""
    out = tmp_path_factory.mktemp("site")
    subprocess.run([sys.executable, str(ROOT / "docs" / "website.py"), "--out", str(out)], check=True)
    handler = functools.partial(Quiet, directory=str(out))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without printing each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


def test_no_page_asks_another_host_or_reports_an_error(site, browser):
    page = browser.new_page()
    outside, errors = [], []
    page.on("request", lambda request: request.url.startswith((site, "data:", "blob:")) or outside.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and errors.append(answer.url))
    for address in ("", "guide/reading/", "reference/read_entity/", "ru/", "ru/guide/reading/"):
        page.goto(site + address, wait_until="load")
        assert page.locator("h1").first.inner_text().strip()
    assert (outside, errors) == ([], [])
    page.close()


@pytest.mark.parametrize(("language", "words", "found"), [("", "upsert", "writing"), ("ru/", "фильтр", "filters")])
def test_search_finds_the_page_of_a_word(site, browser, language, words, found):
    page = browser.new_page()
    page.goto(site + language)
    page.locator("button.md-search__button").first.click()
    page.get_by_role("combobox").fill(words)
    page.locator(f'[role="listbox"] a[href*="{found}"]').first.wait_for(timeout=20_000)
    page.close()


def test_each_colour_scheme_follows_the_system(site, browser):
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(site)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(set(grounds)) == 2


def test_the_language_switch_leads_to_the_same_site_in_russian(site, browser):
    page = browser.new_page()
    page.goto(site)
    link = page.locator('a[hreflang="ru"]').first
    page.goto(site + "" + link.get_attribute("href").removeprefix("./"))
    assert page.evaluate("document.documentElement.lang") == "ru"
    page.close()
