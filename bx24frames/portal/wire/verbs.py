"""The wire verbs, awaitable: raw methods of the portal at full speed, results as the portal prints them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Literal, Self

from bx24frames.engine.messages import JSON
from bx24frames.errors import ConfigError
from bx24frames.options import LIMITS, Limits
from bx24frames.portal.connection import TIMEOUT, Connection, Settings
from bx24frames.portal.shown import portal_html
from bx24frames.portal.wire.parameters import check_method, check_params

if TYPE_CHECKING:
    import ssl as tls
    from pathlib import Path
    from types import TracebackType

    import aiohttp
    import pyarrow as pa

    from bx24frames.engine.stats import Stats
    from bx24frames.portal.plan import Plan
    from bx24frames.scan.request import Moment
    from bx24frames.scan.scans import AsyncScan
    from bx24frames.transport.auth import AuthLike
    from bx24frames.where.parse import Filters


class Slow(AbstractContextManager[None], AbstractAsyncContextManager[None]):
    """At most `n` requests under way at once, inside the ``with`` (or ``async with``)."""

    def __init__(self, connection: Connection, n: int) -> None:
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ConfigError(f"slow(n) takes a number of requests of at least 1, not {n!r}")
        self._connection = connection
        self._n = n

    def __enter__(self) -> None:
        self._connection.slow(self._n)

    def __exit__(self, *_: object) -> None:
        self._connection.slow(-self._n)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()


class AsyncPortal:
    """A Bitrix24 portal, for ``await``; `bx24frames.Portal` is the same for blocking code.

    Parameters
    ----------
    url : str, optional
        A webhook's address, an application's (``https://HOST/rest/`` with `auth`), a profile's name, or ``"sandbox"``.
        None: the environment variable ``BX24_WEBHOOK``, then the default profile.
    auth : OAuth or callable, optional
        Tokens of an application, or a plain or async function that returns one.
    limits : Limits
        What the portal's plan allows.
    ssl : bool, path or ssl.SSLContext
        True checks certificates; False does not; a path is a bundle of authorities.
    timeout : float
        Seconds a request may take; the portal cuts one after 60.
    deadline : float, optional
        Seconds one verb may take as a whole.
    session : aiohttp.ClientSession, optional
        Used instead of one of our own, and never closed by us; only with awaited verbs.
    allow_http : bool
        Take plain http elsewhere than on this machine.
    cache : bool
        Believe for an hour what the portal says of its own tables (fields, stages, pipelines, smart processes), also in
        later processes: in the user's cache folder, or the one that ``BX24FRAMES_CACHE`` names. No secret and no
        person's name is ever kept there. False asks each time.

    Raises
    ------
    ConfigError
        The address cannot work.

    Notes
    -----
    https://apidocs.bitrix24.com/first-steps/how-to-call-rest-api.html
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        auth: AuthLike | None = None,
        limits: Limits | None = LIMITS,
        ssl: bool | str | Path | tls.SSLContext = True,
        timeout: float = TIMEOUT,
        deadline: float | None = None,
        session: aiohttp.ClientSession | None = None,
        allow_http: bool = False,
        cache: bool = True,
    ) -> None:
        self.connection = Connection(
            Settings(
                url, auth, LIMITS if limits is None else limits, ssl, timeout, deadline, session, allow_http, cache
            )
        )

    @classmethod
    def from_env(cls) -> Self:
        """The portal that ``BX24_WEBHOOK`` or the default profile names."""
        return cls()

    @property
    def host(self) -> str:
        """The portal's host."""
        return self.connection.host

    @property
    def stats(self) -> Stats:
        """What this object has cost the portal so far."""
        return self.connection.stats

    async def get_all(self, method: str, params: Mapping[str, object] | None = None) -> JSON:
        """Every row of a list method; the result as it is, where the method lists nothing.

        Parameters
        ----------
        method : str
            ``crm.deal.list``, ``user.get``, ...
        params : mapping, optional
            ``filter``, ``select`` and the method's own; not ``start``, ``order``, ``limit``.

        Returns
        -------
        list of dict
            In order of id where the method can be read by id; keys and values as the portal prints them.

        Raises
        ------
        ConfigError, FilterError, UnknownColumn
            Wrong parameters, before a request leaves.
        PortalError, ResponseError, TransportError
            The read failed; there is never a shorter list.

        Notes
        -----
        https://apidocs.bitrix24.com/api-reference/performance/huge-data.html
        """
        from bx24frames.portal.wire.listing import read_all

        name = check_method(method)
        return await read_all(self.connection.begun(), name, check_params(params, name))

    async def get_by_id(
        self,
        method: str,
        ID_list: Iterable[int | str],  # noqa: N803 (the name users of fast_bitrix24 know)
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """The result of a method for each of many ids: ``{id: result}``, in the order given, doubles once.

        `ID_field_name` is the method's parameter for it; ``ID`` also means the ``id`` of REST 3.0.

        Raises
        ------
        PortalError
            The portal refused one of them; the message names the id, and ``.results`` holds what the others gave.
        """
        from bx24frames.portal.wire.calls import results_by_id

        name = check_method(method)
        return await results_by_id(self.connection.begun(), name, ID_list, ID_field_name, check_params(params, name))

    async def get_by_ID(  # noqa: N802
        self,
        method: str,
        ID_list: Iterable[int | str],  # noqa: N803
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """Call `get_by_id`."""
        return await self.get_by_id(method, ID_list, ID_field_name, params)

    async def list_and_get(
        self,
        method_branch: str,
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """Every object of a branch such as ``crm.lead``: ids by ``.list``, then each by ``.get``: ``{id: object}``.

        Ids are integers wherever they are numbers, also where the method prints text. `ID_field_name` is the parameter
        of ``.get``; left as it is, the catalogue's own name for it is sent. `params` go to both methods, as
        ``{"entityTypeId": 1036}`` for ``crm.item``; a ``filter`` and a ``select`` among them to ``.list`` alone.
        """
        from bx24frames.portal.wire.calls import results_by_id
        from bx24frames.portal.wire.listing import id_parameter, read_ids

        branch = check_method(method_branch)
        given = check_params(params, f"{branch}.list")
        verb = self.connection.begun()
        ids = await read_ids(verb, f"{branch}.list", given)
        named = id_parameter(f"{branch}.get") if ID_field_name == "ID" else ID_field_name
        own = {name: value for name, value in given.items() if name.lower() not in ("filter", "select")}
        return await results_by_id(verb, f"{branch}.get", ids, named, own)

    async def call(
        self,
        method: str,
        items: Mapping[str, object] | Iterable[Mapping[str, object]] | None = None,
        *,
        raw: bool = False,
    ) -> JSON:
        """Call a method once for a dict (its result), or once for each of a list (their results, in input order).

        Parameters
        ----------
        method : str
        items : dict or iterable of dict, optional
            Parameters; booleans become Y and N, except in REST 3.0, which takes them as they are.
        raw : bool
            Send the parameters as JSON just as they are, each by a request of its own.

        Raises
        ------
        PortalError
            The portal refused one; ``.rows`` holds the positions of the refused items, ``.results`` what the others
            gave, with None for these, and ``.failures`` the error of each.
        """
        from bx24frames.portal.wire.calls import call_all

        name = check_method(method)
        if not isinstance(items, Iterable | None):
            raise ConfigError(f"Parameters must be a dict or a list of dicts, not {type(items).__name__}", method=name)
        one = items is None or isinstance(items, Mapping)
        listed: Sequence[object] = [items] if one else list(items or ())
        results = await call_all(self.connection.begun(), name, [check_params(item, name) for item in listed], raw=raw)
        return results[0] if one else results

    async def batch(self, commands: Mapping[str, str | tuple[str, Mapping[str, object]]]) -> dict[str, JSON]:
        """Carry out named commands in order; later ones may refer to earlier results by ``$result[name]``.

        Parameters
        ----------
        commands : mapping
            Name to ``"method?query"``, or to ``(method, params)``. More than 50 take several requests, which is
            possible only without references.

        Returns
        -------
        dict
            Name to result.

        Raises
        ------
        PortalError
            Any command failed; ``.results`` holds what the others gave, ``.failures`` the error of each that failed.

        Notes
        -----
        https://apidocs.bitrix24.com/api-reference/how-to-call-rest-api/batch.html
        """
        from bx24frames.portal.wire.calls import carry_out

        return await carry_out(self.connection.begun(), commands, halt=False)

    async def call_batch(self, params: Mapping[str, object]) -> dict[str, JSON]:
        """Call ``batch`` as its documentation writes it: ``{"halt": 0, "cmd": {name: "method?query"}}``."""
        from bx24frames.portal.wire.calls import carry_out, read_batch

        commands, halt = read_batch(params)
        return await carry_out(self.connection.begun(), commands, halt=halt)

    async def plan(self, entity: str, *, filters: Filters | None = None) -> Plan:
        """What reading a table would take: rows, requests, seconds at the portal's limit; nothing is read.

        Parameters
        ----------
        entity, filters
            As for `bx24frames.read_entity`.

        Returns
        -------
        Plan

        Raises
        ------
        UnknownEntity, UnknownColumn, FilterError
            As the read would.
        """
        from bx24frames.portal.plan import plan_read

        return await plan_read(self.connection.begun(), entity, filters)

    async def scan(
        self,
        entity: str,
        *,
        columns: Sequence[str] | None = None,
        filters: Filters | None = None,
        changed_since: Moment | None = None,
        timezone: str | None = None,
        schema_overrides: Mapping[str, pa.DataType] | None = None,
        on_bad_value: Literal["raise", "null"] = "raise",
    ) -> AsyncScan:
        """Open an entity's rows as Arrow batches: no row is read yet, and everything wrong with the request is found.

        Parameters
        ----------
        entity : str
            A described entity, as for `bx24frames.read_entity`.
        columns, filters, changed_since, timezone, schema_overrides, on_bad_value
            As for `bx24frames.read_entity`.

        Returns
        -------
        AsyncScan
            ``schema``, ``key``, ``cursor``, ``batches()``, ``count()``, ``plan()``, ``splits(n)``; `Portal.scan`
            gives a `Scan`, the same for blocking code.

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
        from bx24frames.scan.request import ReadRequest
        from bx24frames.scan.scans import open_scan

        request = ReadRequest(
            entity,
            columns=columns,
            filters=filters,
            changed_since=changed_since,
            timezone=timezone,
            schema_overrides=schema_overrides,
            on_bad_value=on_bad_value,
            progress=False,
        )
        return await open_scan(self.connection.begun(), request)

    def with_secret(self) -> Self:
        """The same portal, which `pickle` takes with the secret of its address in clear.

        Without it only a portal made from a profile's name or the environment is pickled, and the process that loads
        it has to find them. Keep what is pickled as you keep the address.
        """
        twin = copy.copy(self)
        twin.connection = self.connection.with_secret()
        return twin

    def slow(self, n: int = 1) -> Slow:
        """Have at most `n` requests under way at once, inside ``with portal.slow(n):``."""
        return Slow(self.connection, n)

    async def check(self) -> dict[str, JSON]:
        """Ask who the credential is and what it may do: ``{"profile": ..., "scope": [...]}``.

        Raises
        ------
        AuthError, TransportError
            The address or the credential does not work.
        """
        verb = self.connection.begun()
        return {"profile": await verb.result("profile"), "scope": await verb.result("scope")}

    async def close(self) -> None:
        """Close the connections of this object; a later verb opens new ones."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.connection!r}>"

    def _repr_html_(self) -> str:
        return portal_html(self.connection)
