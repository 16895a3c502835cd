"""Findings of probes, cached for the credential under the name ``probe`` of its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, cast

from bx24frames.entities.schema import Family

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.probe.experiment import Verdict

_KEY: Final = "probe"
"""The name in `Connection.metadata`."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of one portal for one credential; None where a probe did not find it out.

    Parameters
    ----------
    select : str or None
        ``"names"`` where ``crm.item.list`` brings what is selected by name, ``"*"`` where it does not.
    flag_select, flag_star, flag_group : bool or None
        Whether ``useOriginalUfNames`` goes together with a select by names, with ``*``, with groups of conditions.
    prefixed_refused : tuple of str
        Codes of user fields that no condition with a prefix finds under the name that rows carry.
    shift_minutes : int or None
        How far ``crm.item.list`` moves a bound: it selects from that much earlier than written.
    server_offset : int or None
        Seconds of the server's clock east of UTC.
    generation : str or None
        Of the limiter: ``"nested"``, ``"batch"`` or ``"none"``.
    page_seconds : mapping of str to float
        By family: ``item in a batch``, ``item alone``, ``older in a batch``, ``older alone``.
    conditions : mapping of str to mapping
        By method, what becomes of each form: ``honoured``, ``ignored``, ``refused``.
    admin, types, rest3 : bool or None
        The credential is an administrator's; ``crm.type.list`` answers it; REST 3.0 is there.
    """

    select: str | None = None
    flag_select: bool | None = None
    flag_star: bool | None = None
    flag_group: bool | None = None
    prefixed_refused: tuple[str, ...] = ()
    shift_minutes: int | None = None
    server_offset: int | None = None
    generation: str | None = None
    page_seconds: Mapping[str, float] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    admin: bool | None = None
    types: bool | None = None
    rest3: bool | None = None

    @classmethod
    def read(cls, answer: JSON) -> Self:
        """From what `gathered` made, in this process or an earlier one."""
        found = answer if isinstance(answer, dict) else {}
        known = {name: found[name] for name in cls.__slots__ if found.get(name) is not None}
        refused = known.pop("prefixed_refused", [])
        codes = tuple(str(code) for code in refused) if isinstance(refused, list) else ()
        return cls(prefixed_refused=codes, **cast("dict[str, object]", known))  # type: ignore[arg-type]


def gathered(verdicts: Iterable[Verdict]) -> dict[str, JSON]:
    """What all the experiments have shown, as one answer to be kept."""
    found: dict[str, JSON] = {}
    for verdict in verdicts:
        for name, value in verdict.learned.items():
            before = found.get(name)
            found[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return found


async def remember(connection: Connection, answer: dict[str, JSON]) -> Learned:
    """Keep what was shown, in place of what was known before."""

    async def ask() -> JSON:
        return answer

    connection.metadata.forget(_KEY)
    return await connection.metadata.recall(_KEY, ask, Learned.read)


PRICES: Final[Mapping[Family, str]] = {Family.ITEM: "item in a batch", Family.CLASSIC: "older in a batch"}
"""Which of the measured pages those of a family are, where many are read."""


def probed_page_seconds(connection: Connection, family: Family) -> float | None:
    """Seconds of the portal's work that a probe has measured a page of such a list at; None where none has."""
    known = recalled(connection)
    return None if known is None else known.page_seconds.get(PRICES.get(family, ""))


def charged_by_batch(connection: Connection) -> bool:
    """Whether a probe has seen that the portal charges a batch instead of its methods."""
    known = recalled(connection)
    return known is not None and known.generation == "batch"


def recalled(connection: Connection) -> Learned | None:
    """What an earlier process was shown, however long ago; None where nobody has probed. Nothing is asked."""
    return connection.metadata.kept(_KEY, Learned.read)
