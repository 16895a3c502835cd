"""`Sandbox` as a user starts, turns and closes it, over its real tables."""

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from bx24frames.sandbox import Costs, Fault, Sandbox
from bx24frames.sandbox.serving import parse_fault, parse_sizes, serve

pytestmark = pytest.mark.usefixtures("over_http")
SIZES = {"deal": 20, "contact": 10, "company": 5, "lead": 5}


def post(url, params=None):
    """The decoded answer of a JSON request, whatever its status."""
    request = urllib.request.Request(
        url, data=json.dumps(params or {}).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as reply:
        with reply:
            return json.loads(reply.read())


@pytest.fixture
def sandbox():
    with Sandbox(sizes=SIZES, real_time=False) as box:
        yield box
        assert box.stats.broken == []


def test_the_plugin_s_fixture_is_a_working_portal(bx24_sandbox):
    answer = post(bx24_sandbox.url + "crm.deal.list", {"order": {"ID": "ASC"}, "start": -1})
    assert len(answer["result"]) == 50
    assert bx24_sandbox.stats.calls["crm.deal.list"] == 1


def test_the_plugin_imports_nothing_heavy():
    """pytest loads it in every test run of everyone who installs the package."""
    code = "import sys, bx24frames.sandbox.fixtures; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("aiohttp", "orjson", "sqlite3", "mimesis", "pandas", "pyarrow", "bx24frames.sandbox.control"):
        assert f"'{name}'" not in loaded


def test_addresses_and_repr(sandbox):
    assert sandbox.url.startswith(f"http://{sandbox.host}/rest/1/")
    assert sandbox.url.endswith("/")
    assert sandbox.url.split("/")[-2] not in repr(sandbox)
    assert sandbox.oauth.url == f"http://{sandbox.host}/rest/"


def test_system_methods(sandbox):
    assert "crm" in post(sandbox.url + "scope")["result"]
    assert "crm.deal.list" in post(sandbox.url + "methods")["result"]
    crm = post(sandbox.url + "methods", {"scope": "crm"})["result"]
    assert "crm.deal.list" in crm
    assert "profile" not in crm
    assert post(sandbox.url + "method.get", {"name": "crm.deal.list"})["result"] == {
        "isExisting": True,
        "isAvailable": True,
    }
    assert post(sandbox.url + "method.get", {"name": "crm.no.such"})["result"]["isExisting"] is False
    assert post(sandbox.url + "server.time")["result"].endswith("+03:00")
    profile = post(sandbox.url + "profile")["result"]
    user = post(sandbox.url + "user.get", {"ID": 1})["result"][0]
    assert (profile["ID"], profile["NAME"], profile["LAST_NAME"]) == ("1", user["NAME"], user["LAST_NAME"])


def test_a_webhook_with_fewer_scopes(sandbox):
    url = sandbox.add_webhook(["task"], user_id=1)
    assert post(url + "scope")["result"] == ["task"]
    assert post(url + "crm.deal.list")["error"] == "insufficient_scope"
    assert "crm.deal.list" not in post(url + "methods")["result"]
    assert post(url + "method.get", {"name": "crm.deal.list"})["result"]["isAvailable"] is False


def test_a_webhook_whose_maker_was_dismissed_acts_for_a_technical_user(sandbox):
    """Its address keeps the maker, and no list has the technical user (docs: settings/system-user)."""
    url = sandbox.add_webhook(user_id=1, acts_as=999)
    assert "/rest/1/" in url
    assert [post(url + method)["result"]["ID"] for method in ("profile", "user.current")] == ["999", "999"]
    assert post(url + "user.get", {"FILTER": {"ID": 999}})["result"] == []
    made = post(url + "crm.item.add", {"entityTypeId": 2, "fields": {"title": "A"}})["result"]["item"]
    assert made["createdBy"] == 999


def test_limits_can_be_turned_while_it_runs(sandbox):
    sandbox.set(burst=1, per_second=0.001)
    assert [post(sandbox.url + "profile").get("error") for _ in range(2)] == [None, "QUERY_LIMIT_EXCEEDED"]
    sandbox.set(plan="self_hosted", costs=replace(Costs(), other=7.0), time_style="integer")
    time = post(sandbox.url + "server.time")["time"]
    assert "operating" not in time
    assert time["processing"] == 7
    sandbox.set(closed=True)
    assert post(sandbox.url + "profile")["error"] == "PORTAL_DELETED"
    assert [entry.status for entry in sandbox.log] == [200, 503, 200, 403]


def test_an_unknown_plan_is_an_error_before_anything_starts():
    with pytest.raises(ValueError, match="unknown plan"):
        Sandbox(plan="golden", sizes=SIZES)


def test_a_taken_port_is_an_error_and_leaves_no_thread(sandbox):
    before = set(threading.enumerate())  # threads of other tests may end meanwhile
    taken = int(sandbox.host.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=taken, sizes=SIZES)
    assert not [one for one in set(threading.enumerate()) - before if one.name == "bx24frames-sandbox"]


def test_rows_survive_a_restart_and_a_new_process_s_opening(tmp_path):
    path = str(tmp_path / "portal.db")
    with Sandbox(path, sizes=SIZES, real_time=False) as box:
        new = post(box.url + "crm.deal.add", {"fields": {"TITLE": "остаться"}})["result"]
        box.restart()
        assert post(box.url + "crm.deal.get", {"id": new})["result"]["TITLE"] == "остаться"
    with Sandbox(path, sizes=SIZES, real_time=False) as box:
        assert post(box.url + "crm.deal.get", {"id": new})["result"]["TITLE"] == "остаться"


def test_a_dropped_insert_is_in_the_tables(sandbox):
    sandbox.faults.add(Fault("drop_after", method="crm.deal.add"))
    with pytest.raises(ConnectionError):
        post(sandbox.url + "crm.deal.add", {"fields": {"TITLE": "lost answer"}})
    found = post(sandbox.url + "crm.deal.list", {"filter": {"=TITLE": "lost answer"}})
    assert len(found["result"]) == 1


def test_a_chain_of_pages_in_one_batch(sandbox):
    """Two pages of ten by reference, as the documentation chains them."""
    page = "crm.item.list?entityTypeId=2&select[]=id&order[id]=ASC&start=-1&filter[%3Eid]="
    commands = {"a": page + "0", "b": page + "$result[a][items][9][id]"}
    maps = post(sandbox.url + "batch", {"cmd": commands})["result"]
    first = [row["id"] for row in maps["result"]["a"]["items"]]
    second = [row["id"] for row in maps["result"]["b"]["items"]]
    assert second == [row for row in first if row > first[9]]
    assert maps["result_total"] == []


def test_one_filter_means_the_same_in_json_and_in_a_command(sandbox):
    """A numbered group is a list in a query string and a map in JSON; the portal sees one array."""
    group = {"0": {"logic": "OR", "0": {"<=id": 3}, "1": {"=stageId": "WON"}}}
    alone = post(sandbox.url + "crm.item.list", {"entityTypeId": 2, "select": ["id"], "filter": group})["result"]
    command = "crm.item.list?entityTypeId=2&select[]=id&filter[0][logic]=OR"
    command += "&filter[0][0][%3C%3Did]=3&filter[0][1][%3DstageId]=WON"
    assert alone["items"]
    assert post(sandbox.url + "batch", {"cmd": {"a": command}})["result"]["result"]["a"] == alone


def test_shared_is_one_and_a_forked_child_makes_its_own():
    """The child inherits no thread, so it starts a new portal."""
    code = """
import os, urllib.request
from bx24frames.sandbox import Sandbox
mine = Sandbox.shared()
assert mine is Sandbox.shared()
pid = os.fork()
if pid == 0:
    other = Sandbox.shared()
    assert other is not mine and other.host != mine.host
    with urllib.request.urlopen(other.url + "profile", timeout=20) as reply:
        os._exit(0 if reply.status == 200 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout.strip(), done.returncode) == ("0", 0), done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped(stop):
    command = [sys.executable, "-m", "bx24frames.sandbox", "--port", "0", "--fast", "--size", "deal=5"]
    command += ["--fault", "error_in_200:profile"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert post(url + "profile")["error"] == "ERROR_CORE"
        assert post(url + "profile")["result"]["ID"] == "1"
        os.kill(process.pid, stop)
        assert process.wait(20) == 0


def test_the_command_writes_the_certificate_that_clients_trust(tmp_path):
    """Without it a client would have to take it from the wire."""
    pem = tmp_path / "box.pem"
    command = [sys.executable, "-m", "bx24frames.sandbox", "--port", "0", "--fast", "--size", "deal=5"]
    with subprocess.Popen([*command, "--tls", "--certificate", str(pem)], stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        trusted = ssl.create_default_context(cafile=pem)
        with urllib.request.urlopen(url + "profile", timeout=10, context=trusted) as reply:
            assert json.loads(reply.read())["result"]["ID"] == "1"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
    with pytest.raises(ValueError, match="tls"):
        serve(certificate=str(pem))


def test_texts_of_the_command_line():
    assert parse_sizes(["deal=5", "lead=0"]) == {"deal": 5, "lead": 0}
    fault = parse_fault("command_error:crm.*:3:0")
    assert (fault.kind, fault.method, fault.nth, fault.times) == ("command_error", "crm.*", 3, None)
    assert (parse_fault("empty").method, parse_fault("empty").times) == (None, 1)
    with pytest.raises(ValueError, match="unknown fault"):
        parse_fault("explode")
