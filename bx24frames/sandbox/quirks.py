"""Quirks: the ways in which live portals differ from their documentation, a row each.

A handler asks ``context.has("name")``; which quirks are on is decided once, when a `Sandbox` is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

QuirkChoice: TypeAlias = "Literal['observed', 'documented'] | Mapping[str, bool]"


@dataclass(frozen=True, slots=True)
class Quirk:
    """One observed difference.

    Parameters
    ----------
    method : str
        The method, or the family of methods (``crm.item.*``), that shows it.
    does : str
        What the portal does, in one sentence.
    source : str
        Who saw it: an issue of the documentation's repository, the portal's own source, a published measurement.
    since : str
        The first build or month it was seen in; empty where nobody has told.
    observed : bool
        Whether today's cloud portals were seen with it, so that it is on by default.
    """

    method: str
    does: str
    source: str
    since: str = ""
    observed: bool = True


# --- item methods: names and select ----------------------------------------------------------------

_NAMES: Final[Mapping[str, Quirk]] = {}

# --- conditions ------------------------------------------------------------------------------------

_CONDITIONS: Final[Mapping[str, Quirk]] = {}

# --- writes ----------------------------------------------------------------------------------------

_ITEM_SOURCE: Final = "crm module: lib/controller/item.php"
_TUTORIALS: Final = "vendor's tutorials with answers of a cloud portal, August 2026"

_WRITES: Final[Mapping[str, Quirk]] = {
    "required_flags_unfounded": Quirk(
        "crm.*.fields",
        "Says isRequired of fields that no add demands: `opened` of every item, the three names of a contact.",
        "crm module: Factory::getFieldsSettings, crm_contact.php; a description of a cloud portal, September 2026",
    ),
    "foreign_stage_replaced": Quirk(
        "crm.item.*, crm.deal.*",
        "Replaces a stage of another pipeline: by the first stage on add, by the one kept on update.",
        "crm module: lib/field/stage.php; " + _TUTORIALS,
    ),
    "double_rounded_whole": Quirk(
        "crm.*",
        "Rounds a user field of type double without PRECISION to a whole number.",
        "main module: lib/userfield/types/doubletype.php; measured on two portals, 2026",
    ),
    "list_becomes_array": Quirk("crm.*", "Stores the word Array for a list in a single string field.", _TUTORIALS),
    "caption_becomes_zero": Quirk("crm.*", "Stores 0 for the caption of an enumeration.", _TUTORIALS),
    "unknown_code_dropped": Quirk(
        "crm.*", "Leaves out a code that its dictionary does not have.", "measured on two portals, 2026"
    ),
    "link_without_settings_dropped": Quirk(
        "crm.*", "Leaves out a value of a crm link whose field names no table to link to.", _TUTORIALS
    ),
    "item_takes_no_file_data": Quirk(
        "crm.item.*", "Leaves the user field empty where a file is sent as fileData.", _TUTORIALS
    ),
    "item_takes_no_photo": Quirk(
        "crm.item.*", "Refuses a contact's photo and a company's logo in every form, and prints a number.", _TUTORIALS
    ),
    "bare_money_completed": Quirk(
        "crm.*", "Completes an amount without a currency, and stores nothing for a currency alone.", _TUTORIALS
    ),
    "lead_title_kept": Quirk("crm.item.update", "Keeps a lead's title where an empty one is sent.", _TUTORIALS),
    "company_not_cleared": Quirk(
        "crm.item.update",
        "Keeps single fields of a company where an empty value is sent.",
        "bitrix-tools/b24-rest-docs #145",
    ),
    "lists_not_cleared": Quirk(
        "crm.item.update",
        "Keeps the values of a multiple user field where none are sent, and prints null in the answer.",
        "bitrix-tools/b24-rest-docs #269",
        "2026-04",
    ),
    "comments_without_html": Quirk("crm.*", "Takes HTML out of comments, keeps BB codes.", _TUTORIALS),
    "bare_property_lost": Quirk(
        "catalog.product.update",
        'Ignores a property\'s bare text and clears the property for a bare number; {"value": ...} is stored.',
        "measured on a cloud portal, September 2026",
        "2026-09",
    ),
    "import_takes_no_fm": Quirk(
        "crm.item.import, crm.item.batchImport",
        "Fails the command where a row has fm.",
        "measured on a cloud portal, 2026",
    ),
    "demands_enforced": Quirk(
        "crm.*.add, crm.*.update",
        "Refuses rows without a mandatory user field, and a deal won without a CLOSEDATE.",
        "crm module: restservice.php, option rest_enable_req_uf_check",
        observed=False,
    ),
    "client_demanded": Quirk(
        "crm.item.add, crm.item.batchImport",
        "Refuses a deal or a smart process's row without company and contact: «Клиент».",
        "measured on a cloud portal, September 2026",
        "2026-09",
        observed=False,
    ),
    "leads_converted": Quirk(
        "crm.lead.add, crm.item.add",
        "Simple CRM mode: turns a new lead into a contact and a deal at once.",
        "docs: crm.settings.mode.get",
        observed=False,
    ),
    "robots_rename": Quirk(
        "crm.item.add, crm.item.update",
        "A robot writes another title before the method answers.",
        "measured on a cloud portal, September 2026",
        observed=False,
    ),
    "rows_move_no_sum": Quirk(
        "crm.item.productrow.*",
        "Leaves an owner's opportunity as it was when its product rows change: a portal without trade accounting.",
        "measured on a portal without trade accounting, 2026",
        observed=False,
    ),
    "updates_dropped": Quirk(
        "crm.item.update",
        "Leaves links to companies as they were, with success and the old value in the answer.",
        "three public programs that compare the answer with what was sent, 2026",
        observed=False,
    ),
}

# --- lists, rights, paging -------------------------------------------------------------------------

_LISTS: Final[Mapping[str, Quirk]] = {}

# --- limits, tokens, errors ------------------------------------------------------------------------

_LIMITS: Final[Mapping[str, Quirk]] = {}

QUIRKS: Final[Mapping[str, Quirk]] = {**_NAMES, **_CONDITIONS, **_WRITES, **_LISTS, **_LIMITS}
"""Every quirk by its name."""


def quirks_of(choice: QuirkChoice) -> frozenset[str]:
    """The names of the quirks that a choice turns on.

    Parameters
    ----------
    choice : {"observed", "documented"} or mapping of str to bool
        ``"observed"``: those seen on today's cloud; ``"documented"``: none; a mapping changes single ones of the
        observed set.

    Raises
    ------
    ValueError
        An unknown choice or quirk.
    """
    observed = frozenset(name for name, quirk in QUIRKS.items() if quirk.observed)
    if isinstance(choice, str):
        named = {"observed": observed, "documented": frozenset[str]()}
        if choice not in named:
            raise ValueError(f"quirks: 'observed', 'documented' or a mapping of names to bool, not {choice!r}")
        return named[choice]
    unknown = sorted(set(choice) - set(QUIRKS))
    if unknown:
        raise ValueError(f"unknown quirks: {', '.join(unknown)}; known: {', '.join(sorted(QUIRKS))}")
    return (observed | {name for name, on in choice.items() if on}) - {name for name, on in choice.items() if not on}
