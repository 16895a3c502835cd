"""The Russian guide keeps up with the English one: the same pages, headings, code, tables and links."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path

import pytest
from snippets import ENGLISH, ROOT, RUSSIAN

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)")
PAGES = [str(page.relative_to(DOCS)) for page in ENGLISH if page != DOCS / "reference.md"]


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return BLOCK.sub("", text)


def linked(page: Path) -> list[str]:
    """The files a page links to, each as its English page; of links to README.md and README.ru.md either will do."""
    targets = [(page.parent / target).resolve() for target, _ in LINK.findall(prose(page.read_text("utf-8"))) if target]
    found = {relpath(target, RUSSIAN if target.is_relative_to(RUSSIAN) else DOCS) for target in targets}
    return sorted(target for target in found if not target.startswith("../README"))


def test_every_page_has_its_russian_twin():
    assert sorted(str(page.relative_to(RUSSIAN)) for page in RUSSIAN.rglob("*.md")) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_russian_page_has_the_same_code_headings_tables_and_links(page: str):
    english, russian = (DOCS / page).read_text("utf-8"), (RUSSIAN / page).read_text("utf-8")
    assert BLOCK.findall(english) == BLOCK.findall(russian)
    for shape in (r"^(#+) ", r"^\|(?=-)", r"^\|", r"^(?:\*|\d+\.) "):
        assert len(re.findall(shape, prose(english), re.M)) == len(re.findall(shape, prose(russian), re.M)), shape
    levels = [re.findall(r"^(#+) ", prose(text), re.M) for text in (english, russian)]
    assert levels[0] == levels[1]
    assert linked(DOCS / page) == linked(RUSSIAN / page)


@pytest.mark.parametrize("page", PAGES)
def test_the_russian_page_is_in_russian(page: str):
    words = re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose((RUSSIAN / page).read_text("utf-8")))
    cyrillic, latin = (len(re.findall(letters, words)) for letters in ("[а-яё]", "[a-z]"))
    assert cyrillic > 2 * latin
