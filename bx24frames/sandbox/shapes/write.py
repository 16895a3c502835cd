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
from bx24frames.sandbox.fields.normalise import CUT, ROUND, normalisations, rewritten
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.store.dictionaries import known_codes

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
class WriteContext:
    """What casts need to know about the portal: zone, dictionaries, files and quirks.

    `choices`: the codes of a status dictionary. `save_file`: keeps a file and gives its id.
    `normalise`: the normalisations that are on. `quirks`: those that are on.
    """

    zone: timezone
    choices: Callable[[str], frozenset[str]]
    save_file: Callable[[str, str], int]
    normalise: frozenset[str] = frozenset()
    quirks: frozenset[str] = frozenset()

    def text(self, value: Any, *, limited: bool = True) -> str:
        """A string as the database stores it."""
        text = rewritten(php_text(value), self.normalise)
        return text[:STRING_LIMIT] if limited and CUT in self.normalise else text

    def number(self, value: Any) -> float | int:
        """A double as the database stores it."""
        number = php_float(value)
        return whole(round(number, 2) if ROUND in self.normalise else number)


def write_context(store: Store, quirks: frozenset[str] = frozenset()) -> WriteContext:
    """What casts need to know about a portal, from its store."""

    def save_file(name: str, content: str) -> int:
        return store.insert_row("file", {"name": name, "content": content})

    return WriteContext(
        zone_of(store.server_zone), partial(known_codes, store), save_file, normalisations(store.normalise), quirks
    )


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


def _normalised(spec: FieldSpec, stored: Any, portal: WriteContext) -> Any:
    if spec.kind is not Kind.TEXT or not isinstance(stored, str):
        return stored
    if spec.column == "comments" and "comments_without_html" in portal.quirks:
        stored = _TAG.sub("", stored)
    return portal.text(stored, limited=spec.type == "string")


# ---------------------------------------------------------------- classic (classes/general/restservice.php)


def _classic_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[Any, WriteContext], Any]:
    def cast(value: Any, portal: WriteContext) -> Any:
        if value == "":
            return None
        return parse(value, portal.zone) or SKIP

    return cast


def _gone(value: Any) -> bool:
    """Whether a value of classic methods removes a file (crm module: classes/general/restservice.php)."""
    return isinstance(value, dict) and value.get("remove") == "Y"


def _classic_file(value: Any, portal: WriteContext) -> Any:
    if not isinstance(value, dict):
        return SKIP
    if _gone(value):
        return None
    content = values_of(value.get("fileData"))
    return portal.save_file(php_text(content[0]), php_text(content[-1])) if len(content) > 1 else SKIP


_CLASSIC: Final[dict[Kind, Callable[[Any, WriteContext], Any]]] = {
    Kind.INT: lambda value, _: php_int(value),
    Kind.NUMBER: lambda value, portal: portal.number(value),
    Kind.TEXT: lambda value, _: SKIP if isinstance(value, list | dict) else php_text(value),
    Kind.CODE: lambda value, _: SKIP if isinstance(value, list | dict) else php_text(value),
    Kind.FLAG: lambda value, _: "Y" if php_text(value).upper() == "Y" else "N",
    Kind.DATE: _classic_moment(parse_date),
    Kind.DATETIME: _classic_moment(parse_datetime),
    Kind.INT_LIST: lambda value, _: _ints(value),
    Kind.FILE: _classic_file,
    Kind.BOOL: lambda value, _: int(php_text(value) in {"1", "Y"}),
}


def classic_cell(spec: FieldSpec, value: Any, portal: WriteContext) -> Any:
    """A system field's value as a classic write stores it, or `SKIP`."""
    return _normalised(spec, _CLASSIC[spec.kind](value, portal), portal)


# ---------------------------------------------------------------- item (lib/item.php)


def _item_text(value: Any, _: WriteContext) -> str:
    if isinstance(value, list | dict):
        raise NotValid
    return php_text(value)


def _item_int(value: Any, _: WriteContext) -> int:
    if not _is_number(value):
        raise NotValid
    return php_int(value)


def _item_number(value: Any, portal: WriteContext) -> float | int:
    if not _is_number(value):
        raise NotValid
    return portal.number(value)


def _item_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[Any, WriteContext], str]:
    def cast(value: Any, portal: WriteContext) -> str:
        stored = parse(value, portal.zone)
        if stored is None:
            raise NotValid
        return stored

    return cast


def _item_file(value: Any, portal: WriteContext) -> int | None:
    parts = values_of(value)
    if isinstance(value, dict) and "id" in value:
        return php_int(value["id"])
    if isinstance(value, dict) and "fileData" in value and "item_takes_no_file_data" in portal.quirks:
        return None
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise NotValid
    return portal.save_file(parts[0], parts[1])


_ITEM: Final[dict[Kind, Callable[[Any, WriteContext], Any]]] = {
    Kind.INT: _item_int,
    Kind.NUMBER: _item_number,
    Kind.TEXT: _item_text,
    Kind.CODE: _item_text,
    Kind.DATE: _item_moment(parse_date),
    Kind.DATETIME: _item_moment(parse_datetime),
    Kind.INT_LIST: lambda value, _: _ints(value),
    Kind.FILE: _item_file,
}


def item_cell(spec: FieldSpec, value: Any, portal: WriteContext) -> Any:
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
    if spec.column in _PICTURES and "item_takes_no_photo" in portal.quirks:
        raise NotValid
    stored = _normalised(spec, _ITEM[spec.kind](value, portal), portal)
    if spec.status and stored not in portal.choices(spec.status):
        if "unknown_code_dropped" in portal.quirks:
            return SKIP
        raise NotValid
    return stored


# ---------------------------------------------------------------- user fields


def _user_moment(parse: Callable[[Any, timezone], str | None]) -> Callable[[UserField, Any, WriteContext], Any]:
    return lambda _, value, portal: parse(value, portal.zone)


def _user_choice(spec: UserField, value: Any, portal: WriteContext) -> Any:
    if php_int(value) in {choice for choice, _text in spec.items}:
        return php_int(value)
    if "caption_becomes_zero" in portal.quirks and not _is_number(value):
        return 0
    return _unknown(portal)


def _unknown(portal: WriteContext) -> Any:
    return SKIP if "unknown_code_dropped" in portal.quirks else None


def _user_text(spec: UserField, value: Any, portal: WriteContext) -> Any:
    if isinstance(value, list | dict):
        return "Array" if spec.type == "string" and "list_becomes_array" in portal.quirks else None
    if spec.type == "crm" and not spec.bindings and "link_without_settings_dropped" in portal.quirks:
        return SKIP
    return portal.text(value, limited=False)


def _user_double(spec: UserField, value: Any, portal: WriteContext) -> float | int | None:
    """A number rounded half up to the field's PRECISION (main module: lib/userfield/types/doubletype.php)."""
    digits = php_text(spec.settings.get("PRECISION"))
    if not _is_number(value):
        return None
    if not digits.isdigit() and "double_rounded_whole" not in portal.quirks:
        return portal.number(value)
    step = Decimal(1).scaleb(-int(digits or 0))
    return whole(float(Decimal(str(php_float(value))).quantize(step, ROUND_HALF_UP)))


def _user_money(_: UserField, value: Any, portal: WriteContext) -> Any:
    text = portal.text(value, limited=False)
    if "bare_money_completed" not in portal.quirks:
        return text
    amount, _bar, currency = text.partition("|")
    return f"{amount}|{currency or DEFAULT_CURRENCY}" if amount else SKIP


def _user_status(spec: UserField, value: Any, portal: WriteContext) -> Any:
    code = php_text(value)
    return code if code in portal.choices(spec.settings["ENTITY_TYPE"]) else _unknown(portal)


_USER: Final[dict[str, Callable[[UserField, Any, WriteContext], Any]]] = {
    "enumeration": _user_choice,
    "date": _user_moment(parse_date),
    "datetime": _user_moment(parse_datetime),
    "double": _user_double,
    "money": _user_money,
    "crm_status": _user_status,
}


def _user_one(spec: UserField, value: Any, portal: WriteContext, family: str) -> Any:
    """One value as stored; None if the field cannot store it."""
    if spec.type == "boolean":
        return int(_is_true(value) or (family == "classic" and php_text(value) == "1"))
    if spec.type == "file":
        stored = _classic_file(value, portal) if family == "classic" else _item_file(value, portal)
        if stored is None and family == "item":
            return SKIP
        return None if stored is SKIP else stored
    if cast := _USER.get(spec.type):
        return cast(spec, value, portal)
    if spec.is_integer:
        return php_int(value) if _is_number(value) else None
    return _user_text(spec, value, portal)


def _user_many(spec: UserField, value: Any, portal: WriteContext, family: str) -> list[Any] | None:
    single_file = spec.type == "file" and isinstance(value, dict) and not value.keys().isdisjoint({"id", "fileData"})
    parts = [
        part for part in ([value] if single_file else values_of(value)) if not (spec.type == "file" and _gone(part))
    ]
    stored = [_user_one(spec, part, portal, family) for part in parts if not _is_empty(part)]
    stored = [one for one in stored if one is not SKIP]
    if family == "item" and None in stored:
        raise NotValid
    kept = [one for one in stored if one is not None]
    return kept or (None if not any(not _is_empty(part) for part in parts) else [])


def classic_user_cell(spec: UserField, value: Any, portal: WriteContext) -> Any:
    """A user field's value as a classic write stores it, or `SKIP`."""
    if spec.multiple:
        stored = _user_many(spec, value, portal, "classic")
        return SKIP if stored == [] else stored
    if value is None and spec.type in {"date", "datetime"}:
        return SKIP
    if spec.type == "file" and _gone(value):
        return None
    if _is_empty(value):
        return None
    stored_one = _user_one(spec, value, portal, "classic")
    return SKIP if stored_one is None else stored_one


def item_user_cell(spec: UserField, value: Any, portal: WriteContext) -> Any:
    """A user field's value as an item write stores it; `NotValid` where the portal refuses it."""
    if spec.multiple:
        return _user_many(spec, value, portal, "item")
    if _is_empty(value) and spec.type != "boolean":
        return None
    stored = _user_one(spec, value, portal, "item")
    if stored is None:
        raise NotValid
    return stored
