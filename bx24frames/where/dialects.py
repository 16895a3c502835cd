"""Dialects: which conditions a list method supports, and how it spells them (prefixes of a field's name)."""

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
    """How a method interprets a datetime in a condition."""

    EXACT = "exact"
    """Correctly, with its offset."""
    SHIFTED = "shifted"
    """Possibly in another time zone than its offset: bounds are widened, and the rows are filtered here."""
    UNREAD = "unread"
    """Not at all, or wrongly: it is never sent, and the rows are filtered here."""


SHIFT: Final = timedelta(hours=26)
"""The largest difference between two time zones: from twelve hours west of UTC to fourteen east."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Which conditions a list method supports.

    Parameters
    ----------
    spells : mapping of Op to str
        The prefix of each operator that the method applies correctly.
    source : str
        Where this is known from.
    groups : bool
        Whether it supports groups of conditions joined by OR.
    here : bool
        Whether unsupported conditions are evaluated on the returned rows: its entities have few.
    clock : Clock
        How it interprets datetimes; `days`: the same for dates without a time.
    number_lists : bool
        Whether a list of floats means any of them.
    cut : frozenset of Op
        Operators for which the method returns all matching rows and others; the others are dropped here.
    bare : frozenset of str
        Fields that are compared only by the bare name.
    raw : frozenset of str, optional
        The prefixes it accepts in a mapping of filters; None if it rejects unknown ones itself or accepts all.
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

# Without a prefix, text of an item is compared by LIKE with active % and _; `=` and `@` are exact (crm module:
# validator/filter.php).
# `!` excludes nulls and spells "not null"; `!=` keeps nulls of text.
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
    Op.NONE_OF: "!=",  # keeps nulls, which `!@` excludes
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
        _CLASSIC, "as the classic methods (main module: classes/general/sql_util.php); time zone handling not verified"
    ),
    Dialect.HISTORY: Speech(
        _CLASSIC,
        "crm module: lib/controller/stagehistory.php, 2026; measured on a cloud portal",
        clock=Clock.EXACT,
    ),
    Dialect.GOODS: Speech(
        _GOODS,
        "iblock module: CIBlock::MkOperationFilter; rest module: lib/integration/view/base.php; b24-rest-docs #181",
        number_lists=False,  # a list compared with a float becomes 1.0
        cut=frozenset({Op.NOT_IN}),
        raw=frozenset({"!><", "><", ">=", "<=", "!=", "!%", "=", "!", "%", ">", "<", ""}),
    ),
    Dialect.ORM: Speech(_ITEM, "main module: lib/orm/query/filter", groups=True),
    Dialect.USER: Speech(
        _ITEM,
        "docs: user-get.md; groups are unknown fields to it, datetimes empty text (rest module: lib/api/user.php)",
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
    # an array without a prefix means any of
    Dialect.TASK: Speech({**_ORDERED, Op.EQ: "", Op.IN: "", Op.NE: "!", Op.CONTAINS: "%"}, "docs: tasks-task-list.md"),
    Dialect.CALL: Speech(_CALL, "docs: voximplant-statistic-get.md; no lists"),
    Dialect.LIST: Speech(_LIST, "docs: lists-element-get.md; no lists, and any other prefix is refused"),
    Dialect.EQUAL: Speech(_EQUAL, "the page of each method"),
    Dialect.API: Speech(_API, _REST_3, groups=True, clock=Clock.EXACT),
    Dialect.API_ID: Speech(_API, _REST_3, clock=Clock.EXACT),
    # both ends are inclusive, and the engine puts them in one object
    Dialect.PERIOD: Speech({Op.GE: "from ", Op.LE: "to "}, "docs: call-followup-list.md", clock=Clock.EXACT),
    Dialect.FEW: Speech(
        {}, "its page documents no prefix, and portals have few rows", here=True, clock=Clock.UNREAD, days=Clock.UNREAD
    ),
    Dialect.NONE: Speech({}, "no condition is documented"),
}
"""Supported conditions: one row per method, or per group of methods proven to behave alike."""

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
"""The row of `DIALECTS` for each list method."""


def dialect(entity: Entity) -> Dialect:
    """The dialect of an entity's list method; nothing is assumed about a method without a row."""
    return METHODS.get(entity.listing.call.method.lower()) or entity.dialect or Dialect.NONE


def speech(entity: Entity) -> Speech:
    """Which conditions the list method of an entity supports."""
    return DIALECTS[dialect(entity)]


def compared_here(entity: Entity) -> bool:
    """Whether filtering the returned rows here costs little: all rows are returned anyway, or there are few."""
    return speech(entity).here or entity.listing.paging is Paging.WHOLE
