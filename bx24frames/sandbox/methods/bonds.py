"""Contacts bound to a row, ``crm.X.contact.*``, and companies bound to a contact
(https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_id
from bx24frames.sandbox.methods.described import flat_fields
from bx24frames.sandbox.methods.dictionaries import flat
from bx24frames.sandbox.registry import NOT_FOUND, Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of


def _ids(text: str | None) -> list[int]:
    return orjson.loads(text) if text else []


def _text(ids: Sequence[int]) -> str | None:
    return orjson.dumps(list(ids)).decode() if ids else None


@dataclass(frozen=True, slots=True)
class Bond:
    """Links of the rows of `table`: ids in the column `many`, the first also in `one`."""

    table: str
    one: str
    many: str
    key: str

    def ids(self, row: dict[str, Any], context: Context) -> list[int]:  # noqa: ARG002
        """The bound ids, the first one primary."""
        return _ids(row[self.many])

    def bind(self, row: dict[str, Any], ids: Sequence[int], context: Context) -> None:
        """Replace the bound ids."""
        context.store.update_row(self.table, row["id"], {self.many: _text(ids), self.one: ids[0] if ids else None})


@dataclass(frozen=True, slots=True)
class Mirrored(Bond):
    """Links that are stored on the other side: the contacts of a company, in the contacts."""

    def ids(self, row: dict[str, Any], context: Context) -> list[int]:
        """The bound ids."""
        bonds = "SELECT c.id FROM contact c, json_each(c.companyIds) j WHERE j.value = ? ORDER BY c.id"
        return [found for (found,) in context.store.query(bonds, (row["id"],))]

    def bind(self, row: dict[str, Any], ids: Sequence[int], context: Context) -> None:
        """Append the company to each contact, or remove it."""
        for contact_id in {*self.ids(row, context), *ids}:
            contact = context.store.row("contact", contact_id)
            if contact is not None:
                others = [one for one in _ids(contact["companyIds"]) if one != row["id"]]
                companies = [*others, row["id"]] if contact_id in ids else others
                BONDS["contact.company"].bind(contact, companies, context)


CONTACTS: Final = ("contactId", "contactIds", "CONTACT_ID")
BONDS: Final[dict[str, Bond]] = {
    "deal.contact": Bond("deal", *CONTACTS),
    "quote.contact": Bond("quote", *CONTACTS),
    "lead.contact": Bond("lead", *CONTACTS),
    "company.contact": Mirrored("company", *CONTACTS),
    "contact.company": Bond("contact", "companyId", "companyIds", "COMPANY_ID"),
}


def _row(bond: Bond, params: Params, context: Context) -> dict[str, Any]:
    row = context.store.row(bond.table, classic_id(params))
    if row is None:
        raise NOT_FOUND
    return row


def _list(bond: Bond, params: Params, context: Context) -> Result:
    """Links of a row, unpaged."""
    ids = bond.ids(_row(bond, params, context), context)
    context.rows += len(ids)
    return Result(
        [
            {bond.key: row_id, "SORT": 10 * place, "ROLE_ID": 0, "IS_PRIMARY": "Y" if place == 1 else "N"}
            for place, row_id in enumerate(ids, 1)
        ]
    )


def _wanted(bond: Bond, items: Any) -> list[int]:
    """The ids of written entries: the primary one first, the others by their sort."""
    if not isinstance(items, list | dict):
        raise MethodError("", "The parameter 'items' must be array.")
    entries = [entry for entry in values_of(items) if isinstance(entry, dict) and php_int(entry.get(bond.key)) > 0]
    entries.sort(key=lambda entry: (php_text(entry.get("IS_PRIMARY")) != "Y", php_int(entry.get("SORT"))))
    return list(dict.fromkeys(php_int(entry[bond.key]) for entry in entries))


def _set(bond: Bond, params: Params, context: Context) -> Result:
    """Replace the links."""
    row = _row(bond, params, context)
    bond.bind(row, _wanted(bond, params.get("items", params.get("ITEMS"))), context)
    context.writes += 1
    return Result(value=True)


def _delete(bond: Bond, params: Params, context: Context) -> Result:
    """Remove all links."""
    bond.bind(_row(bond, params, context), [], context)
    context.writes += 1
    return Result(value=True)


# ---------------------------------------------------------------- one by one


def _describe(bond: Bond, _: Params, __: Context) -> Result:
    """The field description of an entry."""
    title = "Контакт" if bond.key == "CONTACT_ID" else "Компания"
    return Result(
        {
            "SORT": flat("integer", "Сортировка"),
            "IS_PRIMARY": flat("char", "Первичный"),
            bond.key: flat("integer", title, required=True),
        }
    )


def _owner(bond: Bond, params: Params, context: Context) -> dict[str, Any]:
    row_id = php_int(params.get("id", params.get("ID")))
    if row_id <= 0:
        raise MethodError("", "The parameter 'ownerEntityID' is invalid or not defined.")
    row = context.store.row(bond.table, row_id)
    if row is None:
        raise MethodError("", "Not found.")
    return row


def _entry(bond: Bond, params: Params) -> tuple[int, dict[str, Any]]:
    entry = flat_fields(params)
    bound_id = php_int(entry.get(bond.key))
    if bound_id <= 0:
        raise MethodError("", "The parameter 'fields' is not valid.")
    return bound_id, entry


def _add_one(bond: Bond, params: Params, context: Context) -> Result:
    """Add a link: first if primary, otherwise by its sort."""
    row = _owner(bond, params, context)
    bound_id, entry = _entry(bond, params)
    if context.store.row(bond.key.removesuffix("_ID").lower(), bound_id) is None:
        raise MethodError("", "The parameter 'fields' is not valid.")
    others = [one for one in bond.ids(row, context) if one != bound_id]
    place = len(others) if "SORT" not in entry else min(max(php_int(entry["SORT"]) // 10 - 1, 0), len(others))
    if php_text(entry.get("IS_PRIMARY")) == "Y":
        place = 0
    bond.bind(row, [*others[:place], bound_id, *others[place:]], context)
    context.writes += 1
    return Result(value=True)


def _delete_one(bond: Bond, params: Params, context: Context) -> Result:
    """Remove a link."""
    row = _owner(bond, params, context)
    bound_id, _ = _entry(bond, params)
    ids = bond.ids(row, context)
    if bound_id not in ids:
        raise MethodError("", "The parameter 'fields' is not valid.")
    bond.bind(row, [one for one in ids if one != bound_id], context)
    context.writes += 1
    return Result(value=True)


_ACTIONS: Final = {
    "items.get": _list,
    "items.set": _set,
    "items.delete": _delete,
    "fields": _describe,
    "add": _add_one,
    "delete": _delete_one,
}
for _name, _bond in BONDS.items():
    for _action, _handler in _ACTIONS.items():
        method(f"crm.{_name}.{_action}", "crm")(partial(_handler, _bond))
