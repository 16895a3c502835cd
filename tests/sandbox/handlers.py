"""The portal's methods called by themselves: no address, no credential, no batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from bx24frames.sandbox.methods import load_methods
from bx24frames.sandbox.registry import METHODS, Context, MethodError, Result
from bx24frames.sandbox.store.store import Store


@contextmanager
def opened(seed: int, sizes: Mapping[str, int]) -> Iterator[Store]:
    """A portal's rows in memory."""
    load_methods()
    store = Store.open(None, seed=seed, sizes=sizes)
    yield store
    store.close()


def answer(store: Store, name: str, start: int | None = None, **params: Any) -> Result:
    """What a method answers the administrator."""
    return METHODS[name.lower()].handler(params, Context(store=store, user_id=1, now=1.79e9, start=start))


def value(store: Store, name: str, **params: Any) -> Any:
    """Its result alone."""
    return answer(store, name, **params).value


def refusal(store: Store, name: str, **params: Any) -> MethodError:
    """The error it raises."""
    with pytest.raises(MethodError) as caught:
        answer(store, name, **params)
    return caught.value


def refused_as(store: Store, name: str, **params: Any) -> str:
    """The code of that error."""
    return refusal(store, name, **params).code
