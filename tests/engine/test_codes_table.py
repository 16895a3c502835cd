"""What each refusal means: by code first, by status where the code says nothing."""

from __future__ import annotations

import pytest

from bx24frames.engine.codes import MEANINGS, Reaction, about_credential, error_of, meaning, untouched
from bx24frames.engine.messages import Lost, Refusal
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import Tries, is_passing, overran
from bx24frames.errors import AuthError, LimitError, PortalError, ResponseError, ScopeError, TransportError


@pytest.mark.parametrize(
    ("code", "status", "reaction"),
    [
        ("QUERY_LIMIT_EXCEEDED", 503, Reaction.PAUSE_ALL), ("query_limit_exceeded", 200, Reaction.PAUSE_ALL),
        ("OPERATION_TIME_LIMIT", 429, Reaction.PAUSE_METHOD), ("OPERATION_TIME_LIMIT", 200, Reaction.PAUSE_METHOD),
        ("OVERLOAD_LIMIT", 503, Reaction.STOP), ("expired_token", 401, Reaction.AUTH),
        ("expired_token.", 401, Reaction.AUTH), ("insufficient_scope", 403, Reaction.SCOPE),
        ("INSUFFICIENT_SCOPE", 401, Reaction.SCOPE), ("PORTAL_DELETED", 403, Reaction.STOP),
        ("PORTAL_DELETED", 410, Reaction.STOP), ("PORTAL_DELETED", 500, Reaction.STOP),
        ("ERROR_CORE", 400, Reaction.FAIL), ("ERROR_CORE", 500, Reaction.RETRY), ("", 400, Reaction.FAIL),
        ("", 500, Reaction.RETRY), ("", 503, Reaction.RETRY), ("", 429, Reaction.PAUSE_ALL), ("", 401, Reaction.AUTH),
        ("100", 400, Reaction.FAIL), ("0", 200, Reaction.FAIL), ("NOT_FOUND", 400, Reaction.FAIL),
        ("CONNECTION_ERROR", 401, Reaction.RETRY), ("OVERLOAD_LIMIT", 401, Reaction.STOP),
        ("ACCESS_DENIED", 401, Reaction.STOP), ("ACCESS_DENIED", 403, Reaction.FAIL),
        (" ERROR_UNEXPECTED_ANSWER ", 400, Reaction.RETRY), ("invalid_token", 401, Reaction.AUTH),
        ("BITRIX_REST_V3_EXCEPTION_RATELIMITEXCEPTION", 429, Reaction.PAUSE_METHOD),
        ("WRONG_ENCODING", 200, Reaction.FAIL), ("INTERNAL_SERVER_ERROR", 500, Reaction.RETRY),
    ],
)  # fmt: skip
def test_reactions(code: str, status: int, reaction: Reaction) -> None:
    assert meaning(Refusal(code, "text", status)).reaction is reaction


PROOFS = {
    "query_limit_exceeded", "operation_time_limit", "error_method_not_found", "max_import_batch_size_exceeded",
    "connection_error", "error_batch_method_not_allowed", "error_batch_length_exceeded",
    "bitrix_rest_v3_exception_methodnotfoundexception", "bitrix_rest_v3_exception_ratelimitexception",
}  # fmt: skip


def test_only_proofs_allow_an_insert_to_be_sent_again() -> None:
    """Any other error of an add may come after it has saved."""
    for code, what in MEANINGS.items():
        closed = what.reaction in (Reaction.AUTH, Reaction.SCOPE, Reaction.STOP)
        expected = code in PROOFS or closed or code in ("invalid_request", "error_manifest_is_not_available")
        assert what.untouched is expected, code
    for code, status in (("", 400), ("ERROR_CORE", 400), ("CRM_FIELD_ERROR_REQUIRED", 400), ("ERROR_CORE", 500)):
        assert not untouched(Refusal(code, "", status))
    assert untouched(Lost("no such host", sent=False))
    assert not untouched(Lost("dropped"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Refusal("QUERY_LIMIT_EXCEEDED", "t", 503), LimitError), (Refusal("expired_token", "t", 401), AuthError),
        (Refusal("insufficient_scope", "t", 403), ScopeError), (Refusal("", "Not found", 400), PortalError),
        (Refusal("invalid_grant", "t", 400, renewal="sign in"), AuthError), (Lost("gone"), TransportError),
        (Lost("page", status=502), ResponseError),
    ],
)  # fmt: skip
def test_errors(answer: Refusal | Lost, kind: type[Exception]) -> None:
    error = error_of(answer, "crm.deal.list")
    assert type(error) is kind
    assert error.method == "crm.deal.list"


def test_tries_are_bounded() -> None:
    tries = Tries()
    times = [tries.again(Lost("x"), 100.0) for _ in range(RETRY.attempts)]
    assert times == [*(100.0 + RETRY.delay(at) for at in range(1, RETRY.attempts)), None]
    tries = Tries()
    limit = Refusal("QUERY_LIMIT_EXCEEDED", "", 503)
    assert [tries.again(limit, 5.0) for _ in range(RETRY.bucket_refusals + 1)] == [5.0] * RETRY.bucket_refusals + [None]
    assert Tries().again(Refusal("", "Not found", 400), 0.0) is None


def test_a_host_that_nobody_knows_is_tried_three_times() -> None:
    tries = Tries()
    times = [
        tries.again(Lost("no such host", sent=False, nowhere=True), 100.0) for _ in range(RETRY.unresolved_attempts)
    ]
    assert times == [100.0 + RETRY.delay(1), 100.0 + RETRY.delay(2), None]


def test_a_policy_says_how_often_and_when() -> None:
    policy = RetryPolicy(attempts=3, first_delay=7.0, longest_delay=9.0, bucket_refusals=1)
    tries = Tries()
    assert [tries.again(Lost("x"), 100.0, policy) for _ in range(3)] == [107.0, 109.0, None]
    limit = Refusal("QUERY_LIMIT_EXCEEDED", "", 503)
    assert [Tries().again(limit, 5.0, policy), tries.again(limit, 5.0, policy), tries.again(limit, 5.0, policy)] == [
        5.0,
        5.0,
        None,
    ]


@pytest.mark.parametrize(("status", "passing"), [(None, True), (200, True), (302, True), (403, False), (404, False),
    (408, True), (413, False), (429, True), (500, True), (502, True), (504, True)])  # fmt: skip
def test_pages_of_the_web_tier(status: int | None, passing: bool) -> None:
    assert is_passing(Lost("x", status=status)) is passing
    assert overran(Lost("x", status=status)) is (status == 504)


@pytest.mark.parametrize(
    ("text", "status", "reaction", "told"),
    [
        ("REST is available only by subscription.", 401, Reaction.STOP, "subscription"),
        ("REST API is available only on commercial plans", 403, Reaction.STOP, "subscription"),
        ("Access denied! Application context required", 403, Reaction.FAIL, "OAuth"),
        ("Access denied!", 403, Reaction.FAIL, "right"),
    ],
)
def test_access_denied_means_what_its_text_says(text: str, status: int, reaction: Reaction, told: str) -> None:
    """One code for a plan that is over, for methods of applications, and for one object (rest module: lib/apauth)."""
    refusal = Refusal("ACCESS_DENIED", text, status)
    assert meaning(refusal).reaction is reaction
    assert told in str(error_of(refusal, "event.bind"))


@pytest.mark.parametrize(
    ("method", "scope"),
    [("crm.deal.list", "crm"), ("tasks.task.list", "task"), ("task.elapseditem.getlist", "task"),
     ("socialnetwork.api.workgroup.list", "sonet_group"), ("sonet_group.get", "sonet_group"),
     ("catalog.product.list", "catalog"), ("voximplant.statistic.get", "telephony"), ("api/tasks.task.get", "task")],
)  # fmt: skip
def test_a_missing_scope_is_named(method: str, scope: str) -> None:
    error = error_of(Refusal("insufficient_scope", "", 401), method)
    assert f"{method} needs the scope '{scope}'" in str(error)


@pytest.mark.parametrize(("method", "classic"), [("crm.item.fields", True), ("crm.category.list", True),
    ("crm.deal.list", False), ("sale.order.list", False)])  # fmt: skip
def test_an_old_portal_is_told_from_a_misspelt_method(method: str, classic: bool) -> None:
    """Self-hosted portals may be too old for the item methods: their classic tables work."""
    told = str(error_of(Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404), method))
    assert ("'crm.deal'" in told) is classic


def test_a_credential_that_is_refused_is_refused_for_every_command() -> None:
    over = Refusal("ACCESS_DENIED", "REST is available only by subscription.", 401, whole=True)
    plain = Refusal("ACCESS_DENIED", "Access denied!", 403, whole=True)
    assert about_credential(over, batched=True)
    assert about_credential(over, batched=False)
    assert about_credential(plain, batched=True)
    assert not about_credential(plain, batched=False), "one object's right"
    assert not about_credential(Refusal("ACCESS_DENIED", "", 200), batched=True), "one command's answer"
