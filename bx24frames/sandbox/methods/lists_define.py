"""Definition of lists, their columns and sections, ``lists.{add,update,delete}``, ``lists.field.*``,
``lists.section.*`` (https://apidocs.bitrix24.com/api-reference/lists/).
"""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import map_of, names_of
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.methods.lists import (
    FIELDS,
    LIST_IDS,
    LIST_MESSAGES,
    TYPES,
    document_of,
    field_row,
    fields_of,
    list_of,
    list_row,
    required,
    site_time,
)
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

LIST_SCOPE: Final = "lists"
_WRITTEN: Final = ("NAME", "DESCRIPTION", "SORT", "BIZPROC", "ACTIVE", "CODE")
FIRST_CHOICE: Final = 1001


def _now(context: Context) -> str:
    return site_time(context.store.local_time(context.now))


# ---------------------------------------------------------------- lists


def _settings(params: Params) -> Row:
    fields, messages = map_of(params.get("FIELDS")), map_of(params.get("MESSAGES"))
    written = {name: php_text(fields[name]) for name in _WRITTEN if name in fields}
    return written | {name: php_text(messages[name]) for name in LIST_MESSAGES if name in messages}


@method("lists.add", LIST_SCOPE)
def add_list(params: Params, context: Context) -> Result:
    """Create a list; returns its id. Its code must be free among the lists of the type."""
    required(params, "IBLOCK_TYPE_ID", "IBLOCK_CODE")
    settings, code = _settings(params), php_text(params["IBLOCK_CODE"])
    if any(row["CODE"] == code for row in LIST_IDS.rows(context.store)):
        raise MethodError("ERROR_IBLOCK_ALREADY_EXISTS", "Iblock already exists")
    if not settings.get("NAME"):
        raise MethodError("ERROR_ADD_IBLOCK", "Не введено название инфоблока.<br>")
    group = {"IBLOCK_TYPE_ID": php_text(params["IBLOCK_TYPE_ID"])}
    group["SOCNET_GROUP_ID"] = str(php_int(params.get("SOCNET_GROUP_ID")))
    bare = list_row(0, "", _now(context))
    del bare["ID"]
    number = LIST_IDS.add(context.store, {**bare, **settings, "CODE": code, **group}, text=True)
    FIELDS.add(context.store, _without_key(field_row(0, number, "NAME", "NAME")), text=False)
    context.writes += 1
    return Result(number)


def _without_key(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "key"}


def _known(params: Params, context: Context) -> Row:
    row = LIST_IDS.row(context.store, list_of(params, context))
    if row is None:
        raise MethodError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")
    return row


@method("lists.update", LIST_SCOPE)
def update_list(params: Params, context: Context) -> Result:
    """Change a list."""
    row, settings = _known(params, context), _settings(params)
    if "NAME" in settings and not settings["NAME"]:
        raise MethodError("ERROR_UPDATE_IBLOCK", "Не введено название инфоблока.<br>")
    LIST_IDS.put(context.store, {**row, **settings, "TIMESTAMP_X": _now(context)})
    context.writes += 1
    return Result(value=True)


@method("lists.delete", LIST_SCOPE)
def delete_list(params: Params, context: Context) -> Result:
    """Delete a list with everything in it."""
    row = _known(params, context)
    number = int(row["ID"])
    for field in fields_of(context.store, number).values():
        FIELDS.drop(context.store, field)
    context.store.database.change("DELETE FROM list_element WHERE iblockId = ?", (number,))
    LIST_IDS.drop(context.store, row)
    context.writes += 1
    return Result(value=True)


@method("lists.get.iblock.type.id", LIST_SCOPE)
def type_of_list(params: Params, context: Context) -> Result:
    """The type of a list."""
    required(params, "IBLOCK_ID")
    row = LIST_IDS.row(context.store, php_int(params["IBLOCK_ID"]))
    return Result(row["IBLOCK_TYPE_ID"] if row else False)


# ---------------------------------------------------------------- columns


@method("lists.field.type.get", LIST_SCOPE)
def list_property_types(params: Params, context: Context) -> Result:
    """The types of columns that can be added to a list: each column of an element at most once."""
    number = list_of(params, context)
    taken = set(fields_of(context.store, number))
    return Result({name: title for name, title in TYPES.items() if name not in taken})


def _choices(known: Row, values: Row, context: Context) -> Row:
    """The choices after a write: a map by id replaces them, texts of lines are added."""
    if "LIST" not in values and "LIST_TEXT_VALUES" not in values:
        return known
    last = max(
        [FIRST_CHOICE, *(int(one) for row in FIELDS.rows(context.store) for one in row.get("DISPLAY_VALUES_FORM", ()))]
    )
    kept: Row = {} if "LIST" in values else dict(known)
    added = []
    for key, entry in map_of(values.get("LIST")).items():
        text = php_text(entry.get("VALUE") if isinstance(entry, dict) else entry)
        if key in known and text:
            kept[key] = text
        elif text:
            added.append(text)
    lines = php_text(values.get("LIST_TEXT_VALUES")).splitlines()
    added += [line.strip() for line in lines if line.strip()]
    return kept | {str(last + 2 * place): text for place, text in enumerate(added, 1)}


def _changed(row: Row, values: Row, context: Context) -> Row:
    names = ("NAME", "SORT", "IS_REQUIRED", "MULTIPLE", "DEFAULT_VALUE", "CODE", "ROW_COUNT", "COL_COUNT")
    written: Row = {name: php_text(values[name]) for name in names if name in values and name in row}
    for name in ("SETTINGS", "USER_TYPE_SETTINGS", "LINK_IBLOCK_ID"):
        if name in values and name in row:
            written[name] = values[name]
    if "DISPLAY_VALUES_FORM" in row:
        written["DISPLAY_VALUES_FORM"] = _choices(row["DISPLAY_VALUES_FORM"], values, context)
    return {**row, **written}


@method("lists.field.add", LIST_SCOPE)
def add_field(params: Params, context: Context) -> Result:
    """Create a column; returns its id: that of a property ends in its number. A property needs a code."""
    number, values = list_of(params, context), map_of(params.get("FIELDS"))
    required(values, "NAME", "TYPE")
    type_, code = php_text(values["TYPE"]), php_text(values.get("CODE"))
    fields = fields_of(context.store, number)
    is_property = type_[:1] in "SNLFGE" and (len(type_) == 1 or type_[1] == ":")
    if type_ not in TYPES or (not is_property and type_ in fields):
        raise MethodError(
            "ERROR_SAVE_FIELD", "Property already exists" if type_ in fields else "Error saving the field"
        )
    if is_property and not code:
        raise MethodError("ERROR_SAVE_FIELD", "Please fill the code fields")
    if is_property and any(row.get("CODE") == code for row in fields.values()):
        raise MethodError("ERROR_SAVE_FIELD", "Property already exists")
    key = FIELDS.add(context.store, {"FIELD_ID": "", "IBLOCK_ID": 0, "SORT": "0"}, text=False)
    row = field_row(key, number, f"PROPERTY_{key}" if is_property else type_, type_)
    FIELDS.put(context.store, _changed(row, values, context))
    context.writes += 1
    return Result(row["FIELD_ID"])


def _field(params: Params, context: Context) -> Row:
    fields = fields_of(context.store, list_of(params, context, "FIELD_ID"))
    row = fields.get(php_text(params["FIELD_ID"]))
    if row is None:
        raise MethodError("ERROR_UPDATE_FIELD", "Error updating the field.")
    return row


@method("lists.field.update", LIST_SCOPE)
def update_field(params: Params, context: Context) -> Result:
    """Change a column; its type is kept."""
    row = _field(params, context)
    values = map_of(params.get("FIELDS"))
    required(values, "NAME", "TYPE")
    if values["TYPE"] != row["TYPE"]:
        raise MethodError("ERROR_UPDATE_FIELD", "Error updating the field.")
    FIELDS.put(context.store, _changed(row, values, context))
    context.writes += 1
    return Result(value=True)


@method("lists.field.delete", LIST_SCOPE)
def delete_field(params: Params, context: Context) -> Result:
    """Delete a column; that of the names cannot be deleted."""
    row = _field(params, context)
    if row["FIELD_ID"] != "NAME":
        FIELDS.drop(context.store, row)
        context.writes += 1
    return Result(value=True)


# ---------------------------------------------------------------- sections

SECTIONS: Final = Dictionary("list_section", list)
NO_SECTION: Final = MethodError("ERROR_SECTION_NOT_FOUND", "Section not found")
OF_SECTION: Final = ("NAME", "EXTERNAL_ID", "XML_ID", "SORT", "ACTIVE", "DESCRIPTION")
DEFAULT: Final = ("ID", "CODE", "XML_ID", "EXTERNAL_ID", "IBLOCK_SECTION_ID", "TIMESTAMP_X", "SORT", "NAME", "ACTIVE",
                  "GLOBAL_ACTIVE", "LEFT_MARGIN", "RIGHT_MARGIN", "DEPTH_LEVEL", "SEARCHABLE_CONTENT", "MODIFIED_BY",
                  "DATE_CREATE", "CREATED_BY")  # fmt: skip


def _sections(number: int, context: Context) -> list[Row]:
    return [row for row in SECTIONS.rows(context.store) if row["IBLOCK_ID"] == number]


def _section_values(params: Params, context: Context) -> Row:
    fields = map_of(params.get("FIELDS"))
    written: Row = {name: php_text(fields[name]) for name in OF_SECTION if name in fields}
    for name, other in (("XML_ID", "EXTERNAL_ID"), ("EXTERNAL_ID", "XML_ID")):
        if name in written:
            written.setdefault(other, written[name])
    if "IBLOCK_SECTION_ID" in params or "IBLOCK_SECTION_ID" in fields:
        parent = php_int(params.get("IBLOCK_SECTION_ID", fields.get("IBLOCK_SECTION_ID")))
        written["IBLOCK_SECTION_ID"] = str(parent) if parent else None
    return written | {"TIMESTAMP_X": _now(context), "MODIFIED_BY": str(context.user_id)}


@method("lists.section.add", LIST_SCOPE)
def add_section(params: Params, context: Context) -> Result:
    """Create a section; returns its id. Its code must be free in the list."""
    number, values = list_of(params, context, "SECTION_CODE"), _section_values(params, context)
    code = php_text(params["SECTION_CODE"])
    known = _sections(number, context)
    if any(row["CODE"] == code for row in known):
        raise MethodError("ERROR_SECTION_ALREADY_EXISTS", "Section already exists")
    if not values.get("NAME"):
        raise MethodError("ERROR_ADD_SECTION", "Не введено название раздела.<br>")
    parent = next((row for row in known if row["ID"] == values.get("IBLOCK_SECTION_ID")), None)
    row = {
        "IBLOCK_ID": number, "CODE": code, "XML_ID": None, "EXTERNAL_ID": None, "IBLOCK_SECTION_ID": None,
        "SORT": "500", "ACTIVE": "Y", "GLOBAL_ACTIVE": "Y", "DESCRIPTION": "",
        "LEFT_MARGIN": str(2 * len(known) + 1), "RIGHT_MARGIN": str(2 * len(known) + 2),
        "DEPTH_LEVEL": str(int(parent["DEPTH_LEVEL"]) + 1) if parent else "1", "DATE_CREATE": _now(context),
        "CREATED_BY": str(context.user_id), "SEARCHABLE_CONTENT": f"{values['NAME'].upper()}\r\n", **values,
    }  # fmt: skip
    context.writes += 1
    return Result(SECTIONS.add(context.store, row, text=True))


def _section(params: Params, context: Context) -> Row:
    number, code = list_of(params, context), php_text(params.get("SECTION_CODE"))
    wanted = php_text(php_int(params.get("SECTION_ID")))
    required({"SECTION_ID": code or params.get("SECTION_ID")}, "SECTION_ID")
    rows = _sections(number, context)
    found = next((row for row in rows if row["ID"] == wanted or (wanted == "0" and row["CODE"] == code)), None)
    if found is None:
        raise NO_SECTION
    return found


@method("lists.section.update", LIST_SCOPE)
def update_section(params: Params, context: Context) -> Result:
    """Change a section."""
    row, values = _section(params, context), _section_values(params, context)
    if values.get("NAME", "-") == "":
        raise MethodError("ERROR_UPDATE_SECTION", "Не введено название раздела.<br>")
    SECTIONS.put(context.store, {**row, **values})
    context.writes += 1
    return Result(value=True)


@method("lists.section.delete", LIST_SCOPE)
def delete_section(params: Params, context: Context) -> Result:
    """Delete a section with those below it."""
    row = _section(params, context)
    for one in [row, *(one for one in _sections(row["IBLOCK_ID"], context) if one["IBLOCK_SECTION_ID"] == row["ID"])]:
        SECTIONS.drop(context.store, one)
    context.writes += 1
    return Result(value=True)


@method("lists.section.get", LIST_SCOPE)
def list_sections(params: Params, context: Context) -> Result:
    """A page of the sections of a list, engine A."""
    number = list_of(params, context)
    conditions = map_of(params.get("FILTER"))
    like = {key[1:]: php_text(one).strip("%").lower() for key, one in conditions.items() if key.startswith("%")}
    rows = matching(_sections(number, context), {key: one for key, one in conditions.items() if key[:1] not in "%<>"})
    rows = [row for row in rows if all(text in php_text(row.get(name)).lower() for name, text in like.items())]
    rows = ordered(rows, map_of(params.get("SECTION_ORDER", params.get("ORDER"))) or {"ID": "ASC"})
    names = [name for name in names_of(params.get("SELECT")) if name != "*"] or list(DEFAULT)
    window = paging.classic(context.start, lambda: len(rows))
    context.rows += len(rows)
    found = [{name: row.get(name) for name in {"ID": 0, **dict.fromkeys(names)}} for row in window.of(rows)]
    return Result(found, window.total, window.next)


# ---------------------------------------------------------------- files of elements


@method("lists.element.get.file.url", LIST_SCOPE)
def list_file_addresses(params: Params, context: Context) -> Result:
    """The addresses of the files in a property of an element."""
    number = list_of(params, context, "ELEMENT_ID", "FIELD_ID")
    row = context.store.row("list_element", php_int(params["ELEMENT_ID"]))
    if row is None or row["iblockId"] != number:
        raise MethodError("ERROR_ELEMENT_NOT_FOUND", "Element not found")
    name = f"PROPERTY_{php_int(params['FIELD_ID'])}"
    values = document_of(row).get(name)
    return Result([f"/company/lists/{number}/file/{row['id']}/{one}/" for one in values_of(values or [])])
