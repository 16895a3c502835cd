"""Read-only tables of the catalogue: stores, measures, taxes, properties, documents
(https://apidocs.bitrix24.com/api-reference/catalog/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_float, php_text
from bx24frames.sandbox.methods.arguments import bound_array, bound_int, map_of, names_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.columns import IBLOCKS
from bx24frames.sandbox.store.tables import Row

MOMENT: Final = "2025-03-01T10:00:00+03:00"
_DOCUMENTS: Final = 45
_ELEMENTS: Final = 95

STORES: Final = tuple(
    {"id": number, "title": title, "active": "Y", "address": f"ул. {title}, {number}", "code": None, "sort": 100,
     "dateCreate": MOMENT, "dateModify": MOMENT, "userId": 1, "modifiedBy": 1, "isDefault": "Y" if number == 1 else "N",
     "description": "", "email": "", "gpsN": 54.7 if number == 1 else None, "gpsS": 21.5 if number == 1 else None,
     "imageId": {"id": 1, "url": "/upload/iblock/1.jpeg"} if number == 1 else None, "issuingCenter": "N",
     "phone": "", "schedule": "", "xmlId": None}
    for number, title in ((1, "Главный"), (13, "Второй & дальний"), (15, "Брак"))
)  # fmt: skip
MEASURES: Final = tuple(
    {"id": number, "code": code, "symbol": symbol, "symbolIntl": intl, "measureTitle": title,
     "symbolLetterIntl": {6: "MTR", 166: "KGM", 796: "PCE"}[code],
     "isDefault": "Y" if code == 796 else "N"}
    for number, code, symbol, intl, title in (
        (1, 6, "м", "m", "Метр"), (7, 166, "кг", "kg", "Килограмм"), (9, 796, "шт", "pc. 1", "Штука")
    )
)  # fmt: skip
VATS: Final = (
    {"id": 1, "name": "Без НДС", "active": "Y", "rate": None, "sort": 100, "timestampX": MOMENT},
    {"id": 3, "name": "НДС 20%", "active": "Y", "rate": 20, "sort": 200, "timestampX": MOMENT},
)
PRICE_TYPES: Final = (
    {"id": 1, "name": "BASE", "base": "Y", "sort": 100, "xmlId": "BASE", "createdBy": 1, "modifiedBy": 1,
     "dateCreate": MOMENT, "timestampX": MOMENT},
)  # fmt: skip
_PROPERTIES: Final = tuple(
    {"id": number, "iblockId": IBLOCKS[0], "name": name, "active": "Y", "sort": 500, "code": None,
     "propertyType": type_, "multiple": multiple, "xmlId": "", "userType": None, "timestampX": MOMENT,
     "colCount": 30, "defaultValue": None, "fileType": None, "filtrable": "N", "hint": None, "isRequired": "N",
     "linkIblockId": None, "listType": "L", "multipleCnt": None, "rowCount": 1, "searchable": "N",
     "userTypeSettings": None, "withDescription": None}
    for number, name, type_, multiple in (
        (258, "Артикул", "S", "N"), (259, "Вес", "N", "N"), (260, "Метки", "S", "Y"), (261, "Цвет", "L", "N")
    )
)  # fmt: skip
CHOICES: Final = tuple(
    {"id": number, "propertyId": 261, "value": value, "def": "N", "sort": 500, "xmlId": f"x{number}"}
    for number, value in ((11, "Красный"), (13, "Blue & green"))
)
STOCK: Final = tuple(
    {"id": 3 * number, "productId": number, "storeId": STORES[number % 3]["id"], "amount": number / 2 or None,
     "quantityReserved": 0 if number % 4 else None}
    for number in range(1, 121)
)  # fmt: skip
PAPERS: Final = tuple(
    {"id": 2 * number + 41, "docType": ("A", "S", "M")[number % 3], "title": f"№ {number}", "status": "Y",
     "total": None, "currency": "RUB", "siteId": "s1", "responsibleId": 1, "createdBy": 1, "modifiedBy": 1,
     "statusBy": 1, "dateCreate": MOMENT, "dateModify": MOMENT, "dateDocument": None, "dateStatus": MOMENT,
     "commentary": ""}
    for number in range(1, _DOCUMENTS + 1)
)  # fmt: skip
_LINES: Final = tuple(
    {"amount": 1 + number % 3, "docId": 43 + number % _DOCUMENTS * 2, "elementId": 75 + 2 * number,
     "id": 65 + 2 * number, "purchasingPrice": 1000 * number if number % 5 else None,
     "storeFrom": None if number % 3 else 13, "storeTo": 15 if number % 2 else 1}
    for number in range(1, _ELEMENTS + 1)
)  # fmt: skip

_SIGNS: Final = (">=", "<=", "!=", "!@", "!", ">", "<", "=", "@", "%")


@dataclass(frozen=True, slots=True)
class StaticTable:
    """``catalog.{kind}.*`` over fixed rows. `plural`: the key of a list; `one`: that of a row."""

    kind: str
    plural: str
    one: str
    rows: tuple[Row, ...]

    def listed(self, params: Params, context: Context) -> Result:
        """A page, engine B."""
        rows = list(self.rows)
        for key, value in map_of(bound_array(params, "filter", {})).items():
            rows = [row for row in rows if self._meets(row, key, value)]
        for name, direction in reversed(map_of(bound_array(params, "order", {"id": "ASC"})).items()):
            self._known(name)
            down = php_text(direction).upper() == "DESC"
            rows.sort(key=lambda row, name=name: (row[name] is not None, row[name]), reverse=down)  # type: ignore[misc]
        window = paging.controller(context.start, lambda: len(rows))
        found = window.of(rows)
        context.rows += len(found)
        select = names_of(bound_array(params, "select", [])) or ["*"]
        shown = [{name: row[name] for name in row if "*" in select or name in select} for row in found]
        return Result({self.plural: shown}, window.total, window.next)

    def get(self, params: Params, context: Context) -> Result:
        """One row."""
        row_id = bound_int(params, "id")
        for row in self.rows:
            if row["id"] == row_id:
                context.rows += 1
                return Result({self.one: row})
        raise MethodError("201140400001", f"{self.one} is not exists")

    def _known(self, name: str) -> None:
        if name not in self.rows[0]:
            raise MethodError("0", f"Unknown field definition `{name}`")

    def _meets(self, row: Row, key: str, value: Any) -> bool:
        sign = next((sign for sign in _SIGNS if key.startswith(sign)), "")
        name = key.removeprefix(sign)
        self._known(name)
        cell = row[name]
        if sign in (">", ">=", "<", "<="):
            return cell is not None and _ordered(sign, cell, value)
        if sign == "%":
            return php_text(value).lower() in php_text(cell).lower()
        wanted = {php_text(one) for one in (value if isinstance(value, list) else [value])}
        return (php_text(cell) in wanted) != sign.startswith("!")


def _ordered(sign: str, cell: Any, value: Any) -> bool:
    numbers = isinstance(cell, int | float)
    bound: Any = php_float(value) if numbers else php_text(value)
    if cell == bound:
        return sign.endswith("=")
    return bool((cell > bound) == sign.startswith(">"))


_ALL: Final = (
    StaticTable("store", "stores", "store", STORES),
    StaticTable("storeproduct", "storeProducts", "storeProduct", STOCK),
    StaticTable("measure", "measures", "measure", MEASURES),
    StaticTable("vat", "vats", "vat", VATS),
    StaticTable("priceType", "priceTypes", "priceType", PRICE_TYPES),
    StaticTable("productProperty", "productProperties", "productProperty", _PROPERTIES),
    StaticTable("productPropertyEnum", "productPropertyEnums", "productPropertyEnum", CHOICES),
    StaticTable("document", "documents", "document", PAPERS),
    StaticTable("document.element", "documentElements", "documentElement", _LINES),
)

for _table in _ALL:
    method(f"catalog.{_table.kind}.list", "catalog")(_table.listed)
    if not _table.kind.startswith("document"):  # these have only a list
        method(f"catalog.{_table.kind}.get", "catalog")(_table.get)
