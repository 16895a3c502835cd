"""What is said while a portal does not answer and the request is repeated."""

from __future__ import annotations

import io
import logging

import pytest

import bx24frames as bx
from bx24frames.errors import TransportError
from bx24frames.sandbox import Fault
from bx24frames.scan.progress import Bar
from bx24frames.testing import no_waiting

REPEATED = "The request is being repeated."


def test_a_refused_connection_is_logged_once_while_it_is_repeated(caplog: pytest.LogCaptureFixture):
    with no_waiting(), pytest.raises(TransportError, match="the connection is refused"):
        bx.count_entity("deal", "http://127.0.0.1:9/rest/1/abc/")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "127.0.0.1:9: the connection is refused. " + REPEATED in caplog.text
    assert caplog.messages[0].startswith("127.0.0.1:9: ")  # of several portals, the one that does not answer


@pytest.mark.parametrize(("failures", "lines"), [(1, 0), (2, 1), (4, 1)])
def test_a_single_failure_is_not_worth_a_line(caplog: pytest.LogCaptureFixture, failures: int, lines: int):
    with bx.Sandbox(sizes={"deal": 3}, plan="unlimited", real_time=False) as box, no_waiting():
        box.faults.add(Fault("bad_gateway", method="crm.item.fields", times=failures))
        assert len(bx.read_entity("deal", box.url, columns=["id"])) == 3
    assert caplog.text.count(REPEATED) == lines


def test_a_line_stands_above_the_bar_and_not_behind_it(capsys: pytest.CaptureFixture[str]):
    log = logging.getLogger("bx24frames")
    log.propagate = False  # pytest has handlers of its own on the root
    try:
        with Bar("deal: read", total=2, progress=True, file=io.StringIO()):
            log.warning("no answer")
        assert log.handlers == []
    finally:
        log.propagate = True
    assert capsys.readouterr().err == "no answer\n"
