"""The catalogue: one row a table, with its methods, paging, ids, dates and scope (https://apidocs.bitrix24.com)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging, Path
from bx24frames.entities.schema import Dialect, Entity, Family, Field, FieldsSource, Shape, WriteMethods
from bx24frames.entities.static import CALL_FIELDS, ELAPSED_FIELDS, STAGE_HISTORY_FIELDS, USER_FIELDS

ITEM_TYPES: Final[Mapping[str, tuple[int, str]]] = {
    "lead": (1, "Leads"),
    "deal": (2, "Deals"),
    "contact": (3, "Contacts"),
    "company": (4, "Companies"),
    "quote": (7, "Quotes"),
    "smart_invoice": (31, "Invoices"),
}
"""Name, entityTypeId and caption of the tables every portal has (docs: crm/data-types.md)."""

CLASSIC_TYPES: Final = ("lead", "deal", "contact", "company", "quote")

_UP: Final[Mapping[str, JSON]] = MappingProxyType({"sort": "ID", "order": "ASC"})
_DOWN: Final[Mapping[str, JSON]] = MappingProxyType({"sort": "ID", "order": "DESC"})


def item_entity(entity_type_id: int, name: str, title: str) -> Entity:
    """One table of the universal methods, any smart process included.

    User fields keep their `UF_CRM_...` names by `useOriginalUfNames` in every call
    (https://apidocs.bitrix24.com/api-reference/crm/universal/index.html).
    """
    base: dict[str, JSON] = {"entityTypeId": entity_type_id, "useOriginalUfNames": "Y"}
    return Entity(
        name=name,
        title=title,
        family=Family.ITEM,
        listing=Listing(
            Call("crm.item.list", base),
            rows_path=("items",),
            id_key="id",
            id_filter="id",
            upward=True,
            short_page_ends=False,
            select_ids={"select": ["id"]},
        ),
        fields=FieldsSource("crm.item.fields", base, ("fields",)),
        writes=WriteMethods(
            add="crm.item.add",
            update="crm.item.update",
            delete="crm.item.delete",
            import_one="crm.item.import",
            import_many="crm.item.batchImport",
            id_path=("item", "id"),
        ),
        entity_type_id=entity_type_id,
        get_method="crm.item.get",
        created="createdTime",
        modified="updatedTime",
        base_params=base,
    )


def classic_entity(kind: str, title: str, entity_type_id: int) -> Entity:
    """One table of the classic methods ``crm.KIND.*``."""
    prefix = f"crm.{kind}"
    return Entity(
        name=prefix,
        title=f"{title} (classic methods)",
        family=Family.CLASSIC,
        listing=_classic_listing(f"{prefix}.list"),
        fields=FieldsSource(f"{prefix}.fields"),
        writes=_writes(prefix),
        entity_type_id=entity_type_id,
        get_method=f"{prefix}.get",
        created="DATE_CREATE",
        modified="DATE_MODIFY",
    )


def _classic_listing(method: str, *, paging: Paging = Paging.KEYSET) -> Listing:
    """Chains run downwards: a broken reference would restart an ascending one; offsets past the end wrap."""
    return Listing(Call(method, {}), wraps=True, paging=paging, select_ids={"select": ["ID"]})


def _writes(prefix: str, id_path: Path = ()) -> WriteMethods:
    return WriteMethods(f"{prefix}.add", f"{prefix}.update", f"{prefix}.delete", id_path=id_path)


def _crm(name: str, kind: str, title: str, created: str | None = None, modified: str | None = None) -> Entity:
    """A further table in the manner of the classic methods."""
    prefix = f"crm.{kind}"
    return Entity(
        name=name,
        title=title,
        family=Family.CLASSIC,
        listing=_classic_listing(f"{prefix}.list"),
        fields=FieldsSource(f"{prefix}.fields"),
        writes=_writes(prefix),
        get_method=f"{prefix}.get",
        created=created,
        modified=modified,
    )


def _whole(kind: str, title: str, dialect: Dialect, id_key: str = "ID") -> Entity:
    """A dictionary: the whole list at every call, `start` ignored."""
    prefix = f"crm.{kind}"
    listing = Listing(Call(f"{prefix}.list", {}), id_key=id_key, id_filter=id_key, paging=Paging.WHOLE)
    source = FieldsSource(f"{prefix}.fields")
    return Entity(kind, title, Family.CLASSIC, listing, source, _writes(prefix), select=None, dialect=dialect)


def _controller(method: str, rows: str, **more: JSON) -> Listing:
    """A list of the controller layer: rows under a name, ids in lower case."""
    return Listing(
        Call(method, more),
        rows_path=(rows,),
        id_key="id",
        id_filter="id",
        upward=True,
        short_page_ends=False,
        select_ids={"select": ["id"]},
    )


def _catalog(kind: str, title: str, rows: str, modified: str | None) -> Entity:
    prefix = f"catalog.{kind}"
    fields = FieldsSource(f"{prefix}.getFields", path=(kind,))
    listing = _controller(f"{prefix}.list", rows)
    writes = _writes(prefix, (kind, "id"))
    return Entity(kind, title, Family.OTHER, listing, fields, writes, modified=modified, scope="catalog")


_CATEGORY: Final = Entity(
    name="category",
    title="Pipelines",
    family=Family.OTHER,
    listing=Listing(
        Call("crm.category.list", {}), rows_path=("categories",), id_key="id", id_filter="id", paging=Paging.WHOLE
    ),
    fields=FieldsSource("crm.category.fields", path=("fields",)),
    writes=_writes("crm.category", ("category", "id")),
    select=None,
    arguments=("entityTypeId",),
    needs=("entityTypeId",),
    dialect=Dialect.NONE,
    names=("pipeline",),
)

_TYPE: Final = Entity(
    name="type",
    title="Smart processes",
    family=Family.OTHER,
    # order keys in lower case only, and no condition on the id is documented: pages by offset
    listing=Listing(Call("crm.type.list", {}), rows_path=("types",), id_key="id", id_filter="id", paging=Paging.OFFSET),
    fields=FieldsSource("crm.type.fields", path=("fields",)),
    writes=_writes("crm.type", ("type", "id")),
    created="createdTime",
    modified="updatedTime",
    select=None,
    names=("smart_process",),
)

_STAGE_HISTORY: Final = Entity(
    name="stage_history",
    title="Moves through stages",
    family=Family.OTHER,
    listing=Listing(
        Call("crm.stagehistory.list", {}), rows_path=("items",), short_page_ends=False, select_ids={"select": ["ID"]}
    ),
    fields=FieldsSource(static=STAGE_HISTORY_FIELDS),
    created="CREATED_TIME",
    dialect=Dialect.CLASSIC,
    arguments=("entityTypeId",),
    needs=("entityTypeId",),
)

_PRODUCT_ROW: Final = Entity(
    name="product_row",
    title="Product rows of an owner",
    family=Family.OTHER,
    listing=_controller("crm.item.productrow.list", "productRows"),
    fields=FieldsSource("crm.item.productrow.fields", path=("fields",)),
    writes=_writes("crm.item.productrow", ("productRow", "id")),
    select=None,
    needs=("=ownerType", "=ownerId"),
)

_USER: Final = Entity(
    name="user",
    title="Users",
    family=Family.OTHER,
    listing=Listing(
        Call("user.get", {}),
        filter_path=("FILTER",),
        order_path=(),
        order=(_UP, _DOWN),
    ),
    fields=FieldsSource("user.fields", static=USER_FIELDS, shape=Shape.CAPTIONS),
    writes=WriteMethods("user.add", "user.update", id_param="ID", fields_param=None),
    created="DATE_REGISTER",
    modified="TIMESTAMP_X",
    scope="user",
    select=None,
)

_DEPARTMENT: Final = Entity(
    name="department",
    title="Departments",
    family=Family.OTHER,
    # conditions are equalities beside the other parameters: no keyset (docs: department-get.md)
    listing=Listing(
        Call("department.get", {}),
        filter_path=(),
        order_path=(),
        order=(_UP, _DOWN),
        paging=Paging.OFFSET,
        wraps=True,
    ),
    fields=FieldsSource(
        "department.fields",
        static=(
            Field("ID", "integer", read_only=True),
            Field("NAME", "string", required=True),
            Field("SORT", "integer"),
            Field("PARENT", "crm_entity"),
            Field("UF_HEAD", "user", user_field=True),
        ),
        shape=Shape.CAPTIONS,
    ),
    writes=WriteMethods("department.add", "department.update", "department.delete", id_param="ID", fields_param=None),
    scope="department",
    dialect=Dialect.EQUAL,
    select=None,
)

_TASK: Final = Entity(
    name="task",
    title="Tasks",
    family=Family.OTHER,
    # asked for `>ID`, answered `id` (docs: tasks-task-list.md)
    listing=Listing(
        Call("tasks.task.list", {}),
        rows_path=("tasks",),
        id_key="id",
        short_page_ends=False,
        select_ids={"select": ["ID"]},
    ),
    fields=FieldsSource("tasks.task.getFields", path=("fields",), shape=Shape.TASK),
    writes=WriteMethods(
        "tasks.task.add", "tasks.task.update", "tasks.task.delete", id_param="taskId", id_path=("task", "id")
    ),
    get_method="tasks.task.get",
    created="createdDate",
    modified="changedDate",
    scope="task",
    dialect=Dialect.TASK,
)

_ELAPSED: Final = Entity(
    name="task_time",
    title="Time spent on tasks",
    family=Family.OTHER,
    listing=Listing(Call("task.elapseditem.getlist", {}), paging=Paging.OWN, wraps=True),
    fields=FieldsSource(static=ELAPSED_FIELDS),
    created="CREATED_DATE",
    scope="task",
    dialect=Dialect.NONE,
    select=None,
)

_CALL: Final = Entity(
    name="call",
    title="Calls",
    family=Family.OTHER,
    listing=Listing(
        Call("voximplant.statistic.get", {}),
        filter_path=("FILTER",),
        order_path=(),
        order=({"SORT": "ID", "ORDER": "ASC"}, {"SORT": "ID", "ORDER": "DESC"}),
    ),
    fields=FieldsSource(static=CALL_FIELDS),
    created="CALL_START_DATE",
    scope="telephony",
    dialect=Dialect.CALL,
    select=None,
)

_PRODUCT: Final = Entity(
    name="product",
    title="Products",
    family=Family.OTHER,
    listing=_controller("catalog.product.list", "products"),
    fields=FieldsSource("catalog.product.getFieldsByFilter", path=("product",)),
    writes=_writes("catalog.product", ("element", "id")),
    get_method="catalog.product.get",
    created="dateCreate",
    modified="timestampX",
    scope="catalog",
    always=("iblockId",),
    needs=("iblockId",),
)

ROWS: Final[tuple[Entity, ...]] = (
    *(item_entity(number, name, title) for name, (number, title) in ITEM_TYPES.items()),
    *(classic_entity(name, ITEM_TYPES[name][1], ITEM_TYPES[name][0]) for name in CLASSIC_TYPES),
    _crm("activity", "activity", "Activities", "CREATED", "LAST_UPDATED"),
    _crm("requisite", "requisite", "Requisites", "DATE_CREATE", "DATE_MODIFY"),
    _crm("bank_detail", "requisite.bankdetail", "Bank details", "DATE_CREATE", "DATE_MODIFY"),
    _crm("crm.product", "product", "Products (classic methods)", "DATE_CREATE", "TIMESTAMP_X"),
    _crm("crm.productsection", "productsection", "Product sections (classic methods)"),
    _whole("status", "Statuses, stages and sources", Dialect.EQUAL),
    _whole("currency", "Currencies", Dialect.NONE, id_key="CURRENCY"),
    _CATEGORY,
    _TYPE,
    _STAGE_HISTORY,
    _PRODUCT_ROW,
    _PRODUCT,
    _catalog("section", "Product sections", "sections", None),
    _catalog("price", "Prices", "prices", "timestampX"),
    _USER,
    _DEPARTMENT,
    _TASK,
    _ELAPSED,
    _CALL,
)
"""Every table, in the order they are shown."""


def _named(rows: tuple[Entity, ...]) -> Mapping[str, Entity]:
    named: dict[str, Entity] = {}
    for row in rows:
        for name in (row.name, *row.names):
            if name in named:
                raise ValueError(f"the catalogue names {name} twice")
            named[name] = row
    return MappingProxyType(named)


CATALOG: Final[Mapping[str, Entity]] = _named(ROWS)
"""Every table by its name and its further names."""
