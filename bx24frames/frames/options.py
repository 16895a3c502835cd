"""The parameters of the verbs that are not done yet: each says so by name, none is silently ignored."""

from __future__ import annotations

from bx24frames.errors import ConfigError
from bx24frames.frames.convert import BACKENDS, DTYPE_BACKENDS
from bx24frames.options import Backend


def not_yet(**given: tuple[object, object]) -> None:
    """Raise for a parameter whose value is not its default, given as ``name=(value, default)``.

    Raises
    ------
    NotImplementedError
        Naming the parameter.
    """
    for name, (value, default) in given.items():
        if value is not default and value != default:
            raise NotImplementedError(f"{name}={value!r} is not implemented yet")


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
