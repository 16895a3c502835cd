"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator

import pytest

import bx24frames
from bx24frames import aio
from bx24frames.sandbox import Sandbox

ENGINES = dict.fromkeys((f"bx24frames.connectors.spark_{part}" for part in ("source", "types", "writer")), "pyspark")
"""Engines whose classes a module uses as it is imported: without the engine it cannot be."""


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(bx24frames.__path__, "bx24frames."):
        engine = ENGINES.get(found.name)
        if not found.name.endswith("__main__") and (engine is None or importlib.util.find_spec(engine)):
            yield found.name


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in modules():
        for found in finder.find(importlib.import_module(name), name):
            if found.examples:
                yield found


EXAMPLES = list(examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_the_example_prints_what_it_says(example: doctest.DocTest):
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    told: list[str] = []
    result = runner.run(example, out=told.append)
    assert result.failed == 0, "".join(told)


@pytest.fixture(autouse=True, scope="module")
def close_the_shared_sandbox() -> Iterator[None]:
    yield
    Sandbox.close_shared()


def test_every_public_verb_has_an_example_or_says_where_one_is():
    with_examples = {example.name.rpartition(".")[2] for example in EXAMPLES}
    public = set(bx24frames.__all__) - {"aio", "errors", "OAuth", "SyncReport", "WriteReport"}
    assert public - with_examples == set()


def test_what_is_awaited_is_documented():
    for name in aio.__all__:
        assert getattr(aio, name).__doc__, name
