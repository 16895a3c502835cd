"""Entity templates: how each family of methods lists, describes and writes rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging, Path
from bx24frames.entities.schema import Argument, Entity, Family, Field, FieldsSource, WriteMethods

_NOTHING: Final[Mapping[str, JSON]] = MappingProxyType({})
UP: Final[Mapping[str, JSON]] = MappingProxyType({"sort": "ID", "order": "ASC"})
DOWN: Final[Mapping[str, JSON]] = MappingProxyType({"sort": "ID", "order": "DESC"})


def item_entity(entity_type_id: int, name: str, title: str) -> Entity:
    """An entity of the universal methods `crm.item.*`, smart processes included.

    It is described and listed without `useOriginalUfNames`: such a description gives both names of every user field,
    and a list with the flag loses fields (see `entities.forms`). Writes set it, so that user fields go by their codes
    (https://apidocs.bitrix24.com/api-reference/crm/universal/index.html).
    """
    base: dict[str, JSON] = {"entityTypeId": entity_type_id}
    return Entity(
        name=name,
        title=title,
        family=Family.ITEM,
        listing=controller("crm.item.list", "items", more=base),
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
        base_params={**base, "useOriginalUfNames": "Y"},
    )


def classic_entity(kind: str, title: str, entity_type_id: int) -> Entity:
    """An entity of the classic methods ``crm.KIND.*``."""
    prefix = f"crm.{kind}"
    return Entity(
        name=prefix,
        title=f"{title} (classic methods)",
        family=Family.CLASSIC,
        listing=classic_listing(f"{prefix}.list"),
        fields=FieldsSource(f"{prefix}.fields"),
        writes=writes(prefix),
        entity_type_id=entity_type_id,
        get_method=f"{prefix}.get",
        created="DATE_CREATE",
        modified="DATE_MODIFY",
    )


def crm(
    name: str,
    kind: str,
    title: str,
    created: str | None = None,
    modified: str | None = None,
    *,
    static: tuple[Field, ...] = (),
    names: tuple[str, ...] = (),
) -> Entity:
    """Another entity with methods like the classic ones."""
    prefix = f"crm.{kind}"
    return Entity(
        name=name,
        title=title,
        family=Family.CLASSIC,
        listing=classic_listing(f"{prefix}.list"),
        fields=FieldsSource(f"{prefix}.fields", static=static),
        writes=writes(prefix),
        get_method=f"{prefix}.get",
        created=created,
        modified=modified,
        names=names,
    )


def classic_listing(method: str) -> Listing:
    """Chains run in descending order: a broken reference would restart an ascending chain; offsets past the end wrap
    around.
    """
    return Listing(Call(method, {}), wraps=True, select_ids={"select": ["ID"]})


def writes(prefix: str, id_path: Path = ()) -> WriteMethods:
    """The methods ``.add``, ``.update`` and ``.delete``."""
    return WriteMethods(f"{prefix}.add", f"{prefix}.update", f"{prefix}.delete", id_path=id_path)


def dictionary_entity(
    kind: str,
    title: str,
    id_key: str = "ID",
    *,
    static: tuple[Field, ...] = (),
    names: tuple[str, ...] = (),
) -> Entity:
    """A dictionary: every call returns the whole list and ignores `start`."""
    prefix = f"crm.{kind}"
    listing = Listing(Call(f"{prefix}.list", {}), id_key=id_key, id_filter=id_key, paging=Paging.WHOLE)
    return Entity(
        name=kind,
        title=title,
        family=Family.CLASSIC,
        listing=listing,
        fields=FieldsSource(f"{prefix}.fields", static=static),
        writes=writes(prefix),
        select=None,
        names=names,
    )


def controller(method: str, rows: str, paging: Paging = Paging.KEYSET, more: Mapping[str, JSON] = _NOTHING) -> Listing:
    """A list of the controller layer: rows under a key, ids in lower case."""
    return Listing(
        Call(method, more),
        rows_path=(rows,),
        id_key="id",
        id_filter="id",
        paging=paging,
        upward=True,
        short_page_ends=False,
        select_ids={"select": ["id"]},
    )


def catalogue(
    kind: str, title: str, rows: str, modified: str | None = None, *, static: tuple[Field, ...] = ()
) -> Entity:
    """An entity of ``catalog.KIND.*`` (https://apidocs.bitrix24.com/api-reference/catalog/index.html)."""
    prefix = f"catalog.{kind}"
    return Entity(
        name=kind,
        title=title,
        family=Family.OTHER,
        listing=controller(f"{prefix}.list", rows),
        fields=FieldsSource(f"{prefix}.getFields", path=(kind,), static=static),
        writes=writes(prefix, (kind, "id")),
        modified=modified,
        scope="catalog",
    )


def links(owner: str, linked: str) -> Entity:
    """Links of one owner, such as the contacts of a deal or the companies of a contact, as one list
    (https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/crm-deal-contact-items-get.html).
    """
    owner_id, linked_id = f"{owner.upper()}_ID", f"{linked.upper()}_ID"
    plural = "Companies" if linked == "company" else "Contacts"
    return Entity(
        name=f"{owner}_{linked}",
        title=f"{plural} bound to a {owner}",
        family=Family.OTHER,
        listing=Listing(
            Call(f"crm.{owner}.{linked}.items.get", {}), id_key="", id_filter="", paging=Paging.WHOLE,
            row_key=(owner_id, linked_id),
        ),
        fields=FieldsSource(
            static=(
                Field(owner_id, f"crm_{owner}", title=owner.title(), read_only=True),
                Field(linked_id, f"crm_{linked}", title=linked.title(), read_only=True),
                Field("SORT", "integer", read_only=True),
                Field("ROLE_ID", "integer", read_only=True),
                Field("IS_PRIMARY", "boolean", read_only=True),
            )
        ),
        select=None,
        arguments=(Argument(owner_id, ("id",), aliases=("ownerId", "OWNER_ID")),),
        unwritten=f"crm.{owner}.{linked}.items.set replaces all links of a row at once",
    )  # fmt: skip
