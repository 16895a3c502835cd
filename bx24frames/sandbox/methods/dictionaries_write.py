"""Writing dictionaries: ``crm.status.*``, ``crm.category.*``, ``department.*`` (https://apidocs.bitrix24.com)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound_array, bound_int, classic_id, map_of
from bx24frames.sandbox.methods.dictionaries import CATEGORY_FIELDS, STATUS_FIELDS
from bx24frames.sandbox.methods.item import entity_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import PIPELINES, STATUSES, STRUCTURE, add_stages, drop_stages
from bx24frames.sandbox.store.initial import stage_dictionary, stage_prefix
from bx24frames.sandbox.store.tables import DEALS, Row

# ---------------------------------------------------------------- statuses

SEMANTICS: Final = {None: "process", "": "process", "S": "success", "F": "failure"}


def _status_values(params: Params, *, adding: bool) -> Row:
    """The sent fields without unknown, read-only and (in an update) add-only ones."""
    given = params.get("fields", params.get("FIELDS"))
    if not isinstance(given, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    return {
        name: php_text(value)
        for name, value in given.items()
        if (spec := STATUS_FIELDS.get(name)) is not None
        and not spec["isReadOnly"]
        and (adding or not spec["isImmutable"])
        and name != "EXTRA"
    }


@method("crm.status.add", "crm")
def add_status(params: Params, context: Context) -> Result:
    """Create an entry of a dictionary; returns its id. The code of a pipeline's stage gets the pipeline's prefix
    (https://apidocs.bitrix24.com/api-reference/crm/status/crm-status-add.html).
    """
    values = _status_values(params, adding=True)
    for name in ("ENTITY_ID", "STATUS_ID"):
        if not values.get(name):
            raise MethodError("", f"The field {name} is required.")
    if not values.get("NAME"):
        raise MethodError("", "Не заполнено обязательное поле «Название»")
    rows = [row for row in STATUSES.rows(context.store) if row["ENTITY_ID"] == values["ENTITY_ID"]]
    if not rows:
        raise MethodError("", "Specified entity type is not supported.")
    prefix = stage_prefix(values["ENTITY_ID"])
    code = prefix + values["STATUS_ID"].removeprefix(prefix)
    if any(row["STATUS_ID"] == code for row in rows):
        raise MethodError("", "Duplicate STATUS_ID.")
    semantics = values.get("SEMANTICS") or None
    row = {
        "ENTITY_ID": values["ENTITY_ID"],
        "STATUS_ID": code,
        "NAME": values["NAME"],
        "NAME_INIT": "",
        "SORT": str(php_int(values.get("SORT", "10"))),
        "SYSTEM": "N",
        "COLOR": values.get("COLOR") or None,
        "SEMANTICS": semantics,
        "CATEGORY_ID": rows[0]["CATEGORY_ID"],
        "EXTRA": {"SEMANTICS": SEMANTICS.get(semantics, "process")},
    }
    context.writes += 1
    return Result(STATUSES.add(context.store, row, text=True))


def _status(params: Params, context: Context) -> Row:
    row = STATUSES.row(context.store, classic_id(params))
    if row is None:
        raise MethodError("", "Status is not found.")
    return row


@method("crm.status.update", "crm")
def update_status(params: Params, context: Context) -> Result:
    """Change an entry; dictionary, code, pipeline and group are kept."""
    row = _status(params, context)
    values = _status_values(params, adding=False)
    if "NAME" in values and not values["NAME"]:
        raise MethodError("", "Не заполнено обязательное поле «Название»")
    if "SORT" in values:
        values["SORT"] = str(php_int(values["SORT"]))
    STATUSES.put(context.store, {**row, **values})
    context.writes += 1
    return Result(value=True)


@method("crm.status.delete", "crm")
def delete_status(params: Params, context: Context) -> Result:
    """Delete an entry that no row uses; system entries only with ``FORCED``."""
    row = _status(params, context)
    forced = params.get("params", params.get("PARAMS"))
    if row["SYSTEM"] == "Y" and not (isinstance(forced, dict) and forced.get("FORCED") == "Y"):
        text = 'CRM System Status can be deleted only if parameter FORCED is specified and equal to "Y".'
        raise MethodError("", text)
    for entity in context.store.entities():
        if entity.stages and _has(context, entity.name, "stageId", row["STATUS_ID"]):
            raise MethodError("", "There are active items in this status.")
    STATUSES.drop(context.store, row)
    context.writes += 1
    return Result(value=True)


def _table(number: int, context: Context) -> str:
    return next(entity.name for entity in context.store.entities() if entity.id == number)


def _has(context: Context, table: str, column: str, value: Any) -> bool:
    sql = f'SELECT count(*) FROM "{table}" WHERE "{column}" = ?'  # noqa: S608
    return bool(context.store.scalar(sql, (value,)))


# ---------------------------------------------------------------- pipelines

_CLIENTS: Final = (3, 4)


def _pipelines(params: Params, context: Context) -> tuple[int, list[Row]]:
    number = entity_of(params, context).id
    rows = [row for row in PIPELINES.rows(context.store) if row["entityTypeId"] == number]
    if not rows:
        raise MethodError("ENTITY_TYPE_NOT_SUPPORTED", "Категории не поддерживаются этим типом")
    return number, rows


def _pipeline(params: Params, context: Context) -> tuple[int, Row]:
    number, rows = _pipelines(params, context)
    wanted = bound_int(params, "id")
    row = next((one for one in rows if one["id"] == wanted), None)
    if row is None:
        raise MethodError("NOT_FOUND", "Элемент не найден")
    return number, row


def _pipeline_values(params: Params, number: int) -> Row:
    given = map_of(bound_array(params, "fields", {}))
    values: Row = {name: value for name, value in given.items() if not CATEGORY_FIELDS.get(name, {}).get("isReadOnly")}
    values = {name: php_text(value) for name, value in values.items() if name in CATEGORY_FIELDS}
    if "sort" in values:
        values["sort"] = max(0, php_int(values["sort"]))
    if "isDefault" in values:
        values["isDefault"] = "Y" if values["isDefault"].lower() in ("y", "true") else "N"
        if values["isDefault"] == "Y" and number in _CLIENTS:
            raise MethodError("0", "Default client category does not support updating default state")
        if number == DEALS:  # that of deals cannot be changed
            del values["isDefault"]
    if "name" in values and not values["name"].strip():
        raise MethodError("0", "Field 'NAME' is required")
    return values


def _crown(row: Row, context: Context) -> None:
    """Make a pipeline the only default one of its entity type."""
    for other in PIPELINES.rows(context.store):
        if other["entityTypeId"] == row["entityTypeId"] and other["id"] != row["id"] and other["isDefault"] == "Y":
            PIPELINES.put(context.store, {**other, "isDefault": "N"})


@method("crm.category.add", "crm")
def add_category(params: Params, context: Context) -> Result:
    """Create a pipeline with its initial stages, printed whole
    (https://apidocs.bitrix24.com/api-reference/crm/universal/category/crm-category-add.html).
    """
    number, _ = _pipelines(params, context)
    values = {"sort": 500, "isDefault": "N", **_pipeline_values(params, number)}
    if "name" not in values:
        raise MethodError("0", "Field 'NAME' is required")
    row = {"name": values.pop("name"), "sort": values.pop("sort"), "entityTypeId": number, **values}
    row_id = PIPELINES.add(context.store, {**row, "originId": "", "originatorId": "", **values}, text=False)
    if stages := entity_of(params, context).stages:
        add_stages(context.store, stage_dictionary(stages, row_id))
    context.writes += 1
    return _printed(row_id, context)


@method("crm.category.update", "crm")
def update_category(params: Params, context: Context) -> Result:
    """Change a pipeline, printed whole; the default one stays default until another becomes it."""
    number, row = _pipeline(params, context)
    values = _pipeline_values(params, number)
    if row["isDefault"] == "Y":
        values.pop("isDefault", None)
    PIPELINES.put(context.store, {**row, **values})
    context.writes += 1
    return _printed(row["id"], context)


def _printed(row_id: int, context: Context) -> Result:
    row = PIPELINES.row(context.store, row_id)
    if row is not None and row["isDefault"] == "Y":
        _crown(row, context)
    return Result({"category": row})


@method("crm.category.delete", "crm")
def delete_category(params: Params, context: Context) -> Result:
    """Delete a pipeline without rows that is not the default one."""
    number, row = _pipeline(params, context)
    deals = number == DEALS
    if row["isDefault"] == "Y":
        text = "Default deal category cannot be deleted" if deals else "This funnel is the default funnel"
        raise MethodError("0" if deals else "BX_ERROR", text)
    if _has(context, _table(number, context), "categoryId", row["id"]):
        text = f"Deals related to the funnel {row['name']} found" if deals else "Elements related to the funnel found"
        raise MethodError("0" if deals else "BX_ERROR", text)
    PIPELINES.drop(context.store, row)
    if stages := entity_of(params, context).stages:
        drop_stages(context.store, stage_dictionary(stages, row["id"]))
    context.writes += 1
    return Result(None)


# ---------------------------------------------------------------- departments

DEPARTMENT_FIELDS: Final = ("NAME", "SORT", "PARENT", "UF_HEAD")


def _department_values(params: Params, context: Context) -> Row:
    values: Row = {name: php_text(params[name]) for name in DEPARTMENT_FIELDS if name in params}
    if "SORT" in values:
        values["SORT"] = php_int(values["SORT"])
    if "NAME" in values and not values["NAME"]:
        raise MethodError("ERROR_CORE", "The department name is not provided.<br>")
    if "PARENT" in values and STRUCTURE.row(context.store, php_int(values["PARENT"])) is None:
        raise MethodError("ERROR_CORE", "There can only be one top-level department in the company structure")
    return values


def _department(params: Params, context: Context) -> Row:
    row = STRUCTURE.row(context.store, php_int(params.get("ID")))
    if row is None:
        raise MethodError("ERROR_CORE", "Department not found")
    return row


@method("department.add", "department")
def add_department(params: Params, context: Context) -> Result:
    """Create a department; returns its id. Values stand beside each other
    (https://apidocs.bitrix24.com/api-reference/departments/department-add.html).
    """
    values = {"SORT": 500, **_department_values({"NAME": "", "PARENT": "", **params}, context)}
    context.writes += 1
    return Result(STRUCTURE.add(context.store, values, text=True))


@method("department.update", "department")
def update_department(params: Params, context: Context) -> Result:
    """Change a department."""
    row = _department(params, context)
    STRUCTURE.put(context.store, {**row, **_department_values(params, context)})
    context.writes += 1
    return Result(value=True)


@method("department.delete", "department")
def delete_department(params: Params, context: Context) -> Result:
    """Delete a department."""
    STRUCTURE.drop(context.store, _department(params, context))
    context.writes += 1
    return Result(value=True)
