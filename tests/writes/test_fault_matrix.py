"""Every way of writing under everything that can go wrong: the portal's table is the frame, and the report is true."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

import bx24frames as bx
from bx24frames.engine import retry, throttle
from bx24frames.sandbox import Fault

from .conftest import FAST
from .ways import WAYS, is_as_told


@pytest.fixture(scope="module")
def box() -> Iterator[bx.Sandbox]:
    sizes = {"deal": 5, "contact": 1, "lead": 1, "company": 1}
    with bx.Sandbox(real_time=False, plan="self_hosted", sizes=sizes) as opened:
        yield opened
        assert not opened.stats.broken


@pytest.fixture
def application(box: bx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[bx.Portal]:
    """An OAuth application: its token can run out. Pauses are short, so that only their order counts."""
    for name in ("LONGEST_PAUSE", "BLIND_PAUSE"):
        monkeypatch.setattr(throttle, name, 0.002)
    tokens = box.oauth.issue()
    auth = bx.OAuth(
        box.oauth.client_id,
        box.oauth.client_secret,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        token_url=box.oauth.token_url,
    )
    with bx.Portal(box.oauth.url, auth=auth, limits=FAST) as opened:
        opened.check()
        yield opened
    box.faults.clear()
    box.store.poison, box.store.may_import, box.store.normalise = None, True, False


# --- what goes wrong -----------------------------------------------------------------------------


def answered(kind: Any, **more: Any) -> Callable[[bx.Sandbox, str], None]:
    def arm(box: bx.Sandbox, calls: str) -> None:
        box.faults.add(Fault(kind, **{"method": calls, "nth": 2, "times": 2, **more}))

    return arm


def gone_for_a_moment(box: bx.Sandbox, calls: str) -> None:
    """The listener closes and opens again on the same port: connections are cut, then refused."""
    restarting: list[threading.Thread] = []

    def restart(_method: str, _params: object) -> bool:
        if not restarting:
            restarting.append(threading.Thread(target=box.restart))
            restarting[0].start()
        return True

    box.faults.add(Fault("drop_before", method=calls, when=restart))


BLOCKED: Final = {
    "code": "OPERATION_TIME_LIMIT",
    "text": "Method is blocked due to operation time limit.",
    "status": 429,
}
WRONG: Final = {
    "the answer is dropped after execution": answered("drop_after"),
    "the connection is dropped before": answered("drop_before"),
    "502 with a page": answered("bad_gateway"),
    "504 after execution": answered("gateway_timeout"),
    "JSON is cut": answered("truncated"),
    "QUERY_LIMIT": answered("query_limit"),
    "operating limit of a request": answered("operation_limit"),
    "operating limit inside a batch": answered("command_error", **BLOCKED),
    "the token runs out": answered("expired_token", times=1),
    "the portal restarts": gone_for_a_moment,
}
RARE: Final = {
    "500 with a page": answered("server_error"),
    "an empty answer": answered("empty"),
    "a PHP notice before the JSON": answered("notice"),
    "a byte order mark": answered("bom"),
    "an error under HTTP 200": answered("error_in_200"),
    "the first answer is dropped": answered("drop_after", nth=1),
    "an error of a command, after execution": answered("command_error", executed=True),
}
CASES: Final = [(way, wrong) for wrong in WRONG for way in WAYS] + [
    (way, wrong) for wrong in RARE for way in ("insert by import", "insert by batch")
]


# A server cut in the middle leaves sockets behind, here in our own process: they are the sandbox's, not the client's.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("way", "wrong"), CASES)
def test_every_row_is_there_once(
    way: str, wrong: str, box: bx.Sandbox, application: bx.Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wrong == "the portal restarts":
        monkeypatch.setattr(retry, "FIRST_DELAY", 0.05)
    chosen = WAYS[way]
    frame = chosen.frame(box)
    (WRONG | RARE)[wrong](box, chosen.calls)
    report = chosen.write(frame, application)
    is_as_told(chosen, frame, report, box)
    if wrong == "the portal restarts":
        gc.collect()
