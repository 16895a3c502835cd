"""Wrong ways of answering, against every public reader: the truth, an error of the package, or nothing to be seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import wrong_answers
import wrong_ways

FEW = ("half, page 2", "empty, page 2", "upside down, page 1", "only ids", "a number of 400 digits", "batch: listed")
"""Ways of which each once was read wrongly by some reader."""
SOME = ("item keyset", "top-n by a number", "users", "offset list, smart", "get_all, classic")


def faults(readers: list[wrong_answers.Reader], ways: list[wrong_ways.Way]) -> list[wrong_answers.Verdict]:
    return [verdict for verdict in wrong_answers.run(readers, ways, listen=False) if verdict.bad]


@pytest.mark.slow
def test_the_truth_or_an_error():
    chosen = [way for way in wrong_ways.ways() if way.name in FEW]
    readers = [reader for reader in wrong_answers.READERS if reader.name in SOME]
    assert len(chosen) == len(FEW)
    assert faults(readers, chosen) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", range(len(wrong_answers.READERS)), ids=[one.name for one in wrong_answers.READERS])
def test_every_reader_and_every_sixth_way(place: int):
    """Six readers in a row see all of them; `make storm` shows every way to every reader, which takes an hour."""
    ways = [way for number, way in enumerate(wrong_ways.ways()) if number % 6 == place % 6]
    assert faults([wrong_answers.READERS[place]], ways) == []


def test_the_harness_sees_what_is_wrong():
    """A reader that leaves out its last row, one that never ends, and one that raises what is not ours."""

    def short(portal):
        return portal_rows(portal)[:-1] if wrong else portal_rows(portal)

    def endless(portal):
        while wrong:
            portal_rows(portal)
        return portal_rows(portal)

    def raw(portal):
        return [1 // (not wrong)]

    portal_rows = wrong_answers.frame("department", ["ID"])
    kinds = []
    for read in (short, endless, raw):
        wrong = False
        reader = wrong_answers.Reader(read.__name__, "department.get", read)
        for verdict in wrong_answers.run([reader], [wrong_ways.Way("first"), wrong_ways.Way("second")], listen=False):
            wrong = True
            kinds.append(verdict.kind)
    assert kinds == ["true", "WRONG", "true", "ENDLESS", "true", "RAW"]


def test_there_are_enough_ways():
    assert len(list(wrong_ways.ways())) > 150
    assert len(wrong_answers.READERS) > 20
