"""``catalog.*``: products, sections, prices, catalogues (https://apidocs.bitrix24.com/api-reference/catalog/)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, map_of, names_of
from bx24frames.sandbox.methods.plain import CONTROLLER, RANGES, Desk, View, by_name
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of

_NOT_FOUND: Final = MethodError("200040300000", "product does not exist.")
_PREFIXES: Final = (*RANGES, ">=", "<=", "!@", "!=", "!%", "=%", "%=", "=", "!", "@", "%", ">", "<")
KNOWN: Final = (*RANGES, ">=", "<=", "!=", "!%", "=", "!", "%", ">", "<")
"""The prefixes of an information block (iblock module: CIBlock::MkOperationFilter)."""
_EMPTY: Final[tuple[object, ...]] = (0, "0", "", [])
"""What PHP calls empty."""
_PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "property258": {"propertyType": "S", "userType": None},
    "property259": {"propertyType": "N", "userType": None},
    "property260": {"propertyType": "S", "userType": None},
    "property261": {"propertyType": "L", "userType": None, "values": {"44": {"id": "44", "value": "да"}}},
}
_CHECKBOX: Final = "property261"
_TICKED: Final = {"Y": "44", "N": None}
"""What a checkbox, a list property of a single choice, stores for the letters that it is written and printed as."""


def write_properties(row_id: int, values: dict[str, Any], context: Context, *, adding: bool) -> None:
    """Store the properties of a product: each value as a map, a list of maps for a multiple one."""
    stored: dict[str, Any] = {}
    for name in _PROPERTIES.keys() & values.keys():
        parts = values_of(values[name]) if isinstance(values[name], list) else [values[name]]
        bare = [part for part in parts if not isinstance(part, dict)]
        if bare and not adding and context.has("bare_property_lost"):
            if all(isinstance(part, int | float) for part in bare):
                stored[name] = None
            continue
        found = [part.get("value") if isinstance(part, dict) else part for part in parts]
        if name == _CHECKBOX:
            found = [_TICKED.get(php_text(one), one) for one in found]
        kept = [
            {"value": one, "valueId": f"{row_id}{place}"} for place, one in enumerate(found) if one not in ("", None)
        ]
        many = by_name("product")[name].multiple
        stored[name] = orjson.dumps(kept if many else kept[0]).decode() if kept else None
    if stored:
        context.store.update_row("product", row_id, stored)


def _unknown(name: str) -> MethodError:
    return MethodError("0", f"Unknown field definition `{name}`")


@dataclass(frozen=True, slots=True)
class Goods:
    """A table of ``catalog.{kind}.*``. `rows`: the key of a list; `one`: that of a row.

    `needs`: names that conditions must contain; `bare`: those without a prefix.
    """

    kind: str
    rows: str
    one: str
    modified: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    bare: bool = False
    described: str = "getFields"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """How it is listed: an unknown name is an error."""
        names = by_name(self.kind)
        return View(self.kind, names, names, "item", CONTROLLER, _unknown, _PREFIXES, default=(), plain_sql=True)

    def listed(self, params: Params, context: Context) -> Result:
        """A page, engine B."""
        conditions = map_of(bound_array(params, "filter", {}))
        view = self.view
        if context.has("catalog_conditions_dropped"):
            view = replace(view, refuse=None, prefixes=KNOWN)
            conditions = self._understood(conditions)
        select = names_of(bound_array(params, "select", []))
        for name in self.needs:
            if name not in ({*conditions} if self.bare else {key.lstrip("=@") for key in conditions}):
                raise MethodError("0", f"Required filter fields: {name}")
            if not self.bare and select and name not in select and "*" not in select:
                raise MethodError("0", f"Required select fields: id, {name}")
        if self.kind == "catalog" and context.has("start_is_dropped"):
            context.start = -1 if context.start is not None and context.start < 0 else 0
        found, window = view.page(context, conditions, map_of(bound_array(params, "order", {})), select)
        return Result({self.rows: [_shown(row, context) for row in found]}, window.total, window.next)

    def _understood(self, conditions: dict[str, Any]) -> dict[str, Any]:
        """The conditions with values cast by type of field; those that cannot be cast are dropped."""
        names = by_name(self.kind)
        kept: dict[str, Any] = {}
        for key, value in conditions.items():
            prefix, name = split_operator(str(key), KNOWN)
            spec = names.get(name)
            if spec is None or prefix in RANGES:
                if spec is not None and isinstance(value, list):
                    kept[key] = value
                continue
            values = value if isinstance(value, list) else [value]
            if spec.kind is Kind.FLAG and any(one not in ("Y", "N") for one in values):
                continue
            if spec.kind is Kind.NUMBER and isinstance(value, list):
                kept[key] = 1.0
            elif php_text(value if not isinstance(value, list) else "x"):
                kept[key] = value
        return kept

    def get(self, params: Params, context: Context) -> Result:
        """One row."""
        found, _ = self.view.page(context, {"id": bound_int(params, "id")}, {})
        if not found:
            raise _NOT_FOUND
        return Result({self.one: _shown(found[0], context)})

    def describe(self, params: Params, _: Context) -> Result:
        """The field description; a product's depends on its catalogue."""
        if self.described != "getFields":
            given = map_of(bound_array(params, "filter", {}))
            if missing := [name for name in (*self.needs, "productType") if name not in given]:
                raise MethodError("100", f"Could not find value for parameter {{{missing[0]}}}")
        return Result({self.kind: {name: _described(name, spec) for name, spec in by_name(self.kind).items()}})

    def _desk(self) -> Desk:
        return Desk(self.kind, by_name(self.kind), self.created, self.modified, self.authors, nullable=True,
                    refuse=lambda name, _: MethodError("0", f"Required fields: {name}"))  # fmt: skip

    def add(self, params: Params, context: Context) -> Result:
        """Create a row, printed whole."""
        bound(params, "fields")
        values = map_of(bound_array(params, "fields", {}))
        row_id = self._desk().add(values, context)
        if self.kind == "product":
            write_properties(row_id, values, context, adding=True)
        return self._printed(row_id, context)

    def update(self, params: Params, context: Context) -> Result:
        """Change a row; printed whole."""
        row_id = bound_int(params, "id")
        values = map_of(bound_array(params, "fields", {}))
        self._desk().update(row_id, values, context, _NOT_FOUND)
        if self.kind == "product":
            write_properties(row_id, values, context, adding=False)
        return self._printed(row_id, context)

    def delete(self, params: Params, context: Context) -> Result:
        """Delete a row."""
        self._desk().delete(bound_int(params, "id"), context, _NOT_FOUND)
        return Result(value=True)

    def _printed(self, row_id: int, context: Context) -> Result:
        found, _ = self.view.page(context, {"id": row_id}, {})
        return Result({self.written: _shown(found[0], context)})

    @property
    def written(self) -> str:
        """The key of a written row."""
        return "element" if self.kind == "product" else self.one


def _shown(row: dict[str, Any], context: Context) -> dict[str, Any]:
    if context.has("catalog_zero_is_null"):
        row = {name: None if value in _EMPTY else value for name, value in row.items()}
    if context.has("catalog_checkbox_is_a_letter") and _CHECKBOX in row:
        row = {**row, _CHECKBOX: "Y" if row[_CHECKBOX] else "N"}
    return row


def _described(name: str, spec: FieldSpec) -> dict[str, Any]:
    type_ = "char" if spec.type == "mode" else spec.type
    described = {
        "isImmutable": spec.immutable,
        "isReadOnly": spec.read_only,
        "isRequired": spec.required,
        "name": spec.title,
        "type": type_,
    }
    dynamic = {"isDynamic": True} if name in _PROPERTIES else {}
    return described | {"isMultiple": spec.multiple} | _PROPERTIES.get(name, {}) | dynamic


_ALL: Final = (
    # iblock module: CIBlockElement::Add takes the current user where no author is given
    Goods(
        "product",
        "products",
        "product",
        ("timestampX",),
        ("dateCreate",),
        ("createdBy", "modifiedBy"),
        ("iblockId",),
        described="getFieldsByFilter",
    ),
    Goods("section", "sections", "section", needs=("iblockId",), bare=True),
    Goods("price", "prices", "price", ("timestampX",)),
    Goods("catalog", "catalogs", "catalog"),
)

for _goods in _ALL:
    _handlers: dict[str, Handler] = {"list": _goods.listed, "get": _goods.get, _goods.described: _goods.describe}
    if _goods.kind != "catalog":
        _handlers |= {"add": _goods.add, "update": _goods.update, "delete": _goods.delete}
    for _name, _handler in _handlers.items():
        method(f"catalog.{_goods.kind}.{_name}", "catalog")(_handler)
