"""Build the documentation site: ``python docs/website.py`` makes ``site/`` (English) and ``site/ru/`` (Russian).

The pages are staged from docs/ by the table in docs/website.toml and rendered by Zensical. The reference is cut into a
page per function or class, links are rewritten to match, and linked files outside docs/ are published too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Final

DOCS: Final = Path(__file__).parent
ROOT: Final = DOCS.parent
LANGUAGES: Final = ("en", "ru")
PAGES: Final = tomllib.loads((DOCS / "website.toml").read_text(encoding="utf-8"))
REFERENCE: Final = "reference.md"
OUTSIDE: Final = "project/"
"""The folder of the site for files that lie outside docs/."""
SINGLE: Final = frozenset({"Reading", "Looking around", "Writing"})
"""Sections of the reference whose functions get a page each."""
LINK: Final = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]+)?\)")
NOTICE: Final = {"en": "", "ru": '!!! note "Справка на английском"\n\n    Она делается из docstring-ов кода.\n\n'}
SWITCH: Final = {"en": "English", "ru": "Русский"}
THEME: Final = """
[project.theme]
language = {language}
font = false
features = ["content.code.copy", "navigation.footer", "navigation.indexes", "navigation.path", "navigation.sections",
            "navigation.top", "navigation.tracking", "search.highlight", "toc.follow"]
[[project.theme.palette]]
media = "(prefers-color-scheme)"
toggle.icon = "lucide/sun-moon"
toggle.name = {light}
[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
toggle.icon = "lucide/sun"
toggle.name = {dark}
[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
toggle.icon = "lucide/moon"
toggle.name = {system}
[project.markdown_extensions]
admonition = {{}}
attr_list = {{}}
md_in_html = {{}}
tables = {{}}
toc.permalink = true
toc.slugify = {{ object = "pymdownx.slugs.slugify", kwds = {{ case = "lower" }} }}
pymdownx.superfences = {{}}
pymdownx.highlight.pygments_lang_class = true
pymdownx.inlinehilite = {{}}
"""
TOGGLES: Final = {
    "en": ("Switch to light mode", "Switch to dark mode", "Follow the system"),
    "ru": ("Светлая тема", "Тёмная тема", "Как в системе"),
}


@dataclass(frozen=True)
class Staged:
    """What one language consists of: text by path, other files by path, and the navigation."""

    pages: Mapping[str, str]
    files: Mapping[str, Path]
    nav: list[object]


def main() -> None:
    """Build both languages into the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "site")
    out = parser.parse_args().out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    for language in LANGUAGES:
        render(language, out if language == LANGUAGES[0] else out / language)
    sys.stdout.write(f"{out / 'index.html'}\n")


def render(language: str, out: Path) -> None:
    """Stage the pages of a language and run Zensical over them; a warning of its link check is an error."""
    work = ROOT / "build" / f"site-{language}"
    shutil.rmtree(work, ignore_errors=True)
    staged = stage(language)
    for path, text in staged.pages.items():
        target = work / "docs" / published(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for path, file in staged.files.items():
        target = work / "docs" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (work / "zensical.toml").write_text(settings(language, staged.nav), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(work / "zensical.toml")]
    subprocess.run(command, check=True, cwd=work, env=os.environ | {"NO_COLOR": "1"})
    shutil.copytree(work / "site", out, dirs_exist_ok=True)


def settings(language: str, nav: list[object]) -> str:
    """The configuration of Zensical for one language."""
    light, dark, system = map(json.dumps, TOGGLES[language])
    head = f"[project]\nsite_name = {quoted(PAGES['site'][language])}\nnav = {inline(nav)}\n"
    up = "./" if language == LANGUAGES[0] else "../"
    links = {one: up if one == LANGUAGES[0] else f"{up}{one}/" for one in LANGUAGES}
    switch = "".join(
        f"[[project.extra.alternate]]\nname = {quoted(SWITCH[one])}\nlink = {quoted(link)}\nlang = {quoted(one)}\n"
        for one, link in links.items()
    )
    return head + switch + THEME.format(language=quoted(language), light=light, dark=dark, system=system)


def quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)


def inline(nav: str | dict[str, object] | list[object]) -> str:
    """A navigation as a TOML value."""
    if isinstance(nav, str):
        return quoted(nav)
    if isinstance(nav, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {inline(value)}" for key, value in nav.items()) + " }"
    return "[" + ", ".join(map(inline, nav)) + "]"


def stage(language: str) -> Staged:
    """Read the pages of a language, cut the reference, rewrite every link, and add the files that are linked to."""
    raw: dict[str, str] = {}
    nav: list[object] = []
    for section in PAGES["section"]:
        entries: list[object] = []
        for page in section["pages"]:
            path, title = page["path"], page[language]
            if path == REFERENCE:
                cut = dict(cut_reference((DOCS / REFERENCE).read_text(encoding="utf-8")))
                raw |= {one: NOTICE[language] * (one == REFERENCE) + text for one, text in cut.items()}
                single = [{first_heading(text): one} for one, text in cut.items() if one != REFERENCE]
                entries.append({title: [REFERENCE, *single]})
            else:
                raw[path] = source(path, language).read_text(encoding="utf-8")
                entries.append({title: published(path)})
        nav.append({section[language]: entries})
    anchors = {anchor: path for path, text in raw.items() for anchor in headings(text) if is_reference(path)}
    links = Links(language, anchors)
    pages = {path: links.rewritten(path, text) for path, text in raw.items()}
    files: dict[str, Path] = {}
    while links.wanted:
        path = links.wanted.pop()
        found = ROOT / path.removeprefix(OUTSIDE) if path.startswith(OUTSIDE) else DOCS / path
        if path in pages or path in files:
            continue
        if found.suffix == ".md":
            pages[path] = links.rewritten(path, found.read_text(encoding="utf-8"))
        else:
            files[path] = found
    return Staged(pages, files, nav)


def source(path: str, language: str) -> Path:
    """The file of a page."""
    return ROOT / tree(language) / path


def tree(language: str) -> str:
    """The folder that holds the pages of a language, from the root of the project."""
    return "docs/" if language == LANGUAGES[0] else f"docs/{language}/"


def written_in(path: str) -> str:
    """The language of a file of the project, by its folder."""
    return next((one for one in LANGUAGES[1:] if path.startswith(tree(one))), LANGUAGES[0])


def published(path: str) -> str:
    """The name a page has on the site: a README is its folder's index."""
    return str(PurePosixPath(path).with_name("index.md")) if path.endswith("README.md") else path


def cut_reference(text: str) -> Iterator[tuple[str, str]]:
    """The reference as pages: its contents, then a page for each function or class."""
    first, *sections = re.split(r"^(?=## )", text, flags=re.M)
    groups = "|".join(SINGLE)
    yield REFERENCE, re.sub(rf"\[({groups})\]\(#[^)]*\)", r"**\1**", first)
    for section in sections:
        grouped = first_heading(section) in SINGLE
        for part in re.split(r"^(?=### )", section, flags=re.M)[1:] if grouped else [section]:
            raised = re.sub(r"^##(?=#)" if grouped else r"^#(?=#)", "", part, flags=re.M)
            yield f"reference/{slug(first_heading(part))}.md", raised


def first_heading(text: str) -> str:
    """The words of the first heading."""
    return next(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))


def headings(text: str) -> Iterator[str]:
    """The anchors of a page."""
    yield from (slug(line.lstrip("# ")) for line in text.splitlines() if re.match("#+ ", line))


def slug(heading: str) -> str:
    """A heading's anchor, as code hosts make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def is_reference(path: str) -> bool:
    """Whether a page was cut from the reference."""
    return path == REFERENCE or path.startswith("reference/")


class Links:
    """Links between pages of a language: rewrites them for the site and collects what they lead to."""

    def __init__(self, language: str, anchors: Mapping[str, str]) -> None:
        self.language = language
        self.anchors = anchors
        self.wanted: set[str] = set()

    def rewritten(self, path: str, text: str) -> str:
        """A page's text with links that hold on the site."""
        return LINK.sub(lambda link: f"]({self.target(path, link[1], link[2] or '')})", text)

    def target(self, path: str, link: str, anchor: str) -> str:
        """Where a link of a page leads on the site: to the page in the site's language, whichever language it names."""
        meant, language = self.resolved(path, link) if link else (path, self.language)
        if is_reference(meant):
            meant = self.anchors.get(anchor[1:], REFERENCE) if anchor else meant
        elif language != self.language:
            anchor = ""
        self.wanted.add(meant)
        return (
            anchor if meant == path and anchor else relpath(published(meant), str(PurePosixPath(path).parent)) + anchor
        )

    def resolved(self, path: str, link: str) -> tuple[str, str]:
        """The path on the site of a file that a page links to, and its language; a file outside docs/ has a folder."""
        outside = path.startswith(OUTSIDE)
        here = path.removeprefix(OUTSIDE) if outside else self.tree_of(path) + path
        meant = normpath(str(PurePosixPath(here).parent / link))
        language = written_in(meant)
        if meant.startswith("docs/"):
            return meant.removeprefix(tree(language)), language
        return OUTSIDE + meant, self.language

    def tree_of(self, path: str) -> str:
        """The folder that a page of the site was read from: the reference has no translation."""
        return tree(LANGUAGES[0] if is_reference(path) else self.language)


if __name__ == "__main__":
    main()
