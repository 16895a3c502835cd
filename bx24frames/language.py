"""Language of messages: English as written, or Russian where the process has a Russian locale."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bx24frames.catalogue import Catalogue

__all__ = ["VOCABULARY", "figure", "language", "term", "translated"]

VARIABLES: Final = ("BX24FRAMES_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""The first of them that is set decides (https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html)."""
VOCABULARY: Final = frozenset(
    (
        # columns of the tables that commands and notebooks show
        *("action", "arrow_type", "attempts", "available", "basis", "cells", "checks", "choices", "code", "column"),
        *("commands", "created_column", "default", "deleted", "dtype", "entity", "entity_type_id", "failed", "field"),
        *("id", "id_column", "immutable", "inserted", "label", "limits", "list_method", "message", "method"),
        *("modified_column", "multiple", "name", "nullable", "operating", "paging", "path", "portal", "position"),
        *(
            "profile",
            "read",
            "read_only",
            "required",
            "refused",
            "requests",
            "rows",
            "scope",
            "seconds",
            "status",
            "table",
        ),
        *("groups", "state", "trouble", "title", "type", "updated", "what would help", "time at the limit", "writable"),
        # outcomes and modes
        *("skipped", "synced", "unchanged", "unknown", "insert", "update", "upsert", "delete"),
        # facts
        *("Credential", "Limits", "administrator", "commands per batch", "credential", "no", "operating time"),
        *("requests in flight", "scopes", "shared", "so far", "user", "yes", "row", "unit|rows"),
        *("unit|failed", "work|read"),
        # placeholders of values in the help of commands
        *("BRANCH", "COLUMN", "CONDITION", "ENTITY", "FIELD", "FILE", "GROUP", "HEADING", "JOURNAL", "METHOD", "NAME"),
        *("PORTAL", "ROW", "ROWS", "SIGN", "STORE", "TIME", "ZONE", "<int>", "<int range>", "<float>"),
        *("<float range>", "<str>", "<bool>", "<path>"),
        # doctor
        *("DIFFERS", "address", "clear", "add", "clock", "conditions", "holds", "names", "rights"),
    )
)
"""Words that are shown by themselves: headings, outcomes, marks. They are translated where they are shown, and not in
the midst of a message, where the same word may be a column's name."""


def language() -> str:
    """Return the language of messages, ``en`` or ``ru``."""
    name = next((os.environ[variable] for variable in VARIABLES if os.environ.get(variable)), "")
    return "ru" if name.lower().startswith("ru") else "en"


def translated(text: str) -> str:
    """Return a message in the language of the process; what the catalogue does not know stays as it is."""
    spoken = language()
    return text if spoken == "en" else _catalogue(spoken).translated(text)


def term(text: str) -> str:
    """Return a word that is shown by itself, such as a heading, in the language of the process.

    What is not in `VOCABULARY` is translated as a message. A word that has two translations is marked with its use, as
    in ``"unit|rows"``.
    """
    spoken = language()
    if spoken == "en":
        return text.rpartition("|")[2]
    found = _catalogue(spoken).word(text)
    return translated(text) if found is None else found


def figure(value: float, form: str = ",") -> str:
    """Format a number with the thousands separator and the decimal sign of the language.

    Parameters
    ----------
    value : float
    form : str
        Format specification, such as ``",.1f"``.
    """
    text = format(value, form)
    if language() == "en":
        return text
    from bx24frames.catalogue import localised

    return localised(text)


@cache
def _catalogue(spoken: str) -> Catalogue:
    """Load a catalogue: nothing of it is imported in English."""
    from bx24frames.catalogue import Catalogue

    return Catalogue.load(spoken)
