"""Every way of writing under everything that can go wrong: the portal's table is the frame, and the report is true."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unlimited import FAST

import bx24frames as bx
from bx24frames.sandbox import Fault
from bx24frames.testing import no_waiting

from .ways import WAYS, is_as_told, there


@pytest.fixture
def application(box: bx.Sandbox) -> Iterator[bx.Portal]:
    """An OAuth application: its token can run out."""
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


def answered(kind: Any, **more: Any) -> Callable[..., None]:
    def arm(box: bx.Sandbox, calls: str, **given: int) -> None:
        box.faults.add(Fault(kind, **{"method": calls, "nth": 2, "times": 2, **given, **more}))

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
def test_every_row_is_there_once(way: str, wrong: str, box: bx.Sandbox, application: bx.Portal) -> None:
    chosen = WAYS[way]
    frame = chosen.frame(box)
    (WRONG | RARE)[wrong](box, chosen.calls)
    with no_waiting(at_most=0.5 if wrong == "the portal restarts" else 0.0):
        report = chosen.write(frame, application)
    is_as_told(chosen, frame, report, box)
    if wrong == "the portal restarts":
        gc.collect()


FAULTS: Final = st.lists(
    st.tuples(
        st.sampled_from(sorted({*WRONG, *RARE} - {"the portal restarts", "the token runs out"})),
        st.integers(1, 5),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(way=st.sampled_from(sorted(WAYS)), faults=FAULTS)
def test_after_any_sequence_of_faults_the_report_is_true(
    way: str, faults: list[tuple[str, int, int]], box: bx.Sandbox, application: bx.Portal
) -> None:
    """Rows may fail for certain or stay unknown; what the report says of them is so, and no row is there twice."""
    chosen = WAYS[way]
    frame = chosen.frame(box)
    before = there(box, frame)
    for wrong, nth, times in faults:
        # an update that the portal calls failed is so, though it may have been saved: sending it again is harmless
        if "command, after" not in wrong or chosen.verb not in ("update", "upsert"):
            (WRONG | RARE)[wrong](box, chosen.calls, nth=nth, times=times)
    report = chosen.write(frame, application, on_error="report")
    box.faults.clear()
    told = report.frame()
    assert all(
        action in (done, "failed", "unknown") for action, done in zip(told["action"], chosen.done(frame), strict=True)
    )
    found = there(box, frame)
    changed = {row_id: row for row_id, row in found.items() if before.get(row_id) != row}
    titles = [title for title, _ in changed.values()]
    assert len(titles) == len(set(titles))
    for row in told.itertuples():
        title = frame["title"].iloc[row.position]
        if chosen.verb == "delete":
            assert row.action == "unknown" or (row.action == "deleted") == (row.id not in found)
        elif row.action in ("inserted", "updated"):
            assert changed[int(row.id)] == (title, frame["opportunity"].iloc[row.position])
        elif row.action == "failed":
            assert title not in titles
