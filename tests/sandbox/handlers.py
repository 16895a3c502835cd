"""The portal's methods called by themselves: no address, no credential, no batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError, Result


@contextmanager
def opened(seed: int, sizes: Mapping[str, int]) -> Iterator[PortalStore]:
    """A portal's rows in memory."""
    load_methods()
    store = PortalStore.open(None, seed=seed, sizes=sizes)
    yield store
    store.close()


def answer(store: PortalStore, name: str, start: int | None = None, **params: Any) -> Result:
    """What a method answers the administrator."""
    return METHODS[name.lower()].handler(params, Context(store=store, user_id=1, now=1.79e9, start=start))


def value(store: PortalStore, name: str, **params: Any) -> Any:
    """Its result alone."""
    return answer(store, name, **params).value


def refusal(store: PortalStore, name: str, **params: Any) -> MethodError:
    """The error it raises."""
    with pytest.raises(MethodError) as caught:
        answer(store, name, **params)
    return caught.value


def refused_as(store: PortalStore, name: str, **params: Any) -> str:
    """The code of that error."""
    return refusal(store, name, **params).code
