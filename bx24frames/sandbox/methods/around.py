"""Activities, requisites, addresses, old products and timeline comments, by classic methods
(https://apidocs.bitrix24.com/api-reference/crm/index.html).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_id, classic_map, names_of
from bx24frames.sandbox.methods.plain import (
    CLASSIC_DIALECT,
    COUNTING,
    EXACT,
    Desk,
    Pager,
    View,
    by_code,
    describe_plain,
)
from bx24frames.sandbox.registry import NOT_FOUND, Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of


@dataclass(frozen=True, slots=True)
class Around:
    """A table of ``crm.{kind}.*``.

    `hidden`: columns that are printed only if selected. `needs`: conditions without which nothing is listed.
    `past_end`: whether a start past the end lists nothing, where others start again. `sorted_by`: the default order.
    `echoing`: whether an update answers the id and a delete nothing, where others answer true. `demands`: refuses a
    new row that lacks required values.
    """

    kind: str
    table: str
    pager: Pager
    created: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    past_end: bool = False
    keyless: bool = False
    echoing: bool = False
    sorted_by: str = ""
    demands: Callable[[dict[str, Any]], None] | None = None

    @property
    def view(self) -> View:
        """How it is listed."""
        names = by_code(self.table)
        default = () if self.keyless else ("id",)
        return View(
            self.table, names, names, "classic", self.pager,
            hidden=self.hidden, default=default, sorted_by=self.sorted_by,
        )  # fmt: skip

    @property
    def desk(self) -> Desk:
        """How it is written."""
        return Desk(self.table, by_code(self.table), self.created, self.modified, self.authors)

    def rows(self, params: Params, context: Context) -> Result:
        """A page; unknown conditions are dropped."""
        conditions = classic_map(params, "filter")
        if missing := [name for name in self.needs if name not in conditions and f"={name}" not in conditions]:
            raise MethodError("", f"{missing[0]} is not defined or invalid.")
        select = names_of(list(classic_map(params, "select").values()))
        found, window = self.view.page(context, conditions, classic_map(params, "order"), select)
        if self.past_end and (context.start or 0) >= max(window.total or 0, 1):
            return Result([], window.total)
        if self.keyless and context.has("address_total_of_page"):
            window = replace(window, total=self._told(params, context, len(found)))
        for row in found:
            if row.get("FILES", "") is None:  # the key is printed only if there is a file
                del row["FILES"]
        return Result(found, window.total, window.next)

    def _told(self, params: Params, context: Context, shown: int) -> int:
        """The total of addresses, which is right only if `start` is below 0."""
        if context.start is None or context.start >= 0:
            return shown
        where = self.view.conditions(classic_map(params, "filter"), context.store.server_zone)
        return int(context.store.scalar(f"SELECT count(*) FROM address t {where.sql}", where.params))  # noqa: S608

    def one(self, params: Params, context: Context) -> Result:
        """One row, hidden columns included."""
        view = self.view
        found, _ = view.page(context, {"ID": classic_id(params)}, {}, ["*", *view.printed])
        if not found:
            raise NOT_FOUND
        return Result(found[0])

    def describe(self, _: Params, context: Context) -> Result:
        """The field description."""
        return Result(describe_plain(by_code(self.table), as_live=context.has("required_flags_unfounded")))

    def add(self, params: Params, context: Context) -> Result:
        """Create a row; returns its id."""
        values = _fields(params)
        if self.demands is not None:
            self.demands(values)
        return Result(self.desk.add(values, context))

    def update(self, params: Params, context: Context) -> Result:
        """Change a row."""
        row_id = classic_id(params)
        self.desk.update(row_id, _fields(params), context, NOT_FOUND)
        return Result(row_id if self.echoing else True)

    def delete(self, params: Params, context: Context) -> Result:
        """Delete a row."""
        self.desk.delete(classic_id(params), context, NOT_FOUND)
        return Result(None if self.echoing else True)


def _fields(params: Params) -> dict[str, Any]:
    values = params.get("fields", params.get("FIELDS"))
    if not isinstance(values, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    return values


def demand_of_activity(values: dict[str, Any]) -> None:
    """Refuse an activity without required values (crm module: restservice.php, CCrmActivityRestProxy::innerAdd)."""
    kind, communications = php_int(values.get("TYPE_ID")), values.get("COMMUNICATIONS")
    given = [one for one in values_of(communications or []) if isinstance(one, dict) and one.get("VALUE")]
    owned = php_int(values.get("OWNER_ID")) and php_int(values.get("OWNER_TYPE_ID"))
    if kind not in ACTIVITY_TYPES:
        raise MethodError("", "The field TYPE_ID is not defined or invalid.")
    if kind == PROVIDED and not values.get("PROVIDER_ID"):
        raise MethodError("", "The custom activity without provider is not supported in current context.")
    if not php_text(values.get("SUBJECT")).strip():
        raise MethodError("", "The field SUBJECT is not defined or empty.")
    if kind in TALKS and not given:
        raise MethodError("", "The field COMMUNICATIONS is not defined or invalid.")
    if not owned and not any(php_int(one.get("ENTITY_ID")) for one in given):
        raise MethodError(
            "", "Could not build binding. Please ensure that owner info and communications are defined correctly."
        )


ACTIVITY_TYPES: Final = range(1, 7)
TALKS: Final = (2, 4)
"""Calls and e-mails, which need a communication."""
PROVIDED: Final = 6
_REQUISITE: Final = (("dateCreate",), ("dateModify",), ("createdById", "modifyById"))
_ALL: Final = (
    Around(
        "activity", "activity", CLASSIC_DIALECT, ("created",), ("lastUpdated",),
        ("authorId", "editorId", "responsibleId"),
        hidden=frozenset({"COMMUNICATIONS", "FILES"}), sorted_by="START_TIME", demands=demand_of_activity,
    ),
    Around("requisite", "requisite", COUNTING, *_REQUISITE),
    Around("requisite.bankdetail", "bank_detail", COUNTING, *_REQUISITE),
    Around("address", "address", EXACT, keyless=True),
    Around("product", "product", CLASSIC_DIALECT, ("dateCreate",), ("timestampX",), ("createdBy", "modifiedBy")),
    Around("productsection", "section", CLASSIC_DIALECT),
    Around(
        "timeline.comment", "comment", COUNTING, ("created",), (), ("authorId",),
        needs=("ENTITY_ID", "ENTITY_TYPE"), past_end=True, echoing=True,
    ),
)  # fmt: skip

for _table in _ALL:
    _actions = [("list", _table.rows), ("fields", _table.describe)]
    if not _table.keyless:  # an address is identified by its owner
        _actions += [("get", _table.one), ("add", _table.add), ("update", _table.update), ("delete", _table.delete)]
    for _action, _handler in _actions:
        method(f"crm.{_table.kind}.{_action}", "crm")(_handler)
