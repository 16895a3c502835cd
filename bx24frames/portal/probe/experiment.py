"""Experiment: requests that only read, and a verdict on their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast

from bx24frames.engine.messages import JSON
from bx24frames.transport.query import Param, command

Kind = Literal["holds", "differs", "told", "unknown"]
"""``holds``: as documented; ``differs``: otherwise; ``told``: a measurement; ``unknown``: nothing here to try it on."""

NOWHERE: Final = 2_147_483_000
"""An id that no row has."""
NO_NAME: Final = "bx24framesNoSuchField"
NO_TEXT: Final = "bx24frames: no row is called this"
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came, of a request or of a command in a batch.

    `code` is None where the portal did not refuse; `time` is the answer's own ``time``.
    """

    value: JSON = None
    total: int | None = None
    next: int | None = None
    time: Mapping[str, JSON] = field(default_factory=dict)
    code: str | None = None
    text: str = ""
    status: int = 200

    @property
    def sound(self) -> bool:
        """Whether the portal carried the request out."""
        return self.code is None

    def rows(self, key: str | None = None) -> list[Mapping[str, JSON]]:
        """The rows of a list's answer: the answer itself, or what is under `key` in it."""
        found = self.value.get(key) if key is not None and isinstance(self.value, dict) else self.value
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def command(self, label: str) -> Reply:
        """The answer to one command of a batch; the batch's own where it was refused as a whole."""
        if not self.sound:
            return self
        maps = self.value if isinstance(self.value, dict) else {}
        error = _of(maps.get("result_error"), label)
        clock = _of(maps.get("result_time"), label)
        time: Mapping[str, JSON] = clock if isinstance(clock, dict) else {}
        if error is not None:
            return Reply(code=_code(error), text=_text(error), time=time)
        value = _of(maps.get("result"), label)
        totals, nexts = _of(maps.get("result_total"), label), _of(maps.get("result_next"), label)
        return Reply(value, _number(totals), _number(nexts), time)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: a method and its parameters."""

    method: str
    params: Mapping[str, JSON] = field(default_factory=dict)


Commands: TypeAlias = "Mapping[str, tuple[str, Mapping[str, Param]]]"


def batch(commands: Commands) -> Ask:
    """A batch of named commands; one that fails stops none of the others."""
    return Ask("batch", {"halt": 0, "cmd": {label: command(*call) for label, call in commands.items()}})


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the portal before the experiments: the fullest table of items, its description and first page.

    Parameters
    ----------
    type_id : int
        The table's ``entityTypeId``.
    total : int
        Its rows, as the portal counts them.
    rows : sequence of mapping
        The first page, read with ``*``, by ascending id.
    fields : mapping
        Its description, by the names that rows carry.
    profile : mapping
        The credential's user.
    scopes : set of str
    date_start : str
        The portal's clock, of the first answer.
    """

    type_id: int = 2
    total: int = 0
    rows: Sequence[Mapping[str, JSON]] = ()
    fields: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    profile: Mapping[str, JSON] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    date_start: str = ""

    @property
    def classic(self) -> str:
        """The older methods of the same table."""
        return CLASSIC[self.type_id]

    def listing(self, **params: Param) -> tuple[str, Mapping[str, Param]]:
        """A call of ``crm.item.list`` for the table."""
        return "crm.item.list", {"entityTypeId": self.type_id, **params}

    @property
    def admin(self) -> bool:
        """Whether the credential's user is an administrator."""
        return self.profile.get("ADMIN") in (True, "Y", "1", 1)

    @property
    def text(self) -> str:
        """A text that every row of the table has."""
        return _TEXTS[self.type_id]


CLASSIC: Final[Mapping[int, str]] = {2: "crm.deal", 1: "crm.lead", 3: "crm.contact", 4: "crm.company"}
"""``entityTypeId`` of the tables that are tried, and their older methods."""
_TEXTS: Final[Mapping[int, str]] = {2: "title", 1: "title", 3: "lastName", 4: "title"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an experiment showed, without rows and secrets; `learned` is remembered for this portal and credential."""

    kind: Kind
    text: str
    learned: Mapping[str, JSON] = field(default_factory=dict)


Next: TypeAlias = "Callable[[Ground, Sequence[Reply]], Ask | None]"
_Judge: TypeAlias = "Callable[[Ground, Sequence[Reply]], Verdict]"


@dataclass(frozen=True, slots=True)
class Experiment:
    """One thing tried on a portal.

    Parameters
    ----------
    name : str
        In the table; short.
    subject : str
        What it is about: names, conditions, clock, paging, limits, rights.
    ask : callable
        The next request, given the ground and the answers so far; None where they are enough. None in its place: what
        is known before the experiments tells it all.
    judge : callable
        What the answers show. It is not called where there are none, or where one is a refusal and `refusals` does
        not say that a refusal is an answer too.
    refusals : bool
    """

    name: str
    subject: str
    ask: Next | None
    judge: _Judge
    refusals: bool = False


def once(make: Callable[[Ground], Ask | None]) -> Next:
    """A single request."""
    return lambda ground, replies: None if replies else make(ground)


def counted(reply: Reply, key: str | None = None) -> int:
    """Rows of a list: the total in its answer, or else the rows received."""
    return reply.total if reply.total else len(reply.rows(key))


UNTRIED: Final = Verdict("unknown", "nothing to try it on")


def number_of(value: JSON) -> int | None:
    """An id, which the older methods print as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if str(value).lstrip("-").isdigit() else None


def _of(found: JSON, label: str) -> JSON:
    """An entry of one of a batch's maps, which PHP prints as ``[]`` where it is empty."""
    return found.get(label) if isinstance(found, dict) else None


def _number(value: JSON) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _code(error: JSON) -> str:
    return str(error.get("error", "")) if isinstance(error, dict) else str(error)


def _text(error: JSON) -> str:
    return str(error.get("error_description", "")) if isinstance(error, dict) else ""


def read_reply(data: JSON, status: int) -> Reply:
    """An answer's JSON, of either generation of the interface."""
    if not isinstance(data, dict):
        return Reply(code="NO_ANSWER", text="it is no answer of a portal's REST", status=status)
    clock = cast("Mapping[str, JSON]", data.get("time") if isinstance(data.get("time"), dict) else {})
    error = data.get("error")
    if error is not None and "result" not in data:
        nested = (
            error if isinstance(error, dict) else {"error": error, "error_description": data.get("error_description")}
        )
        code = str(nested.get("code") or nested.get("error") or "")
        text = str(nested.get("message") or nested.get("error_description") or "")
        return Reply(code=code, text=text, time=clock, status=status)
    return Reply(data.get("result"), _number(data.get("total")), _number(data.get("next")), clock, status=status)
