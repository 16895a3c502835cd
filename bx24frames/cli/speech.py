"""What typer says for the commands, in the language of the process: help, usage errors, questions."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import typer.core

from bx24frames.cli.phrasing import wrapped
from bx24frames.language import language, term, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

__all__ = ["FOREIGN", "Command", "Group", "framed", "paragraphs", "require_yes", "with_spoken_values"]

FOREIGN: Final = (
    "Error: {0}",
    "Try '{0} {1}' for help.",
    "No such option: {0}",
    "No such option: {0} (Possible options: {1})",
    "No such command {0}.",
    "No such command {0}. Did you mean {1}?",
    "Missing command.",
    "Missing argument {0}.",
    "Missing option {0}.",
    "Missing option {0}. Choose from:",
    "Invalid value for {0}: {1}",
    "Got unexpected extra argument(s) ({0})",
    "Option {0} requires an argument.",
    "Option {0} does not take a value.",
    "Value error, {0} is not one of {1}.",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be greater than or equal to {0}",
    "Aborted!",
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Not a directory",
    "No space left on device",
    "Read-only file system",
)
"""Messages of typer, pydantic and the system: none of them has a catalogue that the locale selects."""
_USAGE_ERROR: Final = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""UsageError, of which typer exports this subclass only."""
_YES: Final = frozenset(("y", "yes", "д", "да"))

_VALUE: Final = re.compile(r"(?<![\w-])[A-Z]{3,}(?!\w)|<[a-z ]+>")
"""A placeholder of a value in a help."""
_MISSING: Final = re.compile(r"(?<=^Error: Missing argument ')[A-Z]+", re.M)
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

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help."""
        super().format_help(ctx, _speaking(formatter))

    def get_usage(self, ctx: Context) -> str:
        """Return the line of usage."""
        return framed(with_spoken_values(super().get_usage(ctx)))


class Group(typer.core.TyperGroup):
    """The program, whose help and usage errors are in the language of the process."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run a command and exit; a usage error is printed as typer prints it, in the language of the process."""
        options["standalone_mode"] = False  # typer raises what it would print
        try:
            status = super().main(*args, **options)
        except typer.Abort:
            typer.echo(translated("Aborted!"), err=True)
            sys.exit(1)
        except _USAGE_ERROR as error:
            said = io.StringIO()
            error.show(said)
            text = _MISSING.sub(lambda found: with_spoken_values(found[0]), said.getvalue())
            typer.echo(translated(framed(text)), err=True, nl=False)
            sys.exit(error.exit_code)
        sys.exit(status if isinstance(status, int) else 0)

    def get_help(self, ctx: Context) -> str:
        """Return the help."""
        for command in (self, *self.commands.values()):
            _speak(command)
        return framed(super().get_help(ctx))

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help."""
        super().format_help(ctx, _speaking(formatter))


def require_yes(question: str, *, err: bool = True) -> None:
    """Ask a question, and abort unless the answer is yes.

    Raises
    ------
    typer.Abort
        The answer is anything else.
    """
    choice = "y/N" if language() == "en" else "д/Н"
    asked = wrapped(f"{translated(question)} [{choice}]", sys.stderr if err else sys.stdout)
    answer = typer.prompt(asked, default="", show_default=False, err=err)
    if str(answer).strip().lower() not in _YES:
        raise typer.Abort


def framed(text: str) -> str:
    """Put the words around the texts of a help into the language of the process."""
    if language() != "ru":
        return text
    for word, russian in FRAME.items():
        text = re.sub(word, russian, text, flags=re.M)
    return text


def _speaking(formatter: HelpFormatter) -> HelpFormatter:
    """Have a formatter translate what typer lists, before lines are broken."""
    if language() == "en":
        return formatter
    write = formatter.write_dl

    def write_spoken(rows: Sequence[tuple[str, str]], *args: Any, **options: Any) -> None:
        write([(with_spoken_values(name), framed(text)) for name, text in rows], *args, **options)

    formatter.write_dl = write_spoken  # type: ignore[method-assign]
    return formatter


def with_spoken_values(text: str) -> str:
    """Put what stands for a value, such as ``FILE`` or ``<int>``, into the language of the process."""
    return _VALUE.sub(lambda found: term(found[0]), text)


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
