"""Catalogue of the entities around the CRM and its products
(https://apidocs.bitrix24.com/api-reference/crm/index.html).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging
from bx24frames.entities.catalog import static
from bx24frames.entities.catalog.listings import catalogue, controller, crm, dictionary_entity, links, writes
from bx24frames.entities.owner_types import owner_abbreviation, owner_number, owner_word
from bx24frames.entities.schema import Argument, Entity, Family, FieldsSource, WriteMethods

CONTACT_OWNERS: Final = ("deal", "lead", "quote", "company")
USER_FIELD_OWNERS: Final = ("lead", "deal", "contact", "company", "quote")

_ENTITY_TYPE: Final = Argument("entityTypeId", ("entityTypeId",), aliases=("ENTITY_TYPE_ID",), spelled=owner_number)
_DEAL: Final = 2

_CATEGORY: Final = Entity(
    name="category",
    title="Pipelines",
    family=Family.OTHER,
    listing=Listing(
        Call("crm.category.list", {}), rows_path=("categories",), id_key="id", id_filter="id", paging=Paging.WHOLE,
        row_key=("entityTypeId", "id"),  # contacts, companies and deals all have a pipeline 0
    ),
    # the description needs a type, and every portal has deals (docs: crm-category-fields.md)
    fields=FieldsSource("crm.category.fields", {"entityTypeId": _DEAL}, path=("fields",)),
    writes=writes("crm.category", ("category", "id")),
    select=None,
    arguments=(replace(_ENTITY_TYPE, described=("entityTypeId",), alike=True),),
    names=("pipeline",),
)  # fmt: skip

_TYPE: Final = Entity(
    name="type",
    title="Smart processes",
    family=Family.OTHER,
    # no condition on the id is documented, so pages go by offset (docs: crm-type-list.md)
    listing=controller("crm.type.list", "types", Paging.OFFSET),
    fields=FieldsSource("crm.type.fields", path=("fields",), extra=static.TYPE),
    created="createdTime",
    modified="updatedTime",
    select=None,
    names=("smart_process",),
    unwritten="crm.type.add creates an entity, and crm.type.delete drops one with all its rows",
)

_STAGE_HISTORY: Final = Entity(
    name="stage_history",
    title="Moves through stages",
    family=Family.OTHER,
    listing=Listing(
        Call("crm.stagehistory.list", {}), rows_path=("items",), short_page_ends=False, select_ids={"select": ["ID"]}
    ),
    fields=FieldsSource(static=static.STAGE_HISTORY),
    created="CREATED_TIME",
    modified="CREATED_TIME",  # rows are only added, never changed
    arguments=(_ENTITY_TYPE,),
    sparse=True,
)

_PRODUCT_ROW: Final = Entity(
    name="product_row",
    title="Product rows of an owner",
    family=Family.OTHER,
    # a filter must name the owner and accepts nothing else (docs: crm-item-productrow-list.md)
    listing=controller("crm.item.productrow.list", "productRows", Paging.OFFSET),
    fields=FieldsSource("crm.item.productrow.fields", path=("fields",), extra=static.PRODUCT_ROW),
    writes=writes("crm.item.productrow", ("productRow", "id")),
    select=None,
    arguments=(
        Argument("ownerId", ("filter", "=ownerId"), aliases=("OWNER_ID",)),
        Argument("ownerType", ("filter", "=ownerType"), "string", ("OWNER_TYPE",), spelled=owner_abbreviation),
    ),
)

_COMMENT: Final = Entity(
    name="timeline_comment",
    title="Comments in the timeline of an owner",
    family=Family.CLASSIC,
    listing=Listing(Call("crm.timeline.comment.list", {}), paging=Paging.OFFSET),
    fields=FieldsSource("crm.timeline.comment.fields", static=static.COMMENT),
    writes=writes("crm.timeline.comment"),
    get_method="crm.timeline.comment.get",
    created="CREATED",
    arguments=(
        Argument("ENTITY_ID", ("filter", "ENTITY_ID"), aliases=("ownerId", "OWNER_ID")),
        Argument("ENTITY_TYPE", ("filter", "ENTITY_TYPE"), "string", ("ownerType",), spelled=owner_word),
    ),
    names=("comment",),
)

_ADDRESS: Final = Entity(
    name="address",
    title="Addresses",
    family=Family.CLASSIC,
    # rows have no id; offsets are exact (docs: crm-address-list.md)
    listing=Listing(
        Call("crm.address.list", {"order": {"TYPE_ID": "ASC", "ENTITY_TYPE_ID": "ASC", "ENTITY_ID": "ASC"}}),
        id_key="",
        id_filter="",
        paging=Paging.OFFSET,
        row_key=("TYPE_ID", "ENTITY_TYPE_ID", "ENTITY_ID"),
    ),
    fields=FieldsSource("crm.address.fields"),
    unwritten="an address has no id: its methods take its owner and type",
)

_COLUMN: Final = "a user field is a column of an entity, not a row"
_USER_FIELD: Final = Entity(
    name="user_field",
    title="User fields",
    family=Family.OTHER,
    # conditions are equalities only, so pages go by offset (docs: userfieldconfig-list.md)
    listing=controller("userfieldconfig.list", "fields", Paging.OFFSET),
    fields=FieldsSource(static=static.USER_FIELD),
    scope="userfieldconfig",
    unwritten=_COLUMN,
    arguments=(Argument("moduleId", ("moduleId",), "string", default="crm"),),
)


def _user_fields(kind: str) -> Entity:
    """The user fields of one entity, read whole (docs: crm-deal-userfield-list.md)."""
    prefix = f"crm.{kind}.userfield"
    return Entity(
        name=f"{kind}_user_field",
        title=f"User fields of a {kind}",
        family=Family.CLASSIC,
        listing=Listing(Call(f"{prefix}.list", {}), paging=Paging.WHOLE),
        fields=FieldsSource(static=static.CRM_USER_FIELD),
        select=None,
        unwritten=_COLUMN,
    )


_IBLOCK: Final[dict[str, JSON]] = {"filter": {"productType": 1}}
_PRODUCT: Final = Entity(
    name="product",
    title="Products",
    family=Family.OTHER,
    listing=replace(controller("catalog.product.list", "products"), select_ids={"select": ["id", "iblockId"]}),
    fields=FieldsSource(
        "catalog.product.getFieldsByFilter", _IBLOCK, path=("product",), static=static.PRODUCT,
        extra=static.PRODUCT_MORE,
    ),
    writes=writes("catalog.product", ("element", "id")),
    get_method="catalog.product.get",
    created="dateCreate",
    modified="timestampX",
    scope="catalog",
    always=("iblockId",),
    arguments=(Argument("iblockId", ("filter", "iblockId"), described=("filter", "iblockId")),),
)  # fmt: skip

CRM_ROWS: Final[tuple[Entity, ...]] = (
    crm("activity", "activity", "Activities", "CREATED", "LAST_UPDATED", static=static.ACTIVITY),
    crm("requisite", "requisite", "Requisites", "DATE_CREATE", "DATE_MODIFY"),
    crm("bank_detail", "requisite.bankdetail", "Bank details", "DATE_CREATE", "DATE_MODIFY"),
    _ADDRESS,
    replace(
        dictionary_entity("status", "Statuses, stages and sources", static=static.STATUS, names=("stage", "source")),
        stamped=("STATUS_ID",),  # the code of a stage gets its pipeline as a prefix, C1: (docs: crm-status-add.md)
    ),
    replace(
        dictionary_entity("currency", "Currencies", id_key="CURRENCY"),
        modified="DATE_UPDATE",
        writes=WriteMethods(),
        unwritten="rows are written by numeric id, and the id of a currency is a code",
    ),
    _CATEGORY,
    _TYPE,
    _STAGE_HISTORY,
    _PRODUCT_ROW,
    _COMMENT,
    *(links(owner, "contact") for owner in CONTACT_OWNERS),
    links("contact", "company"),
    *(_user_fields(kind) for kind in USER_FIELD_OWNERS),
    _USER_FIELD,
    crm("crm.product", "product", "Products (classic methods)", "DATE_CREATE", "TIMESTAMP_X"),
    crm("crm.productsection", "productsection", "Product sections (classic methods)"),
    _PRODUCT,
    replace(
        catalogue("section", "Product sections", "sections"),
        names=("product_section",),
        # the condition is required, and recognised only without a prefix (docs: catalog-section-list.md)
        arguments=(Argument("iblockId", ("filter", "iblockId")),),
    ),
    catalogue("price", "Prices", "prices", "timestampX"),
    replace(catalogue("catalog", "Catalogues", "catalogs"), writes=WriteMethods()),
)
"""The entities around the CRM, in display order."""
