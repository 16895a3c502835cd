"""Quirks: ways in which live portals differ from their documentation, one row each.

Handlers ask ``context.has("name")``; which quirks are on is set by `Sandbox`.
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
        The method, or the family of methods (``crm.item.*``), concerned.
    does : str
        What the portal does, in one sentence.
    source : str
        The witness: an issue of the documentation's repository, the portal's source, a published measurement.
    since : str
        The first build or month it was observed in; empty if unknown.
    observed : bool
        Whether it was observed on cloud portals, so that it is on by default.
    """

    method: str
    does: str
    source: str
    since: str = ""
    observed: bool = True


# --- item methods: names and select ----------------------------------------------------------------

_NAMES: Final[Mapping[str, Quirk]] = {
    "select_loses_system_fields": Quirk(
        "crm.item.list",
        "A select that names fields, together with useOriginalUfNames, leaves nothing in the rows but user fields; a "
        "row of which nothing is left is an empty list.",
        "bitrix-tools/b24-rest-docs #263, #368; crm module: lib/controller/item.php, getJsonForItems",
        "crm 25.0",
    ),
    "names_converted_back": Quirk(
        "crm.item.*",
        "A name given without useOriginalUfNames is converted back by rule, in a condition together with its operator: "
        "user fields whose name does not convert back are not found there.",
        "main module: lib/engine/response/converter.php; crm module: lib/controller/base.php; published measurements "
        "on a cloud portal, September 2026",
    ),
    "codes_torn_in_groups": Quirk(
        "crm.item.list",
        "With useOriginalUfNames, the code of a user field behind an operator is not known inside a group.",
        "crm module: lib/controller/item.php",
        "crm 25.0",
    ),
    "unprinted_fields": Quirk(
        "crm.item.list",
        "opportunityAccount and accountCurrencyId are described and never printed.",
        "published measurement on a cloud portal, September 2026",
    ),
    "select_skips_user_fields": Quirk(
        "crm.item.list",
        "A select that names fields gives some user fields of smart processes and not others.",
        "published report on a cloud portal, 2026; cause unknown",
        observed=False,
    ),
    "original_names_unknown": Quirk(
        "crm.item.*",
        "useOriginalUfNames is no parameter: user fields go by their camelCase names alone.",
        "crm module before 25.0",
        observed=False,
    ),
}

# --- conditions ------------------------------------------------------------------------------------

_CONDITIONS: Final[Mapping[str, Quirk]] = {
    "item_moments_in_user_clock": Quirk(
        "crm.item.list",
        "Reads a moment in a condition in the calling user's clock, whatever offset it carries; moments inside groups "
        "too.",
        "crm module: lib/controller/base.php; main module: lib/db/sqlwhere.php; measured on cloud portals, "
        "September 2026; bitrix-tools/b24-rest-docs #215",
    ),
    "item_moment_lists_dropped": Quirk(
        "crm.item.list",
        "Drops a condition on moments by a list, and answers the rows that meet the other conditions.",
        "main module: classes/general/sqlwhere.php",
    ),
    "item_links_without_prefix": Quirk(
        "crm.item.list",
        "Takes conditions on contactIds, companyIds and observers by the bare name alone, and refuses any prefix.",
        "crm module: lib/controller/item.php",
    ),
    "classic_zero_list_holds_null": Quirk(
        "crm.*.list",
        "A list of numbers that holds 0 finds the rows without a number too.",
        "measured on a cloud portal, September 2026",
    ),
    "catalog_conditions_dropped": Quirk(
        "catalog.*.list",
        "Leaves out unknown names, the prefixes @, !@, =% and %=, groups, empty texts, and booleans that are not Y or "
        "N; makes 1 of a list on a float, and 0 of a text on an integer.",
        "rest module: lib/integration/view/base.php; iblock module: classes/general/iblock.php; "
        "bitrix-tools/b24-rest-docs #181",
    ),
    "catalog_checkbox_is_a_letter": Quirk(
        "catalog.product.*",
        "Prints a list property of a single choice as Y or N, without the map around the values of properties.",
        "catalog module: lib/restview/product.php",
    ),
    "catalog_zero_is_null": Quirk(
        "catalog.*",
        "Prints null for whatever PHP calls empty: a 0 as well as empty text.",
        "rest module: lib/integration/view/base.php; documentation: catalog-store-product-get.md, the sample",
    ),
    "user_moments_not_understood": Quirk(
        "user.get",
        "Understands no moment in a condition: no user is found by a caller with a time zone, and the condition is "
        "dropped for others.",
        "rest module: lib/api/user.php; main module: classes/general/database.php",
        "before August 2026",
    ),
    "stage_history_refuses_names": Quirk(
        "crm.stagehistory.list",
        "Refuses a condition on an unknown name, where older builds leave it out.",
        "crm module: lib/controller/stagehistory.php",
        "2026",
    ),
    "address_total_of_page": Quirk(
        "crm.address.list",
        "Tells the rows of the page for the total, except where start is -1.",
        "leshchenko1979/fast_bitrix24 #260",
    ),
    "list_elements_swallow_errors": Quirk(
        "lists.element.get",
        "Answers a condition of the wrong shape with no rows, and HTTP 200.",
        "lists module: lib/rest/restservice.php",
        "October 2025",
    ),
}

# --- writes ----------------------------------------------------------------------------------------

_TUTORIALS: Final = "vendor's tutorials with answers of a cloud portal, August 2026"

_WRITES: Final[Mapping[str, Quirk]] = {
    "required_flags_unfounded": Quirk(
        "crm.*.fields",
        "Says isRequired of fields that no add demands: `opened` of every item, the three names of a contact.",
        "crm module: Factory::getFieldsSettings, crm_contact.php; a description of a cloud portal, September 2026",
    ),
    "read_only_unsaid": Quirk(
        "crm.item.fields, crm.company.fields",
        "Does not say isReadOnly of the last activity and of isRecurring, and leaves out what is sent for them.",
        "a description of a cloud portal, September 2026; docs: crm-company-fields.md",
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

_LISTS: Final[Mapping[str, Quirk]] = {
    "hides_users_without_department": Quirk(
        "user.get",
        "leaves out people without a department, unless an administrator sends ADMIN_MODE or asks for an ID",
        "rest module: lib/api/user.php",
    ),
    "hides_secret_groups": Quirk(
        "sonet_group.get, socialnetwork.api.workgroup.list",
        "leaves out secret groups of others, unless an administrator sends IS_ADMIN (in `params` of the second)",
        "socialnetwork module: classes/general/rest.php, lib/controller/workgroup.php",
    ),
    "types_for_administrators": Quirk(
        "crm.type.list",
        "refuses callers who are not administrators of the CRM, although they may use the smart processes",
        "crm module: lib/controller/type.php",
    ),
    "currencies_for_administrators": Quirk(
        "crm.currency.list",
        "refuses callers without access to the settings of the CRM",
        "documentation: crm-currency-list.md, rights",
    ),
    "next_counts_rows": Quirk(
        "sale.order.list",
        "shows pages that are short in the middle, and a `next` that counts the rows shown, although `start` is"
        " floored to a multiple of 50",
        "rest module: lib/engine/restmanager.php getNavigationData",
    ),
    "start_is_dropped": Quirk(
        "catalog.catalog.list",
        "takes `start` out before it is bound: every page is the first one, with `total` and `next`",
        "catalog module: lib/controller/catalog.php",
    ),
    "payments_not_in_a_batch": Quirk(
        "crm.item.payment.list",
        "answers ERROR_BATCH_METHOD_NOT_ALLOWED inside a batch",
        "measured on a cloud portal, September 2026",
    ),
    "rest3_incomplete": Quirk(
        "api/humanresources.*, api/timeman.record.*",
        "answers ERROR_METHOD_NOT_FOUND although the scope is granted",
        "measured on a cloud portal, September 2026; portals with 147, 220 and 245 methods: bitrix24/b24jssdk",
        "2026-09",
        observed=False,  # three portals had three different numbers of methods
    ),
}

# --- limits, tokens, errors ------------------------------------------------------------------------

_LIMITS: Final[Mapping[str, Quirk]] = {
    "batch_charged": Quirk(
        method="batch",
        does=(
            "Half the duration of a batch is charged to batch itself and nothing to the methods in it, whose operating "
            "is one figure for all; beyond the limit a method is refused for 300 s and then has its whole budget again."
        ),
        source="b24jssdk #459, #539; rest module: lib/engine/access/loadlimiter.php",
        since="mid-2026",
    ),
}

# --- tasks, disk, lists and others outside the CRM -------------------------------------------------

_AROUND: Final[Mapping[str, Quirk]] = {
    "task_comments_in_chat": Quirk(
        "task.commentitem.getlist",
        "Answers nothing: the discussion of a task is a chat, which im.dialog.messages.get reads.",
        "measured on a cloud portal, September 2026; bitrix-tools/b24-rest-docs #244",
        "tasks 25.700",
    ),
    "flow_update_resets": Quirk(
        "tasks.flow.Flow.update",
        "Resets to its default whatever setting is left out.",
        "measured on a cloud portal, September 2026",
    ),
    "list_columns_by_configuration": Quirk(
        "lists.element.get",
        "Prints DATE_CREATE and TIMESTAMP_X of an element only where the list shows these columns.",
        "lists module: lib/entity/element.php, lib/rest/restservice.php",
    ),
    "folder_keeps_its_drive": Quirk(
        "disk.folder.moveto",
        "Answers false and moves nothing where the target lies in another storage.",
        "measured on a cloud portal, September 2026",
    ),
}

QUIRKS: Final[Mapping[str, Quirk]] = {**_NAMES, **_CONDITIONS, **_WRITES, **_LISTS, **_LIMITS, **_AROUND}
"""Every quirk by its name."""


def quirks_of(choice: QuirkChoice) -> frozenset[str]:
    """The names of the quirks that a choice switches on.

    Parameters
    ----------
    choice : {"observed", "documented"} or mapping of str to bool
        ``"observed"``: those observed on cloud portals; ``"documented"``: none; a mapping changes single ones of the
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
