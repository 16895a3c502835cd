"""Experiments on conditions: what each list does with a name or an operator it may not know.

Every condition tried can hold for no row, so that rows which come all the same prove that it was left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bx24frames.engine.messages import JSON
from bx24frames.portal.probe.experiment import (
    NO_NAME,
    NO_TEXT,
    NOWHERE,
    UNTRIED,
    Ask,
    Experiment,
    Ground,
    Reply,
    Verdict,
    batch,
    counted,
    number_of,
    once,
)
from bx24frames.transport.query import Param

Fate = Literal["honoured", "ignored", "refused", "empty"]
"""``empty``: the list has no rows, so that the forms cannot be distinguished."""
FUTURE: Final = "2999-01-01T00:00:00+00:00"
PAST: Final = "2000-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Tried:
    """A list whose conditions are tried.

    Parameters
    ----------
    method : str
        Empty is the older method of the ground's table.
    rows : str or None
        Where its rows are in the answer.
    id, text : str
        Names of its id and of a text.
    filter : str
        The parameter that carries conditions.
    params : mapping
        What it wants besides.
    where : mapping
        Conditions that every request to it carries.
    prefixes : tuple of str
        Those its documentation names, of the ones that are tried: only these are held against it.
    unknown : Fate
        What its documentation says of a name that it does not know.
    """

    method: str
    rows: str | None
    id: str
    text: str
    filter: str = "filter"
    params: Mapping[str, Param] = field(default_factory=dict)
    where: Mapping[str, Param] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ("=", "@", "=%", "%")
    unknown: Fate = "ignored"


# documentation: https://apidocs.bitrix24.com, the pages of these lists
_LISTS: Final = (
    Tried("crm.item.list", "items", "id", "", unknown="refused"),
    Tried("", None, "ID", ""),
    Tried("user.get", None, "ID", "NAME", "FILTER"),
    Tried("tasks.task.list", "tasks", "ID", "TITLE", prefixes=("", "%")),
    Tried("sonet_group.get", None, "ID", "NAME", "FILTER", prefixes=("=", "%")),
    Tried("crm.product.list", None, "ID", "NAME"),
)
GOODS: Final = Tried(
    "catalog.product.list",
    "products",
    "id",
    "name",
    params={"select": ["id", "iblockId"]},
    unknown="refused",
)


def _named(tried: Tried, ground: Ground) -> Tried:
    """The list with the names of the ground's table, where it is one of that table's."""
    if tried.text:
        return tried
    if tried.method:
        return replace(tried, text=ground.text, params={"entityTypeId": ground.type_id})
    upper = {"title": "TITLE", "lastName": "LAST_NAME"}[ground.text]
    return replace(tried, method=f"{ground.classic}.list", text=upper)


def _forms(tried: Tried) -> dict[str, Mapping[str, Param]]:
    """Conditions that hold for no row, by what is tried with them."""
    return {
        "unknown name": {NO_NAME: 1},
        "": {tried.id: NOWHERE},
        "=": {f"={tried.id}": NOWHERE},
        "@": {f"@{tried.id}": [NOWHERE, NOWHERE + 1]},
        "=%": {f"=%{tried.text}": f"%{NO_TEXT}%"},
        "%": {f"%{tried.text}": NO_TEXT},
    }


def _ask(tried: Tried, ground: Ground) -> Ask:
    tried = _named(tried, ground)
    every = {**tried.params, tried.filter: dict(tried.where)} if tried.where else dict(tried.params)
    commands = {"all": (tried.method, every)}
    for place, condition in enumerate(_forms(tried).values()):
        commands[f"c{place}"] = (tried.method, {**tried.params, tried.filter: {**tried.where, **condition}})
    return batch(commands)


def _ask_goods(ground: Ground, replies: Sequence[Reply]) -> Ask | None:
    """First a catalogue: the list wants one named."""
    if not replies:
        return Ask("catalog.catalog.list")
    found = [row.get("iblockId") for row in replies[0].rows("catalogs")]
    number = number_of(found[0]) if found else None
    return None if len(replies) > 1 or number is None else _ask(replace(GOODS, where={"iblockId": number}), ground)


def _goods(ground: Ground, replies: Sequence[Reply]) -> Verdict:
    return _judged(GOODS, ground, replies[1:]) if len(replies) > 1 else Verdict("unknown", "no catalogue")


def _judged(tried: Tried, ground: Ground, replies: Sequence[Reply]) -> Verdict:
    tried = _named(tried, ground)
    every = replies[0].command("all")
    if not every.sound:
        return Verdict("unknown", f"the list is refused: {every.code or every.text[:40]}")
    whole = counted(every, tried.rows)
    fates: dict[str, Fate] = {
        form: fate(replies[0].command(f"c{place}"), tried.rows, whole) for place, form in enumerate(_forms(tried))
    }
    if not whole:
        return UNTRIED
    learned: Mapping[str, JSON] = {"conditions": {tried.method: dict(fates)}}
    told = _expected(tried)
    kind: Literal["holds", "differs"] = "holds" if told == {form: fates[form] for form in told} else "differs"
    lost = [_said(form or "no prefix", got) for form, got in fates.items() if got != "honoured"]
    return Verdict(kind, "; ".join(lost) or "every condition is honoured", learned)


def _said(form: str, got: Fate) -> str:
    """What became of a form of conditions, in words."""
    return {
        "honoured": f"{form} in a condition is honoured",
        "ignored": f"{form} in a condition is ignored",
        "refused": f"{form} in a condition is refused",
        "empty": f"{form} in a condition has nothing to be tried on",
    }[got]


def _expected(tried: Tried) -> dict[str, Fate]:
    """What the list's documentation says; of other forms it says nothing."""
    return {"unknown name": tried.unknown, **dict.fromkeys(tried.prefixes, "honoured")}


def fate(reply: Reply, rows: str | None, whole: int) -> Fate:
    """What became of a condition that holds for no row, in a list of so many rows."""
    if not reply.sound:
        return "refused"
    if not whole:
        return "empty"
    return "ignored" if counted(reply, rows) else "honoured"


def _experiment(tried: Tried) -> Experiment:
    name = tried.method or "crm.deal.list (older)"
    return Experiment(
        name,
        "conditions",
        once(lambda ground: _ask(tried, ground)),
        lambda ground, replies: _judged(tried, ground, replies),
    )


def _ask_links(ground: Ground) -> Ask | None:
    """`contactIds`, a field of several values: https://apidocs.bitrix24.com/api-reference/crm/universal."""
    calls = {
        "bare": ground.listing(select=["id"], filter={"contactIds": [NOWHERE]}),
        "prefixed": ground.listing(select=["id"], filter={"@contactIds": [NOWHERE]}),
    }
    return batch(calls) if "contactIds" in ground.fields and ground.total else None


def _links(_: Ground, replies: Sequence[Reply]) -> Verdict:
    fates: dict[str, Fate] = {label: fate(replies[0].command(label), "items", 1) for label in ("bare", "prefixed")}
    kind: Literal["holds", "differs"] = "holds" if set(fates.values()) == {"honoured"} else "differs"
    text = f"{_said('without a prefix', fates['bare'])}; {_said('with a prefix', fates['prefixed'])}"
    return Verdict(kind, text, {"links_prefixed": fates["prefixed"] == "honoured"})


def _ask_users(_: Ground) -> Ask:
    return batch(
        {
            "all": ("user.get", {}),
            "past": ("user.get", {"FILTER": {">=DATE_REGISTER": PAST}}),
            "future": ("user.get", {"FILTER": {">=DATE_REGISTER": FUTURE}}),
        }
    )


def _users(_: Ground, replies: Sequence[Reply]) -> Verdict:
    every, past, future = (counted(replies[0].command(label)) for label in ("all", "past", "future"))
    if not every:
        return UNTRIED
    if past and not future:
        return Verdict("holds", "moments are understood", {"user_dates": True})
    text = "none comes for a day long past" if not past else "all come for a day to come"
    return Verdict("differs", f"moments are not understood: {text}", {"user_dates": False})


def _ask_moments(ground: Ground) -> Ask | None:
    calls = {
        "list": ground.listing(select=["id"], filter={"@createdTime": [PAST, "2000-01-02T00:00:00+00:00"]}),
        "after": ground.listing(select=["id"], filter={">createdTime": FUTURE}),
    }
    return batch(calls) if ground.total else None


def _moments(_: Ground, replies: Sequence[Reply]) -> Verdict:
    fates: dict[str, Fate] = {label: fate(replies[0].command(label), "items", 1) for label in ("list", "after")}
    kind: Literal["holds", "differs"] = "holds" if set(fates.values()) == {"honoured"} else "differs"
    return Verdict(
        kind,
        f"{_said('a list of moments', fates['list'])}; {_said('>', fates['after'])}",
        {"moment_lists": fates["list"]},
    )


CONDITIONS: Final = (
    *map(_experiment, _LISTS),
    Experiment("catalog.product.list", "conditions", _ask_goods, _goods),
    Experiment("contactIds", "conditions", once(_ask_links), _links),
    Experiment("moments of user.get", "conditions", once(_ask_users), _users),
    Experiment("lists of moments", "conditions", once(_ask_moments), _moments),
)
