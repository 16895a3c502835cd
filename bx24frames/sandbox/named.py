"""Named sandboxes: the words behind ``sandbox:`` in the name of a shared one, such as ``sandbox:tidy:2026-11-30``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Final, TypedDict

from bx24frames.sandbox.seed.tidy_words import LOCALE_WORDS
from bx24frames.sandbox.zones import MOSCOW

__all__ = ["NamedOptions", "options_of"]

_EVENING: Final = "18:00:00"
"""The time of the day at which a named sandbox is opened: the working hours are over."""
_TIDY: Final = "tidy"


class NamedOptions(TypedDict, total=False):
    """The parameters of `Sandbox` that a name may give."""

    seed: int | str
    locale: str
    clock: Callable[[], float]


def options_of(words: str) -> NamedOptions:
    """The parameters of a named sandbox.

    Parameters
    ----------
    words : str
        In any order, separated by colons: ``tidy`` (see `Sandbox`), the number of a seed, a language, and the day that
        is today in the portal, in ISO 8601. Default: the rows, language and clock that `Sandbox` has.

    Raises
    ------
    ValueError
        A word is none of these.

    Examples
    --------
    >>> sorted(options_of("tidy:en:2026-11-30")), options_of("tidy:7"), options_of("7")
    (['clock', 'locale', 'seed'], {'seed': 'tidy:7'}, {'seed': 7})
    """
    options = NamedOptions()
    tidy, number = False, ""
    for word in filter(None, words.split(":")):
        if word == _TIDY:
            tidy = True
        elif word.isdigit():
            number = word
        elif word in LOCALE_WORDS:
            options["locale"] = word
        else:
            options["clock"] = _clock_from(_day(word))
    if tidy:
        options["seed"] = f"{_TIDY}:{number}" if number else _TIDY
    elif number:
        options["seed"] = int(number)
    return options


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        known = f"{_TIDY}, a number, {', '.join(LOCALE_WORDS)}, or a day such as 2026-11-30"
        raise ValueError(f"{word!r} in the name of a sandbox is none of: {known}") from None


def _clock_from(day: date) -> Callable[[], float]:
    """A clock that runs from the evening of a day, in the time of the portal's server."""
    opened = datetime.fromisoformat(f"{day}T{_EVENING}{MOSCOW}").timestamp()
    started = time.monotonic()
    return lambda: opened + (time.monotonic() - started)
