"""Sightings: what a list shows of the rows in doubt and of the others that an upload made, by author and kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.columns import Names
from bx24frames.upload.assign import Matches, SoughtRow, assign
from bx24frames.upload.lookup import owners
from bx24frames.upload.match import canonical, compares
from bx24frames.upload.steps import RowsAfter, answer_to
from bx24frames.upload.visibility import VisibleAs, deciding, visible_as

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.match import RowId
    from bx24frames.upload.request import Upload
    from bx24frames.upload.steps import Script

__all__ = ["SearchView", "Sort", "author_field", "author_of", "comparable_columns", "sight_rows", "wanted_rows"]

AUTHORS: Final = ("createdBy", "CREATED_BY_ID")
KEYS: Final = (("originatorId", "originId"), ("xmlId",))

Sort: TypeAlias = "tuple[int | None, VisibleAs]"
"""The author of a row and its kind, which decide together who sees it."""


@dataclass(slots=True)
class SearchView:
    """What a look-up showed.

    `absent`, `unclear`: rows in doubt that were not found, and those that may be one of several rows.
    `shown`: authors and kinds of rows of this upload that the list contains. `missing`: by author and kind, the id of a
    row of this upload that the list lacks.
    """

    absent: list[int] = field(default_factory=list)
    unclear: dict[int, tuple[RowId, ...]] = field(default_factory=dict)
    shown: set[Sort] = field(default_factory=set)
    missing: dict[Sort, RowId] = field(default_factory=dict)


def sight_rows(upload: Upload, machine: UploadMachine) -> Script[SearchView]:
    """Read the rows created since the upload began, and take those that are ours."""
    view = SearchView()
    groups: dict[int | None, list[int]] = defaultdict(list)
    for position, doubt in machine.rows.doubts.items():
        groups[doubt.author].append(position)
    for author, positions in groups.items():
        yield from _look_for(upload, machine, author, positions, view)
    return view


def _look_for(
    upload: Upload, machine: UploadMachine, author: int | None, positions: Collection[int], view: SearchView
) -> Script[None]:
    fields = _identifying(upload, positions)
    by_code = {one.code: one for one in fields.values()}
    of = owners(upload.table, upload.frame)
    there = yield from answer_to(RowsAfter(machine.high, list(by_code), author_of(upload, author), of))
    claimed = {
        outcome.id: outcome.position
        for outcome in machine.rows.outcomes()
        if outcome.action == "inserted" and outcome.id is not None
    }
    free = {row_id: values for row_id, values in there.items() if row_id not in claimed}
    matches = assign(wanted_rows(upload, positions, fields), free.items(), by_code)
    _take(matches, machine)
    if matches.unclaimed:
        # One of them may be ours, changed by the portal when it was stored: undecided is not the same as absent.
        matches.unclear |= dict.fromkeys(matches.absent, matches.unclaimed)
        matches.absent = []
    shown = {at for row_id, at in claimed.items() if row_id in there}
    if matches.absent and not shown and author_of(upload, author):
        yield from _look_among_others(upload, machine, matches, fields, {*there, *claimed})
    view.absent += matches.absent
    view.unclear |= matches.unclear
    view.shown |= {(author, shape) for shape in _shapes(upload, shown).values()}
    if author == machine.author:
        made = {at: row_id for row_id, at in claimed.items() if at not in machine.earlier.replayed}
        unseen = {at for at, row_id in made.items() if isinstance(row_id, int) and row_id not in there}
        left = set(_shapes(upload, {*matches.absent, *matches.unclear}).values())
        missing = ((shape, made[at]) for at, shape in _shapes(upload, unseen).items() if shape in left)
        view.missing |= {(author, shape): row_id for shape, row_id in missing}


def _look_among_others(
    upload: Upload, machine: UploadMachine, matches: Matches, fields: Mapping[str, Field], known: Collection[RowId]
) -> Script[None]:
    """Look for absent rows among the new rows of all users; those that equal one of these are undecided.

    While no row of the upload has been seen, it is not proved that the portal gives rows the author of the credential:
    it may have passed to another user since they were sent, and some methods store no author.
    """
    by_code = {one.code: one for one in fields.values()}
    everybody = yield from answer_to(RowsAfter(machine.high, list(by_code), {}, owners(upload.table, upload.frame)))
    others = {row_id: values for row_id, values in everybody.items() if row_id not in known}
    alike = assign(wanted_rows(upload, matches.absent, fields), others.items(), by_code)
    matches.unclear |= {at: (row_id,) for at, row_id in alike.found.items()} | alike.unclear
    matches.absent = alike.absent


def wanted_rows(upload: Upload, positions: Collection[int], fields: Mapping[str, Field]) -> list[SoughtRow]:
    """The rows at these positions, with their values in some columns."""
    chosen = set(positions)
    return [
        SoughtRow(row.position, {fields[name].code: value for name, value in row.values.items() if name in fields})
        for row in upload.rows(chosen.__contains__)
    ]


def _shapes(upload: Upload, positions: Collection[int]) -> dict[int, VisibleAs]:
    """The kind of each row, by the columns that decide who sees it."""
    fields = deciding(upload)
    return {
        wanted.position: visible_as(fields.values(), wanted.values) for wanted in wanted_rows(upload, positions, fields)
    }


def _identifying(upload: Upload, positions: Collection[int]) -> dict[str, Field]:
    """The columns that identify rows: those of a key that each of them has alone, else all comparable columns."""
    able = comparable_columns(upload)
    names = Names(upload.table.fields, upload.entity.name)
    for key in (tuple(upload.request.on or ()), *KEYS):
        codes = {found.code for name in key if (found := names.find(name)) is not None}
        chosen = {name: field for name, field in able.items() if field.code in codes}
        if codes and len(chosen) == len(codes) and _distinct(wanted_rows(upload, positions, chosen), chosen):
            return chosen
    return able


def _distinct(rows: Sequence[SoughtRow], columns: Mapping[str, Field]) -> bool:
    forms = {tuple(canonical(one, row.values.get(one.code), loose=True) for one in columns.values()) for row in rows}
    return len(forms) == len(rows) and not any(None in form for form in forms)


def comparable_columns(upload: Upload) -> dict[str, Field]:
    """The columns whose values are returned as they were written."""
    return {name: field for name, field in upload.columns.items() if compares(field) and field.listed}


def author_field(upload: Upload) -> Field | None:
    """The field that has the author of a row, unless the frame itself sets it."""
    names = Names(upload.table.fields, upload.entity.name)
    found = (names.find(name) for name in AUTHORS)
    return next((field for field in found if field is not None and field not in upload.columns.values()), None)


def author_of(upload: Upload, author: int | None) -> Mapping[str, object]:
    """The condition that excludes rows of other users."""
    field = author_field(upload)
    return {} if field is None or author is None else {field.code: author}


def _take(matches: Matches, machine: UploadMachine) -> None:
    for position, row_id in matches.found.items():
        outcome = machine.rows.doubts[position].outcome
        message = "the answer was lost, but the row was found"
        machine.rows.settle(replace(outcome, action="inserted", id=row_id, code=None, message=message))
