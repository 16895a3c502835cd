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

_WRITES: Final[Mapping[str, Quirk]] = {}

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
