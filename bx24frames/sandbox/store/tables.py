"""Tables and entity types of the portal, and their layout in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from bx24frames.sandbox.fields import around, people
from bx24frames.sandbox.fields.crm import COMPANY, CONTACT, DEAL, LEAD, QUOTE
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.fields.smart import INVOICE, PRODUCT_ROW_FIELDS, SMART, STAGE_HISTORY_FIELDS, USER

Row: TypeAlias = dict[str, Any]
"""A row: stored by column, or printed by the keys of an answer."""
AFFINITY: Final[dict[Kind, str]] = {
    Kind.INT: "INTEGER",
    # NUMERIC stores 19000.0 as the integer 19000, which is how the portal prints whole floats
    Kind.NUMBER: "NUMERIC",
    Kind.FILE: "INTEGER",
    Kind.BOOL: "INTEGER",
}


@dataclass(frozen=True)
class Table:
    """A table and its system fields; `name` is its name in SQLite too."""

    name: str
    fields: tuple[FieldSpec, ...]
    user_fields: bool = False
    indexed: tuple[str, ...] = ()
    by_code: dict[str, FieldSpec] = field(init=False, repr=False)
    by_name: dict[str, FieldSpec] = field(init=False, repr=False)
    by_upper: dict[str, FieldSpec] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        stored = [spec for spec in self.fields if spec.stored]
        object.__setattr__(self, "by_code", {s.code: s for s in self.fields if s.has("classic")})
        object.__setattr__(self, "by_name", {s.column: s for s in stored if s.has("item")})
        object.__setattr__(self, "by_upper", {s.upper_name: s for s in stored if s.has("item")})

    @property
    def columns(self) -> tuple[str, ...]:
        """The stored columns in order, the user fields' document last."""
        names = [spec.column for spec in self.fields if spec.stored]
        return (*names, "uf") if self.user_fields else tuple(names)

    def ddl(self) -> Iterator[str]:
        """The statements that create the table."""
        columns = [f'"{s.column}" {AFFINITY.get(s.kind, "TEXT")}' for s in self.fields if s.stored and s.column != "id"]
        if self.user_fields:
            columns.append('"uf" TEXT')
        # AUTOINCREMENT: the portal never reuses the id of a deleted row
        yield f'CREATE TABLE IF NOT EXISTS "{self.name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, {", ".join(columns)})'
        for column in self.indexed:
            expression = f'"{column}"' if self._is_plain(column) else f'fold("{column}")'
            yield f'CREATE INDEX IF NOT EXISTS "{self.name}_{column}" ON "{self.name}" ({expression})'

    def _is_plain(self, column: str) -> bool:
        kind = next(spec.kind for spec in self.fields if spec.column == column)
        return kind in {Kind.INT, Kind.NUMBER, Kind.DATETIME}


@dataclass(frozen=True)
class EntityType:
    """One CRM entity type (https://apidocs.bitrix24.com/api-reference/crm/data-types.html).

    `short`: its prefix in crm bindings. `classic`: whether ``crm.{name}.*`` exists. `stage`: the code of its
    stage field; `stages`: the dictionary of the default pipeline; `pipelines`: whether others append ``_{id}``.
    `needs`: one of these is always filled: the last gets a default on add, and no update clears all of them.
    """

    id: int
    name: str
    title: str
    short: str
    fields: tuple[FieldSpec, ...]
    uf_prefix: str = "UF_CRM_"
    uf_entity: str = ""
    classic: bool = False
    multifields: bool = False
    stage: str = ""
    stages: str = ""
    code: str = ""
    type_id: int = 0
    needs: tuple[str, ...] = ()
    numbered_title: bool = False
    indexed: tuple[str, ...] = ("updatedTime",)

    @property
    def table(self) -> Table:
        """The entity's table."""
        return table_named(self.name)


DEALS: Final = 2
"""The entity type id of deals."""
ORIGIN_INDEX: Final = ("updatedTime", "originId")

ENTITY_TYPES: Final[dict[int, EntityType]] = {
    entity.id: entity
    for entity in (
        EntityType(
            1, "lead", "Лид", "L", LEAD, uf_entity="CRM_LEAD", classic=True, multifields=True,
            stage="STATUS_ID", stages="STATUS", numbered_title=True, indexed=ORIGIN_INDEX,
        ),
        EntityType(
            2, "deal", "Сделка", "D", DEAL, uf_entity="CRM_DEAL", classic=True, stage="STAGE_ID",
            stages="DEAL_STAGE", numbered_title=True, indexed=ORIGIN_INDEX,
        ),
        EntityType(
            3, "contact", "Контакт", "C", CONTACT, uf_entity="CRM_CONTACT", classic=True, multifields=True,
            needs=("NAME", "LAST_NAME"), indexed=ORIGIN_INDEX,
        ),
        EntityType(
            4, "company", "Компания", "CO", COMPANY, uf_entity="CRM_COMPANY", classic=True, multifields=True,
            numbered_title=True, indexed=ORIGIN_INDEX,
        ),
        EntityType(
            7, "quote", "Предложение", "Q", QUOTE, uf_entity="CRM_QUOTE", classic=True, stage="STATUS_ID",
            stages="QUOTE_STATUS", numbered_title=True,
        ),
        EntityType(
            31, "smart_invoice", "Счёт", "SI", INVOICE, uf_prefix="UF_CRM_SMART_INVOICE_",
            uf_entity="CRM_SMART_INVOICE", stage="STAGE_ID", stages="SMART_INVOICE_STAGE_4", numbered_title=True,
        ),
        EntityType(
            128, "dynamic_128", "Project", "T80", SMART, uf_prefix="UF_CRM_7_", uf_entity="CRM_7", stage="STAGE_ID",
            stages="DYNAMIC_128_STAGE_9", code="PROJECT", type_id=7, numbered_title=True,
        ),
        EntityType(
            1036, "dynamic_1036", "Объект недвижимости", "T40c", SMART, uf_prefix="UF_CRM_11_", uf_entity="CRM_11",
            stage="STAGE_ID", stages="DYNAMIC_1036_STAGE_15", code="REAL_ESTATE", type_id=11, numbered_title=True,
        ),
        EntityType(
            1038, "dynamic_1038", "Архив", "T40e", SMART, uf_prefix="UF_CRM_13_", uf_entity="CRM_13",
            stage="STAGE_ID", stages="DYNAMIC_1038_STAGE_17", code="ARCHIVE", type_id=13, numbered_title=True,
        ),
    )
}  # fmt: skip
TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        *(Table(e.name, e.fields, user_fields=True, indexed=e.indexed) for e in ENTITY_TYPES.values()),
        Table("user", USER, user_fields=True),
        Table("activity", around.ACTIVITY, indexed=("ownerId",)),
        Table("requisite", around.REQUISITE, indexed=("entityId",)),
        Table("bank_detail", around.BANK_DETAIL),
        Table("address", around.ADDRESS),
        Table("comment", around.COMMENT_FIELDS, indexed=("entityId",)),
        Table("product", around.PRODUCT_FIELDS),
        Table("section", around.SECTION),
        Table("price", around.PRICE),
        Table("catalog", around.CATALOG_FIELDS),
        Table("task", people.TASK, user_fields=True),
        Table("checklist_item", people.CHECKLIST_ITEM, indexed=("taskId",)),
        Table("task_comment", people.TASK_COMMENT, indexed=("taskId",)),
        Table("elapsed", people.ELAPSED_FIELDS),
        Table("call", people.CALL_FIELDS),
        Table("list_element", people.LIST_ELEMENT_FIELDS, user_fields=True),
        Table("workgroup", people.WORKGROUP_FIELDS),
        Table("storage", people.STORAGE),
        Table("disk_item", people.DISK_ITEM_FIELDS),
        Table("disk_version", people.DISK_VERSION),
        Table("stage_history", STAGE_HISTORY_FIELDS, indexed=("ownerId",)),
        Table("product_row", PRODUCT_ROW_FIELDS, indexed=("ownerId",)),
    )
}


@cache
def table_named(name: str) -> Table:
    """A table by its name; tables of smart processes created later have equal columns."""
    if name in TABLES or not name.startswith(_MADE):
        return TABLES[name]
    return Table(name, SMART, user_fields=True, indexed=("updatedTime",))


@cache
def smart_type(number: int, type_id: int, title: str, code: str, category: int) -> EntityType:
    """A smart process created while the portal runs: its id, the id of its settings, its default pipeline."""
    return EntityType(
        number, f"{_MADE}{number}", title, f"T{number:x}", SMART, uf_prefix=f"UF_CRM_{type_id}_",
        uf_entity=f"CRM_{type_id}", stage="STAGE_ID", stages=f"DYNAMIC_{number}_STAGE_{category}", code=code,
        type_id=type_id, numbered_title=True,
    )  # fmt: skip


_MADE: Final = "dynamic_"
MULTIFIELD_DDL: Final = (
    "CREATE TABLE IF NOT EXISTS multifield (id INTEGER PRIMARY KEY AUTOINCREMENT, entityTypeId INTEGER, "
    "elementId INTEGER, typeId TEXT, valueType TEXT, value TEXT)",
    "CREATE INDEX IF NOT EXISTS multifield_element ON multifield (entityTypeId, elementId)",
    "CREATE INDEX IF NOT EXISTS multifield_value ON multifield (typeId, comparable(typeId, value))",
)
FILE_DDL: Final = "CREATE TABLE IF NOT EXISTS file (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, content TEXT)"
SETTINGS_DDL: Final = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT)"
