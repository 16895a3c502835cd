"""Column letters of a spreadsheet."""

from __future__ import annotations


def column_letter(place: int) -> str:
    """The letters of a column, from 0: A, ..., Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
