"""Experiments on rights: what the credential may not see, and which parts of the interface are there for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from bx24frames.portal.probe.experiment import Ask, Experiment, Ground, Reply, Verdict, batch, counted, once


def _who(ground: Ground, _: Sequence[Reply]) -> Verdict:
    if not ground.profile:
        return Verdict("unknown", "the portal does not say who asks")
    if ground.admin:
        return Verdict("told", "an administrator's", {"admin": True})
    return Verdict("told", "not an administrator's: rows it may not see are left out of every list", {"admin": False})


def _scopes(ground: Ground, _: Sequence[Reply]) -> Verdict:
    known = ("crm", "user", "task", "catalog", "sonet_group", "lists", "disk", "telephony")
    lacking = [name for name in known if not any(name == scope or name in scope for scope in ground.scopes)]
    if not lacking:
        return Verdict("told", f"{len(ground.scopes)} scopes")
    return Verdict("told", f"{len(ground.scopes)} scopes; without {', '.join(lacking)}")


def _types(ground: Ground, replies: Sequence[Reply]) -> Verdict:
    if replies[0].sound:
        return Verdict("holds", "told to this credential", {"types": True})
    kind: Literal["told", "differs"] = "told" if ground.admin else "differs"
    return Verdict(kind, f"refused ({replies[0].code}): smart processes go by their number", {"types": False})


def _ask_users(_: Ground) -> Ask:
    return batch({"plain": ("user.get", {}), "all": ("user.get", {"ADMIN_MODE": True})})


def _users(_: Ground, replies: Sequence[Reply]) -> Verdict:
    plain, every = (counted(replies[0].command(label)) for label in ("plain", "all"))
    if not plain:
        return Verdict("unknown", replies[0].command("plain").code or "no user comes")
    if every > plain:
        return Verdict("differs", f"{every - plain} users come with ADMIN_MODE alone", {"hidden_users": every - plain})
    return Verdict("holds", "ADMIN_MODE brings no more of them", {"hidden_users": 0})


def _ask_groups(_: Ground) -> Ask:
    return batch({"plain": ("sonet_group.get", {}), "all": ("sonet_group.get", {"IS_ADMIN": "Y"})})


def _groups(_: Ground, replies: Sequence[Reply]) -> Verdict:
    if not replies[0].command("all").sound:
        return Verdict("unknown", f"refused: {replies[0].command('all').code}")
    plain, every = (counted(replies[0].command(label)) for label in ("plain", "all"))
    if not every:
        return Verdict("unknown", "no groups to try it on")
    if every > plain:
        return Verdict("differs", f"{every - plain} groups come with IS_ADMIN alone", {"hidden_groups": every - plain})
    return Verdict("holds", "IS_ADMIN brings no more of them", {"hidden_groups": 0})


def _rest3(_: Ground, replies: Sequence[Reply]) -> Verdict:
    if replies[0].sound:
        return Verdict("told", "it answers", {"rest3": True})
    code = (replies[0].code or "").lower()
    if replies[0].status == 404 or "not_found" in code or "notfound" in code or "no_answer" in code:
        return Verdict("told", f"it is not there ({replies[0].code})", {"rest3": False})
    return Verdict("told", f"it is there, and refuses tasks: {replies[0].code}", {"rest3": True})


RIGHTS: Final = (
    Experiment("credential", "rights", None, _who),
    Experiment("scopes", "rights", None, _scopes),
    Experiment("list of smart processes", "rights", once(lambda _: Ask("crm.type.list")), _types, refusals=True),
    Experiment("users that are hidden", "rights", once(_ask_users), _users),
    Experiment("groups that are hidden", "rights", once(_ask_groups), _groups),
    Experiment(
        "REST 3.0",
        "rights",
        once(lambda _: Ask("api/tasks.task.list", {"select": ["id"], "pagination": {"limit": 1}})),
        _rest3,
        refusals=True,
    ),
)
