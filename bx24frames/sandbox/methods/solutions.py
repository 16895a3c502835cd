"""Workplaces of smart processes, ``crm.automatedsolution.*``
(https://apidocs.bitrix24.com/api-reference/crm/automated-solution/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, map_of
from bx24frames.sandbox.methods.described import chosen
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

SOLUTIONS: Final = Dictionary("solution", list, "id")
_FIELDS: Final = {
    name: {**spec, "title": name.upper() if name != "typeIds" else "TYPE_IDS", "upperName": upper}
    for name, spec, upper in (
        ("id", flat("integer", "ID", read_only=True), "ID"),
        ("title", flat("string", "TITLE", required=True), "TITLE"),
        ("typeIds", flat("crm_dynamic_type", "TYPE_IDS") | {"isMultiple": True}, "TYPE_IDS"),
    )
}
_NO_TITLE: Final = MethodError("BX_EMPTY_REQUIRED", "Не заполнено обязательное поле «Название»")


def _values(params: Params, context: Context) -> Row:
    bound(params, "fields")
    given = map_of(bound_array(params, "fields", {}))
    values: Row = {}
    if "title" in given:
        values["title"] = php_text(given["title"]).strip()
        if not values["title"]:
            raise _NO_TITLE
    if "typeIds" in given:
        known = {entity.type_id for entity in context.store.entities() if entity.type_id}
        ids: list[Any] = values_of(given["typeIds"] or [])
        values["typeIds"] = [php_int(one) for one in ids if php_int(one) in known]
    return values


def _row(params: Params, context: Context) -> Row:
    row = SOLUTIONS.row(context.store, bound_int(params, "id"))
    if row is None:
        raise MethodError("NOT_FOUND", "Цифровое рабочее место с таким id не найдено")
    return row


def _take_over(row: Row, context: Context) -> None:
    """Move smart processes to a workplace: each belongs to one."""
    for other in SOLUTIONS.rows(context.store):
        left = [one for one in other["typeIds"] if one not in row["typeIds"]]
        if other["id"] != row["id"] and left != other["typeIds"]:
            SOLUTIONS.put(context.store, {**other, "typeIds": left})


def _shown(row_id: int, context: Context) -> Result:
    row = SOLUTIONS.row(context.store, row_id)
    if row is not None:
        _take_over(row, context)
    context.writes += 1
    return Result({"automatedSolution": row})


def solution_of(type_id: int, context: Context) -> int | None:
    """The workplace of a smart process."""
    return next((row["id"] for row in SOLUTIONS.rows(context.store) if type_id in row["typeIds"]), None)


@method("crm.automatedsolution.fields", "crm")
def describe_solutions(_: Params, __: Context) -> Result:
    """The field description of workplaces."""
    return Result(_FIELDS)


@method("crm.automatedsolution.list", "crm")
def list_solutions(params: Params, context: Context) -> Result:
    """A page of workplaces, engine B."""
    rows = chosen(
        SOLUTIONS.rows(context.store),
        map_of(bound_array(params, "filter", {})),
        {"id": None, "title": None},
        lambda name: MethodError("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter"),
    )
    rows = ordered(rows, map_of(bound_array(params, "order", {})) or {"id": "ASC"})
    window = paging.controller(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result({"automatedSolutions": window.of(rows)}, window.total, window.next)


@method("crm.automatedsolution.get", "crm")
def get_solution(params: Params, context: Context) -> Result:
    """One workplace."""
    return Result({"automatedSolution": _row(params, context)})


@method("crm.automatedsolution.add", "crm")
def add_solution(params: Params, context: Context) -> Result:
    """Create a workplace, printed whole."""
    values = _values(params, context)
    if "title" not in values:
        raise _NO_TITLE
    return _shown(SOLUTIONS.add(context.store, {"typeIds": [], **values}, text=False), context)


@method("crm.automatedsolution.update", "crm")
def update_solution(params: Params, context: Context) -> Result:
    """Change a workplace, printed whole."""
    row = _row(params, context)
    SOLUTIONS.put(context.store, {**row, **_values(params, context)})
    return _shown(row["id"], context)


@method("crm.automatedsolution.delete", "crm")
def delete_solution(params: Params, context: Context) -> Result:
    """Delete a workplace without smart processes."""
    row = _row(params, context)
    if row["typeIds"]:
        raise MethodError("HAS_BOUND_TYPES", "В рабочем месте есть смарт-процессы: сначала перенесите их в другое")
    SOLUTIONS.drop(context.store, row)
    context.writes += 1
    return Result(None)
