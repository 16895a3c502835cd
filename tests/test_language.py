"""Messages in Russian: chosen by the locale, recognised by their templates, English where nothing is known."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextvars import Context

import pytest

from bx24frames.catalogue import Catalogue, literals
from bx24frames.errors import ConfigError, FilterError, UnknownColumn
from bx24frames.language import VARIABLES, figure, language, term, translated
from bx24frames.sandbox import Sandbox

RUSSIAN = {
    "no column {0}": "нет столбца {0}",
    "condition on {0}: {1}": "условие на {0}: {1}",
    "not a number": "не число",
    "{0} fault{1}": "ошибок: {0}",
    "{0} is {1}": "{0} — это {1}",
    "braces {{}} of {0}": "скобки {{}} у {0}",
    "Did you mean {0}?": "Может быть, {0}?",
}


PLURAL = {
    "{0} rows": "{0:n} {0:строка|строки|строк}",
    "{0} request{1} in {2} s": "{0:n} {0:запрос|запроса|запросов} за {2:n} с",
    "{0} rows ({1})": "{0:n} {0:строка|строки|строк} ({1})",
    "{0}, separator {1}": "{0}, разделитель {1}",
    "the connection to {0} is refused": "в соединении с {0} отказано",
    "{0} in a condition is refused": "{0}: отклоняется",
    "{0} is {1}": "{0} — это {1}",
}


def three_forms(number: int) -> int:
    """The forms of a Russian word beside a number (https://unicode.org/cldr, ru)."""
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if 2 <= number % 10 <= 4 and not 12 <= number % 100 <= 14 else 2


@pytest.fixture
def russian(monkeypatch):
    monkeypatch.setenv("BX24FRAMES_LANG", "ru")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ru_RU"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "BX24FRAMES_LANG": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_first_variable_that_is_set_decides(monkeypatch, environment, expected):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no column 'x'", "нет столбца 'x'"),
        ("condition on x: not a number", "условие на x: не число"),
        ("2 faults", "ошибок: 2"),
        ("1 fault", "ошибок: 1"),
        ("braces {} of x", "скобки {} у x"),
        ("no column 'x'\nDid you mean y?", "нет столбца 'x'\nМожет быть, y?"),
        ("no column 'x'; not a number", "нет столбца 'x'; не число"),
        ("t: no column 'x' [deal]; no column 'y' [deal]", "t: нет столбца 'x' [deal]; нет столбца 'y' [deal]"),
        ("nobody knows this sentence", "nobody knows this sentence"),
        ("this unknown sentence is no message of ours", "this unknown sentence is no message of ours"),
        ("", ""),
    ],
)
def test_a_text_is_recognised_by_its_template(text, expected):
    assert Catalogue(RUSSIAN).translated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 rows", "1 строка"),
        ("3 rows", "3 строки"),
        ("12 rows", "12 строк"),
        ("1,200 rows", "1\xa0200 строк"),
        ("21 requests in 1.5 s", "21 запрос за 1,5 с"),
        ("many rows", "many rows"),
        ("2 rows (utf-8, separator ';')", "2 строки (utf-8, разделитель ';')"),
        ("a in a condition is refused; b in a condition is refused", "a: отклоняется; b: отклоняется"),
        ("The connection to x is refused", "В соединении с x отказано"),
        ("x is y", "x is y"),
    ],
)
def test_numbers_and_the_words_beside_them_are_those_of_the_language(text, expected):
    assert Catalogue(PLURAL, plural=three_forms).translated(text) == expected


def test_a_word_is_translated_where_it_stands_alone_and_not_in_a_message(russian):
    assert (term("title"), term("yes"), term("unit|rows")) == ("название", "да", "строк")
    assert translated("no column title") == "нет столбца title"
    assert figure(1234.5, ",.1f") == "1\xa0234,5"


def test_in_english_words_and_numbers_are_as_written(monkeypatch):
    monkeypatch.setenv("BX24FRAMES_LANG", "en")
    assert (term("title"), term("unit|rows"), figure(1234.5, ",.1f")) == ("title", "rows", "1,234.5")


def test_a_warning_speaks_russian_at_the_callers_line(russian):
    from bx24frames.caller import warn

    with pytest.warns(UserWarning, match="Смарт-процессы пропущены") as caught:
        Context().run(warn, "Smart processes are left out. x")  # no caller of an earlier test
    assert caught[0].filename == __file__


def test_a_long_text_is_returned_soon_and_as_it_is():
    text = "x, " * 50_000
    assert Catalogue(RUSSIAN).translated(text) == text


def test_an_error_speaks_russian_and_keeps_its_english_parts(russian):
    error = UnknownColumn("no column 'titel'", entity="deal", guidance="Did you mean title?")
    assert str(error) == "нет столбца 'titel' [deal]\nМожет быть, title?"
    again = pickle.loads(pickle.dumps(error))
    assert (again.message, again.guidance, again.entity) == ("no column 'titel'", "Did you mean title?", "deal")
    assert str(again) == str(error)


def test_what_a_user_meets_first_is_in_russian(russian):
    import bx24frames as bx

    unknown = "условие на stageId: 'WONN' — это не код и не подпись из DEAL_STAGE"
    with (
        Sandbox(sizes={"deal": 3}, plan="unlimited", real_time=False) as sandbox,
        pytest.raises(FilterError, match=unknown),
    ):
        bx.read_entity("deal", sandbox.url, filters={"stageId": "WONN"})
    with pytest.raises(ConfigError, match="работать не может: это адрес страницы"):
        bx.read_entity("deal", "https://acme.bitrix24.ru/crm/deal/")


def test_the_command_line_and_the_doctor_speak_russian(russian, capsys):
    from bx24frames.cli import main

    for words, found in (
        (["--help"], "Прочитать сущность в файл или в конвейер."),
        (["read", "--help"], "Сколько строк самое большее."),
        (["doctor", "--portal", "nobody"], "Нет профиля 'nobody'"),
        (["doctor", "--portal", "sandbox"], "администратор: видит все строки"),
        (["plan", "deal", "--portal", "sandbox"], "меньше секунды"),
    ):
        with pytest.raises(SystemExit):
            main(words)
        assert found in capsys.readouterr().out


def test_english_loads_no_catalogue():
    code = "import sys, bx24frames.errors as e; str(e.ConfigError('x', guidance='y')); print('gettext' in sys.modules)"
    environment = os.environ | {"BX24FRAMES_LANG": "en"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"


def test_a_template_is_cut_at_its_expressions():
    assert literals("no column {0} [{1}]") == ["no column ", " [", "]"]
    assert translated("in English nothing changes") == "in English nothing changes"
