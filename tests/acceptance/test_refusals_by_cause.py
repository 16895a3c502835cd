"""What a portal refuses, and what comes of it: through whole verbs against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bx24frames as bx
from bx24frames import errors as e
from bx24frames.sandbox import Fault, Sandbox
from bx24frames.sandbox.costs import Costs


@pytest.fixture(scope="module", params=["observed", "documented", "batch_charged off"])
def portal(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    quirks = {"batch_charged": False} if request.param == "batch_charged off" else request.param
    with Sandbox(sizes={"deal": 200}, plan="unlimited", real_time=False, quirks=quirks) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def clean(portal: Sandbox, ids: list[int]) -> Iterator[None]:
    portal.stats.reset()
    yield
    portal.faults.clear()


@pytest.fixture(scope="module")
def ids(portal: Sandbox) -> list[int]:
    return bx.read_entity("deal", portal.url, columns=["id"], backend="pyarrow")["id"].to_pylist()


def get_all(portal: Sandbox, ids: list[int]) -> object:
    with bx.Portal(portal.url) as opened:
        return opened.get_by_id("crm.deal.get", ids)


def test_a_subscription_that_is_over_is_met_once(portal: Sandbox, ids: list[int]) -> None:
    """Halved down to single calls, 200 reads made 390 requests, all refused."""
    portal.faults.add(Fault("subscription_over", times=None))
    with pytest.raises(e.PortalError, match="subscription") as caught:
        get_all(portal, ids)
    assert not isinstance(caught.value, e.ScopeError)
    assert portal.stats.requests == 1


def test_an_authorisation_server_that_is_away_for_a_moment_is_sat_out(portal: Sandbox, ids: list[int]) -> None:
    fault = portal.faults.add(Fault("connection_error", times=2))
    assert len(get_all(portal, ids)) == 200  # type: ignore[arg-type]
    assert fault.fired == 2


def test_a_row_refused_while_the_authorisation_server_is_away_is_inserted_once(portal: Sandbox) -> None:
    """The portal answers so before it has looked at the call: nothing was carried out."""
    import pandas as pd

    portal.faults.add(Fault("connection_error", method="crm.item.*", times=2))
    report = bx.write_entity(pd.DataFrame({"title": ["one of a kind"]}), "deal", portal.url, mode="insert")
    assert report.outcomes["action"].to_pylist() == ["inserted"]
    found = bx.read_entity("deal", portal.url, filters={"title": "one of a kind"})
    assert len(found) == 1


def test_a_method_of_applications_says_so(portal: Sandbox) -> None:
    portal.faults.add(Fault("application_context"))
    with bx.Portal(portal.url) as opened, pytest.raises(e.PortalError, match="needs an application"):
        opened.call("profile")


def test_a_missing_scope_is_named(portal: Sandbox) -> None:
    with pytest.raises(e.ScopeError, match="'crm'"):
        bx.read_entity("deal", portal.add_webhook(["user"]))


def test_a_token_that_another_process_replaced_is_renewed(portal: Sandbox) -> None:
    tokens = portal.oauth.issue()
    auth = bx.OAuth(
        portal.oauth.client_id, portal.oauth.client_secret, access_token="a" * 70, refresh_token=tokens.refresh_token,
        token_url=portal.oauth.token_url,
    )  # fmt: skip
    assert bx.count_entity("deal", bx.Portal(portal.oauth.url, auth=auth)) >= 200


def test_a_code_with_a_secret_in_it_is_masked(portal: Sandbox) -> None:
    """Gateways print the address that was called where the portal prints a code."""
    secret = portal.url.rstrip("/").rpartition("/")[2]
    portal.faults.add(Fault("command_error", code=f" blocked /rest/1/{secret}/profile ", text=secret))
    with bx.Portal(portal.url) as opened, pytest.raises(e.PortalError) as caught:
        opened.call("profile")
    assert secret not in f"{caught.value} {caught.value!r} {caught.value.code} {caught.value.__dict__}"


@pytest.mark.parametrize("newer", [True, False])
def test_a_slow_portal_is_read_below_its_limit(newer: bool) -> None:
    """The answers of either generation keep the read below 85 % of what is left of the limit, without a refusal."""
    quirks = {"batch_charged": newer}
    with Sandbox(sizes={"deal": 3000}, real_time=False, quirks=quirks, costs=Costs.slow()) as sandbox:
        assert len(bx.read_entity("deal", sandbox.url, columns=["id"])) == 3000
        assert sandbox.stats.refused == 0
