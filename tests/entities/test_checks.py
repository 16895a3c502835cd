"""Bad rows are found before a request leaves."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from bx24frames.entities.checks import check_cells, check_columns
from bx24frames.entities.faults import WHOLE_COLUMN, Fault

from .conftest import Table


def test_columns_of_an_insert(lead: Table) -> None:
    columns = lead.columns("DATE_CREATE", "OPPORTUNITY", "opportunity")
    assert check_columns(lead.entity, columns, "insert") == [
        Fault(WHOLE_COLUMN, "DATE_CREATE", "", "read-only: the portal would ignore it"),
        Fault(WHOLE_COLUMN, "opportunity", "", "column OPPORTUNITY is the same field"),
    ]


def test_columns_of_an_update(deal: Table) -> None:
    assert check_columns(deal.entity, deal.columns("id", "title"), "update") == []


def test_a_column_set_once_that_no_list_shows_is_for_inserts(deal: Table) -> None:
    columns = deal.columns("categoryId")
    assert check_columns(deal.entity, columns, "update") == []
    columns = {name: replace(field, listed=False) for name, field in columns.items()}
    [fault] = check_columns(deal.entity, columns, "update")
    assert fault.reason.startswith("can only be set on creation")
    assert check_columns(deal.entity, columns, "insert") == []


def test_what_a_description_calls_required_is_no_fault(lead: Table) -> None:
    """The portal decides: it says so of fields that no add demands."""
    columns = {name: replace(field, required=True) for name, field in lead.columns("TITLE").items()}
    assert check_columns(lead.entity, columns, "insert") == []
    assert check_cells(pa.table({"TITLE": ["a", "", None]}), columns) == []


def test_a_read_only_field_that_is_required_is_sent(lead: Table) -> None:
    """`crm.category.fields` says both of `entityTypeId`, and add wants it."""
    columns = {name: replace(field, required=True) for name, field in lead.columns("DATE_CREATE").items()}
    assert check_columns(lead.entity, columns, "insert") == []


def test_choices_and_lengths(deal: Table) -> None:
    table = pa.table({"UF_CRM_COLOR": [44, 46, None], "UF_CRM_NOTE": ["12345", "123456", None]})
    assert check_cells(table, deal.columns("UF_CRM_COLOR", "UF_CRM_NOTE")) == [
        Fault(1, "UF_CRM_COLOR", "46", "not one of the choices"),
        Fault(1, "UF_CRM_NOTE", "'123456'", "6 characters, at most 5"),
    ]
