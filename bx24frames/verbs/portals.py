"""Portal: the public classes, blocking and awaitable, with the wire verbs and `scan`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import update_wrapper, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, Self, TypeVar, Unpack, cast, overload

from bx24frames import bridge
from bx24frames.frames.requests import FrameRead
from bx24frames.portal.base import PortalBase, with_parameters
from bx24frames.portal.session import refuse_session
from bx24frames.portal.wire.verbs import WireVerbs
from bx24frames.verbs.signature import ScanOptions, takes

if TYPE_CHECKING:
    from types import TracebackType

    from bx24frames.scan.scans import AsyncScan, Scan

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


@with_parameters
class AsyncPortal(WireVerbs):
    """A Bitrix24 portal, for ``await``; `bx24frames.Portal` has the same verbs for blocking code.

    {parameters}

    Notes
    -----
    https://apidocs.bitrix24.com/first-steps/how-to-call-rest-api.html
    """

    @takes(FrameRead, ScanOptions)
    async def scan(self, entity: str, **options: Unpack[ScanOptions]) -> AsyncScan:
        """Open an entity's rows as a stream of Arrow batches; no row is read yet.

        Parameters
        ----------
        entity : str
            A described entity, as for `bx24frames.read_entity`.
        The keyword arguments of `options`.

        Returns
        -------
        Scan
            ``schema``, ``key``, ``cursor``, ``batches()``, ``count()``, ``plan()``, ``splits(n)``; that of
            `bx24frames.aio.Portal` is an `AsyncScan`, with the last four to be awaited.

        Raises
        ------
        UnknownEntity, UnknownColumn, FilterError, ConfigError
            As the read would, before a data request.

        Examples
        --------
        >>> from bx24frames import Portal
        >>> scan = Portal("sandbox").scan("deal", columns=["id", "opportunity"])
        >>> scan.key, scan.cursor, scan.schema.types
        ('id', 'updatedTime', [DataType(int64), DataType(double)])
        """
        from bx24frames.scan.scans import open_scan

        request = FrameRead.given("scan", ScanOptions, options, entity=entity, progress=False, backend="pyarrow")
        return await open_scan(self.connection.begun(), request)


class _Verb(Protocol[_P, _T_co]):
    """A method with the parameters and the result of an awaitable one, without the ``await``."""

    @overload
    def __get__(self, instance: None, owner: type[object], /) -> Callable[Concatenate[Portal, _P], _T_co]: ...

    @overload
    def __get__(self, instance: Portal, owner: type[object] | None = None, /) -> Callable[_P, _T_co]: ...


def blocking(verb: Callable[Concatenate[AsyncPortal, _P], Coroutine[object, object, _T]]) -> _Verb[_P, _T]:
    """Make the blocking twin of an awaitable verb: same name, parameters, documentation and result."""

    @wraps(verb)
    def twin(portal: Portal, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        refuse_session(portal.connection)
        return bridge.run(verb(AsyncPortal.over(portal.connection), *args, **kwargs))

    twin.__qualname__ = f"Portal.{verb.__name__}"
    twin.__module__ = __name__
    return cast("_Verb[_P, _T]", twin)


def opening(verb: Callable[Concatenate[AsyncPortal, _P], Coroutine[object, object, AsyncScan]]) -> _Verb[_P, Scan]:
    """Make the blocking twin of a verb that opens a scan: it gives the scan's blocking twin."""

    async def opened(portal: AsyncPortal, /, *args: _P.args, **kwargs: _P.kwargs) -> Scan:
        from bx24frames.scan.scans import Scan

        return Scan(await verb(portal, *args, **kwargs))

    update_wrapper(opened, verb)
    return blocking(opened)


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
    scan = opening(AsyncPortal.scan)
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
