"""Experiments on names: what a select brings, and under which names user fields are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

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
    once,
)
from bx24frames.transport.query import Param

MOST: Final = 25
"""User fields that are tried: two commands each, within one batch."""
_UNEVEN: Final = re.compile("_|[A-Z]{2}")
"""What stands in names that were made of codes like no other: their digits and letters are mixed."""
OLDEST_FIRST: Final[Mapping[str, JSON]] = {"id": "ASC"}


def _page(ground: Ground, select: Sequence[str], *, flag: bool) -> Ask | None:
    if not ground.rows:
        return None
    more: Mapping[str, JSON] = {"useOriginalUfNames": "Y"} if flag else {}
    return Ask(*_listed(ground, select=list(select), order=dict(OLDEST_FIRST), start=-1, **more))


def _listed(ground: Ground, **params: JSON) -> tuple[str, Mapping[str, JSON]]:
    return "crm.item.list", {"entityTypeId": ground.type_id, **params}


def _user_fields(ground: Ground) -> dict[str, str]:
    """Names that rows carry of user fields, and the fields' codes."""
    found = {name: str(field.get("upperName") or "") for name, field in ground.fields.items()}
    return {name: code for name, code in found.items() if code.startswith("UF_")}


def _came(replies: Sequence[Reply], wanted: Sequence[str]) -> tuple[list[str], int]:
    """The wanted keys that no row has, and how many rows came."""
    rows = replies[0].rows("items") if replies[0].sound else []
    bare = replies[0].value.get("items") if isinstance(replies[0].value, dict) else None
    return [name for name in wanted if not any(name in row for row in rows)], len(bare) if isinstance(bare, list) else 0


def _narrow(_: Ground, replies: Sequence[Reply]) -> Verdict:
    absent, rows = _came(replies, ["id", "createdTime"])
    if not rows:
        return UNTRIED
    if absent:
        return Verdict("differs", f"selected by name, and not in the rows: {', '.join(absent)}", {"select": "*"})
    return Verdict("holds", "brings what is named", {"select": "names"})


def _narrow_flag(_: Ground, replies: Sequence[Reply]) -> Verdict:
    absent, rows = _came(replies, ["id", "createdTime"])
    if not rows:
        return UNTRIED
    if absent:
        return Verdict("differs", "useOriginalUfNames drops the fields of the system", {"flag_select": False})
    return Verdict("holds", "brings what is named", {"flag_select": True})


def _star_flag(ground: Ground, replies: Sequence[Reply]) -> Verdict:
    codes = list(_user_fields(ground).values())
    absent, rows = _came(replies, ["id", "createdTime"])
    missing, _ = _came(replies, codes)
    if not rows:
        return UNTRIED
    if absent or (codes and len(missing) == len(codes)):
        return Verdict("differs", f"not in the rows: {', '.join((absent or missing)[:4])}", {"flag_star": False})
    return Verdict("holds", f"whole rows, {len(codes)} user fields by their codes", {"flag_star": True})


def _tried(ground: Ground) -> list[str]:
    """Names of user fields, the likeliest not to be understood first."""
    return sorted(_user_fields(ground), key=lambda name: _UNEVEN.search(name) is None)[:MOST]


def _ask_spellings(ground: Ground) -> Ask | None:
    """Whether a condition finds a user field under the name that rows carry, with a prefix and without one."""
    names = _tried(ground)
    if not names:
        return None
    commands = {}
    for place, name in enumerate(names):
        for label, prefix in (("p", "="), ("b", "")):
            condition: dict[str, Param] = {f"{prefix}{name}": NO_TEXT, "id": NOWHERE}
            commands[f"{label}{place}"] = ground.listing(select=["id"], filter=condition, start=-1)
    return batch(commands)


def _spellings(ground: Ground, replies: Sequence[Reply]) -> Verdict:
    names = _tried(ground)
    if not names:
        return Verdict("unknown", "no user fields to try it on")
    refused = {
        label: [name for place, name in enumerate(names) if _unknown(replies[0].command(f"{label}{place}"))]
        for label in ("p", "b")
    }
    codes = _user_fields(ground)
    learned: Mapping[str, JSON] = {"prefixed_refused": [codes[name] for name in refused["p"]]}
    if not refused["p"] and not refused["b"]:
        return Verdict("holds", f"{len(names)} user fields are found with a prefix and without", learned)
    text = f"of {len(names)} user fields {len(refused['p'])} refused with a prefix, {len(refused['b'])} without"
    return Verdict("differs", text, learned)


def _unknown(reply: Reply) -> bool:
    """Whether a condition's name was refused, and not its value."""
    return not reply.sound and "not allowed in filter" in reply.text


def _ask_group(ground: Ground) -> Ask | None:
    codes = list(_user_fields(ground).values())
    if not codes:
        return None
    group: dict[str, JSON] = {"logic": "OR", "0": {f"={codes[0]}": NO_TEXT}, "1": {"=id": NOWHERE}}
    return Ask(*_listed(ground, select=["id"], filter={"0": group}, useOriginalUfNames="Y", start=-1))


def _group(_: Ground, replies: Sequence[Reply]) -> Verdict:
    if replies[0].sound:
        return Verdict("holds", "taken", {"flag_group": True})
    return Verdict("differs", f"refused: {replies[0].code}", {"flag_group": False})


def _stranger(_: Ground, replies: Sequence[Reply]) -> Verdict:
    if not replies[0].sound:
        return Verdict("told", f"refused: {replies[0].code}")
    return Verdict("told", "is left out without a word")


def _undescribed(ground: Ground, _: Sequence[Reply]) -> Verdict:
    if not ground.rows:
        return UNTRIED
    keys = {key for row in ground.rows for key in row}
    more = sorted(
        key for key in keys - {"entityTypeId"} if key not in ground.fields and not key.lower().startswith("uf")
    )
    never = sorted(key for key in ground.fields if key not in keys and not key.lower().startswith("uf"))
    parts = []
    if more:
        parts.append(f"in rows, not described: {_some(more)}")
    if never:
        parts.append(f"described, in no row: {_some(never)}")
    return Verdict("differs", "; ".join(parts)) if parts else Verdict("holds", "the same on both sides")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _required(ground: Ground, _: Sequence[Reply]) -> Verdict:
    if not ground.fields:
        return Verdict("unknown", "no description")
    named = sorted(name for name, field in ground.fields.items() if field.get("isRequired") in (True, "Y"))
    plain = [name for name in named if not name.lower().startswith("uf")]
    learned: Mapping[str, JSON] = {"required": list(plain)}
    if not plain:
        return Verdict("holds", "no field of the system is said to be required", learned)
    return Verdict("differs", f"said to be required: {_some(plain)}; an add may demand less", learned)


def _table(ground: Ground, _: Sequence[Reply]) -> Verdict:
    return Verdict("told", f"the fullest, {ground.classic}: {ground.total:,} rows, {len(ground.fields)} fields")


NAMES: Final = (
    Experiment("table that is tried", "names", None, _table),
    Experiment("select by names", "names", once(lambda g: _page(g, ["id", "createdTime"], flag=False)), _narrow),
    Experiment(
        "select + original names",
        "names",
        once(lambda g: _page(g, ["id", "createdTime"], flag=True)),
        _narrow_flag,
    ),
    Experiment("* + original names", "names", once(lambda g: _page(g, ["*"], flag=True)), _star_flag),
    Experiment("user fields in conditions", "names", once(_ask_spellings), _spellings),
    Experiment("UF_ codes inside groups", "names", once(_ask_group), _group, refusals=True),
    Experiment(
        "unknown name in select",
        "names",
        once(lambda g: _page(g, ["id", NO_NAME], flag=False)),
        _stranger,
        refusals=True,
    ),
    Experiment("rows and their description", "names", None, _undescribed),
    Experiment("required fields", "names", None, _required),
)
