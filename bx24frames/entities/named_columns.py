"""The column named in a portal's error message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bx24frames.entities.schema import Field

_QUOTED: Final = re.compile(r"«([^»]+)»|\"([^\"]+)\"|“([^”]+)”|'([^']+)'|&quot;(.+?)&quot;")
_NAMED: Final = re.compile(r"\b([Ff]ield|[Пп]оле) ([A-Z][A-Z0-9_]+)\b")


def named_column(text: str | None, fields: Iterable[Field], columns: Mapping[str, Field]) -> str | None:
    """The column that an error is about; the field's code if the frame has no such column.

    Portals name a field by its caption in the credential's language («Клиент»), or by its code
    (`The field COMMUNICATIONS is not defined or invalid.`).
    """
    if not text:
        return None
    words = {next(filter(None, found)).strip().casefold() for found in _QUOTED.findall(text)}
    words |= {code.casefold() for _, code in _NAMED.findall(text)}
    if not words:
        return None
    sent = {field.code: name for name, field in columns.items()}
    for field in fields:
        names = {field.code.casefold(), field.title.casefold(), *(alias.casefold() for alias in field.aliases)}
        if names & words:
            return sent.get(field.code, field.code)
    return None
