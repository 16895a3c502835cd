"""Argument validation of the public functions, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, SupportsIndex

from bx24frames.errors import ConfigError
from bx24frames.frames.give import BACKENDS, DTYPE_BACKENDS
from bx24frames.frames.report import WriteReport
from bx24frames.options import Backend, DtypeBackend
from bx24frames.verbs.core import Output


def chunk_rows(chunk_size: object) -> int:
    """Return a validated `chunk_size`.

    Raises
    ------
    ConfigError
        It is not a whole number, or below 1.
    """
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, SupportsIndex) or chunk_size.__index__() < 1:
        raise ConfigError(f"chunk_size must be a number of rows of at least 1, not {chunk_size!r}")
    return chunk_size.__index__()


def output_of(backend: object, dtype_backend: DtypeBackend | None, index: str | Sequence[str] | None) -> Output:
    """Return the validated form of the result.

    Raises
    ------
    ConfigError
        The backend is unknown, or `index` is not a column or a list of columns.
    ValueError
        `dtype_backend` or `index` with a backend other than pandas.
    """
    chosen = backend_of(backend, dtype_backend)
    if index is not None and chosen != "pandas":
        raise ValueError(f"index={index!r} with backend={chosen!r}: only pandas frames have an index")
    if index is not None and not _names(index):
        raise ConfigError(f"index must be a column or a list of distinct columns, not {index!r:.80}")
    return Output(chosen, dtype_backend, index)


def check_switches(**given: object) -> None:
    """Check boolean parameters.

    Raises
    ------
    ConfigError
        One is not a bool: a text such as ``"no"`` would count as True.
    """
    for name, value in given.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{name} must be True or False, not {value!r:.80}")


def check_progress(progress: object) -> None:
    """Check `progress`.

    Raises
    ------
    ConfigError
        It is none of the three values.
    """
    if progress != "auto" and not isinstance(progress, bool):
        raise ConfigError(f"progress must be 'auto', True or False, not {progress!r:.80}")


def check_resume(resume: object) -> None:
    """Check `resume`, also if nothing will be sent.

    Raises
    ------
    ConfigError
        It cannot name a journal.
    """
    if resume is not None and resume is not False and not isinstance(resume, str | Path | WriteReport):
        raise ConfigError(f"resume must be the path of a journal, a report, False or None, not {resume!r:.80}")


def journal_of(resume: object, entity: str) -> str | Path | Literal[False] | None:
    """Return the journal that `resume` names: a path, or the journal of a report.

    Raises
    ------
    ConfigError
        There is no journal, or the journal of the report no longer exists.
    """
    if isinstance(resume, WriteReport):
        if resume.journal is not None and not resume.journal.exists():
            raise ConfigError(
                f"The journal of the report no longer exists: {resume.journal}. It recorded which rows were sent",
                entity=entity,
                guidance="Write only report.rows(frame, 'failed', 'skipped'); look for unknown rows in the portal.",
            )
        resume = resume.journal or resume
    if resume is None or resume is False:
        return resume
    if not isinstance(resume, str | Path):
        raise ConfigError(f"resume must be the path of a journal, a report, False or None, not {resume!r:.80}")
    return resume


def column_names(name: str, given: object) -> list[str] | None:
    """Return the column names given for a parameter as a list; iterators are accepted.

    Raises
    ------
    ConfigError
        The value is not an iterable of names.
    """
    if given is None:
        return None
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else None
    if names is None or not all(isinstance(one, str) for one in names):
        raise ConfigError(f"{name} must be a list of names, not {given!r:.80}")
    return names


def _names(index: object) -> bool:
    if isinstance(index, str):
        return True
    names = list(index) if isinstance(index, Sequence) else []
    return bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def backend_of(backend: object, dtype_backend: object = None) -> Backend:
    """Return the validated backend; pandas by default.

    Raises
    ------
    ConfigError
        The backend is unknown.
    ValueError
        `dtype_backend` is unknown, or the backend is not pandas.
    """
    if backend is not None and backend not in BACKENDS:
        raise ConfigError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    chosen: Backend = next((name for name in BACKENDS if name == backend), "pandas")
    if dtype_backend is not None and (chosen != "pandas" or dtype_backend not in DTYPE_BACKENDS):
        raise ValueError(
            f"dtype_backend={dtype_backend!r} with backend={chosen!r}: it needs backend='pandas' and must be one of "
            f"{DTYPE_BACKENDS}"
        )
    return chosen
