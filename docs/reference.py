"""Write the reference from the docstrings: ``python docs/reference.py`` makes ``docs/reference.md`` anew."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import FunctionType
from typing import Final

import bx24frames
from bx24frames import aio, config, errors
from bx24frames.connectors import spark
from bx24frames.engine.stats import Stats
from bx24frames.portal.plan import Plan
from bx24frames.sandbox import Costs, Fault
from bx24frames.testing import no_waiting
from bx24frames.transport.base import Reply
from bx24frames.verbs.portals import AsyncPortal

PAGE: Final = Path(__file__).with_suffix(".md")

ABOUT: Final = "Made from the docstrings by `python docs/reference.py`. The [guide](README.md) has the tasks."
FUNCTIONS: Final = (
    ("Reading", ("read_entity", "iter_entity", "scan_entity", "count_entity")),
    ("Looking around", ("list_entities", "describe_entity", "entity_schema")),
    ("Writing", ("write_entity", "delete_entity")),
    ("Files and flat frames", ("read_file", "write_file", "flatten")),
    ("A mirror", ("sync_entities",)),
)
CLASSES: Final[tuple[tuple[str, type, type], ...]] = (
    ("Portal", bx24frames.Portal, AsyncPortal),
    ("Limits", bx24frames.Limits, bx24frames.Limits),
    ("OAuth", bx24frames.OAuth, bx24frames.OAuth),
    ("Transport", bx24frames.Transport, bx24frames.Transport),
    ("transport.base.Reply", Reply, Reply),
    ("WriteReport", bx24frames.WriteReport, bx24frames.WriteReport),
    ("SyncReport", bx24frames.SyncReport, bx24frames.SyncReport),
    ("Scan", bx24frames.Scan, bx24frames.Scan),
    ("Checkpoint", bx24frames.Checkpoint, bx24frames.Checkpoint),
    ("Plan", Plan, Plan),
    ("Stats", Stats, Stats),
    ("Sandbox", bx24frames.Sandbox, bx24frames.Sandbox),
    ("sandbox.Fault", Fault, Fault),
    ("sandbox.Costs", Costs, Costs),
    ("testing.no_waiting", no_waiting, no_waiting),
)
"""Name, class, and the class that says in full what its methods do."""
CONNECTORS: Final = (("spark.register", spark.register),)
INTERNAL: Final = frozenset({"of", "take", "strikes", "error", "connection", "token", "OAuth.key", "beyond"})
"""Methods that serve the package itself; of one class alone with its name before."""

WIDTH: Final = 80
"""Characters of a line of a signature: what the documentation site shows without scrolling."""
UNDERLINED: Final = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.M)
LISTS: Final = frozenset({"Parameters", "Attributes", "Raises", "Returns", "Yields"})


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole reference."""
    parts: list[str] = []
    for heading, names in FUNCTIONS:
        parts.append(f"## {heading}")
        parts += [entry(f"bx24frames.{name}", getattr(bx24frames, name)) for name in names]
    parts += ["## Awaiting: bx24frames.aio", awaited()]
    for name, shown, told in CLASSES:
        parts += [f"## {name}", entry(f"bx24frames.{name}", shown, level=0), *methods(name, shown, told)]
    parts.append("## Other engines: bx24frames.connectors")
    parts += [entry(f"bx24frames.connectors.{name}", shown) for name, shown in CONNECTORS]
    parts.append("## Profiles: bx24frames.config")
    parts += [entry(f"bx24frames.config.{name}", getattr(config, name)) for name in ("save_profile", "list_profiles")]
    parts += ["## Errors: bx24frames.errors", *tree()]
    return "\n\n".join(part for part in ("# Reference", ABOUT, contents(parts), *parts) if part) + "\n"


def contents(parts: list[str]) -> str:
    """The headings of the second level as links; functions and errors stand behind theirs."""
    lines: list[str] = []
    for level, heading in re.findall(r"^(##+) (.+)$", "\n".join(parts), re.M):
        link = f"[{heading}](#{anchor(heading)})"
        if level == "##":
            lines.append(f"* {link}")
        elif f"](#{anchor(heading)})" not in "".join(lines):  # a name that occurs twice has one address
            lines[-1] += f", {link}" if ": " in lines[-1].partition("](")[2] else f": {link}"
    return "\n".join(lines)


def anchor(heading: str) -> str:
    """A heading's address on a code host: lower case, no punctuation."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def entry(name: str, what: Callable[..., object], *, level: int = 3, told: object = None) -> str:
    """One function or class: its signature and its docstring."""
    heading = f"{'#' * level} {name.rpartition('.')[2]}" if level else ""
    signature = f"```text\n{shown_signature(name, what)}\n```"
    return "\n\n".join(part for part in (heading, signature, markdown(inspect.getdoc(told or what) or "")) if part)


def shown_signature(name: str, what: Callable[..., object]) -> str:
    """A signature a person reads: names and defaults, a line each where they are many."""
    found = inspect.signature(what)
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values() if one.name != "self"]
    text = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    if len(name + text) <= WIDTH:
        return name + text
    return textwrap.fill(name + text, WIDTH, subsequent_indent=" " * (len(name) + 1), break_long_words=False)


def methods(name: str, shown: type, told: type) -> Iterator[str]:
    """The public methods of a class, inherited ones first, in the order they are written, with its properties."""
    own = [kind for kind in reversed(shown.__mro__) if kind.__module__.startswith("bx24frames")]
    for member, value in {member: value for kind in own for member, value in vars(kind).items()}.items():
        if member.startswith("_") or not INTERNAL.isdisjoint({member, f"{name}.{member}"}):
            continue
        if isinstance(value, property):
            yield f"**`{name}.{member}`**: {inline(inspect.getdoc(value) or '')}"
        elif isinstance(value, FunctionType | classmethod):
            full = getattr(told, member)
            yield entry(f"{name}.{member}", getattr(shown, member), level=3, told=full)


def awaited() -> str:
    """What `aio` has: the same names."""
    names = ", ".join(f"`{name}`" for name in aio.__all__)
    return (
        f"{names}: as above, to be awaited; `iter_entity` is an asynchronous iterator, and the verbs of `Portal` are "
        "coroutines. There is no `scan_entity`."
    )


def tree() -> Iterator[str]:
    """The errors, each with what it is."""
    drawn = (inspect.getdoc(errors) or "").split("\n\n", 2)[1]
    yield f"```text\n{textwrap.dedent(drawn)}\n```"
    for name in errors.__all__:
        yield f"### {name}\n\n{markdown(inspect.getdoc(getattr(errors, name)) or '')}"


def markdown(doc: str) -> str:
    """A numpydoc docstring as Markdown."""
    cut = UNDERLINED.split(doc)
    sections = zip(cut[1::2], cut[2::2], strict=True)
    return "\n\n".join([inline(cut[0].strip()), *(section(name, text.strip("\n")) for name, text in sections)])


def section(name: str, text: str) -> str:
    """One section: a list of definitions, an example, or prose."""
    if name == "Examples":
        return f"**{name}**\n\n```pycon\n{text}\n```"
    if name in LISTS:
        return f"**{name}**\n\n{definitions(text)}"
    return f"**{name}**\n\n{inline(text)}"


def definitions(text: str) -> str:
    """Terms at the margin, each with what is indented below it."""
    lines: list[str] = []
    for line, below in pairwise([*text.splitlines(), ""]):
        if line and not line.startswith(" "):
            term, _, kind = line.partition(" : ")
            more = ":" if below.startswith(" ") else ""
            lines.append(f"* **`{term}`**" + (f" ({inline(kind)})" if kind else "") + more)
        elif line.strip():
            lines.append(f"  {inline(line.strip())}")
    return "\n".join(lines)


def inline(text: str) -> str:
    """Literals of docstrings as Markdown has them; an asterisk is no emphasis."""
    return text.replace("``", "`")


if __name__ == "__main__":
    main()
