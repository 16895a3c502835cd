"""Commands in a terminal of 80 characters under a Russian locale: what they print is Russian, and fits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bx24frames.sandbox import Sandbox

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal needs POSIX", allow_module_level=True)

import fcntl
import pty
import struct
import termios

ROOT = Path(__file__).parents[2]
WIDTH = 80
ENGLISH = re.compile(r"(?<![\w./:=<\"'-])[A-Za-z][a-z’']*(?: [a-z’']{2,})+(?![\w/=])")
"""Two English words in a row: names, codes and commands have signs, capitals or digits in them."""
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'|bx24frames [a-z-]+ .*|\x1b\[[\d;]*[A-Za-z]|https?://\S+")
"""Commands, values and escape sequences."""
OF_THE_PORTAL = {"Not found"}
"""What the portal itself says."""
FILE = "Название;Сумма;Стадия сделки\nСтулья;{0};{1}\nСтолы;990;Новая\n"


def in_terminal(folder: Path, box: Sandbox, *arguments: str, answer: str = "") -> tuple[str, int]:
    """Run a command in a pseudo-terminal, and answer what it asks; its output and status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
    own = {name: str(folder / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    environment = {
        name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES", "BX24FRAMES_LANG")
    }
    environment |= own | {"LC_ALL": "ru_RU.UTF-8", "BX24_WEBHOOK": box.url, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "bx24frames", *arguments]
    ran = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    output = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux reports the end of a terminal as an error
            break
        if not piece:
            break
        output += piece
        if answer and output.endswith(b": "):
            os.write(ours, answer.encode() + b"\n")
            answer = ""
    os.close(ours)
    return output.decode().replace("\r\n", "\n"), ran.wait()


def english(text: str) -> list[str]:
    """The English sentences in an output."""
    found = [words for line in text.splitlines() for words in ENGLISH.findall(QUOTED.sub(" ", line))]
    return [words for words in found if words not in OF_THE_PORTAL]


@pytest.fixture(scope="module")
def box():
    with Sandbox(sizes={"deal": 120, "contact": 60}, plan="unlimited", real_time=False, listen=True) as sandbox:
        yield sandbox


COMMANDS = (
    (["doctor"], 0, "администратор: видит все строки"),
    (["doctor", "--probe"], 0, "что верно для этого портала"),
    (["doctor", "--probe-writes", "deal"], 0, "значений сохранены как отправлено"),
    (["doctor", "--portal", "nobody"], 1, "Нет профиля"),
    (["doctor", "--portal", "http://127.0.0.1:9/rest/1/secret1/"], 1, "в соединении отказано"),
    (["plan", "deal"], 0, "120 строк, 1 запрос, меньше секунды"),
    (["count", "deal", "--filter", "stageId=NWE"], 1, "может быть, 'NEW'?"),
    (["describe", "deal"], 0, "тип Arrow"),
    (["describe", "dael"], 1, "Может быть, deal?"),
    (["entities"], 0, "Смарт-процессы"),
    (["schema", "deal"], 0, "бывает пустым"),
    (["read", "deal", "--out", "deals.csv"], 0, "120 строк"),
    (["read", "deal", "-c", "titel"], 1, "нет столбца"),
    (["read", "deal", "--out", "nowhere/deals.csv"], 1, "Нет папки"),
    (["write", "deal", "good.csv", "--mode", "insert", "--dry-run"], 0, "пробный прогон"),
    (["write", "deal", "good.csv", "--mode", "insert"], 0, "Добавить 2 строки"),
    (["write", "deal", "bad.csv", "--mode", "insert", "--yes"], 1, "2 ошибки"),
    (["write", "deal", "bad.csv", "--mode", "insert", "--yes", "--on-error", "report"], 1, "ошибка"),
    (["delete", "deal", "999999", "--yes"], 1, "нет строки с таким id"),
    (["sync", "--store", "mirror.duckdb", "deal"], 0, "добавлено"),
    (["profiles"], 1, "Нет ни одного сохранённого профиля"),
    (["connect", "--name", "acme", "--file"], 0, "Сохранён профиль acme"),
    (["call", "crm.deal.get", '{"ID": 999999}'], 1, "Портал отказал"),
    ([], 2, "Использование"),
    (["nope"], 2, "Нет команды"),
    (["read"], 2, "Не указан аргумент"),
    (["read", "deal", "--nope"], 2, "Нет параметра --nope"),
    (["read", "deal", "--limit", "x"], 2, "нужно целое число"),
    (["read", "deal", "--limit", "-1"], 2, "нужно число не меньше 0"),
    (["read", "deal", "--limit"], 2, "нужно значение"),
    (["write", "deal", "good.csv"], 2, "Возможные значения"),
    (["write", "deal", "good.csv", "--mode", "ins"], 2, "не одно из"),
    (["count", "deal", "more"], 2, "Лишние аргументы"),
    (["write", "--help"], 0, "Записать строки файла в сущность"),
    (["read", "--help"], 0, "-o, --out ФАЙЛ"),
    (["read"], 2, "Не указан аргумент 'СУЩНОСТЬ'."),
)


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "status", "said"), COMMANDS, ids=[" ".join(one[0][:4]) for one in COMMANDS])
def test_a_command_speaks_russian_and_fits_the_terminal(tmp_path, box, arguments, status, said):
    (tmp_path / "good.csv").write_text(FILE.format("1 234,50", "В работе"), "utf-8")
    (tmp_path / "bad.csv").write_text(FILE.format("двенадцать", "Нету"), "utf-8")
    answer = box.url if arguments[:1] == ["connect"] else "д"
    text, ended = in_terminal(tmp_path, box, *arguments, answer=answer)
    assert (ended, english(text)) == (status, [])
    assert said in " ".join(text.split())
    lines = [QUOTED.sub("", line).replace(str(tmp_path), "") for line in text.splitlines() if "\r" not in line]
    assert not [line for line in lines if len(line) > WIDTH]


def test_the_tables_of_notebooks_are_in_russian(box, monkeypatch):
    """Of a report, limits, a plan and the credential; the columns of frames keep their names."""
    import pandas as pd

    import bx24frames as bx

    monkeypatch.setenv("BX24FRAMES_LANG", "ru")
    rows = pd.DataFrame({"title": ["a", "b"], "stageId": ["NEW", "NOWHERE"]})
    report = bx.write_entity(rows, "deal", box.url, mode="insert", on_error="report", progress=False)
    assert list(report.frame().columns) == list(report.outcomes.column_names)
    assert report.frame()["message"].dropna().str.contains("neither a code").all()
    with bx.Portal(box.url) as portal:
        shown = (report, portal, portal.check(), portal.plan("deal"), portal.stats, bx.Limits())
        for html in (one._repr_html_() for one in shown):
            assert not english(re.sub("<[^>]*>", "\n", html))
    assert "<td>добавлено</td>" not in report._repr_html_()
    assert {"сущность", "строки"} <= set(re.findall("<th[^>]*>([^<]*)", box._repr_html_()))
    assert re.search(r"\(запросы: \d+, отклонено: \d+\)", box._repr_html_())
