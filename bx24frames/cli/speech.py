"""Help of the commands in the language of the process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import typer.core

from bx24frames.language import language, translated

if TYPE_CHECKING:
    from typer._click.core import Context

__all__ = ["Command", "Group", "framed", "paragraphs"]

FRAME: Final = {
    r"^Usage: ": "Использование: ",
    r"^Arguments:": "Аргументы:",
    r"^Options:": "Параметры:",
    r"^Commands:": "Команды:",
    r"^ *Examples:": "  Примеры:",
    r"\[OPTIONS\]": "[ПАРАМЕТРЫ]",
    r"COMMAND \[ARGS\]\.\.\.": "КОМАНДА [АРГУМЕНТЫ]...",
    r"\[required\]": "[обязательно]",
    r"\[default:": "[по умолчанию:",
    r"Show this\s+message and exit\.": "Показать эту справку.",
    r"Show completion for the current shell, to copy it or\s+customize the installation\.": "Показать его код.",
    r"Install completion for the current shell\.": "Включить автодополнение в этой оболочке.",
}
"""What typer writes around the texts of a command: it has no catalogue of its own for these words."""


class Command(typer.core.TyperCommand):
    """A command whose help is in the language of the process."""

    def get_help(self, ctx: Context) -> str:
        """Return the help."""
        _speak(self)
        return framed(super().get_help(ctx))


class Group(typer.core.TyperGroup):
    """The program, whose help is in the language of the process."""

    def get_help(self, ctx: Context) -> str:
        """Return the help."""
        for command in (self, *self.commands.values()):
            _speak(command)
        return framed(super().get_help(ctx))


def framed(text: str) -> str:
    """Put the words around the texts of a help into the language of the process."""
    if language() != "ru":
        return text
    for word, russian in FRAME.items():
        text = re.sub(word, russian, text, flags=re.M)
    return text


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a help text, each in one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _speak(command: typer.core.TyperCommand | typer.core.TyperGroup | object) -> None:
    """Translate the texts of a command; in English they stay as they are."""
    if language() == "en" or not isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup):
        return
    command.help = "\n\n".join(map(translated, paragraphs(command.help or "")))
    command.epilog = command.epilog and translated(command.epilog)
    for parameter in command.params:
        if isinstance(parameter, typer.core.TyperOption | typer.core.TyperArgument) and parameter.help:
            parameter.help = translated(parameter.help)
