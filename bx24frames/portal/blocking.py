"""`Portal`: the verbs of `AsyncPortal` for blocking code, run on the background loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, Self, TypeVar, cast, overload

from bx24frames import bridge
from bx24frames.errors import ConfigError
from bx24frames.portal.base import PortalBase, with_parameters
from bx24frames.portal.wire.verbs import AsyncPortal

if TYPE_CHECKING:
    from types import TracebackType

    from bx24frames.portal.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Verb(Protocol[P, T_co]):
    """A method with the parameters and the result of an awaitable one, without the ``await``."""

    @overload
    def __get__(self, instance: None, owner: type[object], /) -> Callable[Concatenate[Portal, P], T_co]: ...

    @overload
    def __get__(self, instance: Portal, owner: type[object] | None = None, /) -> Callable[P, T_co]: ...


def blocking(verb: Callable[Concatenate[AsyncPortal, P], Coroutine[object, object, T]]) -> Verb[P, T]:
    """Make the blocking twin of an awaitable verb: same name, parameters, documentation and result."""

    @wraps(verb)
    def twin(portal: Portal, *args: P.args, **kwargs: P.kwargs) -> T:
        refuse_session(portal.connection)
        return bridge.run(verb(AsyncPortal.over(portal.connection), *args, **kwargs))

    twin.__qualname__ = f"Portal.{verb.__name__}"
    twin.__module__ = __name__
    return cast("Verb[P, T]", twin)


@with_parameters
class Portal(PortalBase):
    """A Bitrix24 portal.

    {parameters}

    Examples
    --------
    >>> from bx24frames import Portal
    >>> with Portal("sandbox") as portal:
    ...     portal.call("profile")["ID"]
    '1'
    """

    get_all = blocking(AsyncPortal.get_all)
    get_by_id = blocking(AsyncPortal.get_by_id)
    get_by_ID = blocking(AsyncPortal.get_by_ID)  # noqa: N815 (the name users of fast_bitrix24 know)
    list_and_get = blocking(AsyncPortal.list_and_get)
    call = blocking(AsyncPortal.call)
    batch = blocking(AsyncPortal.batch)
    call_batch = blocking(AsyncPortal.call_batch)
    plan = blocking(AsyncPortal.plan)
    check = blocking(AsyncPortal.check)

    def close(self) -> None:
        """Close the connections of this object; a later verb opens new ones."""
        bridge.run(self.connection.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def refuse_session(connection: Connection) -> None:
    """Refuse a user's session, which belongs to the user's event loop, in a blocking verb.

    Raises
    ------
    ConfigError
        The connection has a session.
    """
    if connection.settings.session is not None:
        raise ConfigError(
            "session= works with the awaitable verbs of bx24frames.aio, not with blocking ones",
            guidance="Leave session= out: a portal keeps one connection open for all its requests.",
        )
