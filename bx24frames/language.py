"""Language of messages: English as written, or Russian where the process has a Russian locale."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bx24frames.catalogue import Catalogue

__all__ = ["language", "translated"]

VARIABLES: Final = ("BX24FRAMES_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""The first of them that is set decides (https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html)."""


def language() -> str:
    """Return the language of messages, ``en`` or ``ru``."""
    name = next((os.environ[variable] for variable in VARIABLES if os.environ.get(variable)), "")
    return "ru" if name.lower().startswith("ru") else "en"


def translated(text: str) -> str:
    """Return a message in the language of the process; what the catalogue does not know stays as it is."""
    spoken = language()
    return text if spoken == "en" else _catalogue(spoken).translated(text)


@cache
def _catalogue(spoken: str) -> Catalogue:
    """Load a catalogue: nothing of it is imported in English."""
    from bx24frames.catalogue import Catalogue

    return Catalogue.load(spoken)
