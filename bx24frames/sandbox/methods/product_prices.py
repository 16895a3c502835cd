"""Computed values of product rows: prices that depend on each other, and the sum of the owner
(crm module: classes/general/crm_product_row.php, crm_deal.php).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bx24frames.sandbox.fields.casts import whole
from bx24frames.sandbox.store.tables import Row

BY_SUM, BY_RATE = 1, 2
"""Kind of discount: absolute or in percent."""
PIECE: Final = {"measureCode": 796, "measureName": "шт"}
NEW: Final[Mapping[str, Any]] = {
    "productId": 0,
    "price": 0,
    "quantity": 1,
    "discountTypeId": BY_RATE,
    "taxIncluded": "N",
    "customized": "Y",
    "xmlId": "",
    "type": 1,
    **PIECE,
}
"""Defaults of columns of a new row."""


def _money(value: float) -> float | int:
    return whole(float(round(value, 2)))


def _discount(row: Mapping[str, Any], exclusive: float) -> tuple[float, float]:
    """The price before the discount, and the discount in money."""
    rate, amount = row.get("discountRate"), row.get("discountSum") or 0
    if row.get("discountTypeId") == BY_SUM or (rate is None and amount):
        return exclusive + amount, amount
    share = min(rate or 0, 100) / 100
    before = exclusive / (1 - share) if share < 1 else exclusive
    return before, before - exclusive


def prices(row: Mapping[str, Any]) -> Row:
    """The computed columns of a row. `price` is with discount and tax; without tax it is exclusive, without a
    discount netto, and netto with tax is brutto.
    """
    price = float(row.get("price") or 0)
    tax = 1 + (row.get("taxRate") or 0) / 100
    exclusive = price / tax
    before, amount = _discount(row, exclusive)
    return {
        "priceExclusive": _money(exclusive),
        "priceNetto": _money(before),
        "priceBrutto": _money(before * tax),
        "priceAccount": _money(price),
        "discountSum": _money(amount),
        "discountRate": _money(100 * amount / before) if before else row.get("discountRate") or 0,
    }


def owner_totals(rows: Iterable[Mapping[str, Any]]) -> Row:
    """The sum and the tax of an owner."""
    amount = tax = 0.0
    for row in rows:
        quantity = row["quantity"] or 0
        amount += (row["price"] or 0) * quantity
        tax += ((row["price"] or 0) - (row["priceExclusive"] or 0)) * quantity
    return {"opportunity": _money(amount), "taxValue": _money(tax)}
