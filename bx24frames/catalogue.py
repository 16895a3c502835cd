"""Catalogue of translated messages: a text is recognised by the template it was made from.

Messages are written in English where they arise, mostly as f-strings. A msgid is such a string with its expressions as
``{0}``, ``{1}``; what stands in their place in a text is translated in its turn, where the catalogue knows it.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Final

__all__ = ["DOMAIN", "LOCALE", "Catalogue", "literals"]

DOMAIN: Final = "bx24frames"
LOCALE: Final = Path(__file__).parent / "locale"
DEPTH: Final = 4
"""Texts within texts that are translated: a message, its reason, the reason's cause."""
SEAMS: Final = (
    re.compile(r"((?<=[.:]) )"),
    re.compile(r"(?<=.)(?=; )"),
    re.compile(r"((?<=;) )"),
    re.compile(r"(, )"),
)
"""Where a line is divided that no template matches as a whole."""
WITHIN: Final = (SEAMS[1], SEAMS[0], *SEAMS[2:])
"""The same for what stands within a message: it may end with a further part, behind a semicolon."""
LONGEST: Final = 2000
"""Characters of a line that is looked at: longer ones are data."""
REMEMBERED: Final = 4096
"""Texts whose translation is remembered: the parts of a message are looked at more than once."""
LETTERS: Final = 8
SHORT: Final = 2
"""A template with fewer letters than `LETTERS`, such as "{0} rows", may match by chance: whatever it finds has to be
known or have no more than `SHORT` words."""


class Catalogue:
    """Translations by msgid.

    Parameters
    ----------
    messages : mapping of str to str
        The translation of each msgid.
    """

    def __init__(self, messages: Mapping[str, str]) -> None:
        known = ((literals(source.strip()), target.strip()) for source, target in messages.items())
        pairs = [(parts, target) for parts, target in known if target and any(parts)]
        self._remembered = lru_cache(REMEMBERED)(self._translated)
        self._exact = {parts[0]: target.format() for parts, target in pairs if len(parts) == 1}
        templates = [Template(tuple(parts), target) for parts, target in pairs if len(parts) > 1]
        self._templates = sorted(templates, key=lambda template: -template.weight)

    @classmethod
    def load(cls, language: str) -> Catalogue:
        """Load the compiled catalogue of a language."""
        found = gettext.translation(DOMAIN, LOCALE, [language], fallback=True)
        # gettext looks up by msgid only, and a template has to be found by the text that it matches
        return cls(
            {source: text for source, text in vars(found).get("_catalog", {}).items() if isinstance(source, str)}
        )

    def translated(self, text: str, depth: int = 0) -> str:
        """Translate a text, its parts where it is unknown as a whole."""
        if depth > DEPTH or len(text) > LONGEST * 10:
            return text
        return self._remembered(text, depth)

    def _translated(self, text: str, depth: int) -> str:
        whole = self._stripped(text, depth)
        return "\n".join(self._line(line, depth) for line in text.split("\n")) if whole is None else whole

    def _line(self, line: str, depth: int) -> str:
        return line if len(line) > LONGEST else self._divided(line, depth, SEAMS if depth == 0 else WITHIN)

    def _divided(self, text: str, depth: int, seams: Sequence[re.Pattern[str]]) -> str:
        """Translate a text as a whole, or else its parts at the first seam, theirs at the next."""
        found = self._stripped(text, depth)
        if found is not None or not seams:
            return text if found is None else found
        pieces = seams[0].split(text, maxsplit=1)
        if len(pieces) == 1:
            return self._divided(text, depth, seams[1:])
        first, *between, rest = pieces
        return self._divided(first, depth, seams[1:]) + "".join(between) + self._divided(rest, depth, seams)

    def _stripped(self, piece: str, depth: int) -> str | None:
        """Translate a part, whatever blanks and sign of punctuation surround it."""
        found = self._whole(piece, depth)
        if found is not None:
            return found
        bare = piece.strip().rstrip(".;:")
        inner = self._whole(bare, depth) if bare and bare != piece else None
        return None if inner is None else piece.replace(bare, inner, 1)

    def _whole(self, text: str, depth: int) -> str | None:
        exact = self._exact.get(text)
        if exact is not None:
            return exact
        for template in self._templates if "\n" not in text else ():
            values = template.values(text)
            if values is None or (template.letters < LETTERS and not template.parts[0] and ": " in values[0]):
                continue
            spoken = [self.translated(value, depth + 1) for value in values]
            if template.letters >= LETTERS or all(map(_sure, values, spoken)):
                return template.target.format(*spoken)
        return None


@dataclass(frozen=True)
class Template:
    """A message with expressions in it: the literal text around them, and its translation."""

    parts: tuple[str, ...]
    target: str

    @cached_property
    def weight(self) -> int:
        """Characters of literal text: of two templates that match, the one that says more is meant."""
        return sum(map(len, self.parts))

    @cached_property
    def letters(self) -> int:
        """Letters of literal text: how much of a text it recognises."""
        return sum(sign.isalpha() for part in self.parts for sign in part)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        said = {name for _, name, _, _ in Formatter().parse(self.target)}
        first, *rest = map(re.escape, self.parts)
        # what the translation leaves out is an ending or a word, such as the s of a plural
        values = ("(.*?)" if str(place) in said else "([a-z ]{0,8})" for place in range(len(rest)))
        return re.compile(first + "".join(value + part for value, part in zip(values, rest, strict=True)))

    def values(self, text: str) -> tuple[str, ...] | None:
        """Return what stands in place of the expressions; None if the text was not made from this template."""
        if not (text.startswith(self.parts[0]) and text.endswith(self.parts[-1])):
            return None
        if not all(part in text for part in self.parts):
            return None
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groups()


def _sure(value: str, spoken: str) -> bool:
    """Whether what a template found is a message of its own, or a mere word."""
    return value != spoken or len(value.split()) <= SHORT or not re.search("[A-Za-z]", value)


def literals(source: str) -> list[str]:
    """Cut a msgid into the literal texts around its expressions.

    Examples
    --------
    >>> literals("no column {0} [{1}]")
    ['no column ', ' [', ']']
    """
    parts = [""]
    for literal, name, _, _ in Formatter().parse(source):
        parts[-1] += literal
        if name is not None:
            parts.append("")
    return parts
