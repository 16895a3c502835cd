"""Users and departments: ``user.get``, ``user.current``, ``user.fields``, ``department.get``
(https://apidocs.bitrix24.com/api-reference/user/).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text, printed_date
from bx24frames.sandbox.fields.field import Kind
from bx24frames.sandbox.filters.base import Fragment, WhereClause
from bx24frames.sandbox.filters.classic import table_conditions
from bx24frames.sandbox.methods.arguments import classic_map
from bx24frames.sandbox.methods.declarations import USER_FIELDS
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.methods.plain import Desk
from bx24frames.sandbox.paging import PageWindow
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, read_rows
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import STRUCTURE
from bx24frames.sandbox.store.tables import TABLES
from bx24frames.sandbox.zones import zone_name

PEOPLE: Final = TABLES["user"]
SCOPES: Final = ("user", "user_brief", "user_basic")
SELECTION: Final = Selection("classic", tuple((spec.code, spec) for spec in PEOPLE.fields))
_RESERVED: Final = frozenset({"sort", "order", "SORT", "ORDER", "FILTER", "filter", "ADMIN_MODE", "select", "SELECT"})

_PICTURES: Final = ("PERSONAL_PHOTO", "WORK_LOGO")
"""Files that are printed as addresses and written as a name with base64 content."""
SEARCHED: Final = ("NAME", "LAST_NAME", "EMAIL", "WORK_POSITION")


def _read(context: Context, where: Fragment, tail: str) -> list[dict[str, Any]]:
    found = read_rows(context.store, PEOPLE, SELECTION, f"{where.sql} {tail}", where.params)
    context.rows += len(found)
    declared = USER_FIELDS.read(context.store, [row_id for row_id, _ in found])
    zone = context.store.server_zone
    return [_printed(_with_day(row, zone) | declared.get(row_id, {})) for row_id, row in found]


def _address(file: dict[str, Any] | None) -> str | None:
    return None if file is None else f"https://example.com/upload/main/{file['id']}.jpg"


REGISTERED: Final = "DATE_REGISTER"
"""A moment that is printed as a date (rest module: lib/api/user.php, getUserData)."""
RAW: Final = ("TIMESTAMP_X", "LAST_ACTIVITY_DATE")
"""Date-times that a list prints as empty objects (rest module: lib/api/user.php; docs: user-get.md, its sample)."""
MOMENTS: Final = frozenset(spec.code for spec in PEOPLE.fields if spec.kind is Kind.DATETIME)


def _with_day(row: dict[str, Any], zone: str) -> dict[str, Any]:
    moment = row[REGISTERED]
    return row | {REGISTERED: printed_date(moment[: len("2026-01-31")], zone)} if moment else row


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    """Which keys a user has varies."""
    row |= {name: _address(row[name]) for name in _PICTURES}
    return {key: value for key, value in row.items() if value is not None} | {key: {} for key in RAW}


def _where(conditions: dict[str, Any], context: Context) -> WhereClause:
    """Conditions as SQL; date-times that the portal does not understand become empty strings."""
    moments = [key for key in conditions if key.lstrip("!=<>") in MOMENTS]
    if not moments or not context.has("user_moments_not_understood"):
        return table_conditions(PEOPLE, conditions, context.store.server_zone)
    kept = {key: value for key, value in conditions.items() if key not in moments}
    where = table_conditions(PEOPLE, kept, context.store.server_zone)
    if zone_name(context.store, context.user_id):
        where.conditions.append(Fragment("0"))
    return where


def _page(params: Params, window: PageWindow) -> str:
    """The order by ``sort`` and ``order``, and the page."""
    field = PEOPLE.by_code.get(php_text(params.get("sort", params.get("SORT", "ID"))).upper(), PEOPLE.by_code["ID"])
    direction = "DESC" if php_text(params.get("order", params.get("ORDER"))).upper() == "DESC" else "ASC"
    return f'ORDER BY t."{field.column}" {direction}, t.id LIMIT {paging.ROWS_PER_PAGE} OFFSET {window.offset}'


@method("user.get", *SCOPES)
def list_users(params: Params, context: Context) -> Result:
    """A page of users, engine C; ``FILTER`` replaces conditions at the top level; unknown names are ignored."""
    nested = classic_map(params, "filter")
    conditions = nested or {name: value for name, value in params.items() if name not in _RESERVED}
    active = {"Y": 1, "N": 0, "true": 1, "false": 0}
    conditions = {
        key: active.get(str(value), value) if key.lstrip("=!") == "ACTIVE" else value
        for key, value in conditions.items()
    }
    found = _where(conditions, context)
    everybody = context.is_admin and ("ADMIN_MODE" in params or "ID" in conditions)
    if context.has("hides_users_without_department") and not everybody:
        found.conditions.append(Fragment("coalesce(t.\"ufDepartment\", '[]') NOT IN ('[]', '')"))
    where = found.clause()
    window = paging.offset(
        context.start,
        lambda: context.store.scalar(f'SELECT count(*) FROM "user" t {where.sql}', where.params),  # noqa: S608
    )
    rows = _read(context, where, _page(params, window))
    return Result(rows, window.total if rows else None, window.next)


@method("user.search", *SCOPES)
def search_users(params: Params, context: Context) -> Result:
    """A page of users, engine C; names match by their beginning, ``FIND`` in any of them."""
    given = classic_map(params, "filter") or {name: value for name, value in params.items() if name not in _RESERVED}
    conditions = {f"{'=%' if key in SEARCHED else ''}{key}": value for key, value in given.items() if key != "FIND"}
    conditions = {key: f"{value}%" if key[:2] == "=%" else value for key, value in conditions.items()}
    where = table_conditions(PEOPLE, conditions, context.store.server_zone)
    if find := php_text(given.get("FIND")):
        cells = " || ' ' || ".join(f"coalesce(lowered(t.\"{PEOPLE.by_code[code].column}\"), '')" for code in SEARCHED)
        where.conditions.append(Fragment(f"instr({cells}, lowered(?)) > 0", (find,)))
    clause = where.clause()
    window = paging.offset(
        context.start,
        lambda: context.store.scalar(f'SELECT count(*) FROM "user" t {clause.sql}', clause.params),  # noqa: S608
    )
    rows = _read(context, clause, _page(params, window))
    return Result(rows, window.total if rows else None, window.next)


def site_form(text: str) -> str:
    """A printed date-time in the format of a Russian site."""
    return datetime.fromisoformat(text).strftime("%d.%m.%Y %H:%M:%S")


@method("user.current", *SCOPES)
def current_user(_: Params, context: Context) -> Result:
    """The user of the credential; a technical one is in no list (docs: settings/system-user)."""
    rows = read_rows(context.store, PEOPLE, SELECTION, "WHERE t.id = ?", (context.user_id,))
    if not rows:
        return Result({"ID": str(context.user_id), "ACTIVE": True})
    [row] = rows
    context.rows += 1
    shown = {key: value for key, value in _with_day(row[1], context.store.server_zone).items() if value is not None}
    return Result(shown | {key: site_form(shown[key]) for key in RAW if shown.get(key)})


@method("user.fields", *SCOPES)
def describe_users(_: Params, context: Context) -> Result:
    """Codes and captions, no types."""
    declared = {spec.code: spec.title or spec.code for spec in USER_FIELDS.specs(context.store)}
    return Result({spec.code: spec.title for spec in PEOPLE.fields} | declared)


DEPARTMENT_KEYS: Final = ("ID", "NAME", "SORT", "PARENT", "UF_HEAD")


@method("department.get", "department")
def list_departments(params: Params, context: Context) -> Result:
    """A page of departments, engine A; conditions are equalities at the top level, in either case as the order is
    [intranet module: classes/general/rest.php].
    """
    given = {name.upper(): value for name, value in params.items()}
    if isinstance(given.get("FILTER"), dict):  # it replaces all conditions, and the order
        given = {str(name).upper(): value for name, value in given["FILTER"].items()}
    field, word = given.pop("SORT", "ID"), given.pop("ORDER", "ASC")
    wanted = {name: value for name, value in given.items() if name in DEPARTMENT_KEYS}
    if php_text(wanted.get("PARENT", "-")) in ("0", ""):  # top-level departments have no parent
        wanted["PARENT"] = ""
    padded = [{key: row.get(key) for key in DEPARTMENT_KEYS} for row in STRUCTURE.rows(context.store)]
    direction = {php_text(field).upper(): word}
    rows = [
        {key: value for key, value in row.items() if value is not None}
        for row in ordered(matching(padded, wanted), direction)
    ]
    window = paging.classic(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result(window.of(rows), window.total, window.next)


@method("department.fields", "department")
def describe_departments(_: Params, __: Context) -> Result:
    """Codes and captions."""
    return Result({"ID": "ID", "NAME": "Название", "SORT": "Сортировка", "PARENT": "Родитель", "UF_HEAD": "Глава"})


_DESK: Final = Desk("user", PEOPLE.by_code, ("dateRegister",), ("timestampX",))
WRONG_MAIL: Final = MethodError("ERROR_ARGUMENT", "wrong_email")


def _written(params: Params) -> Params:
    """The sent fields of a user, with pictures stored as files."""
    given = dict(params)
    for name in _PICTURES:
        parts = values_of(given.get(name) or [])
        if isinstance(given.get(name), list) and len(parts) == 2:
            given[name] = {"fileData": parts}
    return given


def _taken(params: Params, context: Context, besides: int = 0) -> bool:
    sql = 'SELECT 1 FROM "user" WHERE fold(email) = fold(?) AND id <> ?'
    return context.store.scalar(sql, (php_text(params.get("EMAIL")), besides)) is not None


@method("user.add", *SCOPES)
def add_user(params: Params, context: Context) -> Result:
    """Invite a user, with fields as parameters; returns the id (https://apidocs.bitrix24.com/api-reference/user/)."""
    if "@" not in php_text(params.get("EMAIL")) or _taken(params, context):
        raise WRONG_MAIL
    bare = {"ACTIVE": "Y", "IS_ONLINE": "N", "USER_TYPE": "employee", "TIME_ZONE_OFFSET": "0"}
    row_id = _DESK.add({**bare, **_written(params)}, context)
    USER_FIELDS.write(context.store, row_id, params)
    return Result(row_id)


@method("user.update", *SCOPES)
def update_user(params: Params, context: Context) -> Result:
    """Change a user, with fields as parameters. No method deletes users."""
    row_id = php_int(params.get("ID"))
    _DESK.update(row_id, _written(params), context, MethodError("ERROR_NOT_FOUND", "User is not found"))
    USER_FIELDS.write(context.store, row_id, params)
    return Result(value=True)
