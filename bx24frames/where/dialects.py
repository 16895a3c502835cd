"""What can be asked of a list method, and how each dialect spells it (wire prefixes before a field's name)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bx24frames.engine.messages import Paging
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Dialect, Entity


class Clock(enum.Enum):
    """How a method takes a moment in a condition."""

    EXACT = "exact"
    """As the moment it names."""
    SHIFTED = "shifted"
    """In a clock that need not be that of the offset it carries: the bounds are widened, and the rows cut here."""
    UNREAD = "unread"
    """Not at all, or as something else: it is never sent, and the rows are compared here."""


SHIFT: Final = timedelta(hours=26)
"""The most that two clocks can be apart: zones go from twelve hours west of UTC to fourteen east."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What a list method carries out of conditions.

    Parameters
    ----------
    spells : mapping of Op to str
        The prefix of each comparison that means to the method what it says.
    source : str
        Who tells.
    groups : bool
        Whether it has groups of conditions by OR.
    here : bool
        Whether what it does not spell is compared in the rows that come: its tables are small.
    clock : Clock
        How it takes moments. `days` likewise, dates without a time.
    number_lists : bool
        Whether a list of floating numbers means any of them.
    cut : frozenset of Op
        Comparisons whose rows hold all that are meant, and more: the others are cut here.
    bare : frozenset of str
        Fields that are compared by the bare name alone.
    raw : frozenset of str, optional
        The prefixes that it knows in a filter written by hand; None where it refuses the others itself, or knows all.
    """

    spells: Mapping[Op, str]
    source: str
    groups: bool = False
    here: bool = False
    clock: Clock = Clock.SHIFTED
    days: Clock = Clock.EXACT
    number_lists: bool = True
    cut: frozenset[Op] = frozenset()
    bare: frozenset[str] = frozenset()
    raw: frozenset[str] | None = None


_ORDERED: Final[Mapping[Op, str]] = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}

# No prefix on an item's text is LIKE with live % and _: `=` and `@` are exact (crm module: validator/filter.php).
# `!` drops nulls and is what "filled" is spelled with; `!=` keeps them on text.
_ITEM: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "@",
    Op.NOT_IN: "!@",
    Op.NONE_OF: "!@",
    Op.LIKE: "=%",
    Op.NOT_LIKE: "!=%",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
    Op.NULL: "=",
    Op.NOT_NULL: "!",
}
_CLASSIC: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "@",
    Op.NOT_IN: "!@",
    Op.NONE_OF: "!=",  # nulls stay in, which `!@` drops
    Op.LIKE: "=%",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NULL: "=",
    Op.NOT_NULL: "!",
    Op.SEARCH: "?",
}
_GOODS: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "=",
    Op.NOT_IN: "!=",
    Op.NONE_OF: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
}
_GROUP: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
}
_CALL: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
    Op.SEARCH: "?",
}
_LIST: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
}
_API: Final[Mapping[Op, str]] = {**_ORDERED, Op.EQ: "=", Op.NE: "!=", Op.IN: "@"}
_EQUAL: Final[Mapping[Op, str]] = {Op.EQ: ""}
_REST_3: Final = "docs: rest-v3/index.md; the engine writes the prefixes as operators"

DIALECTS: Final[Mapping[Dialect, Speech]] = {
    Dialect.ITEM: Speech(
        _ITEM,
        "crm module: lib/controller/item.php, validator/filter.php, base.php; measured on cloud portals, 2026",
        groups=True,
        bare=frozenset({"contactIds", "companyIds", "observers"}),
    ),
    Dialect.CLASSIC: Speech(
        _CLASSIC,
        "crm module: classes/general/restservice.php; main module: classes/general/sql_util.php",
        clock=Clock.EXACT,  # unConvertDateTime with the user's offset; measured on a cloud portal
    ),
    Dialect.AROUND: Speech(
        _CLASSIC, "as the classic methods (main module: classes/general/sql_util.php); their clock is not proven"
    ),
    Dialect.HISTORY: Speech(
        _CLASSIC,
        "crm module: lib/controller/stagehistory.php, 2026; measured on a cloud portal",
        clock=Clock.EXACT,
    ),
    Dialect.GOODS: Speech(
        _GOODS,
        "iblock module: CIBlock::MkOperationFilter; rest module: lib/integration/view/base.php; b24-rest-docs #181",
        number_lists=False,  # a list on a float is 1.0
        cut=frozenset({Op.NOT_IN}),
        raw=frozenset({"!><", "><", ">=", "<=", "!=", "!%", "=", "!", "%", ">", "<", ""}),
    ),
    Dialect.ORM: Speech(_ITEM, "main module: lib/orm/query/filter", groups=True),
    Dialect.USER: Speech(
        _ITEM,
        "docs: user-get.md; groups are unknown fields to it, and moments an empty text (rest module: lib/api/user.php)",
        here=True,
        clock=Clock.UNREAD,
        days=Clock.UNREAD,
    ),
    Dialect.GROUP: Speech(
        _GROUP,
        "docs: sonet-group-get.md; socialnetwork module: classes/general/rest.php",
        here=True,
        clock=Clock.UNREAD,
        raw=frozenset({"!><", "><", ">=", "<=", "!=", "!%", "!", "?", "=", "%", ">", "<", ""}),
    ),
    # an array without a prefix is any of
    Dialect.TASK: Speech({**_ORDERED, Op.EQ: "", Op.IN: "", Op.NE: "!", Op.CONTAINS: "%"}, "docs: tasks-task-list.md"),
    Dialect.CALL: Speech(_CALL, "docs: voximplant-statistic-get.md; no lists"),
    Dialect.LIST: Speech(_LIST, "docs: lists-element-get.md; no lists, and any other prefix is refused"),
    Dialect.EQUAL: Speech(_EQUAL, "the page of each method"),
    Dialect.API: Speech(_API, _REST_3, groups=True, clock=Clock.EXACT),
    Dialect.API_ID: Speech(_API, _REST_3, clock=Clock.EXACT),
    # both ends belong to it, and the engine puts them in one object
    Dialect.PERIOD: Speech({Op.GE: "from ", Op.LE: "to "}, "docs: call-followup-list.md", clock=Clock.EXACT),
    Dialect.FEW: Speech(
        {}, "its page names no prefix, and a portal has few rows", here=True, clock=Clock.UNREAD, days=Clock.UNREAD
    ),
    Dialect.NONE: Speech({}, "no condition is documented"),
}
"""What can be asked of a method, a row a method or several that were proven alike."""

SPELLINGS: Final[Mapping[Dialect, Mapping[Op, str]]] = {name: speech.spells for name, speech in DIALECTS.items()}

_LINKS: Final = ("deal.contact", "lead.contact", "quote.contact", "company.contact", "contact.company")
_TYPES: Final = ("lead", "deal", "contact", "company", "quote")
METHODS: Final[Mapping[str, Dialect]] = {
    "crm.item.list": Dialect.ITEM,
    **{f"crm.{name}.list": Dialect.CLASSIC for name in _TYPES},
    **{f"crm.{name}.userfield.list": Dialect.EQUAL for name in _TYPES},
    **{f"crm.{name}.items.get": Dialect.NONE for name in _LINKS},
    "crm.activity.list": Dialect.AROUND,
    "crm.requisite.list": Dialect.AROUND,
    "crm.requisite.bankdetail.list": Dialect.AROUND,
    "crm.address.list": Dialect.AROUND,
    "crm.product.list": Dialect.AROUND,
    "crm.productsection.list": Dialect.AROUND,
    "crm.stagehistory.list": Dialect.HISTORY,
    "crm.status.list": Dialect.EQUAL,
    "crm.currency.list": Dialect.NONE,
    "crm.category.list": Dialect.NONE,
    "crm.type.list": Dialect.FEW,
    "crm.item.productrow.list": Dialect.NONE,
    "crm.timeline.comment.list": Dialect.NONE,  # none on CREATED (b24-rest-docs #232)
    "userfieldconfig.list": Dialect.EQUAL,
    "catalog.product.list": Dialect.GOODS,
    "catalog.section.list": Dialect.GOODS,
    "catalog.price.list": Dialect.GOODS,
    "catalog.catalog.list": Dialect.GOODS,
    "socialnetwork.api.workgroup.list": Dialect.ORM,
    "sonet_group.get": Dialect.GROUP,
    "user.get": Dialect.USER,
    "department.get": Dialect.EQUAL,
    "tasks.task.list": Dialect.TASK,
    "task.elapseditem.getlist": Dialect.TASK,
    "voximplant.statistic.get": Dialect.CALL,
    "lists.get": Dialect.NONE,
    "lists.element.get": Dialect.LIST,
    "disk.storage.getlist": Dialect.EQUAL,
    "disk.folder.getchildren": Dialect.EQUAL,
    "disk.storage.getchildren": Dialect.EQUAL,
}
"""Which row of `DIALECTS` a list method has."""


def dialect(entity: Entity) -> Dialect:
    """How the list method of a table takes conditions; nothing is taken for granted of one that no row names."""
    return METHODS.get(entity.listing.call.method.lower()) or entity.dialect or Dialect.NONE


def speech(entity: Entity) -> Speech:
    """What the list method of a table carries out."""
    return DIALECTS[dialect(entity)]


def compared_here(entity: Entity) -> bool:
    """Whether the rows can be compared here at no cost worth the name: all of them come, or they are few."""
    return speech(entity).here or entity.listing.paging is Paging.WHOLE
