"""Casts of written values to stored ones, for the classic and the item family."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields.casts import parse_date, parse_datetime, php_float, php_int, php_text, whole, zone_of
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.store.shelf import known_codes

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")

SKIP: Final = object()
"""Marks a written value that is ignored silently."""

STRING_LIMIT: Final = 255
TRUE_WORDS: Final = ("true", "y", "Y")
_PICTURES: Final = frozenset({"photo", "logo"})
DEFAULT_CURRENCY: Final = "RUB"


class NotValid(Exception):
    """A value that the item family refuses."""


@dataclass(frozen=True, slots=True)
class Pen:
    """What casts need of the portal.

    `choices`: the codes of a status dictionary. `save_file`: keeps a file and gives its id.
    `normalise`: the database's own rounding and trimming. `quirks`: those that are on.
    """

    zone: timezone
    choices: Callable[[str], frozenset[str]]
    save_file: Callable[[str, str], int]
    normalise: bool = False
    quirks: frozenset[str] = frozenset()

    def text(self, value: Any, *, limited: bool = True) -> str:
        """A string as the database stores it."""
        text = php_text(value)
        if not self.normalise:
            return text
        return text.strip()[:STRING_LIMIT] if limited else text.strip()

    def number(self, value: Any) -> float | int:
        """A double as the database stores it."""
        number = php_float(value)
        return whole(round(number, 2) if self.normalise else number)


def pen_of(store: Store, quirks: frozenset[str] = frozenset()) -> Pen:
    """The pen of a portal: the store's zone, dictionaries and files."""

    def save_file(name: str, content: str) -> int:
        return store.insert_row("file", {"name": name, "content": content})

    return Pen(zone_of(store.server_zone), partial(known_codes, store), save_file, store.normalise, quirks)


def values_of(value: Any) -> list[Any]:
    """A list, or the values of a PHP map, or the one value."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value in ([], {})


def _is_true(value: Any) -> bool:
    """1 and "1" are false for items (crm module: lib/item.php)."""
    return value is True or value in TRUE_WORDS


def _is_number(value: Any) -> bool:
    try:
        return isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _ints(value: Any) -> str | None:
    numbers = list(dict.fromkeys(php_int(one) for one in values_of(value) if php_int(one) > 0))
    return orjson.dumps(numbers).decode() if numbers else None


def _normalised(spec: FieldSpec, stored: Any, pen: Pen) -> Any:
    if spec.kind is not Kind.TEXT or not isinstance(stored, str):
        return stored
    if spec.column == "comments" and "comments_without_html" in pen.quirks:
        stored = _TAG.sub("", stored)
    return pen.text(stored, limited=spec.type == "string")


# ---------------------------------------------------------------- classic (classes/general/restservice.php)


def _classic_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[Any, Pen], Any]:
    def cast(value: Any, pen: Pen) -> Any:
        if value == "":
            return None
        return parse(value, pen.zone) or SKIP

    return cast


def _gone(value: Any) -> bool:
    """Whether a value of classic methods removes a file (crm module: classes/general/restservice.php)."""
    return isinstance(value, dict) and value.get("remove") == "Y"


def _classic_file(value: Any, pen: Pen) -> Any:
    if not isinstance(value, dict):
        return SKIP
    if _gone(value):
        return None
    content = values_of(value.get("fileData"))
    return pen.save_file(php_text(content[0]), php_text(content[-1])) if len(content) > 1 else SKIP


_CLASSIC: Final[dict[Kind, Callable[[Any, Pen], Any]]] = {
    Kind.INT: lambda value, _: php_int(value),
    Kind.NUMBER: lambda value, pen: pen.number(value),
    Kind.TEXT: lambda value, _: SKIP if isinstance(value, list | dict) else php_text(value),
    Kind.CODE: lambda value, _: SKIP if isinstance(value, list | dict) else php_text(value),
    Kind.FLAG: lambda value, _: "Y" if php_text(value).upper() == "Y" else "N",
    Kind.DATE: _classic_moment(parse_date),
    Kind.DATETIME: _classic_moment(parse_datetime),
    Kind.INT_LIST: lambda value, _: _ints(value),
    Kind.FILE: _classic_file,
    Kind.BOOL: lambda value, _: int(php_text(value) in {"1", "Y"}),
}


def classic_cell(spec: FieldSpec, value: Any, pen: Pen) -> Any:
    """A system field's value as a classic write stores it, or `SKIP`."""
    return _normalised(spec, _CLASSIC[spec.kind](value, pen), pen)


# ---------------------------------------------------------------- item (lib/item.php)


def _item_text(value: Any, _: Pen) -> str:
    if isinstance(value, list | dict):
        raise NotValid
    return php_text(value)


def _item_int(value: Any, _: Pen) -> int:
    if not _is_number(value):
        raise NotValid
    return php_int(value)


def _item_number(value: Any, pen: Pen) -> float | int:
    if not _is_number(value):
        raise NotValid
    return pen.number(value)


def _item_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[Any, Pen], str]:
    def cast(value: Any, pen: Pen) -> str:
        stored = parse(value, pen.zone)
        if stored is None:
            raise NotValid
        return stored

    return cast


def _item_file(value: Any, pen: Pen) -> int | None:
    parts = values_of(value)
    if isinstance(value, dict) and "id" in value:
        return php_int(value["id"])
    if isinstance(value, dict) and "fileData" in value and "item_takes_no_file_data" in pen.quirks:
        return None
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise NotValid
    return pen.save_file(parts[0], parts[1])


_ITEM: Final[dict[Kind, Callable[[Any, Pen], Any]]] = {
    Kind.INT: _item_int,
    Kind.NUMBER: _item_number,
    Kind.TEXT: _item_text,
    Kind.CODE: _item_text,
    Kind.DATE: _item_moment(parse_date),
    Kind.DATETIME: _item_moment(parse_datetime),
    Kind.INT_LIST: lambda value, _: _ints(value),
    Kind.FILE: _item_file,
}


def item_cell(spec: FieldSpec, value: Any, pen: Pen) -> Any:
    """A system field's value as an item write stores it.

    Raises
    ------
    NotValid
        ``CRM_FIELD_ERROR_VALUE_NOT_VALID`` of the portal.
    """
    if spec.kind is Kind.FLAG:
        return "Y" if _is_true(value) else "N"
    if _is_empty(value):
        return None
    if spec.column in _PICTURES and "item_takes_no_photo" in pen.quirks:
        raise NotValid
    stored = _normalised(spec, _ITEM[spec.kind](value, pen), pen)
    if spec.status and stored not in pen.choices(spec.status):
        if "unknown_code_dropped" in pen.quirks:
            return SKIP
        raise NotValid
    return stored


# ---------------------------------------------------------------- user fields


def _user_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[UserField, Any, Pen], Any]:
    return lambda _, value, pen: parse(value, pen.zone)


def _user_choice(spec: UserField, value: Any, pen: Pen) -> Any:
    if php_int(value) in {choice for choice, _text in spec.items}:
        return php_int(value)
    if "caption_becomes_zero" in pen.quirks and not _is_number(value):
        return 0
    return _unknown(pen)


def _unknown(pen: Pen) -> Any:
    return SKIP if "unknown_code_dropped" in pen.quirks else None


def _user_text(spec: UserField, value: Any, pen: Pen) -> Any:
    if isinstance(value, list | dict):
        return "Array" if spec.type == "string" and "list_becomes_array" in pen.quirks else None
    if spec.type == "crm" and not spec.bindings and "link_without_settings_dropped" in pen.quirks:
        return SKIP
    return pen.text(value, limited=False)


def _user_double(spec: UserField, value: Any, pen: Pen) -> float | int | None:
    """A number rounded half up to the field's PRECISION (main module: lib/userfield/types/doubletype.php)."""
    digits = php_text(spec.settings.get("PRECISION"))
    if not _is_number(value):
        return None
    if not digits.isdigit() and "double_rounded_whole" not in pen.quirks:
        return pen.number(value)
    step = Decimal(1).scaleb(-int(digits or 0))
    return whole(float(Decimal(str(php_float(value))).quantize(step, ROUND_HALF_UP)))


def _user_money(_: UserField, value: Any, pen: Pen) -> Any:
    text = pen.text(value, limited=False)
    if "bare_money_completed" not in pen.quirks:
        return text
    amount, _bar, currency = text.partition("|")
    return f"{amount}|{currency or DEFAULT_CURRENCY}" if amount else SKIP


def _user_status(spec: UserField, value: Any, pen: Pen) -> Any:
    code = php_text(value)
    return code if code in pen.choices(spec.settings["ENTITY_TYPE"]) else _unknown(pen)


_USER: Final[dict[str, Callable[[UserField, Any, Pen], Any]]] = {
    "enumeration": _user_choice,
    "date": _user_moment(parse_date),
    "datetime": _user_moment(parse_datetime),
    "double": _user_double,
    "money": _user_money,
    "crm_status": _user_status,
}


def _user_one(spec: UserField, value: Any, pen: Pen, family: str) -> Any:
    """One value as stored; None if the field cannot store it."""
    if spec.type == "boolean":
        return int(_is_true(value) or (family == "classic" and php_text(value) == "1"))
    if spec.type == "file":
        stored = _classic_file(value, pen) if family == "classic" else _item_file(value, pen)
        if stored is None and family == "item":
            return SKIP
        return None if stored is SKIP else stored
    if cast := _USER.get(spec.type):
        return cast(spec, value, pen)
    if spec.is_integer:
        return php_int(value) if _is_number(value) else None
    return _user_text(spec, value, pen)


def _user_many(spec: UserField, value: Any, pen: Pen, family: str) -> list[Any] | None:
    single_file = spec.type == "file" and isinstance(value, dict) and not value.keys().isdisjoint({"id", "fileData"})
    parts = [
        part for part in ([value] if single_file else values_of(value)) if not (spec.type == "file" and _gone(part))
    ]
    stored = [_user_one(spec, part, pen, family) for part in parts if not _is_empty(part)]
    stored = [one for one in stored if one is not SKIP]
    if family == "item" and None in stored:
        raise NotValid
    kept = [one for one in stored if one is not None]
    return kept or (None if not any(not _is_empty(part) for part in parts) else [])


def classic_user_cell(spec: UserField, value: Any, pen: Pen) -> Any:
    """A user field's value as a classic write stores it, or `SKIP`."""
    if spec.multiple:
        stored = _user_many(spec, value, pen, "classic")
        return SKIP if stored == [] else stored
    if value is None and spec.type in {"date", "datetime"}:
        return SKIP
    if spec.type == "file" and _gone(value):
        return None
    if _is_empty(value):
        return None
    stored_one = _user_one(spec, value, pen, "classic")
    return SKIP if stored_one is None else stored_one


def item_user_cell(spec: UserField, value: Any, pen: Pen) -> Any:
    """A user field's value as an item write stores it; `NotValid` where the portal refuses it."""
    if spec.multiple:
        return _user_many(spec, value, pen, "item")
    if _is_empty(value) and spec.type != "boolean":
        return None
    stored = _user_one(spec, value, pen, "item")
    if stored is None:
        raise NotValid
    return stored
