"""Shell completion, as the command itself provides it; it sends no request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import bx24frames as bx
from bx24frames.cli import main
from bx24frames.config import save_profile
from bx24frames.portal import cache
from bx24frames.sandbox import Sandbox

Offer = Callable[[str], list[str]]


@pytest.fixture
def offer(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offer:
    monkeypatch.setenv("BX24FRAMES_CONFIG", str(tmp_path / "profiles.toml"))
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setenv(cache.LOOPBACK, "1")

    def at(line: str) -> list[str]:
        """Return the completions of the last word of a line, as bash requests them."""
        monkeypatch.setenv("_BX24FRAMES_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", f"bx24frames {line}")
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" "))))
        with pytest.raises(SystemExit) as end:
            main([])
        assert end.value.code == 0
        shown = capfd.readouterr()
        assert shown.err == ""
        return shown.out.split()

    return at


def test_commands_options_and_tables(offer: Offer):
    assert offer("re") == ["read"]
    assert {"--out", "--order-by"} <= set(offer("read deal --o"))
    assert offer("read smart_i") == ["smart_invoice"]
    assert offer("count crm.lea") == ["crm.lead"]
    assert offer("read deal --format p") == ["parquet"]
    assert offer("get-all crm.deal.l") == ["crm.deal.list"]


def test_profiles_and_the_sandbox(offer: Offer):
    assert offer("read deal --portal ") == ["sandbox"]
    save_profile("acme", "https://acme.bitrix24.com/rest/1/abc123/")
    save_profile("acorn", "https://acorn.bitrix24.com/rest/1/abc123/")
    assert offer("read deal --profile ac") == ["acme", "acorn"]
    assert offer("count -p ") == ["acme", "acorn", "sandbox"]


def test_columns_that_a_read_has_brought_here(offer: Offer, bx24_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    save_profile("acme", bx24_sandbox.url)
    monkeypatch.delenv("BX24_WEBHOOK", raising=False)
    assert offer("read deal --columns ti") == []
    bx.describe_entity("deal", "acme")
    bx.read_entity("type", "acme", limit=0)
    bx24_sandbox.stats.reset()
    assert offer("read deal --columns ti") == ["title"]
    assert offer("read deal -c id,title,oppo") == ["id,title,opportunity", "id,title,opportunityAccount"]
    assert "id,id" not in offer("read deal -c id,i")
    assert offer("write deal f.csv --mode upsert --on originI") == ["originId"]
    assert offer("read --profile acme deal --order-by createdT") == ["createdTime"]
    assert "STAGE_ID" in offer("read stage_history -c STAGE")
    assert bx24_sandbox.log == (), "completion runs at every key press and must send nothing"


def test_what_is_broken_offers_nothing(offer: Offer, tmp_path: Path):
    (tmp_path / "profiles.toml").write_text("no toml")
    assert offer("read deal --profile a") == []
    assert offer("read deal --columns ti") == []
    assert offer("read dael --columns ti") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_the_shell(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shell: str
):
    """The script that --show-completion prints for a shell."""
    monkeypatch.setenv("_BX24FRAMES_COMPLETE", f"source_{shell}")
    with pytest.raises(SystemExit) as end:
        main([])
    script = capfd.readouterr().out
    assert end.value.code == 0
    assert f"_BX24FRAMES_COMPLETE=complete_{shell}" in script
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=script.encode(), check=False).returncode == 0
