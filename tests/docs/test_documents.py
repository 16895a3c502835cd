"""Every snippet of the README and of docs/ runs as it stands against a portal in a box, and prints what it says."""

from __future__ import annotations

import ast
import doctest
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from snippets import PAGES, ROOT, RUSSIAN, TIDY, Page, Snippet, parts, snippets, statements

from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.fixtures import FIXTURE_SIZES
from bx24frames.sandbox.named import options_of

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
LOOSELY = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def told(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell(page: Path) -> Iterator[tuple[Snippet, str]]:
    for snippet in snippets(page):
        if snippet.kind == "sh":
            for statement in statements(snippet.code):
                yield snippet, statement


NAMED = {"": "sandbox", "tidy": "sandbox:tidy", TIDY.partition(":")[2]: TIDY}
"""The sandboxes that the pages name, by the words behind the colon."""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The rows of the named sandboxes, in files: copying one is faster than seeding."""
    folder = tmp_path_factory.mktemp("seeded")
    paths = {words: folder / f"{place}.sqlite" for place, words in enumerate(NAMED)}
    for words, path in paths.items():
        Sandbox(str(path), real_time=False, **options_of(words)).close()
    return paths


@pytest.fixture
def portal_in_a_box(
    seeded: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, Sandbox]]:
    """Fresh portals under the names that the pages use; "sandbox" is also the one meant where none is named."""
    Sandbox.close_shared()
    with ExitStack() as opened:
        for words, path in seeded.items():
            box = str(shutil.copy(path, tmp_path / path.name))
            named = Sandbox(box, plan="unlimited", real_time=False, listen=True, **options_of(words))
            monkeypatch.setitem(Sandbox._shared, words, opened.enter_context(named))
        monkeypatch.setenv("BX24_WEBHOOK", "sandbox")
        monkeypatch.setenv("BX24FRAMES_CONFIG", str(tmp_path / "profiles.toml"))
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setattr("bx24frames.cli.connect._keyring_is_there", lambda: False)
        monkeypatch.setenv("COLUMNS", "120")
        (tmp_path / "work").mkdir()
        monkeypatch.chdir(tmp_path / "work")
        yield dict(Sandbox._shared)


LONG = {
    "README.ru.md",
    "cookbook.md",
    "engines.md",
    "many-portals.md",
    "mirror.md",
    "promises.md",
    "sandbox.md",
    "writing.md",
}
"""Pages whose snippets take more than two seconds, but the README."""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page.name in LONG else [], id=told(page))
        for page in PAGES
        if snippets(page)
    ],
)
def test_every_snippet_runs_and_prints_what_the_page_says(
    page: Path,
    portal_in_a_box: dict[str, Sandbox],
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
):
    if page.parent == ROOT:
        monkeypatch.setenv("BX24_WEBHOOK", TIDY)
    run = Page(capfdbinary, monkeypatch)
    for snippet in snippets(page):
        printed = run.run(snippet)
        if snippet.printed is not None:
            checker, example = doctest.OutputChecker(), doctest.Example("", snippet.printed)
            same = checker.check_output(snippet.printed, printed, LOOSELY)
            assert same, f"{snippet}\n{checker.output_difference(example, printed, LOOSELY)}"
    for name, test in list(run.names.items()):
        if name.startswith("test_") and callable(test):
            with Sandbox(sizes=FIXTURE_SIZES, plan="unlimited", real_time=False, listen=True) as fresh:
                test(fresh)
    assert [box.stats.broken for box in portal_in_a_box.values()] == [[], [], []]


@pytest.mark.parametrize("page", [*PAGES, *sorted(RUSSIAN.rglob("*.md"))], ids=told)
def test_every_link_leads_somewhere(page: Path):
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Headings as a code host addresses them: lower case, no punctuation, blanks as hyphens."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_is_only_looked_at_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    seen = set()
    for snippet, statement in (found for page in PAGES for found in shell(page)):
        words = parts(statement)[0]
        if words[0] == "make":
            assert words[1] in targets, snippet
        elif words[0] == "pip":
            named = re.findall(r"\[(.+?)\]", statement)
            extras = extras_of("slim" if "./slim" in statement else "")
            assert {extra for names in named for extra in names.split(",")} <= extras, snippet
        elif words[:2] == ["bx24frames", "sandbox"]:
            known = options("sandbox")
            assert {word for word in words if word.startswith("--")} <= known, snippet
        else:
            continue
        seen.add(words[0])
    assert seen == {"make", "pip", "bx24frames"}


def extras_of(folder: str) -> set[str]:
    """The extras of a distribution."""
    return set(tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def options(command: str) -> set[str]:
    """The options of one of our commands."""
    import typer.main

    from bx24frames.cli.app import app

    found = typer.main.get_command(app).commands[command]
    return {flag for option in found.params for flag in (*option.opts, *option.secondary_opts)}


def test_the_price_of_the_import_is_told_truly():
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What `import bx24frames` skips")[2]
    for name in ("pandas", "polars", "pandera", "pyarrow", "narwhals", "aiohttp", "asyncio", "tqdm"):
        assert name in text


def code_of(page: Path) -> list[str]:
    """The code of a page without its comments, which are in its own language."""
    return [uncommented(found) for found in snippets(page)]


def uncommented(found: Snippet) -> str:
    if found.kind == "python":
        return ast.unparse(ast.parse(found.code))
    return "\n".join(shlex.join(shlex.split(statement, comments=True)) for statement in statements(found.code))


def test_the_russian_page_has_the_same_code_and_the_same_output():
    english, russian = ROOT / "README.md", ROOT / "README.ru.md"
    assert code_of(english) == code_of(russian)
    assert [found.printed for found in snippets(english)] == [found.printed for found in snippets(russian)]
    headings = [len(re.findall(r"^## ", page.read_text(encoding="utf-8"), re.M)) for page in (english, russian)]
    assert headings[0] == headings[1]
