"""The same portal for blocking code: each verb runs its awaitable twin on the background loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from bx24frames import bridge
from bx24frames.engine.messages import JSON
from bx24frames.errors import ConfigError
from bx24frames.options import LIMITS, Limits
from bx24frames.portal.connection import TIMEOUT, Connection
from bx24frames.portal.shown import portal_html
from bx24frames.portal.wire.verbs import AsyncPortal, Slow

if TYPE_CHECKING:
    import ssl as tls
    from pathlib import Path
    from types import TracebackType

    import aiohttp
    import pyarrow as pa

    from bx24frames.engine.stats import Stats
    from bx24frames.portal.plan import Plan
    from bx24frames.scan.request import Moment
    from bx24frames.scan.scans import Scan
    from bx24frames.transport.auth import AuthLike
    from bx24frames.where.parse import Filters

T = TypeVar("T")


class Portal:
    """A Bitrix24 portal.

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
        For awaited verbs alone: a blocking verb refuses it, because it lives on another loop.
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

    Examples
    --------
    >>> from bx24frames import Portal
    >>> with Portal("sandbox") as portal:
    ...     portal.call("profile")["ID"]
    '1'
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
        self._twin = AsyncPortal(
            url,
            auth=auth,
            limits=limits,
            ssl=ssl,
            timeout=timeout,
            deadline=deadline,
            session=session,
            allow_http=allow_http,
            cache=cache,
        )

    @classmethod
    def from_env(cls) -> Self:
        """The portal that ``BX24_WEBHOOK`` or the default profile names."""
        return cls()

    @property
    def connection(self) -> Connection:
        """What the verbs of frames work on."""
        return self._twin.connection

    @property
    def host(self) -> str:
        """The portal's host."""
        return self._twin.host

    @property
    def stats(self) -> Stats:
        """What this object has cost the portal so far."""
        return self._twin.stats

    def get_all(self, method: str, params: Mapping[str, object] | None = None) -> JSON:
        """Every row of a list method; see `AsyncPortal.get_all`."""
        return self._run(lambda: self._twin.get_all(method, params))

    def get_by_id(
        self,
        method: str,
        ID_list: Iterable[int | str],  # noqa: N803 (the name users of fast_bitrix24 know)
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """The result of a method for each of many ids; see `AsyncPortal.get_by_id`."""
        return self._run(lambda: self._twin.get_by_id(method, ID_list, ID_field_name, params))

    def get_by_ID(  # noqa: N802
        self,
        method: str,
        ID_list: Iterable[int | str],  # noqa: N803
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """Call `get_by_id`."""
        return self.get_by_id(method, ID_list, ID_field_name, params)

    def list_and_get(
        self,
        method_branch: str,
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """Every object of a branch such as ``crm.lead``: ``{id: object}``; see `AsyncPortal.list_and_get`."""
        return self._run(lambda: self._twin.list_and_get(method_branch, ID_field_name, params))

    def call(
        self,
        method: str,
        items: Mapping[str, object] | Iterable[Mapping[str, object]] | None = None,
        *,
        raw: bool = False,
    ) -> JSON:
        """Call a method once for a dict, or once for each of a list; see `AsyncPortal.call`."""
        return self._run(lambda: self._twin.call(method, items, raw=raw))

    def batch(self, commands: Mapping[str, str | tuple[str, Mapping[str, object]]]) -> dict[str, JSON]:
        """Carry out named commands in order; see `AsyncPortal.batch`."""
        return self._run(lambda: self._twin.batch(commands))

    def call_batch(self, params: Mapping[str, object]) -> dict[str, JSON]:
        """Call ``batch`` as its documentation writes it; see `AsyncPortal.call_batch`."""
        return self._run(lambda: self._twin.call_batch(params))

    def plan(self, entity: str, *, filters: Filters | None = None) -> Plan:
        """What reading a table would take: rows, requests, seconds at the portal's limit; see `AsyncPortal.plan`.

        Examples
        --------
        >>> from bx24frames import Portal
        >>> Portal("sandbox").plan("deal")
        <Plan deal: 1,200 rows, 2 requests, under a second>
        """
        return self._run(lambda: self._twin.plan(entity, filters=filters))

    def scan(
        self,
        entity: str,
        *,
        columns: Sequence[str] | None = None,
        filters: Filters | None = None,
        changed_since: Moment | None = None,
        timezone: str | None = None,
        schema_overrides: Mapping[str, pa.DataType] | None = None,
        on_bad_value: Literal["raise", "null"] = "raise",
    ) -> Scan:
        """Open an entity's rows as Arrow batches, to read, split or resume; see `AsyncPortal.scan`."""
        from bx24frames.scan.scans import Scan

        return Scan(
            self._run(
                lambda: self._twin.scan(
                    entity,
                    columns=columns,
                    filters=filters,
                    changed_since=changed_since,
                    timezone=timezone,
                    schema_overrides=schema_overrides,
                    on_bad_value=on_bad_value,
                )
            )
        )

    def with_secret(self) -> Self:
        """The same portal, which `pickle` takes with its secret in clear; see `AsyncPortal.with_secret`."""
        twin = copy.copy(self)
        twin._twin = self._twin.with_secret()
        return twin

    def slow(self, n: int = 1) -> Slow:
        """Have at most `n` requests under way at once, inside ``with portal.slow(n):``."""
        return self._twin.slow(n)

    def check(self) -> dict[str, JSON]:
        """Ask who the credential is and what it may do; see `AsyncPortal.check`."""
        return self._run(self._twin.check)

    def close(self) -> None:
        """Close the connections of this object; a later verb opens new ones."""
        bridge.run(self._twin.close())

    def _run(self, verb: Callable[[], Coroutine[object, object, T]]) -> T:
        refuse_session(self.connection)
        return bridge.run(verb())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Portal {self.connection!r}>"

    def _repr_html_(self) -> str:
        return portal_html(self.connection)


def refuse_session(connection: Connection) -> None:
    """A user's session lives on the user's loop, a blocking verb on ours."""
    if connection.settings.session is not None:
        raise ConfigError(
            "session= works with the awaited verbs of bx24frames.aio, not with blocking ones",
            guidance="Leave session= out: a portal keeps one connection open for all its requests.",
        )
