"""Error classes, in one hierarchy; each message says what happened, where, and what to do.

    BX24Error
    ├── ConfigError          an invalid address, profile, option or argument
    ├── AuthError            the portal refused the credential
    │   └── ScopeError       the credential lacks a scope or right
    ├── PortalError          the portal answered a command with an error
    │   └── LimitError       a limit of the portal was exceeded until the deadline
    ├── ResponseError        the answer does not follow the portal's protocol
    ├── TransportError       no answer: network, TLS, timeout
    ├── UnknownEntity        the portal has no such entity
    ├── UnknownColumn        the entity has no such field
    ├── FilterError          a condition that the portal cannot evaluate as written
    ├── ValidationError      a frame that does not fit the entity (`.failures`, a frame)
    ├── DecodeError          a value from the portal that does not fit its declared type
    ├── StoreError           the store of a mirror cannot be used, or the portal does not fit it
    ├── SyncError            some tables of a mirror were not brought up to date (`.report`)
    ├── PortalsError         some of several portals failed (`.frame` of the others, `.failures`)
    ├── WriteError           some rows failed or are unknown (`.report`)
    └── UnfinishedUpload     the same upload was started before and not finished

`PortalError`, `ResponseError` and `TransportError` are `CallError`s: when a function made many calls, the error has the
results of the successful ones (`.results`) and the errors of the failed ones (`.failures`).

An unknown or missing keyword argument is an `ArgumentsError`, which is a `TypeError` as in any function.
`WriteInterrupted` is a `KeyboardInterrupt`, so that `except Exception` does not swallow it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from bx24frames.reports import Report, SyncReported

__all__ = [
    "AuthError",
    "BX24Error",
    "CallError",
    "ConfigError",
    "DecodeError",
    "FilterError",
    "LimitError",
    "PortalError",
    "PortalsError",
    "ResponseError",
    "ScopeError",
    "StoreError",
    "SyncError",
    "TransportError",
    "UnfinishedUpload",
    "UnknownColumn",
    "UnknownEntity",
    "ValidationError",
    "WriteError",
    "WriteInterrupted",
]


TRACEBACK: Final = "BX24FRAMES_TRACEBACK"
"""Environment variable that enables full tracebacks, for work on the package itself."""


class EndsAtCaller(BaseException):
    """Exceptions whose traceback ends at the caller's code in a notebook."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines of the traceback for IPython, which calls this (``InteractiveShell.showtraceback``).

        It ends at the caller's code: ``__tracebackhide__`` would not hide the last frame. The environment variable
        BX24FRAMES_TRACEBACK shows all frames.
        """
        import os
        from importlib import import_module
        from traceback import format_exception

        if not os.environ.get(TRACEBACK):
            _end_at_caller(self.__traceback__)
        shell = import_module("IPython.core.getipython").get_ipython()
        if shell is None:
            return format_exception(self)
        return list(shell.InteractiveTB.structured_traceback(type(self), self, self.__traceback__, tb_offset=1))


class ArgumentsError(EndsAtCaller, TypeError):
    """A keyword argument of a function is unknown or missing."""


class BX24Error(EndsAtCaller, Exception):
    """Base class of all errors of bx24frames.

    ``str()`` is in the language of the process, English or Russian; `message` and `guidance` are English.

    Parameters
    ----------
    message : str
        What happened, in one sentence, without secrets.
    code : str, optional
        The portal's error code.
    method : str, optional
        The REST method that was called.
    entity : str, optional
        The entity concerned.
    rows : sequence of int, optional
        Positions (0-based) of the input rows concerned.
    guidance : str, optional
        What to do about the error.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        method: str | None = None,
        entity: str | None = None,
        rows: Sequence[int] = (),
        guidance: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.method = method
        self.entity = entity
        self.rows = tuple(rows)
        self.guidance = guidance

    def __reduce__(self) -> tuple[object, ...]:
        return _revived, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        from bx24frames.language import translated

        return self._text(translated)

    @property
    def in_english(self) -> str:
        """What `str` gives, in English in every language: for columns and records that programs read."""
        return self._text(str)

    def _text(self, said: Callable[[str], str]) -> str:
        where = [text for text in (self.entity, self.method) if text]
        if self.code:
            where.append(said(f"code {self.code}"))
        tail = f" [{', '.join(where)}]" if where else ""
        hint = f"\n{said(self.guidance)}" if self.guidance else ""
        return f"{said(self.message)}{tail}{hint}"


class CallError(BX24Error):
    """A call failed.

    Attributes
    ----------
    results : list or dict, optional
        Results of the successful calls, when a function made many: for `call` a list with None for each failed call;
        for `get_by_id`, `list_and_get`, `batch` and `call_batch` a dict without the failed calls.
    failures : dict
        The errors of the failed calls, by position, id or label.
    """

    results: Sequence[object] | Mapping[int | str, object] | None = None
    failures: Mapping[int | str, CallError] = MappingProxyType({})


class ConfigError(BX24Error):
    """An address, profile, option or argument is invalid."""


class PortalError(CallError):
    """The portal answered a command with an error.

    Attributes
    ----------
    code, method : str or None
        As in `BX24Error`.
    status : int or None
        The HTTP status; 200 for an error inside a batch.
    retryable : bool
        Whether the same command may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        code: str | None = None,
        method: str | None = None,
        entity: str | None = None,
        rows: Sequence[int] = (),
        guidance: str | None = None,
    ) -> None:
        super().__init__(message, code=code, method=method, entity=entity, rows=rows, guidance=guidance)
        self.status = status
        self.retryable = retryable


class AuthError(PortalError):
    """The portal refused the credential."""


class ScopeError(AuthError):
    """The credential lacks a scope or right that the method needs."""


class LimitError(PortalError):
    """A limit of the portal was exceeded until the deadline."""


class ResponseError(CallError):
    """The answer does not follow the portal's protocol (HTML, truncated JSON, an empty body).

    Attributes
    ----------
    answered : bool
        Whether the portal itself answered, in a form that the method does not document.
    """

    answered: bool = True


class TransportError(CallError):
    """No answer was received: network, TLS or timeout."""


class UnknownEntity(BX24Error):
    """The portal has no entity of that name."""


class UnknownColumn(BX24Error):
    """The entity has no field of that name."""


class FilterError(BX24Error):
    """The portal cannot evaluate a condition as written."""


class ValidationError(BX24Error):
    """A frame does not fit the entity it is written to or read from.

    Attributes
    ----------
    failures : frame
        One row per failure, in the backend of the checked frame: ``position`` (int64), ``column``, ``value``,
        ``reason`` (string), and ``label`` after the position if the frame's index values differ from positions.
    """

    def __init__(
        self,
        message: str,
        *,
        failures: object = None,
        entity: str | None = None,
        rows: Sequence[int] = (),
        guidance: str | None = None,
    ) -> None:
        super().__init__(message, entity=entity, rows=rows, guidance=guidance)
        self.failures = failures


class DecodeError(BX24Error):
    """A value from the portal does not fit the type its field declares.

    Attributes
    ----------
    column : str
    value : str
        The raw text of the value.
    row_id : str
        The id of the row.
    """

    def __init__(
        self,
        message: str,
        *,
        column: str = "",
        value: str = "",
        row_id: str = "",
        entity: str | None = None,
        guidance: str | None = None,
    ) -> None:
        super().__init__(message, entity=entity, guidance=guidance)
        self.column = column
        self.value = value
        self.row_id = row_id


class StoreError(BX24Error):
    """The store of a mirror cannot be used, or what the portal shows does not fit it; the store is unchanged."""


class SyncError(BX24Error):
    """Some tables of a mirror were not brought up to date; each still has its last complete state (`.report`)."""

    def __init__(self, message: str, *, report: SyncReported, guidance: str | None = None) -> None:
        super().__init__(message, guidance=guidance)
        self.report = report


class PortalsError(BX24Error):
    """Some of several portals failed; raised when the others are done.

    Attributes
    ----------
    frame : frame, dict or None
        What the other portals gave: the rows, in the library that was asked for; of `count_entity`, the counts by host.
        None where the rows were given before, by `iter_entity`.
    failures : dict of str to BX24Error
        The error of each portal that failed, by its host, in the order of the portals.
    report : SyncReport or None
        The report of a sync.
    """

    def __init__(
        self,
        message: str,
        *,
        failures: Mapping[str, BX24Error],
        frame: object = None,
        report: SyncReported | None = None,
        guidance: str | None = None,
    ) -> None:
        super().__init__(message, guidance=guidance)
        self.failures = failures
        self.frame = frame
        self.report = report


class WriteError(BX24Error):
    """Some rows of an upload failed or are unknown; ``.report`` has the outcome of each row."""

    def __init__(self, message: str, *, report: Report, guidance: str | None = None) -> None:
        super().__init__(message, guidance=guidance)
        self.report = report


class UnfinishedUpload(BX24Error):
    """The same upload was started before and not finished; ``.journal`` is the path of its journal."""

    def __init__(self, message: str, *, journal: Path, guidance: str | None = None) -> None:
        super().__init__(message, guidance=guidance)
        self.journal = journal


class WriteInterrupted(KeyboardInterrupt):
    """An upload was interrupted by Ctrl-C; ``.report`` has the outcomes so far."""

    def __init__(self, message: str, *, report: Report) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        return _revived, (type(self), self.args), self.__dict__


def _revived(kind: type[BaseException], args: tuple[object, ...]) -> BaseException:
    """Unpickle an error: by default `BaseException` would call the class with `args` only."""
    return kind.__new__(kind, *args)


def _end_at_caller(traceback: TracebackType | None) -> None:
    """Cut a traceback behind the last frame that is outside this package."""
    last = None
    step = traceback
    while step is not None:
        if step.tb_frame.f_globals.get("__name__", "").partition(".")[0] != __name__.partition(".")[0]:
            last = step
        step = step.tb_next
    if last is not None:
        last.tb_next = None
