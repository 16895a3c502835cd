"""Where an application's tokens outlive the process: an object of the user's, or a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Protocol, TypeAlias

from bx24frames.errors import ConfigError
from bx24frames.transport.private_file import write_private
from bx24frames.transport.turns import turn


class TokenStore(Protocol):
    """Keeps the last answer of the authorisation server; `save` returns when it is safe."""

    def load(self) -> Mapping[str, object] | None:
        """Return the tokens last saved, or None."""
        ...

    def save(self, tokens: dict[str, object], /) -> None:
        """Keep the tokens: a mapping with ``access_token`` and ``refresh_token``."""
        ...


StoreLike: TypeAlias = "TokenStore | str | os.PathLike[str] | None"


class TokenFile:
    """A JSON file only its owner can read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

    def load(self) -> Mapping[str, object] | None:
        """Return the tokens in the file; None while there is no file."""
        try:
            tokens = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"The token file {self.path} cannot be read: {error.strerror}") from None
        except ValueError:
            tokens = None
        if not isinstance(tokens, dict):
            raise ConfigError(
                f"The token file {self.path} is not JSON with tokens",
                guidance="Delete it and give OAuth the tokens again.",
            )
        return tokens

    def save(self, tokens: dict[str, object], /) -> None:
        """Replace the file whole."""
        write_private(self.path, json.dumps(tokens, ensure_ascii=False, indent=1))

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Hold off every other process that would renew the tokens of this file."""
        return turn(self.path)


class Memory:
    """Keeps the tokens as long as the process lives."""

    def __init__(self) -> None:
        self._tokens: Mapping[str, object] | None = None

    def load(self) -> Mapping[str, object] | None:
        """Return what was last saved."""
        return self._tokens

    def save(self, tokens: dict[str, object], /) -> None:
        """Keep the tokens."""
        self._tokens = tokens


def turn_at(store: TokenStore) -> AbstractAsyncContextManager[None]:
    """The turn to renew what is in a store; a store of the user's has none."""
    return store.turn() if isinstance(store, TokenFile) else nullcontext()


def open_store(store: StoreLike) -> TokenStore:
    """Return the store as an object: a path is a `TokenFile`, None keeps the tokens in memory.

    Raises
    ------
    ConfigError
        The object has no ``load`` and ``save``.
    """
    if store is None:
        return Memory()
    if isinstance(store, str | os.PathLike):
        return TokenFile(store)
    if callable(getattr(store, "load", None)) and callable(getattr(store, "save", None)):
        return store
    raise ConfigError("store= takes a path or an object with load() and save(tokens)")
