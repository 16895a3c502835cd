"""References of one batch command to the answers of earlier ones: ``$result[a][0][ID]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bx24frames.sandbox import php

ROOTS: Final = ("result", "next", "total", "time", "error")

# Any run without whitespace after the word belongs to the reference, text glued to it included; the word is found in
# any case but looked up as written [rest module: classes/general/rest_util.php processBatchElement].
_REFERENCE: Final = re.compile(r"\$(" + "|".join(ROOTS) + r")(\S*)", re.IGNORECASE)
_STEP: Final = re.compile(r"\[([^\]]+)\]")
_OFFSET: Final = re.compile(r"(?:0|-?[1-9][0-9]*)\Z")


def _step(value: Any, key: str) -> Any:
    """One step down, as ``isset($value[$key])``: None if the key is absent or null."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | str):
        # only a canonical integer is an offset: "00", "+1" and "--1" are other keys
        place = int(key) if _OFFSET.match(key) else None
        # a negative offset counts from the end in a text, and is no key of a list
        if place is None or (place < 0 and isinstance(value, list)):
            return None
        return value[place] if -len(value) <= place < len(value) else None
    return None


def resolve_reference(answers: Mapping[str, Any], root: str, path: str) -> Any:
    """Follow the keys as far as they exist; returns the deepest existing value, and never fails."""
    value = answers.get(root)
    for key in _STEP.findall(path):
        deeper = _step(value, key)
        if deeper is None:
            break
        value = deeper
    return value


def substitute(text: str, answers: Mapping[str, Any]) -> Any:
    """Replace the references in one string; a string that is one whole reference becomes the value itself."""
    for found in _REFERENCE.finditer(text):
        if not _STEP.search(found[2]):
            continue
        value = resolve_reference(answers, found[1], found[2])
        if found[0] == text:
            return value
        if value is not None and not isinstance(value, Mapping | list):
            text = text.replace(found[0], php.to_text(value))
    return text


def fill(params: Any, answers: Mapping[str, Any]) -> Any:
    """Replace every reference in a command's parameters.

    Parameters
    ----------
    params : dict, list or str
        As `php.parse_str` gives them.
    answers : mapping
        ``result``, ``next``, ``total``, ``time``, ``error``: maps of command key to value, up to the current command.
    """
    if isinstance(params, str):
        return substitute(params, answers) if "$" in params else params
    if isinstance(params, dict):
        return {key: fill(value, answers) for key, value in params.items()}
    return [fill(value, answers) for value in params]
