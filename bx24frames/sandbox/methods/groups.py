"""Members of workgroups and single workgroups, ``sonet_group.user.*``, ``socialnetwork.api.workgroup.get``
(https://apidocs.bitrix24.com/api-reference/sonet-group/).
"""

from __future__ import annotations

from typing import Final

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import map_of, names_of
from bx24frames.sandbox.methods.work import NO_GROUP
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import Row

OWNER, MODERATOR, MEMBER, ASKED = "A", "E", "K", "Z"
ROLES: Final = (MODERATOR, MEMBER)
GROUP_SCOPE: Final = "sonet_group"
WRONG_USERS: Final = MethodError("", "Wrong user IDs")
_LISTED: Final = ("NAME", "DESCRIPTION", "KEYWORDS", "ACTIVE", "VISIBLE", "OPENED", "CLOSED", "PROJECT", "LANDING")
API_EMPTY: Final = MethodError("SONET_CONTROLLER_WORKGROUP_EMPTY", "Не указан идентификатор рабочей группы.")
API_ABSENT: Final = MethodError("SONET_CONTROLLER_WORKGROUP_NOT_FOUND", "Рабочая группа не найдена.")
_FEATURES: Final = ("blog", "calendar", "chat", "files", "forum", "group_lists", "landing_knowledge", "marketplace",
                   "photo", "search", "tasks")  # fmt: skip


def members(row: Row, context: Context) -> dict[str, str]:
    """Roles in a group by user id; a seeded group has as many members as its count says."""
    if row["members"]:
        found: dict[str, str] = orjson.loads(row["members"])
        return found
    users = [one for (one,) in context.store.query('SELECT id FROM "user" ORDER BY id')]
    chosen = [row["ownerId"], *(one for one in users if one != row["ownerId"])][: row["numberOfMembers"] or 1]
    return {str(one): MEMBER if place else OWNER for place, one in enumerate(chosen)}


def _group(params: Params, context: Context) -> Row:
    number = php_int(params.get("GROUP_ID", params.get("ID")))
    if number <= 0:
        raise MethodError("", "Wrong group ID")
    row = context.store.row("workgroup", number)
    if row is None:
        raise NO_GROUP
    return row


def _users(params: Params, context: Context) -> list[str]:
    """Ids of the named users that exist, as text."""
    wanted = [php_text(one) for one in values_of(params.get("USER_ID"))]
    known = [one for one in wanted if context.store.row("user", php_int(one)) is not None]
    if not known:
        raise WRONG_USERS
    return known


def _keep(row: Row, people: dict[str, str], context: Context) -> None:
    count = sum(role != ASKED for role in people.values())
    changed = {"members": orjson.dumps(people).decode(), "numberOfMembers": count}
    context.store.update_row("workgroup", row["id"], changed | {"dateUpdate": context.store.local_time(context.now)})
    context.writes += 1


@method("sonet_group.user.get", GROUP_SCOPE)
def list_members(params: Params, context: Context) -> Result:
    """The members of one workgroup, unpaged: A its owner, E moderators, K the others."""
    row = context.store.row("workgroup", php_int(params.get("ID", params.get("id"))))
    if row is None:
        raise NO_GROUP
    people = {user: role for user, role in members(row, context).items() if role != ASKED}
    context.rows += len(people)
    return Result([{"USER_ID": user, "ROLE": role} for user, role in people.items()])


@method("sonet_group.user.add", GROUP_SCOPE)
def add_members(params: Params, context: Context) -> Result:
    """Add users to a group without invitation; returns those added."""
    row, users = _group(params, context), _users(params, context)
    people = members(row, context)
    fresh = [user for user in users if people.get(user, ASKED) == ASKED]
    _keep(row, people | dict.fromkeys(fresh, MEMBER), context)
    return Result(fresh)


@method("sonet_group.user.invite", GROUP_SCOPE)
def invite_members(params: Params, context: Context) -> Result:
    """Invite users; returns those invited."""
    row, users = _group(params, context), _users(params, context)
    people = members(row, context)
    fresh = [user for user in users if user not in people]
    _keep(row, people | dict.fromkeys(fresh, ASKED), context)
    return Result(fresh)


@method("sonet_group.user.request", GROUP_SCOPE)
def ask_to_join(params: Params, context: Context) -> Result:
    """Request membership; an open group accepts at once."""
    row, user = _group(params, context), str(context.user_id)
    people = members(row, context)
    if people.get(user, ASKED) != ASKED:
        raise MethodError("", "Cannot request to join group")
    _keep(row, people | {user: MEMBER if row["opened"] == "Y" else ASKED}, context)
    return Result(value=True)


@method("sonet_group.user.update", GROUP_SCOPE)
def change_roles(params: Params, context: Context) -> Result:
    """Make members moderators, or moderators members; returns those changed."""
    row, role = _group(params, context), php_text(params.get("ROLE"))
    if role not in ROLES:
        raise MethodError("", "Incorrect role code")
    people = members(row, context)
    users = [user for user in _users(params, context) if people.get(user, OWNER) not in (OWNER, ASKED)]
    _keep(row, people | dict.fromkeys(users, role), context)
    return Result(users)


@method("sonet_group.user.delete", GROUP_SCOPE)
def delete_members(params: Params, context: Context) -> Result:
    """Remove members from a group, except the owner; returns those removed."""
    row, people = _group(params, context), {}
    people = members(row, context)
    users = [user for user in _users(params, context) if people.get(user, OWNER) != OWNER]
    _keep(row, {user: role for user, role in people.items() if user not in users}, context)
    return Result(users)


@method("sonet_group.user.groups", GROUP_SCOPE)
def list_own_groups(_: Params, context: Context) -> Result:
    """The groups of the caller, with the role in each."""
    user, found = str(context.user_id), []
    for (number,) in context.store.query("SELECT id FROM workgroup ORDER BY id"):
        row = context.store.row("workgroup", number) or {}
        role = members(row, context).get(user)
        if role:
            found.append({"GROUP_ID": str(number), "GROUP_NAME": row["name"], "ROLE": role, "GROUP_IMAGE_ID": None,
                          "GROUP_IMAGE": ""})  # fmt: skip
    context.rows += len(found)
    return Result(found)


@method("sonet_group.setowner", GROUP_SCOPE)
def change_owner(params: Params, context: Context) -> Result:
    """Change the owner of a group; the previous one becomes a moderator."""
    row, (user, *_) = _group(params, context), _users(params, context)
    people = members(row, context)
    before = {one: MODERATOR for one, role in people.items() if role == OWNER}
    context.store.update_row("workgroup", row["id"], {"ownerId": int(user)})
    _keep(row, {**people, **before, user: OWNER}, context)
    return Result(value=True)


@method("sonet_group.feature.access", GROUP_SCOPE)
def may_use(params: Params, context: Context) -> Result:
    """Whether the caller may use a feature of a group."""
    row = _group(params, context)
    if php_text(params.get("FEATURE")) not in _FEATURES:
        raise MethodError("", "Wrong feature")
    if not php_text(params.get("OPERATION")):
        raise MethodError("", "Wrong operation")
    return Result(members(row, context).get(str(context.user_id), ASKED) != ASKED or context.is_admin)


@method("socialnetwork.api.workgroup.get", "socialnetwork")
def get_group(params: Params, context: Context) -> Result:
    """One workgroup: always its columns, on request its members and tags."""
    given = map_of(params.get("params"))
    number = php_int(given.get("groupId"))
    if number <= 0:
        raise API_EMPTY
    row = context.store.row("workgroup", number)
    if row is None:
        raise API_ABSENT
    people = members(row, context)
    moments = {
        code: _site(row[name])
        for code, name in (
            ("DATE_CREATE", "dateCreate"), ("DATE_UPDATE", "dateUpdate"), ("DATE_ACTIVITY", "dateActivity"),
            ("PROJECT_DATE_START", "projectDateStart"), ("PROJECT_DATE_FINISH", "projectDateFinish"),
        )
    }  # fmt: skip
    by_role = {role: [int(user) for user, one in people.items() if one == role] for role in "AEKZ"}
    tags = [one.strip() for one in php_text(row["keywords"]).split(",") if one.strip()]
    found = {
        "ID": number, "SITE_ID": row["siteId"], "SUBJECT_ID": row["subjectId"],
        **{name: row[_column(name)] for name in _LISTED}, **moments, "IMAGE_ID": row["imageId"] or 0,
        "AVATAR_TYPE": row["avatarType"], "OWNER_ID": row["ownerId"], "INITIATE_PERMS": row["initiatePerms"] or "K",
        "NUMBER_OF_MEMBERS": row["numberOfMembers"], "NUMBER_OF_MODERATORS": len(by_role["E"]) + 1,
        "SEARCH_INDEX": php_text(row["name"]), "SCRUM_OWNER_ID": row["scrumOwnerId"] or 0, "SCRUM_SPRINT_DURATION": 0,
        "SCRUM_TASK_RESPONSIBLE": "", "TYPE": row["type"] or "group",
        "MEMBERS": by_role["A"] + by_role["E"] + by_role["K"], "CHAT_ID": 1000 + number,
        "DIALOG_ID": f"chat{1000 + number}", "ORDINARY_MEMBERS": by_role["K"], "INVITED_MEMBERS": by_role["Z"],
        "MODERATOR_MEMBERS": by_role["E"], "SITE_IDS": [row["siteId"]],
    }  # fmt: skip
    more = {"TAGS": tags, "DEPARTMENTS": [], "NUMBER_OF_MEMBERS_PLURAL": 0}
    select = names_of(given.get("select"))
    return Result(found | {name: value for name, value in more.items() if name in select})


def _column(code: str) -> str:
    return code.lower()


def _site(text: str | None) -> str | None:
    if not text:
        return None
    day, _, time = text.partition("T")
    return f"{'.'.join(reversed(day.split('-')))} {time[:8]}"
