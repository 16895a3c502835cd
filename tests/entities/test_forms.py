"""In which form a list of items is asked for, and what its first page proves."""

from __future__ import annotations

import pytest

from bx24frames.engine.messages import JSON
from bx24frames.entities.columns import table_schema
from bx24frames.entities.fields import parse_fields
from bx24frames.entities.forms import Form, forms_of
from bx24frames.entities.names import resolve
from bx24frames.entities.proof import proof_of
from bx24frames.errors import ResponseError
from bx24frames.portal.listing import listing_for
from bx24frames.where.model import Where
from bx24frames.where.parse import parse_filters

NAMES = {
    "UF_CRM_MY_STRING": "ufCrmMyString",
    "UF_CRM_1721244482250": "ufCrm_1721244482250",
    "UF_CRM_5B9A3C1F2D6A7": "ufCrm_5B9A3C1F2D6A7",
    "UF_CRM_10_DIGIT10": "ufCrm_10_DIGIT10",
    "UF_CRM_A_B_C": "ufCrmABC",
    "UF_CRM_TWINCODE": "UF_CRM_TWINCODE",
}
DEAL = resolve("deal")
DESCRIBED: dict[str, JSON] = {
    "id": {"type": "integer"},
    "title": {"type": "string"},
    "fm": {"type": "crm_multifield", "isMultiple": True},
    "phone": {"type": "string"},
    **{camel: {"type": "string", "isDynamic": True, "upperName": code} for code, camel in NAMES.items()},
}
FIELDS = {field.code: field for field in parse_fields(DEAL, {"fields": DESCRIBED})}
KNOWN = tuple(FIELDS.values())


@pytest.mark.parametrize(
    ("code", "reachable", "travels"),
    [
        ("title", True, True),
        ("UF_CRM_MY_STRING", True, True),
        ("UF_CRM_1721244482250", True, True),
        ("UF_CRM_5B9A3C1F2D6A7", True, False),
        ("UF_CRM_10_DIGIT10", True, False),
        ("UF_CRM_A_B_C", False, False),
        ("UF_CRM_TWINCODE", False, False),
    ],
)
def test_a_field_knows_where_its_camel_name_leads_to_it(code: str, *, reachable: bool, travels: bool) -> None:
    assert (FIELDS[code].reachable, FIELDS[code].travels) == (reachable, travels)


@pytest.mark.parametrize(
    ("columns", "conditions", "order", "first"),
    [
        (["title"], {}, {}, Form.NAMED),
        (["title", "UF_CRM_5B9A3C1F2D6A7"], {"=ufCrmMyString": "x"}, {"ufCrm_5B9A3C1F2D6A7": "ASC"}, Form.NAMED),
        (["UF_CRM_A_B_C"], {}, {}, Form.WHOLE),
        (["phone"], {}, {}, Form.WHOLE),
        (["title"], {"ufCrm_5B9A3C1F2D6A7": "x"}, {}, Form.NAMED),
        (["title"], {"=ufCrm_5B9A3C1F2D6A7": "x"}, {}, Form.CODES),
        (["title"], {"0": {"logic": "OR", "0": {"=ufCrm_10_DIGIT10": "x"}}}, {}, Form.CODES),
        (["title"], {}, {"ufCrmABC": "ASC"}, Form.CODES),
    ],
)
def test_the_lightest_form_that_can_answer_comes_first(
    columns: list[str], conditions: dict[str, JSON], order: dict[str, JSON], first: Form
) -> None:
    wanted = [FIELDS[name] for name in columns]
    assert forms_of(DEAL, wanted, KNOWN, conditions, order)[0] is first


def test_everything_is_asked_for_as_everything() -> None:
    assert forms_of(DEAL, KNOWN, KNOWN)[0] is Form.WHOLE
    assert listing_for(DEAL, KNOWN, Where(), KNOWN).call.params == {"entityTypeId": 2, "select": ["*"]}


def test_a_name_that_does_not_travel_is_compared_by_its_code_with_everything_selected() -> None:
    where = parse_filters(DEAL, KNOWN, {"=ufCrm_5B9A3C1F2D6A7": "x", "=UF_CRM_MY_STRING": "y"})
    listing = listing_for(DEAL, [FIELDS["title"]], where, KNOWN, order={"ufCrmABC": "ASC", "id": "ASC"})
    assert listing.call.params == {
        "entityTypeId": 2,
        "useOriginalUfNames": "Y",
        "select": ["*"],
        "filter": {"=UF_CRM_5B9A3C1F2D6A7": "x", "=UF_CRM_MY_STRING": "y"},
        "order": {"UF_CRM_A_B_C": "ASC", "id": "ASC"},
    }
    assert dict(listing.select_ids)["select"] == ["*"], "ids alone would lose the id"


def test_phones_described_as_texts_too_stay_phones() -> None:
    assert (FIELDS["phone"].type, FIELDS["phone"].multiple) == ("crm_multifield", True)


def test_a_page_without_a_wanted_key_ends_a_read_that_has_another_form() -> None:
    schema = table_schema(DEAL, KNOWN, ["id", "title", "UF_CRM_MY_STRING"])
    proof = proof_of(DEAL, KNOWN, schema, explicit=True)
    proof.strict = True
    with pytest.raises(ResponseError, match="No row has title"):
        proof.look([{"id": 1, "ufCrmMyString": None}])
    proof.excused = frozenset({"title"})
    proof.look([{"id": 1, "ufCrmMyString": None, "news": 1}])
    assert (proof.missing, proof.left_out) == (["title"], ("news",))
    proof.watch([{"id": 2, "title": None}])
    assert proof.missing == [], "a null is a value"
