"""The catalogue of translations is compiled from its source, and its messages are those of the code."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from string import Formatter

import pytest

pytest.importorskip("babel", reason="the catalogue is compiled by the dependency group test")
SCRIPT = Path(__file__).parents[2] / "docs" / "messages.py"


@pytest.fixture(scope="module")
def messages():
    spec = importlib.util.spec_from_file_location("messages", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def text_of(known, source, context=None):
    found = known.get(source, context)
    return "" if found is None else found.string


def test_the_compiled_catalogue_is_current(messages):
    known = messages.catalogue()
    assert messages.PO.with_suffix(".mo").read_bytes() == messages.as_mo(known), "python docs/messages.py"


def test_every_translated_message_is_in_the_code(messages):
    there = {message.id for message in messages.catalogue() if message.id}
    gone = there - set(messages.messages()) - messages.words()
    assert not gone, "python docs/messages.py, then translate what is new"


def test_every_message_has_a_translation(messages):
    known = messages.catalogue()
    plain = [source for source in messages.messages() if not text_of(known, source)]
    words = [word for word in messages.words() if not text_of(known, word, messages.CONTEXT)]
    assert not plain + words, "python docs/messages.py, then translate these"


def test_no_translation_is_marked_as_uncertain(messages):
    assert not [message.id for message in messages.catalogue() if message.fuzzy]


def test_a_translation_says_all_that_the_message_says(messages):
    """Each expression is in the translation, except endings such as the s of a plural, and none is invented."""
    for message in (message for message in messages.catalogue() if message.string):
        names, said = (
            {name for _, name, _, _ in Formatter().parse(text) if name} for text in (message.id, message.string)
        )
        assert said <= names, message.id
        assert all(re.search(rf"[a-z]\{{{name}\}}", message.id) for name in names - said), message.id


def test_a_number_is_written_as_the_language_does(messages):
    """What a message formats as a number has ``n`` or the forms of a word, three of them, in the translation."""
    known = messages.catalogue()
    for source, message in messages.messages().items():
        specs: dict[str, list[str]] = {}
        for _, name, spec, _ in Formatter().parse(text_of(known, source)):
            if name is not None:
                specs.setdefault(name, []).append(spec or "")
        for place in message.numbers & specs.keys():
            assert any(specs[place]), source
        forms = [spec.count("|") for listed in specs.values() for spec in listed if spec not in ("", "n")]
        assert set(forms) <= {2}, source


def test_what_commands_say_otherwise_is_in_the_catalogue(messages):
    """A message that is worded anew would otherwise keep its Python terms on the command line."""
    from bx24frames.cli.phrasing import WORDS_OF_PYTHON

    known = [message for message in messages.catalogue() if message.id and message.string]
    for language, texts in (("en", [message.id for message in known]), ("ru", [message.string for message in known])):
        whole = "\n".join(text.replace("{0}", "BX24_WEBHOOK") for text in texts)
        assert not [words for words in WORDS_OF_PYTHON[language] if words not in whole]
