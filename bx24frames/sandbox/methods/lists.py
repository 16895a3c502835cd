"""Lists, their columns and their elements (https://apidocs.bitrix24.com/api-reference/lists/)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.dictionaries import ordered
from bx24frames.sandbox.methods.plain import CLASSIC, RANGES, View, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.columns import LISTS
from bx24frames.sandbox.shapes.parse import php_int, php_text

LIST_TYPE: Final = "lists"
PREFIXES: Final = (*RANGES, ">=", "<=", "!%", "=", "!", "%", "*", ">", "<")
ELEMENTS: Final = View("list_element", by_code("list_element"), by_code("list_element"), "classic", CLASSIC,
                       prefixes=PREFIXES, plain_sql=True)  # fmt: skip
COLOURS: Final = {"61": "Красный", "63": "Blue & green"}
# FIELD_ID: (type, caption, multiple)
PROPERTIES: Final[dict[str, tuple[str, str, bool]]] = {
    "PROPERTY_101": ("S", "Заметка", False),
    "PROPERTY_103": ("N", "Вес", False),
    "PROPERTY_105": ("L", "Цвет", False),
    "PROPERTY_107": ("S:Date", "День", False),
    "PROPERTY_109": ("S", "Метки", True),
}


def _required(params: Params, *names: str) -> None:
    missing = [name for name in names if not php_text(params.get(name))]
    if missing:
        raise MethodError(
            "ERROR_REQUIRED_PARAMETERS_MISSING", f"Required parameter `{missing[0]}` is missing"
        )  # fmt: skip


def list_of(params: Params, *needed: str) -> int:
    """The list a call is about, by its type and number, which have to be there as the `needed` have."""
    _required(params, "IBLOCK_TYPE_ID", "IBLOCK_ID", *needed)
    number = php_int(params["IBLOCK_ID"])
    if number not in LISTS:
        raise MethodError("ERROR_IBLOCK_NOT_FOUND", "Iblock not found")
    return number


def _site(text: str | None) -> str:
    """A moment, or a day, as a Russian site prints it."""
    if not text:
        return ""
    if len(text) <= 10:
        return datetime.strptime(text, "%Y-%m-%d").strftime("%d.%m.%Y")
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").strftime("%d.%m.%Y %H:%M:%S")


LIST_SETTINGS: Final = {
    "DESCRIPTION_TYPE": "text", "RSS_TTL": "24", "RSS_ACTIVE": "Y", "RSS_FILE_ACTIVE": "N", "RSS_YANDEX_ACTIVE": "N",
    "INDEX_ELEMENT": "Y", "INDEX_SECTION": "N", "WORKFLOW": "N", "SECTION_CHOOSER": "L", "RIGHTS_MODE": "E",
    "LAST_CONV_ELEMENT": "0", "SECTIONS_NAME": "Разделы", "SECTION_NAME": "Раздел", "ELEMENTS_NAME": "Элементы",
    "ELEMENT_NAME": "Элемент", "REST_ON": "N", "FULLTEXT_INDEX": "N", "LANG_DIR": "/",
}  # fmt: skip
LIST_NOTHING: Final = (
    "API_CODE", "LIST_PAGE_URL", "DETAIL_PAGE_URL", "SECTION_PAGE_URL", "CANONICAL_PAGE_URL", "PICTURE",
    "RSS_FILE_LIMIT", "RSS_FILE_DAYS", "XML_ID", "TMP_ID", "LIST_MODE", "SECTION_PROPERTY", "PROPERTY_INDEX",
    "SOCNET_GROUP_ID", "EDIT_FILE_BEFORE", "EDIT_FILE_AFTER", "EXTERNAL_ID", "SERVER_NAME",
)  # fmt: skip
"""Keys of a list that are printed empty (docs: lists-get.md)."""


@method("lists.get", "lists")
def list_lists(params: Params, context: Context) -> Result:
    """The lists of a type, engine A."""
    _required(params, "IBLOCK_TYPE_ID")
    rows = [
        {"ID": str(row_id), "TIMESTAMP_X": "12.01.2026 10:00:00", "IBLOCK_TYPE_ID": LIST_TYPE, "LID": "s1",
         "CODE": None, "NAME": name, "ACTIVE": "Y", "SORT": "500", "DESCRIPTION": "", "BIZPROC": "N", "VERSION": "1",
         **LIST_SETTINGS, **dict.fromkeys(LIST_NOTHING)}
        for row_id, name in LISTS.items()
        if params["IBLOCK_TYPE_ID"] == LIST_TYPE and php_int(params.get("IBLOCK_ID")) in (0, row_id)
    ]  # fmt: skip
    window = paging.classic(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result(window.of(ordered(rows, map_of(params.get("IBLOCK_ORDER")))), window.total, window.next)


@method("lists.field.get", "lists")
def describe_list(params: Params, _: Context) -> Result:
    """The columns of a list."""
    list_of(params)
    named = {"FIELD_ID": "NAME", "TYPE": "NAME", "NAME": "Название", "IS_REQUIRED": "Y", "MULTIPLE": "N", "SORT": "10"}
    described: dict[str, Any] = {"NAME": named}
    for field_id, (type_, caption, multiple) in PROPERTIES.items():
        described[field_id] = {
            "FIELD_ID": field_id,
            "SORT": "20",
            "NAME": caption,
            "IS_REQUIRED": "N",
            "MULTIPLE": "Y" if multiple else "N",
            "TYPE": type_,
            "PROPERTY_TYPE": type_[0],
            "PROPERTY_USER_TYPE": type_.partition(":")[2] or False,
        } | ({"DISPLAY_VALUES_FORM": COLOURS} if type_ == "L" else {})
    return Result(described)


@method("lists.element.get", "lists")
def list_elements(params: Params, context: Context) -> Result:
    """A page of elements, engine A; times in the site's format, property values under their own ids."""
    number = list_of(params)
    conditions = map_of(params.get("FILTER"))
    for key in conditions:
        name = split_operator(key, PREFIXES)[1]
        if name not in ELEMENTS.asked:
            raise MethodError("ERROR_ARGUMENT", f"Filter field not allowed: {name}", argument="FILTER")
    shapes = (isinstance(one, list | dict) for key, one in conditions.items() if not key.startswith(RANGES))
    if context.has("list_elements_swallow_errors") and any(shapes):
        return Result([])
    if "ELEMENT_ID" in params:
        conditions["=ID"] = params["ELEMENT_ID"]
    order = map_of(params.get("ELEMENT_ORDER"))
    found, window = ELEMENTS.page(context, {**conditions, "=IBLOCK_ID": number}, order)
    return Result([_element(row) for row in found], window.total if found else None, window.next)


def _element(row: dict[str, Any]) -> dict[str, Any]:
    printed = row | {name: _site(row[name]) for name in ("DATE_CREATE", "TIMESTAMP_X")}
    for place, (name, (type_, _, _)) in enumerate(PROPERTIES.items()):
        value = printed.pop(name)
        values = value if isinstance(value, list) else [] if value in (None, "") else [value]
        if values:
            first = 10 * int(row["ID"]) + place
            printed[name] = {
                str(first + at): _site(one) if type_ == "S:Date" else one for at, one in enumerate(values)
            }  # fmt: skip
    return printed
