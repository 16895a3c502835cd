"""Fields of every type, two values for each, and what the portal's own table then holds of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import bx24frames as bx
from bx24frames.sandbox.fields.casts import zone_of
from bx24frames.sandbox.store.initial import status_codes

TABLES: Final = {
    "lead": 1, "deal": 2, "contact": 3, "company": 4, "quote": 7, "smart_invoice": 31, "item:128": 128,
    "crm.lead": 1, "crm.deal": 2, "crm.contact": 3, "crm.company": 4, "crm.quote": 7,
}  # fmt: skip
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "crm": {"DEAL": "Y", "CONTACT": "Y"},
    "crm_status": {"ENTITY_TYPE": "SOURCE"},
    "double": {"PRECISION": "2"},
}
STAGES: Final = {
    1: ("NEW", "IN_PROCESS"), 2: ("NEW", "EXECUTING"), 7: ("DRAFT", "SENT"), 31: ("DT31_4:N", "DT31_4:S"),
    128: ("DT128_9:NEW", "DT128_9:CLIENT"),
}  # fmt: skip
"""Stages that close nothing."""


@dataclass(frozen=True)
class Typed:
    """A field that can be written.

    `choices`: the codes, or of a binding the tables, it takes; `user`: a user field; `whole`: a user field of numbers
    without PRECISION, which keeps whole ones alone.
    """

    table: int
    code: str
    type: str
    multiple: bool = False
    immutable: bool = False
    choices: tuple[str, ...] = ()
    user: bool = False
    whole: bool = False

    def value(self, turn: int) -> Any:
        """What stands in the frame, at turn 1 or 2: two different values."""
        one = VALUES.get(self.type, _text)
        if not self.multiple:
            return one(self, turn)
        return [one(self, 1), one(self, 2)] if turn == 1 else [one(self, 2)]

    def stored(self, value: Any, box: bx.Sandbox) -> Any:
        """That value as the portal's table keeps it; of a file, its name and bytes."""
        one = STORED.get(self.type, _as_it_is)
        zone = box.store.server_zone
        return [one(self, part, zone) for part in value] if self.multiple else one(self, value, zone)

    def held(self, row: Mapping[str, Any], box: bx.Sandbox) -> Any:
        """What that table holds."""
        if self.type == "crm_multifield":
            return [entry["VALUE"] for entry in row["fm"] if entry["TYPE_ID"] == self.code.upper()]
        entity = box.store.entity(self.table)
        assert entity is not None
        columns = {name: spec.column for spec in entity.fields for name in (spec.code, spec.column)}
        value = row.get(columns.get(self.code, self.code))
        if self.type != "file" or not value:
            return value
        return [_file(box, one) for one in value] if self.multiple else _file(box, value)


def _file(box: bx.Sandbox, file_id: Any) -> tuple[str, bytes]:
    [(name, content)] = box.store.query("SELECT name, content FROM file WHERE id = ?", (file_id,))
    return str(name), base64.b64decode(content)


def _text(field: Typed, turn: int) -> str:
    code = field.code if field.code.lower() == "comments" else f"<{field.code}>"  # which keep no HTML
    return f"Ёж & {code} 100% +1 #{turn} $result[0"


def _number(_: Typed, turn: int) -> int:
    return 40 + turn


def _code(field: Typed, turn: int) -> str:
    if field.code.lower().replace("_", "") in ("stageid", "statusid"):
        return STAGES[field.table][turn - 1]
    return field.choices[turn % len(field.choices)]


VALUES: Final[Mapping[str, Callable[[Typed, int], Any]]] = {
    **dict.fromkeys(("integer", "user", "employee", "iblock_element", "iblock_section"), _number),
    "crm_category": lambda field, _: {31: 4, 128: 9}.get(field.table, 0),
    **dict.fromkeys(("crm_company", "crm_contact", "crm_lead", "crm_deal", "crm_entity", "crm_webform"), _number),
    # whether a row is closed follows from its stage
    **dict.fromkeys(("char", "boolean"), lambda field, turn: turn == 1 and field.code.lower() != "closed"),
    "double": lambda field, turn: 1234.0 * turn if field.whole else 1234.25 * turn,
    "location": lambda _, turn: str(40 + turn),
    "date": lambda _, turn: date(2026, 1, turn),
    "datetime": lambda _, turn: datetime(2026, 3, 29, 22, 30, turn, tzinfo=UTC),
    "enumeration": lambda field, turn: int(_code(field, turn)),
    "crm_status": _code,
    "crm_currency": lambda _, turn: ("USD", "EUR")[turn - 1],
    "crm": lambda field, turn: f"D_{turn}" if len(field.choices) > 1 else f"{40 + turn}",
    "money": lambda _, turn: {"amount": Decimal(f"{turn}500.50"), "currency": "EUR"},
    "address": lambda _, turn: f"Unter den Linden {turn}|52.5;13.4|{turn}",
    "url": lambda _, turn: f"https://example.com/?a={turn}&b=%20#c",
    "file": lambda field, turn: {"name": f"{field.code}.txt", "content": bytes([turn, 0, 255])},
    "crm_multifield": lambda _, turn: f"+7 900 {turn}",
}
"""By the portal's name of the type; of any other it is a text."""


def _as_it_is(_field: Typed, value: Any, _zone: str) -> Any:
    return value


def _flag(field: Typed, value: bool, _: str) -> Any:
    return int(value) if field.user else "Y" if value else "N"


STORED: Final[Mapping[str, Callable[[Typed, Any, str], Any]]] = {
    **dict.fromkeys(("char", "boolean"), _flag),
    "location": lambda _field, value, _zone: int(value),
    "crm": lambda field, value, _zone: value if len(field.choices) > 1 else int(value),
    "date": lambda _field, value, _zone: value.isoformat(),
    "datetime": lambda _field, value, zone: value.astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M:%S"),
    "money": lambda _field, value, _zone: f"{value['amount']}|{value['currency']}",
    "file": lambda _field, value, _zone: (value["name"], value["content"]),
}
USER_TYPES: Final = (
    "string", "integer", "double", "boolean", "date", "datetime", "enumeration", "money", "url", "address", "employee",
    "file", "crm", "crm_status", "iblock_element", "iblock_section", "rest_12_card",
)  # fmt: skip
"""Types of user fields, the last one an application's own (docs: crm/universal/user-defined-fields)."""


def add_user_fields(box: bx.Sandbox) -> None:
    """Give every table a user field of every type, single and multiple."""
    for number in set(TABLES.values()):
        for type_ in USER_TYPES:
            items = ("Red", "Green", "Blue", "Grey") if type_ == "enumeration" else ()
            for code, multiple in ((f"UF_CRM_T_{type_.upper()}", False), (f"UF_CRM_T_{type_.upper()}_ALL", True)):
                box.store.add_user_field(
                    number, code, type_, multiple=multiple, items=items, settings=SETTINGS.get(type_)
                )


def writable_fields(box: bx.Sandbox, portal: bx.Portal, entity: str) -> Iterator[Typed]:
    """Every field of a table that can be written, by the portal's own description."""
    number = TABLES[entity]
    table = box.store.entity(number)
    assert table is not None
    statuses = {name: spec.status or table.stages for spec in table.fields for name in (spec.code, spec.column)}
    statuses |= {spec.code: spec.settings.get("ENTITY_TYPE", "") for spec in box.store.user_fields(number)}
    bindings = {spec.code: spec.bindings for spec in box.store.user_fields(number)}
    precise = {spec.code for spec in box.store.user_fields(number) if spec.settings.get("PRECISION")}
    for row in bx.describe_entity(entity, portal, backend="pyarrow").to_pylist():
        if row["read_only"] or row["code"] in ("photo", "logo"):  # the item methods refuse these
            continue
        code = row["code"]
        codes: Iterable[str] = (choice["code"] for choice in row["choices"])
        if row["type"] == "crm_status":
            codes = sorted(status_codes(statuses[code]))
        elif row["type"] == "crm":
            codes = bindings[code]
        user = code.startswith("UF_")
        whole = user and code not in precise
        yield Typed(number, code, row["type"], row["multiple"], row["immutable"], tuple(codes), user, whole)
