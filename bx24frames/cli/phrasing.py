"""Messages in command-line terms: options in place of parameters, commands in place of functions."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping
from typing import Final, TextIO

from bx24frames.language import language

__all__ = ["WORDS_OF_PYTHON", "phrased", "wrapped"]

NARROWEST: Final = 40

_CODES: Final[Mapping[str, str]] = {
    "list_entities()": "`bx24frames entities`",
    "describe_entity()": "`bx24frames describe`",
    "automation=True": "--automation",
    "automation=False": "--no-automation",
    "resume=False": "--afresh",
}
WORDS_OF_PYTHON: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "pass an address, Portal('https://acme.bitrix24.com/rest/1/<code>/')": "name a profile, --portal NAME",
        " in a shell, bx24frames.config.save_profile('acme', address) in Python": "",
        "or pass allow_http=True for": "or in Python Portal(url, allow_http=True), for",
        "use 'sandbox' in place of an address": "use --portal sandbox",
        "set the environment variable BX24_WEBHOOK to it": "set the environment variable BX24_WEBHOOK to its address",
        ".frame() lists every row": "--report FILE lists every row",
        "The frame ": "The file ",
        "header= of read_file()": "--header",
        "use count_entity()": "use `bx24frames count`",
        "report.ids('inserted') has the ids for delete_entity()": (
            "--report FILE keeps them for `bx24frames delete --from`"
        ),
        "run once with full=True": "run once with --full",
        "retyped='column' keeps": "--retyped column keeps",
        "sync both portals: portal=[first, second]": "name the portal of this mirror",
    },
    "ru": {
        "передайте адрес, Portal('https://acme.bitrix24.com/rest/1/<code>/')": "назовите профиль, --portal ИМЯ",
        " в оболочке, bx24frames.config.save_profile('acme', address) в Python": "",
        "или передайте allow_http=True для": "или в Python Portal(url, allow_http=True), для",
        "возьмите 'sandbox' вместо адреса": "укажите --portal sandbox",
        "положите его в переменную окружения BX24_WEBHOOK": "положите его адрес в переменную окружения BX24_WEBHOOK",
        ".frame() перечисляет все строки": "--report ФАЙЛ перечисляет все строки",
        "Датафрейм ": "Файл ",
        "в датафрейме": "в файле",
        "В датафрейме": "В файле",
        "header= функции read_file()": "--header",
        "возьмите count_entity()": "возьмите `bx24frames count`",
        "id для delete_entity() есть в report.ids('inserted')": (
            "--report ФАЙЛ сохраняет их для `bx24frames delete --from`"
        ),
        "запустите один раз с full=True": "запустите один раз с --full",
        "retyped='column' оставляет": "--retyped column оставляет",
        "копируйте оба портала: portal=[first, second]": "назовите портал этой копии",
    },
}
"""What messages say in terms of Python, and how a command says it, by language."""
_PARAMETER: Final = re.compile(
    r"\b(automation|changed_since|columns|extra_columns|limit|missing_columns|mode|nulls|on|on_error|order_by|resume|"
    r"timezone)=(?:'([^']*)')?"
)


_JOURNAL: Final = re.compile(r"(?:[A-Za-z]:)?[/\\][^\s']*[/\\]bx24frames[/\\]uploads[/\\]([\w.-]+)")
"""The path of a journal in the user's state folder, where --resume finds it by its name."""


def phrased(text: str) -> str:
    """Rephrase a message of the Python API for the command line.

    Examples
    --------
    >>> phrased("mode='upsert' needs on=: describe_entity() lists the columns.")
    '--mode upsert needs --on: `bx24frames describe` lists the columns.'
    """
    for word, option in (*_CODES.items(), *WORDS_OF_PYTHON[language()].items()):
        text = text.replace(word, option)
    text = _JOURNAL.sub(lambda found: found[1], text)
    return _PARAMETER.sub(_option, text)


def wrapped(text: str, stream: TextIO | None) -> str:
    """Break lines between words for a terminal; for a file or pipe, the text is returned unchanged."""
    if stream is None or not stream.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, NARROWEST)
    return "\n".join(_wrapped(line, width) for line in text.splitlines())


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())] + "  "
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def _option(found: re.Match[str]) -> str:
    value = f" {found[2]}" if found[2] else ""
    return f"--{found[1].replace('_', '-')}{value}"
