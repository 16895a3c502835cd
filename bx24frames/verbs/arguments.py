"""Parameters of the verbs that are checked before anything else: the form and the size of a frame."""

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
    """A number of rows a frame, checked.

    Raises
    ------
    ConfigError
        It is no whole number, or below 1.
    """
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, SupportsIndex) or chunk_size.__index__() < 1:
        raise ConfigError(f"chunk_size is a number of rows of at least 1, not {chunk_size!r}")
    return chunk_size.__index__()


def output_of(backend: object, dtype_backend: DtypeBackend | None, index: str | Sequence[str] | None) -> Output:
    """The form of frame wanted.

    Raises
    ------
    ConfigError
        There is no such backend, or `index` names no columns.
    ValueError
        `dtype_backend` or `index` with another backend than pandas.
    """
    chosen = backend_of(backend, dtype_backend)
    if index is not None and chosen != "pandas":
        raise ValueError(f"index={index!r} with backend={chosen!r}: only pandas frames have an index")
    if index is not None and not _names(index):
        raise ConfigError(f"index is a column or a list of columns, each once, not {index!r:.80}")
    return Output(chosen, dtype_backend, index)


def check_switches(**given: object) -> None:
    """Check parameters that are on or off.

    Raises
    ------
    ConfigError
        One of them is neither: a text such as ``"no"`` would count as on.
    """
    for name, value in given.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is True or False, not {value!r:.80}")


def check_progress(progress: object) -> None:
    """Check what is said of the bar.

    Raises
    ------
    ConfigError
        It is none of the three words.
    """
    if progress != "auto" and not isinstance(progress, bool):
        raise ConfigError(f"progress is 'auto' or True or False, not {progress!r:.80}")


def check_resume(resume: object) -> None:
    """Check what an upload is to go on with, also where nothing is sent.

    Raises
    ------
    ConfigError
        It can name no journal.
    """
    if resume is not None and resume is not False and not isinstance(resume, str | Path | WriteReport):
        raise ConfigError(f"resume is a journal's path, a report with a journal, False or None, not {resume!r:.80}")


def journal_of(resume: object, entity: str) -> str | Path | Literal[False] | None:
    """The journal that `resume` names; of a report, the one that the upload kept.

    Raises
    ------
    ConfigError
        It names none, or the journal of the report is gone.
    """
    if isinstance(resume, WriteReport):
        if resume.journal is not None and not resume.journal.exists():
            raise ConfigError(
                f"The journal of the report is gone: {resume.journal}; it alone named the rows that were sent",
                entity=entity,
                guidance="Write report.rows(frame, 'failed', 'skipped') alone; look for unknown rows in the portal.",
            )
        resume = resume.journal or resume
    if resume is None or resume is False:
        return resume
    if not isinstance(resume, str | Path):
        raise ConfigError(f"resume is a journal's path, a report with a journal, False or None, not {resume!r:.80}")
    return resume


def column_names(name: str, given: object) -> list[str] | None:
    """The columns a parameter names; an iterable that can be gone through once is kept.

    Raises
    ------
    ConfigError
        It names none.
    """
    if given is None:
        return None
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes) else None
    if names is None or not all(isinstance(one, str) for one in names):
        raise ConfigError(f"{name} is a list of names, not {given!r:.80}")
    return names


def _names(index: object) -> bool:
    if isinstance(index, str):
        return True
    names = list(index) if isinstance(index, Sequence) else []
    return bool(names) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def backend_of(backend: object, dtype_backend: object = None) -> Backend:
    """The backend wanted; pandas, where none is named.

    Raises
    ------
    ConfigError
        There is no such backend.
    ValueError
        `dtype_backend` with another backend than pandas, or an unknown one.
    """
    if backend is not None and backend not in BACKENDS:
        raise ConfigError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    chosen: Backend = next((name for name in BACKENDS if name == backend), "pandas")
    if dtype_backend is not None and (chosen != "pandas" or dtype_backend not in DTYPE_BACKENDS):
        raise ValueError(
            f"dtype_backend={dtype_backend!r} with backend={chosen!r}: it is for pandas, and one of {DTYPE_BACKENDS}"
        )
    return chosen
