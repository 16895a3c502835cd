"""Catalogue of translated messages: a text is recognised by the template it was made from.

Messages are written in English where they arise, mostly as f-strings. A msgid is such a string with its expressions as
``{0}``, ``{1}``; what stands in their place in a text is translated in its turn, where the catalogue knows it. A
translation may write a number as its language does, ``{0:n}``, and give the forms of a word beside it,
``{0:строка|строки|строк}``, in the order of the catalogue's Plural-Forms.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Final

__all__ = ["CONTEXT", "DOMAIN", "LOCALE", "Catalogue", "Figures", "literals"]

DOMAIN: Final = "bx24frames"
LOCALE: Final = Path(__file__).parent / "locale"
CONTEXT: Final = "word"
"""Context (msgctxt) of words that are shown by themselves; between the two, gettext puts an EOT."""
NUMBER: Final = re.compile(r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?")
"""A number as messages print it, with a comma between thousands."""
DEPTH: Final = 4
"""Texts within texts that are translated: a message, its reason, the reason's cause."""
SEAMS: Final = (
    re.compile(r"( )(?=\[[^][]+\](?:; |$))"),  # the entity, method and code behind the message of an error
    re.compile(r"((?<=[.:]) )"),
    re.compile(r"(?<=.)(?=; )"),
    re.compile(r"((?<=;) )"),
    re.compile(r"(, )"),
)
"""Where a line is divided that no template matches as a whole."""
WITHIN: Final = (SEAMS[0], SEAMS[2], SEAMS[1], *SEAMS[3:])
"""The same for what stands within a message: it may end with a further part, behind a semicolon."""
LONGEST: Final = 2000
"""Characters of a line that is looked at: longer ones are data."""
REMEMBERED: Final = 4096
"""Texts whose translation is remembered: the parts of a message are looked at more than once."""
LETTERS: Final = 8
SHORT: Final = 2
"""A template with fewer letters than `LETTERS`, such as "{0} rows", may match by chance: whatever it finds has to be
known or have no more than `SHORT` words."""
LATIN: Final = re.compile("[A-Za-z]")


class Figures(Formatter):
    """Fills the placeholders of a translation: numbers and the forms of words in the manner of the language.

    Parameters
    ----------
    plural : callable
        The form that a number takes, as gettext counts them.

    Examples
    --------
    >>> Figures(lambda number: number != 1).format("{0:n} {0:row|rows}, {1:n} s", "1,200", "0.5")
    '1\xa0200 rows, 0,5 s'
    """

    def __init__(self, plural: Callable[[int], int]) -> None:
        self._plural = plural

    def format_field(self, value: object, format_spec: str) -> str:
        """Format one value."""
        if format_spec == "n":
            return localised(str(value))
        return self._form(str(value), format_spec.split("|")) if "|" in format_spec else str(value)

    def _form(self, value: str, forms: Sequence[str]) -> str:
        """The form of a word beside a number; beside a fraction it is the one that follows the singular."""
        whole, _, fraction = value.replace(",", "").partition(".")
        if fraction.strip("0"):
            return forms[1]
        return forms[self._plural(abs(int(whole)))] if NUMBER.fullmatch(value) else forms[-1]


def localised(number: str) -> str:
    """Write a number as Russian does: a no-break space between thousands, and a decimal comma (CLDR)."""
    return number.replace(",", "\u00a0").replace(".", ",")


class Catalogue:
    """Translations by msgid.

    Parameters
    ----------
    messages : mapping of str to str
        The translation of each msgid.
    words : mapping of str to str
        The translation of each word that is shown by itself.
    plural : callable
        The form that a number takes; default: one form for 1, another for the rest.
    """

    def __init__(
        self,
        messages: Mapping[str, str],
        words: Mapping[str, str] = MappingProxyType({}),
        plural: Callable[[int], int] = lambda number: number != 1,
    ) -> None:
        known = ((literals(source.strip()), target.strip()) for source, target in messages.items())
        pairs = [(parts, target) for parts, target in known if target and any(parts)]
        self._words = words
        self._figures = Figures(plural)
        self._remembered = lru_cache(REMEMBERED)(self._translated)
        self._exact = {parts[0]: target.format() for parts, target in pairs if len(parts) == 1}
        templates = [Template(tuple(parts), target) for parts, target in pairs if len(parts) > 1]
        self._templates = sorted(templates, key=lambda template: -template.weight)

    @classmethod
    def load(cls, language: str) -> Catalogue:
        """Load the compiled catalogue of a language."""
        found = gettext.translation(DOMAIN, LOCALE, [language])
        # gettext looks up by msgid only, and a template has to be found by the text that it matches
        texts = {source: text for source, text in vars(found)["_catalog"].items() if isinstance(source, str)}
        head = f"{CONTEXT}\x04"
        words = {source.removeprefix(head): text for source, text in texts.items() if source.startswith(head)}
        sentences = {source: text for source, text in texts.items() if not source.startswith(head)}
        return cls(sentences, words, vars(found)["plural"])

    def word(self, text: str) -> str | None:
        """Translate a word that is shown by itself; None if it is none of the catalogue's."""
        return self._words.get(text)

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
        if not bare:
            return None
        inner = self._whole(bare, depth) if bare != piece else None
        if inner is None and bare[0].isupper():  # a message at the beginning of a line
            small = self._whole(bare[0].lower() + bare[1:], depth)
            inner = small and small[0].upper() + small[1:]
        return None if inner is None else piece.replace(bare, inner, 1)

    def _whole(self, text: str, depth: int) -> str | None:
        exact = self._exact.get(text)
        if exact is not None:
            return exact
        for template in self._templates if "\n" not in text else ():
            values = template.values(text)
            if values is None:
                continue
            spoken = [self.translated(value, depth + 1) for value in values]
            if not template.short or _meant(template, values, spoken):
                return self._figures.format(template.target, *spoken)
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
    def short(self) -> bool:
        """Whether it has so few letters that it may match by chance."""
        return sum(sign.isalpha() for part in self.parts for sign in part) < LETTERS

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        said: dict[str | None, str] = {}
        for _, name, spec, _ in Formatter().parse(self.target):
            said[name] = said.get(name) or spec or ""
        first, *rest = map(re.escape, self.parts)
        # what the translation leaves out is an ending or a word, such as the s of a plural
        values = (
            "([a-z ]{0,8})" if (spec := said.get(str(place))) is None else f"({NUMBER.pattern})" if spec else "(.*?)"
            for place in range(len(rest))
        )
        return re.compile(first + "".join(value + part for value, part in zip(values, rest, strict=True)))

    def values(self, text: str) -> tuple[str, ...] | None:
        """Return what stands in place of the expressions; None if the text was not made from this template."""
        if not (text.startswith(self.parts[0]) and text.endswith(self.parts[-1])):
            return None
        if not all(part in text for part in self.parts):
            return None
        found = self._pattern.fullmatch(text)
        if found is None or any(value.count(")") > value.count("(") for value in found.groups()):
            return None  # the end of a bracket: the template stands within the brackets
        first = "" if self.parts[0] else found[1]
        if "; " in first or (self.short and ": " in first):
            return None  # the template is a later part of the text
        return found.groups()


def _meant(template: Template, values: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether a short template is meant: its values are messages or mere words, and something in the text is sure."""
    known = [value != said or NUMBER.fullmatch(value) for value, said in zip(values, spoken, strict=True)]
    mere = [len(value.split()) <= SHORT or not LATIN.search(value) for value in values]
    return all(one or other for one, other in zip(known, mere, strict=True)) and (any(known) or bool(template.parts[0]))


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
