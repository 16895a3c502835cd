"""The portal as the casts of written values see it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bx24frames.sandbox.shapes.parse import zone_of
from bx24frames.sandbox.shapes.write import Pen
from bx24frames.sandbox.store.shelf import known_codes

if TYPE_CHECKING:
    from bx24frames.sandbox.store.store import Store


def pen_of(store: Store, quirks: frozenset[str] = frozenset()) -> Pen:
    """A pen with the store's zone, dictionaries and files."""

    def save_file(name: str, content: str) -> int:
        return store.insert_row("file", {"name": name, "content": content})

    return Pen(zone_of(store.server_zone), partial(known_codes, store), save_file, store.normalise, quirks)
