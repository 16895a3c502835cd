"""The catalogue of translations is compiled from its source, and its messages are those of the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("babel", reason="the catalogue is compiled by the dependency group test")
SCRIPT = Path(__file__).parents[2] / "docs" / "messages.py"


@pytest.fixture(scope="module")
def messages():
    spec = importlib.util.spec_from_file_location("messages", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_compiled_catalogue_is_current(messages):
    known = messages.catalogue()
    assert messages.PO.with_suffix(".mo").read_bytes() == messages.as_mo(known), "python docs/messages.py"


def test_every_translated_message_is_in_the_code(messages):
    gone = {message.id for message in messages.catalogue() if message.id and message.string} - set(messages.messages())
    assert not gone, "python docs/messages.py, then translate what is new"


def test_a_translation_has_no_expression_that_the_message_lacks(messages):
    for message in messages.catalogue():
        if message.id and message.string:
            names = [set(re.findall(r"\{(\d*)\}", text)) for text in (message.string, message.id)]
            assert names[0] <= names[1], message.id


def test_the_commands_and_the_doctor_are_translated(messages):
    known = {message.id for message in messages.catalogue() if message.string}
    found = messages.messages()
    assert set(messages.helps()) <= known
    doctor = {source for source, files in found.items() if "cli/doctor.py" in files}
    assert len(doctor & known) >= 0.9 * len(doctor)
