"""Credentials, scopes, the order of checks, the authorisation server."""

from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from bx24frames.sandbox.wire import Incoming


def refused(bench, path, **request):
    reply = bench.call("", path=path, **request)
    body = orjson.loads(reply.body)
    assert "time" not in body
    return reply.status, body["error"]


def test_an_unknown_method_is_404_even_to_a_stranger(bench):
    assert refused(bench, "/rest/1/wrong/no.such") == (404, "ERROR_METHOD_NOT_FOUND")
    assert refused(bench, "/rest/no.such") == (404, "ERROR_METHOD_NOT_FOUND")


def test_a_wrong_webhook_is_refused(bench):
    assert refused(bench, "/rest/1/wrong/echo") == (401, "INVALID_CREDENTIALS")
    assert refused(bench, f"/rest/2/{bench.code}/echo") == (401, "INVALID_CREDENTIALS")
    assert bench.seen == []


def test_a_closed_portal_refuses_before_anything_else(bench):
    bench.app.closed = True
    assert refused(bench, "/rest/1/wrong/no.such") == (403, "PORTAL_DELETED")


def test_a_method_is_found_in_lower_case_then_as_written(bench):
    assert bench.ask("ECHO", {"a": 1})["result"] == {"a": 1}
    assert bench.ask("Mixed.Case", {"a": 1})["result"] == {"a": 1}
    assert bench.ask("mixed.case")["error"] == "ERROR_METHOD_NOT_FOUND"


def test_a_scope_is_asked_for_alone_and_in_a_batch(bench):
    code = bench.app.keyring.add_webhook(1, ["task"])
    assert refused(bench, f"/rest/1/{code}/rows.add") == (401, "insufficient_scope")
    answer = bench.ask("", {"cmd": ["rows.add", "echo"]}, path=f"/rest/1/{code}/batch")["result"]
    assert answer["result_error"][0]["error"] == "insufficient_scope"
    assert bench.ran == ["echo"]


@pytest.mark.parametrize("place", ["auth", "access_token", "bearer", "query"])
def test_a_token_is_taken_from_parameter_or_header_and_the_method_never_sees_it(bench, place):
    token = bench.oauth.issue().access_token
    params = {"a": 1, **({place: token} if place in ("auth", "access_token") else {})}
    request = {"bearer": {"authorization": f"Bearer {token}"}, "query": {"query": f"auth={token}"}}.get(place, {})
    assert bench.ask("", params, path="/rest/echo", **request)["result"] == {"a": 1}


def test_missing_wrong_and_expired_tokens(bench):
    tokens = bench.oauth.issue()
    assert refused(bench, "/rest/echo") == (401, "NO_AUTH_FOUND")
    assert refused(bench, "/rest/echo", query="auth=xyz") == (401, "invalid_token")
    bench.now += 3600
    assert refused(bench, "/rest/echo", query=f"auth={tokens.access_token}") == (401, "expired_token")


def token(bench, **params):
    query = "&".join(f"{key}={value}" for key, value in params.items())
    reply = bench.app.handle(Incoming("GET", "/oauth/token/", query), bench.now)
    return reply.status, orjson.loads(reply.body)


def grant(bench, **params):
    return token(bench, client_id=bench.oauth.client_id, client_secret=bench.oauth.client_secret, **params)


def test_a_refresh_gives_new_tokens_and_ends_the_old_refresh_token(bench):
    old = bench.oauth.issue(user_id=5, scopes=["crm"])
    status, body = grant(bench, grant_type="refresh_token", refresh_token=old.refresh_token)
    assert status == 200
    assert body["refresh_token"] != old.refresh_token
    assert (body["user_id"], body["scope"], body["expires_in"]) == (5, "crm", 3600)
    assert body["client_endpoint"] == "http://portal/rest/"
    assert bench.ask("", path="/rest/echo", query=f"auth={body['access_token']}")["result"] == {}
    again = grant(bench, grant_type="refresh_token", refresh_token=old.refresh_token)
    assert (again[0], again[1]["error"]) == (400, "invalid_grant")
    assert bench.oauth.refreshed == 1


def test_a_code_is_good_once_for_thirty_seconds(bench):
    code = bench.oauth.authorize()
    assert grant(bench, grant_type="authorization_code", code=code)[0] == 200
    assert grant(bench, grant_type="authorization_code", code=code)[0] == 400
    late = bench.oauth.authorize()
    bench.now += 30
    assert grant(bench, grant_type="authorization_code", code=late)[1]["error"] == "invalid_grant"


def test_the_consent_page_leads_back_with_a_code(bench):
    """302 with code, state, domain, member_id, scope and server_domain; the code is good for a token."""
    query = f"client_id={bench.oauth.client_id}&state=a%26b&redirect_uri=http%3A%2F%2Fapp%2Fback%3Fx%3D1"
    reply = bench.app.handle(Incoming("GET", "/oauth/authorize/", query), bench.now)
    assert reply.status == 302
    assert reply.headers["Location"].startswith("http://app/back?x=1&code=")
    query = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert set(query) == {"x", "code", "state", "domain", "member_id", "scope", "server_domain"}
    assert query["state"] == ["a&b"]
    assert grant(bench, grant_type="authorization_code", code=query["code"][0])[0] == 200
    assert bench.app.handle(Incoming("GET", "/oauth/authorize/", "client_id=x"), bench.now).status == 404


def test_an_unknown_client_is_refused_with_http_200(bench):
    refresh = bench.oauth.issue().refresh_token
    status, body = token(
        bench, grant_type="refresh_token", client_id="nobody", client_secret="x", refresh_token=refresh
    )
    assert (status, body["error"]) == (200, "wrong_client")


def test_other_refusals_of_the_token_address(bench):
    wrong = token(bench, grant_type="refresh_token", client_id=bench.oauth.client_id, client_secret="x")
    assert (wrong[0], wrong[1]["error"]) == (400, "invalid_client")
    assert grant(bench, grant_type="password")[1]["error"] == "invalid_request"


def test_expire_and_revoke(bench):
    tokens = bench.oauth.issue()
    bench.oauth.expire()
    assert refused(bench, "/rest/echo", query=f"auth={tokens.access_token}") == (401, "expired_token")
    bench.oauth.revoke()
    assert grant(bench, grant_type="refresh_token", refresh_token=tokens.refresh_token)[0] == 400


def test_secrets_stay_out_of_reprs(bench):
    tokens = bench.oauth.issue()
    shown = repr(tokens) + repr(bench.oauth)
    for secret in (tokens.access_token, tokens.refresh_token, bench.oauth.client_secret):
        assert secret not in shown
