"""Which rows of the portal are which rows of a frame."""

from __future__ import annotations

import pytest

from bx24frames.entities.schema import Field
from bx24frames.entities.stored_forms import contact
from bx24frames.upload.assign import SoughtRow, assign

PHONE, EMAIL = Field("phone", "crm_multifield", multiple=True), Field("EMAIL", "crm_multifield", multiple=True)


def test_phones_are_known_again_however_the_portal_spells_them() -> None:
    """It may store the digits alone; rows that share them are equal, and equal rows are interchangeable."""
    doubts = [SoughtRow(at, {"phone": [{"value": f"+7 (900) {at:03d}-00", "value_type": "WORK"}]}) for at in range(3)]
    rows = [(10 + at, {"phone": [{"id": at, "value": f"7900{at:03d}00", "value_type": "WORK"}]}) for at in range(2)]
    matches = assign(doubts, rows, {"phone": PHONE})
    assert (matches.found, matches.absent, matches.unclear) == ({0: 10, 1: 11}, [2], {})


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        (PHONE, "+7 (900) 1", "7 9001", True),
        (PHONE, "+7 900 1", "+7 900 2", False),
        (PHONE, "reception", "kitchen", False),
        (EMAIL, " Ann@X.io", "ann@x.IO", True),
        (Field("web", "crm_multifield"), "x.io/A", "x.io/a", False),
    ],
)
def test_phones_have_digits_and_emails_no_case(field: Field, one: str, other: str, same: bool) -> None:
    """A phone without digits is its text; addresses of pages do know case."""
    assert (contact(field, one) == contact(field, other)) is same
