"""Keep the catalogue of translations up to date: ``python docs/messages.py`` collects messages and compiles them.

Every sentence in the package is a msgid, expressions of f-strings as ``{0}``, ``{1}``; ``language.VOCABULARY`` and the
titles of entities are msgids with the context ``word``. Translations are edited in
``bx24frames/locale/ru/LC_MESSAGES/bx24frames.po``: ``{0:n}`` writes a number as Russian does,
``{0:строка|строки|строк}`` is the form of a word beside it. What has no translation is shown in English.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import typer.main
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bx24frames.catalogue import CONTEXT
from bx24frames.cli.app import app
from bx24frames.cli.speech import FOREIGN, paragraphs
from bx24frames.entities.catalog.catalog import ROWS
from bx24frames.language import VOCABULARY

PACKAGE: Final = Path(__file__).parents[1] / "bx24frames"
PO: Final = PACKAGE / "locale" / "ru" / "LC_MESSAGES" / "bx24frames.po"
SKIPPED: Final = (
    *("sandbox/", "locale/", "cli/examples.py", "cli/phrasing.py", "cli/speech.py", "where/dialects.py"),
    *(
        "verbs/signature.py",
        "language.py",
        "catalogue.py",
        "mirror/stores/statements.py",
        "mirror/stores/history.py",
    ),
)
"""The sandbox speaks as a portal does, and its command is in bx24frames/cli; the others hold commands and SQL."""
CODE: Final = re.compile(
    r"^\W*(?:Mapping|dict|tuple|list|Callable|Iterable|frozenset)\[|pa\.\w+\[|^\w+ \| |^<|<table|^ style=|----"
    r"|IS DISTINCT"
    r"|^\W*(?:SELECT|INSERT|CREATE|PRAGMA|UPDATE|DELETE|WITH|ALTER|DROP|COPY|ATTACH|COMMENT|ANALYZE|SET|PRIMARY|CASE)\b"
    r"|\bSELECT\b|\bNOT NULL\b|^ ?AND |=\{0\} -c |^pip install|^\w+://|^default = "
    r"|^\{0\} IN \(|^portal, \w|^\W*local \w+|^%s |^t\.portal|(?:\b[a-z][a-z] ){9}"
)
"""Types in quotes, SQL, HTML, docstrings that are values, addresses, commands."""
NAMES: Final = frozenset(
    {
        # operators, states and labels
        *("not in", "is null", "not null", "not like", "not between", "not contains", "none of", "by id", "built in"),
        *("left out", "a row like these", "highest id", "rows after an id", "rows by id", "rows by key", "made by"),
        # what the portal, a store or a file is asked for or answers with
        *(
            "not allowed in filter",
            "application context",
            "unable to get application by token",
            "no such text 7f3a9c51",
        ),
        *("bx24frames: no row is called this", "bx24frames probe", "from startDate", "to startDate", "gzip, deflate"),
        *("Could not set lock", "being used by another process", "different configuration", "Work phone"),
        *("bx24 row", "bx24 outcome", "bx24 id", "bx24 column", "bx24 reason", "double precision"),
        *("timestamp with time zone", "subscription|commercial plan"),
        # kinds of pages whose costs are remembered
        *("item in a batch", "item alone", "older in a batch", "older alone"),
        # documentation
        *(
            "As in `write_entity`.",
            "Of a CSV file. Default: detected among ``; , tab`` and UTF-8, UTF-16, Windows-1251.",
        ),
        # the frame around a message
        *("bx24frames: {0}", "Bearer {0}", "portal, {0}", "told {0}:{1}", "bx24frames {0}", "{0}, table {1}: {2}"),
        *("{0} and {1}", "HTTP {0}: {1}{2}"),
    }
)
"""Texts that are no messages although they look like sentences."""
SENTENCE: Final = re.compile(r"[A-Za-z][\w'’()=,.-]*[,:;]? [\w'\"(`]*[a-z]{2}")
COMPOSED: Final = ("{0}: {1} ({2}x)", "{0} s")
"""Messages without a word."""
VISITED: Final = {
    "compile": 0,
    "execute": 0,
    "debug": 0,
    "warning": 0,
    "info": 0,
    "cast": 0,
    "cached": 1,
    # default, rule, and then the types and the text that stand in docstrings
    "keyword": 2,
    "required_keyword": 1,
}
"""Arguments of a call in which messages are looked for, where not in all; the reference is in English."""
WORD: Final = re.compile(r"[A-Za-z]{2}")
FIGURE: Final = re.compile(r"f'[<>]?\d*,?(?:\.\d)?[fd]?'")
"""The format of a number, such as ``,.1f``, unlike the ``.80`` that cuts a text."""

Text: TypeAlias = tuple[str, set[str]]
"""A msgid, and the places of the numbers in it."""


@dataclass(slots=True)
class Message:
    """A message: the files it stands in, and the places of expressions that are formatted as numbers."""

    files: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)


def main() -> None:
    """Update the catalogue, compile it, and report how much of it is translated."""
    found, known, fresh = messages(), catalogue(), empty()
    listed = [(source, None, sorted(message.files)) for source, message in found.items()]
    listed += [(word, CONTEXT, ["language.py"]) for word in words()]
    for source, context, files in sorted(listed, key=lambda row: (row[2][0], row[0])):
        old = known.get(source, context)
        text = "" if old is None else old.string
        fresh.add(source, text, locations=[(name, None) for name in files], context=context)
    PO.write_bytes(as_po(fresh))
    PO.with_suffix(".mo").write_bytes(as_mo(fresh))
    done = [message for message in fresh if message.id and message.string]
    sys.stdout.write(f"{len(done)} of {len(listed)} messages have a translation\n")


def empty() -> Catalog:
    """A catalogue without messages; its header has no date of its own."""
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Catalog(locale="ru", project="bx24frames", fuzzy=False, creation_date=long_ago, revision_date=long_ago)


def catalogue() -> Catalog:
    """The catalogue as it is stored."""
    return read_po(io.BytesIO(PO.read_bytes()), locale="ru") if PO.exists() else empty()


def as_po(found: Catalog) -> bytes:
    """The catalogue as text, without dates and lines, so that it changes only where messages do."""
    out = io.BytesIO()
    write_po(out, found, width=120, omit_header=True, include_lineno=False, sort_by_file=False)
    head = (
        b'msgid ""\nmsgstr ""\n"Language: ru\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        b'"Plural-Forms: %s\\n"\n\n' % found.plural_forms.encode()
    )
    return head + out.getvalue()


def as_mo(found: Catalog) -> bytes:
    """The catalogue compiled."""
    compiled = empty()
    for message in found:
        if message.id and message.string:
            compiled.add(message.id, message.string, context=message.context)
    out = io.BytesIO()
    write_mo(out, compiled)
    return out.getvalue()


def messages() -> dict[str, Message]:
    """Every message of the package."""
    found: dict[str, Message] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(SKIPPED):
            for source, numbers in texts(ast.parse(path.read_text(encoding="utf-8"))):
                if source not in NAMES and not CODE.search(source):
                    message = found.setdefault(source, Message())
                    message.files.add(name)
                    message.numbers |= numbers
    for name, sources in (("cli/app.py", helps()), ("cli/speech.py", FOREIGN)):
        for source in sources:
            found.setdefault(source, Message()).files.add(name)
    return found


def words() -> set[str]:
    """Every word that is shown by itself."""
    return {*VOCABULARY, *(entity.title for entity in ROWS)}


def helps() -> Iterator[str]:
    """The help of the commands, a paragraph each: the docstrings of their functions."""
    program = typer.main.get_command(app)
    for command in (program, *getattr(program, "commands", {}).values()):
        yield from map(escaped, paragraphs(command.help or ""))


def texts(tree: ast.AST) -> Iterator[Text]:
    """The sentences in a piece of code: literal strings and f-strings, without docstrings and annotations."""
    for node in visited(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr):
            yield from joined(node)
        elif isinstance(node, ast.Constant):
            yield from literal(node)
        else:
            yield from texts(node)


def visited(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a piece of code in which messages can stand."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield node.func
        yield from node.args[: VISITED.get(name)]
        yield from (keyword.value for keyword in node.keywords if name not in VISITED)
    elif isinstance(node, ast.AnnAssign):
        alias = ast.unparse(node.annotation) == "TypeAlias" and isinstance(node.value, ast.Constant)
        yield from () if alias or node.value is None else (node.value,)
    elif isinstance(node, ast.arguments):
        yield from (default for default in (*node.defaults, *node.kw_defaults) if default is not None)
        yield from (
            one.annotation for one in (*node.args, *node.kwonlyargs) if isinstance(one.annotation, ast.Subscript)
        )
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (*node.decorator_list, node.args, *node.body)
    else:
        yield from ast.iter_child_nodes(node)


def literal(node: ast.Constant, wanted: re.Pattern[str] = SENTENCE) -> Iterator[Text]:
    """A literal string, if it is a sentence or a part of one."""
    if isinstance(node.value, str) and wanted.search(node.value):
        yield escaped(node.value), set()


def joined(node: ast.JoinedStr) -> Iterator[Text]:
    """An f-string as a template, and the sentences within its expressions."""
    parts: list[str] = []
    numbers: set[str] = set()
    place = 0
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            parts.append(f"{{{place}}}")
            if value.format_spec is not None and FIGURE.fullmatch(ast.unparse(value.format_spec)):
                numbers.add(str(place))
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
        yield source, numbers


def escaped(text: str) -> str:
    """A text whose braces stand for themselves."""
    return text.replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    main()
