"""The wire verbs: methods of the portal called by name, results as the portal prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from bx24frames.display import facts_html
from bx24frames.engine.messages import JSON
from bx24frames.errors import ConfigError
from bx24frames.language import term, translated
from bx24frames.portal.base import PortalBase
from bx24frames.portal.wire.parameters import check_method, check_params

if TYPE_CHECKING:
    from types import TracebackType

    from bx24frames.portal.connection import Connection
    from bx24frames.portal.plan import Plan
    from bx24frames.where.filters import Filters


class CheckResult(dict[str, JSON]):
    """What `Portal.check` returns: a dictionary with a table for notebooks."""

    def _repr_html_(self) -> str:
        profile, scope = self["profile"], self["scope"]
        user = profile if isinstance(profile, dict) else {}
        name = " ".join(str(user[key]) for key in ("NAME", "LAST_NAME") if user.get(key))
        facts = {
            "user": f"{name or translated('without a name')} (id {user.get('ID', '?')})",
            "administrator": term("yes" if user.get("ADMIN") else "no"),
            "scopes": ", ".join(sorted(map(str, scope))) if isinstance(scope, list) else str(scope),
        }
        return facts_html(facts, title=term("Credential"))


class WireVerbs(PortalBase):
    """The awaitable verbs of a portal that this room knows: `bx24frames.verbs.portals` has the public classes."""

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """The awaitable verbs of an opened connection."""
        made = cls.__new__(cls)
        made.connection = connection
        return made

    async def get_all(self, method: str, params: Mapping[str, object] | None = None) -> JSON:
        """Return all rows of a list method; of any other method, its result.

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
            Invalid parameters; nothing was sent.
        PortalError, ResponseError, TransportError
            The read failed; an incomplete list is never returned.

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
        """Call a method once for each id: ``{id: result}`` in the given order; duplicate ids are requested once.

        Parameters
        ----------
        method : str
            ``crm.deal.get``, ...
        ID_list : iterable of int or str
        ID_field_name : str
            The parameter of the method that takes the id; ``ID`` also stands for the ``id`` of REST 3.0.
        params : mapping, optional
            Further parameters, the same for every id.

        Raises
        ------
        PortalError
            The portal refused one of the calls; the message names the id, ``.results`` holds the other results.
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
        """Alias of `get_by_id`."""
        return await self.get_by_id(method, ID_list, ID_field_name, params)

    async def list_and_get(
        self,
        method_branch: str,
        ID_field_name: str = "ID",  # noqa: N803
        params: Mapping[str, object] | None = None,
    ) -> dict[int | str, JSON]:
        """Return all objects of a branch such as ``crm.lead`` as ``{id: object}``: ids by ``.list``, each by ``.get``.

        Numeric ids are integers, even where the method prints text.

        Parameters
        ----------
        method_branch : str
            ``crm.lead``, ``crm.item``, ...
        ID_field_name : str
            The parameter of ``.get`` that takes the id; by default the one that the catalogue names.
        params : mapping, optional
            Sent to both methods, such as ``{"entityTypeId": 1036}`` for ``crm.item``; ``filter`` and ``select`` are
            sent to ``.list`` only.
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
        """Call a method: once for a dict, giving its result, or once for each dict of a list, giving a list of results.

        Parameters
        ----------
        method : str
        items : dict or iterable of dict, optional
            Parameters. Booleans are sent as Y and N, except to REST 3.0, which takes booleans.
        raw : bool
            Send the parameters unchanged, as JSON, one request for each call.

        Raises
        ------
        PortalError
            The portal refused a call; ``.rows`` holds the positions of the refused items, ``.failures`` their errors,
            ``.results`` the other results, with None in place of the refused ones.
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
        """Execute named commands in order; later ones may refer to earlier results by ``$result[name]``.

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
            A command failed; ``.results`` holds the results of the others, ``.failures`` the errors.

        Notes
        -----
        https://apidocs.bitrix24.com/api-reference/how-to-call-rest-api/batch.html
        """
        from bx24frames.portal.wire.calls import carry_out

        return await carry_out(self.connection.begun(), commands, halt=False)

    async def call_batch(self, params: Mapping[str, object]) -> dict[str, JSON]:
        """Call ``batch`` in the form of its documentation: ``{"halt": 0, "cmd": {name: "method?query"}}``."""
        from bx24frames.portal.wire.calls import carry_out, read_batch

        commands, halt = read_batch(params)
        return await carry_out(self.connection.begun(), commands, halt=halt)

    async def plan(self, entity: str, *, filters: Filters | None = None) -> Plan:
        """Estimate a read: rows, requests, and seconds at the portal's limits; no row is read.

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
            As for the read.

        Examples
        --------
        >>> from bx24frames import Portal
        >>> Portal("sandbox").plan("deal")
        <Plan deal: 1,200 rows, 2 requests, under a second>
        """
        from bx24frames.portal.plan import plan_read

        return await plan_read(self.connection.begun(), entity, filters)

    async def check(self) -> dict[str, JSON]:
        """Return the user and the scopes of the credential: ``{"profile": ..., "scope": [...]}``, a table in notebooks.

        Raises
        ------
        AuthError, TransportError
            The credential is refused, or the portal cannot be reached.
        """
        verb = self.connection.begun()
        return CheckResult(profile=await verb.result("profile"), scope=await verb.result("scope"))

    async def close(self) -> None:
        """Close the connections of this object; a later verb opens new ones."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
