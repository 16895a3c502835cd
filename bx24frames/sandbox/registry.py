"""Registry of methods: handlers by name, with scopes, context, result and error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

Params = dict[str, Any]
"""Parameters of a method, merged as PHP does: strings from forms and batches, any JSON value from a JSON body."""


ADMIN: Final = 1
"""The user id of the portal's administrator."""


@dataclass(slots=True)
class Context:
    """What a handler gets besides its parameters.

    `start`: the reserved paging parameter, cast to int; None if it was not sent.
    `now`: seconds since the epoch, of the portal's clock.
    `rows`: number of rows the handler read, set by the handler for the costs.
    `writes`: number of rows it wrote, likewise.
    `scopes`: scopes of the credential; None means all.
    `utc_offset`: UTC offset of the server, in seconds.
    `quirks`: the names of the quirks that are on.
    `application`: id of the calling application; empty for a webhook.
    """

    store: Store
    user_id: int
    now: float
    start: int | None = None
    rows: int = 0
    writes: int = 0
    scopes: frozenset[str] | None = None
    utc_offset: int = 10_800
    quirks: frozenset[str] = frozenset()
    application: str = ""

    def has(self, quirk: str) -> bool:
        """Whether a quirk is on."""
        return quirk in self.quirks

    @property
    def is_admin(self) -> bool:
        """Whether the caller's user is the portal's administrator."""
        return self.user_id == ADMIN and ADMIN not in self.store.roles

    def added(self, entity_type_id: int, row_id: int, values: Any) -> None:
        """Record a row that the method has added."""
        sent = values if isinstance(values, dict) else {}
        self.writes += 1
        self.store.note_addition(entity_type_id, row_id, sent, user_id=self.user_id, now=self.now)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a method; `total` and `next` only if the real method reports them.

    `bare`: the value is the whole answer, without ``result``.
    """

    value: Any
    total: int | None = None
    next: int | None = None
    bare: bool = False


class MethodError(Exception):
    """The error of a method, printed as ``{"error", "error_description"}``."""

    def __init__(self, code: str, description: str, status: int = 400, **extra: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.extra = extra


NOT_FOUND: Final = MethodError("", "Not found")
UNKNOWN_METHOD: Final = MethodError("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)

Handler = Callable[[Params, Context], Result]


@dataclass(frozen=True, slots=True)
class Method:
    """One entry of the registry. `scopes`: any of these is required; none means open to all."""

    name: str
    handler: Handler
    scopes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


INCOMPLETE: Final = ("api/humanresources.", "api/timeman.record.")
"""Methods of REST 3.0 that some portals lack although they have the scope."""

METHODS: Final[dict[str, Method]] = {}


def method(name: str, *scopes: str) -> Callable[[Handler], Handler]:
    """Register a handler under the method's name, lower case.

    Raises
    ------
    ValueError
        Another module has registered the name.
    """

    def register(handler: Handler) -> Handler:
        before = METHODS.get(name.lower())
        if before is not None and before.handler.__module__ != handler.__module__:
            raise ValueError(f"{name} is registered in {before.handler.__module__} and in {handler.__module__}")
        METHODS[name.lower()] = Method(name, handler, scopes)
        return handler

    return register
