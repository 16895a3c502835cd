"""Keep the catalogue of translations up to date: ``python docs/messages.py`` collects messages and compiles them.

Every sentence in the package is a msgid, expressions of f-strings as ``{0}``, ``{1}``. Translations are edited in
``bx24frames/locale/ru/LC_MESSAGES/bx24frames.po``; what has no translation is shown in English.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer.main
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bx24frames.cli.app import app
from bx24frames.cli.speech import paragraphs

PACKAGE: Final = Path(__file__).parents[1] / "bx24frames"
PO: Final = PACKAGE / "locale" / "ru" / "LC_MESSAGES" / "bx24frames.po"
SKIPPED: Final = ("sandbox/", "locale/", "cli/examples.py", "where/dialects.py", "verbs/signature.py", "display.py")
"""The sandbox speaks as a portal does, and its command is in bx24frames/cli; the others hold commands and sources."""
CODE: Final = re.compile(
    r"^\W*(?:Mapping|dict|tuple|list|Callable|Iterable|frozenset)\[|pa\.\w+\[|^\w+ \| |<table|----"
    r"|^\W*local \w+|^\W*(?:SELECT|INSERT|CREATE|PRAGMA|UPDATE|DELETE|WITH|ALTER|DROP|COPY|ATTACH|COMMENT) "
)
"""Types in quotes, SQL, Lua, HTML, docstrings that are values."""
SENTENCE: Final = re.compile(r"[A-Za-z][\w'’()=,.-]*[,:;]? [\w'\"(`]*[a-z]{2}")
COMPOSED: Final = ("  {0}: {1} ({2}x{3})",)
"""Frames without a word that hold messages."""
WORD: Final = re.compile(r"[A-Za-z]{2}")


def main() -> None:
    """Update the catalogue, compile it, and report how much of it is translated."""
    found, known = messages(), catalogue()
    fresh = Catalog(locale="ru", project="bx24frames", fuzzy=False)
    for source, files in sorted(found.items(), key=lambda item: (sorted(item[1])[0], item[0])):
        old = known.get(source)
        fresh.add(source, old.string if old is not None else "", locations=[(name, None) for name in sorted(files)])
    PO.write_bytes(as_po(fresh))
    PO.with_suffix(".mo").write_bytes(as_mo(fresh))
    done = {source for source in found if (fresh.get(source) or Catalog()).string}
    sys.stdout.write(f"{len(done)} of {len(found)} messages have a translation\n")


def catalogue() -> Catalog:
    """The catalogue as it is stored."""
    return read_po(io.BytesIO(PO.read_bytes()), locale="ru") if PO.exists() else Catalog(locale="ru")


def as_po(found: Catalog) -> bytes:
    """The catalogue as text, without dates and lines, so that it changes only where messages do."""
    out = io.BytesIO()
    write_po(out, found, width=120, omit_header=True, include_lineno=False, sort_by_file=False)
    head = b'msgid ""\nmsgstr ""\n"Language: ru\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return head + out.getvalue()


def as_mo(found: Catalog) -> bytes:
    """The catalogue compiled; its header has no date of its own."""
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    compiled = Catalog(locale="ru", creation_date=long_ago, revision_date=long_ago)
    for message in found:
        if message.id and message.string:
            compiled.add(message.id, message.string)
    out = io.BytesIO()
    write_mo(out, compiled)
    return out.getvalue()


def messages() -> dict[str, set[str]]:
    """Every message of the package, with the files it stands in."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(SKIPPED):
            for source in texts(ast.parse(path.read_text(encoding="utf-8"))):
                if not CODE.search(source):
                    found.setdefault(source, set()).add(name)
    for source in helps():
        found.setdefault(source, set()).add("cli/app.py")
    return found


def helps() -> Iterator[str]:
    """The help of the commands, a paragraph each: the docstrings of their functions."""
    program = typer.main.get_command(app)
    for command in (program, *getattr(program, "commands", {}).values()):
        yield from map(escaped, paragraphs(command.help or ""))


def texts(tree: ast.AST) -> Iterator[str]:
    """The sentences in a piece of code: literal strings and f-strings, without docstrings and annotations."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr):
            yield from joined(node)
        elif isinstance(node, ast.Constant):
            yield from literal(node)
        else:
            yield from texts(node)


def literal(node: ast.Constant, wanted: re.Pattern[str] = SENTENCE) -> Iterator[str]:
    """A literal string, if it is a sentence or a part of one."""
    if isinstance(node.value, str) and wanted.search(node.value):
        yield escaped(node.value)


def joined(node: ast.JoinedStr) -> Iterator[str]:
    """An f-string as a template, and the sentences within its expressions."""
    parts, place = [], 0
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            parts.append(f"{{{place}}}")
            place += 1
            for inner in ast.walk(value.value):
                if isinstance(inner, ast.Constant):
                    yield from literal(inner, WORD if isinstance(value.value, ast.IfExp) else SENTENCE)
                elif isinstance(inner, ast.JoinedStr):
                    yield from joined(inner)
        elif isinstance(value, ast.Constant):
            parts.append(escaped(str(value.value)))
    source = "".join(parts)
    if (WORD.search(re.sub(r"\{\d+\}", "", source)) or source in COMPOSED) and " " in source:
        yield source


def escaped(text: str) -> str:
    """A text whose braces stand for themselves."""
    return text.replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    main()
