"""The portal as the casts of written values see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.sandbox.seed_portal import status_codes
from bx24frames.sandbox.shapes_parse import zone_of
from bx24frames.sandbox.shapes_write import Pen

if TYPE_CHECKING:
    from bx24frames.sandbox.store import Store


def pen_of(store: Store) -> Pen:
    """A pen with the store's zone, dictionaries and files."""

    def save_file(name: str, content: str) -> int:
        return store.insert_row("file", {"name": name, "content": content})

    return Pen(zone_of(store.server_zone), status_codes, save_file, store.normalise)
