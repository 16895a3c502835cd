"""The table of quirks, and which of them a sandbox has."""

from __future__ import annotations

import pytest

from bx24frames.sandbox import Sandbox
from bx24frames.sandbox.quirks import QUIRKS, quirks_of


def test_documented_is_none_and_observed_is_what_was_seen() -> None:
    assert quirks_of("documented") == frozenset()
    assert quirks_of("observed") == {name for name, quirk in QUIRKS.items() if quirk.observed}


def test_single_quirks_are_turned_over() -> None:
    for name, quirk in QUIRKS.items():
        assert (name in quirks_of({name: not quirk.observed})) is not quirk.observed


@pytest.mark.parametrize("choice", ["ideal", {"no such quirk": True}])
def test_an_unknown_choice_is_an_error(choice: object) -> None:
    with pytest.raises(ValueError, match="quirk"):
        Sandbox(quirks=choice)  # type: ignore[arg-type]


def test_every_quirk_names_its_witness() -> None:
    for name, quirk in QUIRKS.items():
        assert quirk.method, name
        assert quirk.does, name
        assert quirk.source, name


def test_quirks_are_changed_while_the_portal_runs() -> None:
    with Sandbox(sizes={"deal": 1}, real_time=False) as sandbox:
        sandbox.set(quirks="documented")
        assert sandbox._app.scene.quirks == frozenset()
        sandbox.set(plan="unlimited")
        assert sandbox._app.scene.quirks == frozenset()
        sandbox.set(quirks={})
        assert sandbox._app.scene.quirks == quirks_of("observed")
