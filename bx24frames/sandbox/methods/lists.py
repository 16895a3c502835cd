"""Lists, their columns and their elements (https://apidocs.bitrix24.com/api-reference/lists/)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.filters.base import Fragment, all_of
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.dictionaries import ordered
from bx24frames.sandbox.methods.plain import CLASSIC_DIALECT, RANGES, View, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.columns import LIST_NAMES
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.base import Store
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

LIST_TYPE: Final = "lists"
_PREFIXES: Final = (*RANGES, ">=", "<=", "!%", "=", "!", "%", "*", ">", "<")
_COLOURS: Final[Row] = {"61": "Красный", "63": "Blue & green"}
# FIELD_ID: (type, caption, multiple)
PROPERTIES: Final[dict[str, tuple[str, str, bool]]] = {
    "PROPERTY_101": ("S", "Заметка", False),
    "PROPERTY_103": ("N", "Вес", False),
    "PROPERTY_105": ("L", "Цвет", False),
    "PROPERTY_107": ("S:Date", "День", False),
    "PROPERTY_109": ("S", "Метки", True),
}
"""The properties of the seeded lists, which are stored in columns."""
_SHOWN: Final = ("DATE_CREATE", "TIMESTAMP_X")
"""Columns of an element that are printed if the list shows them."""
TYPES: Final = {
    "SORT": "Сортировка", "ACTIVE_FROM": "Начало активности", "ACTIVE_TO": "Окончание активности",
    "PREVIEW_PICTURE": "Картинка анонса", "PREVIEW_TEXT": "Анонс", "DETAIL_PICTURE": "Детальная картинка",
    "DETAIL_TEXT": "Детальный текст", "DATE_CREATE": "Дата создания", "CREATED_BY": "Кем создан",
    "TIMESTAMP_X": "Дата изменения", "MODIFIED_BY": "Кем изменён", "S": "Строка", "N": "Число", "L": "Список",
    "F": "Файл", "G": "Привязка к разделам", "E": "Привязка к элементам", "S:Date": "Дата",
    "S:DateTime": "Дата/Время", "S:HTML": "HTML/текст", "E:EList": "Привязка к элементам в виде списка",
    "N:Sequence": "Счётчик", "S:ECrm": "Привязка к элементам CRM", "S:Money": "Деньги",
    "S:DiskFile": "Файл (Диск)", "S:employee": "Привязка к сотруднику",
}  # fmt: skip
LIST_MESSAGES: Final = {
    "SECTIONS_NAME": "Разделы", "SECTION_NAME": "Раздел", "ELEMENTS_NAME": "Элементы", "ELEMENT_NAME": "Элемент"
}  # fmt: skip


# ---------------------------------------------------------------- what a list is


def list_row(number: int, name: str, moment: str = "12.01.2026 10:00:00") -> Row:
    """A list as ``lists.get`` prints it."""
    bare: Row = dict.fromkeys((
        "CODE", "API_CODE", "LIST_PAGE_URL", "DETAIL_PAGE_URL", "SECTION_PAGE_URL", "CANONICAL_PAGE_URL", "PICTURE",
        "RSS_FILE_LIMIT", "RSS_FILE_DAYS", "XML_ID", "TMP_ID", "LIST_MODE", "SECTION_PROPERTY", "PROPERTY_INDEX",
        "EDIT_FILE_BEFORE", "EDIT_FILE_AFTER", "EXTERNAL_ID", "SERVER_NAME",
    ))  # fmt: skip
    return {
        "ID": str(number), "TIMESTAMP_X": moment, "IBLOCK_TYPE_ID": LIST_TYPE, "LID": "s1", **bare, "NAME": name,
        "ACTIVE": "Y", "SORT": "500", "DESCRIPTION": "", "DESCRIPTION_TYPE": "text", "RSS_TTL": "24",
        "RSS_ACTIVE": "Y", "RSS_FILE_ACTIVE": "N", "RSS_YANDEX_ACTIVE": "N", "INDEX_ELEMENT": "Y",
        "INDEX_SECTION": "N", "WORKFLOW": "N", "BIZPROC": "N", "SECTION_CHOOSER": "L", "RIGHTS_MODE": "E",
        "VERSION": "1", "LAST_CONV_ELEMENT": "0", "SOCNET_GROUP_ID": "0", **LIST_MESSAGES, "REST_ON": "N",
        "FULLTEXT_INDEX": "N", "LANG_DIR": "/",
    }  # fmt: skip


def field_row(number: int, iblock: int, field_id: str, type_: str, **values: Any) -> Row:
    """A column as stored; `IBLOCK_ID` is not printed."""
    named = field_id == "NAME"
    kind, _, user_type = type_.partition(":")
    of_property: Row = {
        "PROPERTY_TYPE": kind, "PROPERTY_USER_TYPE": user_type or False,
        "CODE": None, "ID": str(number), "LINK_IBLOCK_ID": None, "ROW_COUNT": "1", "COL_COUNT": "30",
        "USER_TYPE_SETTINGS": None,
    }  # fmt: skip
    title = TYPES.get(type_, "Название")
    return {
        "key": number, "IBLOCK_ID": iblock, "FIELD_ID": field_id, "SORT": "10" if named else "20", "NAME": title,
        "IS_REQUIRED": "Y" if named else "N", "MULTIPLE": "N", "DEFAULT_VALUE": None, "TYPE": type_,
        **(of_property if field_id.startswith("PROPERTY_") else {}), "SETTINGS": None,
        **({"DISPLAY_VALUES_FORM": {}} if kind == "L" else {}), **values,
    }  # fmt: skip


def _seeded_fields() -> list[Row]:
    rows = []
    for number in LIST_NAMES:
        rows.append(field_row(10 * number, number, "NAME", "NAME"))
        for field_id, (type_, caption, multiple) in PROPERTIES.items():
            values: Row = {"NAME": caption, "MULTIPLE": "Y" if multiple else "N"}
            values |= {"DISPLAY_VALUES_FORM": _COLOURS} if type_ == "L" else {}
            rows.append(field_row(int(field_id[9:]), number, field_id, type_, **values))
        rows += [field_row(10 * number + place, number, name, name) for place, name in enumerate(_SHOWN, 1)]
    return rows


LIST_IDS: Final = Dictionary("iblock", lambda: [list_row(number, name) for number, name in LIST_NAMES.items()])
FIELDS: Final = Dictionary("list_field", _seeded_fields, "key")


def fields_of(store: Store, number: int) -> dict[str, Row]:
    """The columns of a list, by their ids, in their order."""
    rows = [row for row in FIELDS.rows(store) if row["IBLOCK_ID"] == number]
    return {row["FIELD_ID"]: row for row in sorted(rows, key=lambda row: php_int(row["SORT"]))}


def properties_of(store: Store, number: int) -> dict[str, Row]:
    """The properties among the columns of a list."""
    return {name: row for name, row in fields_of(store, number).items() if name.startswith("PROPERTY_")}


def required(params: Params, *names: str) -> None:
    """Raise unless every parameter is filled."""
    missing = [name for name in names if not php_text(params.get(name))]
    if missing:
        raise MethodError(
            "ERROR_REQUIRED_PARAMETERS_MISSING", f"Required parameter `{missing[0]}` is missing"
        )  # fmt: skip


def list_of(params: Params, context: Context, *needed: str) -> int:
    """The list of a call, by type and id or code, which are required like the `needed` parameters."""
    code = php_text(params.get("IBLOCK_CODE"))
    required(params, "IBLOCK_TYPE_ID", *(() if code else ("IBLOCK_ID",)), *needed)
    number = php_int(params.get("IBLOCK_ID"))
    for row in LIST_IDS.rows(context.store):
        if row["IBLOCK_TYPE_ID"] == params["IBLOCK_TYPE_ID"] and (
            int(row["ID"]) == number or (not number and row["CODE"] == code)
        ):
            return int(row["ID"])
    raise MethodError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")


def site_time(text: str | None) -> str:
    """A date-time or a date in the format of a Russian site."""
    if not text:
        return ""
    if len(text) <= 10:
        return datetime.strptime(text, "%Y-%m-%d").strftime("%d.%m.%Y")
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").strftime("%d.%m.%Y %H:%M:%S")


@method("lists.get", "lists")
def list_lists(params: Params, context: Context) -> Result:
    """The lists of a type, engine A."""
    required(params, "IBLOCK_TYPE_ID")
    code, group = php_text(params.get("IBLOCK_CODE")), php_int(params.get("SOCNET_GROUP_ID"))
    rows = [
        row
        for row in LIST_IDS.rows(context.store)
        if params["IBLOCK_TYPE_ID"] == row["IBLOCK_TYPE_ID"]
        and php_int(params.get("IBLOCK_ID")) in (0, int(row["ID"]))
        and code in ("", row["CODE"])
        and group in (0, int(row["SOCNET_GROUP_ID"]))
    ]
    window = paging.classic(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result(window.of(ordered(rows, map_of(params.get("IBLOCK_ORDER")))), window.total, window.next)


@method("lists.field.get", "lists")
def describe_list(params: Params, context: Context) -> Result:
    """The columns of a list; a single one is printed under its type."""
    number = list_of(params, context)
    fields = {name: _printed_field(row) for name, row in fields_of(context.store, number).items()}
    wanted = php_text(params.get("FIELD_ID"))
    if not wanted:
        return Result(fields)
    return Result({fields[wanted]["TYPE"]: fields[wanted]} if wanted in fields else [])


def _printed_field(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("key", "IBLOCK_ID")}


# ---------------------------------------------------------------- elements

COMPARED: Final = {"": "=", "=": "=", "!": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<=", "%": "like", "*": "like"}


def document_of(row: Mapping[str, Any]) -> Row:
    """Values of the properties without a column, from a stored row."""
    found: Row = orjson.loads(row["uf"]) if row.get("uf") else {}
    return found


class Elements(View):
    """The elements of lists; properties other than the seeded ones are stored in the JSON document of the rows."""

    def conditions(self, given: Mapping[str, Any], zone: str) -> Fragment:
        """A filter map as SQL."""
        own = {key: one for key, one in given.items() if split_operator(key, _PREFIXES)[1] in self.asked}
        found = [_of_document(key, value) for key, value in given.items() if key not in own]
        base = View.conditions(self, own, zone)
        if not found:
            return base
        rest = all_of(found)
        return Fragment(f"{base.sql} AND {rest.sql}" if base.sql else f"WHERE {rest.sql}", (*base.params, *rest.params))


def _of_document(key: str, value: Any) -> Fragment:
    """A condition on a property without a column, met by any of its values."""
    prefix, name = split_operator(key, _PREFIXES)
    sign = COMPARED.get(prefix)
    if sign is None:
        raise MethodError("ERROR_ARGUMENT", f"Filter operation not allowed: {prefix}", argument="FILTER")
    values = [php_text(one) for one in values_of(value)]
    cell = "CAST(p.value AS REAL)" if sign in ("<", ">", "<=", ">=") else "fold(CAST(p.value AS TEXT))"
    mark = "CAST(? AS REAL)" if sign in ("<", ">", "<=", ">=") else "fold(?)"
    tests = " OR ".join(
        f"{cell} LIKE '%' || {mark} || '%'" if sign == "like" else f"{cell} {sign} {mark}" for _ in values
    )
    inner = f"SELECT 1 FROM json_each(t.uf, '$.' || ?) AS p WHERE {tests}"  # noqa: S608 (no caller's text)
    return Fragment(f"EXISTS ({inner})", (name, *values))


_ELEMENTS: Final = Elements(
    "list_element", by_code("list_element"), by_code("list_element"), "classic", CLASSIC_DIALECT,
    prefixes=_PREFIXES, plain_sql=True,
)  # fmt: skip


@method("lists.element.get", "lists")
def list_elements(params: Params, context: Context) -> Result:
    """A page of elements, engine A; times in the format of the site, property values by their ids."""
    number = list_of(params, context)
    properties = properties_of(context.store, number)
    conditions = map_of(params.get("FILTER"))
    for key in conditions:
        name = split_operator(key, _PREFIXES)[1]
        if name not in _ELEMENTS.asked and name not in properties:
            raise MethodError("ERROR_ARGUMENT", f"Filter field not allowed: {name}", argument="FILTER")
    shapes = (isinstance(one, list | dict) for key, one in conditions.items() if not key.startswith(RANGES))
    if context.has("list_elements_swallow_errors") and any(shapes):
        return Result([])
    if php_text(params.get("ELEMENT_ID")):
        conditions["=ID"] = params["ELEMENT_ID"]
    if php_text(params.get("ELEMENT_CODE")):
        conditions["=CODE"] = params["ELEMENT_CODE"]
    order = map_of(params.get("ELEMENT_ORDER"))
    found, window = _ELEMENTS.page(context, {**conditions, "=IBLOCK_ID": number}, order)
    by_list = context.has("list_columns_by_configuration")
    hidden = [name for name in _SHOWN if by_list and name not in fields_of(context.store, number)]
    select = {php_text(one) for one in values_of(params.get("SELECT") or [])} - {"*"}
    rows = [_element(row, properties, context) for row in found]
    rows = [{name: one for name, one in row.items() if name not in hidden} for row in rows]
    if select:
        rows = [{name: one for name, one in row.items() if name in select or name == "ID"} for row in rows]
    return Result(rows, window.total if found else None, window.next)


def _element(row: Row, properties: Mapping[str, Row], context: Context) -> Row:
    printed = row | {name: site_time(row[name]) for name in _SHOWN}
    document = document_of(context.store.row("list_element", int(row["ID"])) or {})
    for place, (name, field) in enumerate(properties.items()):
        value = printed.pop(name, document.get(name))
        values = value if isinstance(value, list) else [] if value in (None, "") else [value]
        if values:
            first = 10 * int(row["ID"]) + place
            timed = field["TYPE"] in ("S:Date", "S:DateTime")
            printed[name] = {str(first + at): site_time(one) if timed else one for at, one in enumerate(values)}
    return {name: one for name, one in printed.items() if name not in PROPERTIES or name in properties}
