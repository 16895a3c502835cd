"""Dialects: which conditions a list method supports, and how it spells them (prefixes of a field's name).

`DIALECTS` has a row for each method, and nothing outside this file depends on which dialect a method has.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bx24frames.engine.messages import Paging
from bx24frames.entities.operators import Op
from bx24frames.entities.schema import Entity
from bx24frames.transport.address import API

GROUP_KEY: Final = "::"
"""How the key of a group of conditions on tasks begins (docs: tasks-task-list.md)."""


class ClockReading(enum.Enum):
    """How a method interprets a datetime in a condition."""

    EXACT = "exact"
    """Correctly, with its offset."""
    SHIFTED = "shifted"
    """Possibly in another time zone than its offset: bounds are widened, and the rows are filtered here."""
    UNREAD = "unread"
    """Not at all, or wrongly: it is never sent, and the rows are filtered here."""
    SITE = "site"
    """Only in the site's own format, which is not known here: such conditions are refused."""


class Reach(enum.Enum):
    """Which columns a method compares at all."""

    COLUMNS = "columns"
    ID = "id"
    CREATED = "created"
    """Only the creation time."""


SHIFT: Final = timedelta(hours=26)
"""The largest difference between two time zones: from twelve hours west of UTC to fourteen east."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which conditions a list method supports.

    Parameters
    ----------
    spells : mapping of Op to str
        The prefix of each operator that the method applies correctly.
    source : str
        Where this is known from.
    reach : Reach
        Which columns it compares.
    groups : bool
        Whether it supports groups of conditions joined by OR; `timed_groups`: also of dates and datetimes.
    subfilters : bool
        Whether it has groups whose keys begin with `GROUP_KEY`.
    here : bool
        Whether unsupported conditions are evaluated on the returned rows: its entities have few.
    clock : ClockReading
        How it interprets datetimes; `days`: the same for dates without a time.
    number_lists : bool
        Whether a list of floats means any of them.
    cut : frozenset of Op
        Operators for which the method returns all matching rows and others; the others are dropped here.
    bare : frozenset of str
        Fields that are compared only by the bare name.
    raw : frozenset of str, optional
        The prefixes it accepts in a mapping of filters; None if it rejects unknown ones itself or accepts all.
    by_sql_util : bool
        Whether its conditions become SQL as those of the classic methods do (main module:
        classes/general/sql_util.php).
    proven : bool
        Whether it compares the column as it is returned, so that conditions can be derived from possible values: tasks
        filter a status by meta codes, calls take no lists.
    """

    spells: Mapping[Op, str]
    source: str
    reach: Reach = Reach.COLUMNS
    groups: bool = False
    timed_groups: bool = False
    subfilters: bool = False
    here: bool = False
    clock: ClockReading = ClockReading.SHIFTED
    days: ClockReading = ClockReading.EXACT
    number_lists: bool = True
    cut: frozenset[Op] = frozenset()
    bare: frozenset[str] = frozenset()
    raw: frozenset[str] | None = None
    by_sql_util: bool = False
    proven: bool = False

    @property
    def by_equality(self) -> bool:
        """Whether equality is all that it supports, in one spelling."""
        return self.spells.keys() <= {Op.EQ} and not self.here

    @property
    def checks_groups(self) -> bool:
        """Whether it refuses groups that it does not understand, instead of ignoring them (docs: rest-v3/index.md)."""
        return self.groups or self.reach is not Reach.COLUMNS


_ORDERED: Final[Mapping[Op, str]] = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}

# Without a prefix, text of an item is compared by LIKE with active % and _; `=` and `@` are exact (crm module:
# validator/filter.php).
# `!` excludes nulls and spells "not null"; `!=` keeps nulls of text.
_ITEM_SPELLS: Final[Mapping[Op, str]] = {
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
_CLASSIC_SPELLS: Final[Mapping[Op, str]] = {
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
_GOODS_SPELLS: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.IN: "=",
    Op.NOT_IN: "!=",
    Op.NONE_OF: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
}
_GROUP_SPELLS: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
}
_CALL_SPELLS: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!=",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
    Op.SEARCH: "?",
}
_LIST_SPELLS: Final[Mapping[Op, str]] = {
    **_ORDERED,
    Op.EQ: "=",
    Op.NE: "!",
    Op.CONTAINS: "%",
    Op.NOT_CONTAINS: "!%",
    Op.NOT_BETWEEN: "!><",
}
_API_SPELLS: Final[Mapping[Op, str]] = {**_ORDERED, Op.EQ: "=", Op.NE: "!=", Op.IN: "@"}
_REST_3_SOURCE: Final = "docs: rest-v3/index.md; the engine writes the prefixes as operators"

_ITEM: Final = Dialect(
    _ITEM_SPELLS,
    "crm module: lib/controller/item.php, validator/filter.php, base.php; measured on cloud portals, 2026",
    groups=True,
    bare=frozenset({"contactIds", "companyIds", "observers"}),
    proven=True,
)
_CLASSIC: Final = Dialect(
    _CLASSIC_SPELLS,
    "crm module: classes/general/restservice.php; main module: classes/general/sql_util.php",
    clock=ClockReading.EXACT,  # unConvertDateTime with the user's offset; measured on a cloud portal
    by_sql_util=True,
    proven=True,
)
_AROUND: Final = Dialect(
    _CLASSIC_SPELLS,
    "as the classic methods (main module: classes/general/sql_util.php); time zone handling not verified",
    by_sql_util=True,
    proven=True,
)
"""As the classic methods, for other entities around the CRM."""
_HISTORY: Final = Dialect(
    _CLASSIC_SPELLS,
    "crm module: lib/controller/stagehistory.php, 2026; measured on a cloud portal",
    clock=ClockReading.EXACT,
    by_sql_util=True,
    proven=True,
)
_GOODS: Final = Dialect(
    _GOODS_SPELLS,
    "iblock module: CIBlock::MkOperationFilter; rest module: lib/integration/view/base.php; b24-rest-docs #181",
    number_lists=False,  # a list compared with a float becomes 1.0
    cut=frozenset({Op.NOT_IN}),
    raw=frozenset({"!><", "><", ">=", "<=", "!=", "!%", "=", "!", "%", ">", "<", ""}),
    proven=True,
)
"""Catalogue methods: the conditions of an information block."""
_ORM: Final = Dialect(_ITEM_SPELLS, "main module: lib/orm/query/filter", groups=True, proven=True)
_USER: Final = Dialect(
    _ITEM_SPELLS,
    "docs: user-get.md; groups are unknown fields to it, datetimes empty text (rest module: lib/api/user.php)",
    here=True,
    clock=ClockReading.UNREAD,
    days=ClockReading.UNREAD,
    proven=True,
)
_GROUP: Final = Dialect(
    _GROUP_SPELLS,
    "docs: sonet-group-get.md; socialnetwork module: classes/general/rest.php",
    here=True,
    clock=ClockReading.UNREAD,
    raw=frozenset({"!><", "><", ">=", "<=", "!=", "!%", "!", "?", "=", "%", ">", "<", ""}),
)
_TASK: Final = Dialect(
    {**_ORDERED, Op.EQ: "", Op.IN: "", Op.NE: "!", Op.CONTAINS: "%"},  # an array without a prefix means any of
    "docs: tasks-task-list.md",
    subfilters=True,
)
_CALL: Final = Dialect(_CALL_SPELLS, "docs: voximplant-statistic-get.md; no lists")
_LIST: Final = Dialect(
    _LIST_SPELLS,
    "docs: lists-element-get.md; no lists, and any other prefix is refused",
    clock=ClockReading.SITE,
    days=ClockReading.SITE,
)
_EQUAL: Final = Dialect({Op.EQ: ""}, "the page of each method")
_REST_3: Final = Dialect(_API_SPELLS, _REST_3_SOURCE, groups=True, timed_groups=True, clock=ClockReading.EXACT)
_REST_3_ID: Final = Dialect(_API_SPELLS, _REST_3_SOURCE, reach=Reach.ID, clock=ClockReading.EXACT)
_PERIOD: Final = Dialect(  # both ends are inclusive, and the engine puts them in one object
    {Op.GE: "from ", Op.LE: "to "}, "docs: call-followup-list.md", reach=Reach.CREATED, clock=ClockReading.EXACT
)
_FEW: Final = Dialect(
    {},
    "its page documents no prefix, and portals have few rows",
    here=True,
    clock=ClockReading.UNREAD,
    days=ClockReading.UNREAD,
)
_NONE: Final = Dialect({}, "no condition is documented")

_LINKS: Final = ("deal.contact", "lead.contact", "quote.contact", "company.contact", "contact.company")
_TYPES: Final = ("lead", "deal", "contact", "company", "quote")
DIALECTS: Final[Mapping[str, Dialect]] = {
    "crm.item.list": _ITEM,
    **{f"crm.{name}.list": _CLASSIC for name in _TYPES},
    **{f"crm.{name}.userfield.list": _EQUAL for name in _TYPES},
    **{f"crm.{name}.items.get": _NONE for name in _LINKS},
    "crm.activity.list": _AROUND,
    "crm.requisite.list": _AROUND,
    "crm.requisite.bankdetail.list": _AROUND,
    "crm.address.list": _AROUND,
    "crm.product.list": _AROUND,
    "crm.productsection.list": _AROUND,
    "crm.stagehistory.list": _HISTORY,
    "crm.status.list": _EQUAL,
    "crm.currency.list": _NONE,
    "crm.category.list": _NONE,
    "crm.type.list": _FEW,
    "crm.item.productrow.list": _NONE,
    "crm.timeline.comment.list": _NONE,  # none on CREATED (b24-rest-docs #232)
    "userfieldconfig.list": _EQUAL,
    "catalog.product.list": _GOODS,
    "catalog.section.list": _GOODS,
    "catalog.price.list": _GOODS,
    "catalog.catalog.list": _GOODS,
    "socialnetwork.api.workgroup.list": _ORM,
    "sonet_group.get": _GROUP,
    "user.get": _USER,
    "department.get": _EQUAL,
    "tasks.task.list": _TASK,
    "task.elapseditem.getlist": _TASK,
    "voximplant.statistic.get": _CALL,
    "lists.get": _NONE,
    "lists.element.get": _LIST,
    "disk.storage.getlist": _EQUAL,
    "disk.folder.getchildren": _EQUAL,
    "disk.storage.getchildren": _EQUAL,
    f"{API}tasks.task.list": _REST_3_ID,
    f"{API}main.eventlog.list": _REST_3,
    f"{API}timeman.record.list": _REST_3,
    f"{API}tasks.task.result.list": _REST_3,
    f"{API}call.followup.list": _PERIOD,
}
"""The dialect of each list method: one row per method, in lower case."""


def dialect(entity: Entity) -> Dialect:
    """The dialect of an entity's list method; nothing is assumed about a method without a row."""
    return DIALECTS.get(entity.listing.call.method.lower(), _NONE)


def compared_here(entity: Entity) -> bool:
    """Whether filtering the returned rows here costs little: all rows are returned anyway, or there are few."""
    return dialect(entity).here or entity.listing.paging is Paging.WHOLE
