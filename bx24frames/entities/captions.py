"""Captions: which dictionary a field uses, and translation between codes and captions."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from numbers import Integral, Real
from typing import Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.faults import Fault
from bx24frames.entities.fixed_lists import FIXED_LISTS, OWNER_CODES, OWNER_TYPES, SHORT_LISTS, in_language_of
from bx24frames.entities.operators import Comparison
from bx24frames.entities.schema import Field
from bx24frames.entities.types import ENUM, comparison

__all__ = ["Coded", "Dictionary", "Lookup", "Origin", "choices_of", "codes_for", "currencies", "lookup_of", "people"]
__all__ += ["PIPELINE_NAMES", "USER_NAMES", "enumeration", "fixed_list", "pipelines", "row_names", "statuses"]


class Origin(enum.Enum):
    """Source of a dictionary."""

    CHOICES = "choices"
    """The field's own description."""
    STATUS = "status"
    """A dictionary of `crm.status.list`."""
    STAGES = "stages"
    """The stage dictionaries of all pipelines of one entity together: their codes are distinct (``C1:NEW``)."""
    PIPELINES = "pipelines"
    USERS = "users"
    CURRENCIES = "currencies"
    ENUM = "enum"
    """A closed list of `crm.enum.*`, in the portal's language."""
    FIXED = "fixed"
    """A documented list that no method returns (`entities/fixed_lists`)."""
    ROWS = "rows"
    """The rows of another entity, by title or name."""


SOME: Final = 4
"""Number of codes that an error shows if none is similar."""
NEARNESS: Final = 0.65
"""Similarity, from 0 to 1, at which a text may be a misspelt caption."""
UNASKED: Final = frozenset(Origin) - {Origin.CURRENCIES, Origin.ROWS}
"""The origins that ``labels=True`` covers; other columns are captioned only if named."""

LINKS: Final[Mapping[str, int]] = {"crm_lead": 1, "crm_deal": 2, "crm_contact": 3, "crm_company": 4, "crm_quote": 7}
"""Types of fields that hold ids of another entity's rows (docs: crm/data-types.md)."""

STAGES: Final[Mapping[int, str]] = {1: "STATUS", 2: "DEAL_STAGE", 7: "QUOTE_STATUS", 31: "SMART_INVOICE_STAGE"}
"""The stage dictionary of an entity type; for any other type N it is ``DYNAMIC_N_STAGE`` (docs:
crm/status/crm-status-list.md)."""

_PIPELINE: Final = re.compile(r"(.+_STAGE)(?:_(\d+))?")
_STAGE_CODES: Final = frozenset({"STAGE_ID", "STATUS_ID", "stageId", "previousStageId"})
USER_NAMES: Final = "users"
PIPELINE_NAMES: Final = "pipelines"
"""Name of the dictionary of users."""
PERSON: Final = ("name", "lastName")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Reference to the dictionary of a field: its origin, its name there, or the entity type of its rows.

    `key`: the column of a list of `crm.enum.*` that holds the codes, if that is not the id.
    """

    origin: Origin
    name: str = ""
    entity_type_id: int = 0
    key: str = ""


_BY_TYPE: Final[Mapping[str, Lookup]] = {
    "user": Lookup(Origin.USERS),
    "employee": Lookup(Origin.USERS),
    "crm_currency": Lookup(Origin.CURRENCIES),
}


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Captions by code, in display order.

    `pipelines`: the pipeline of each stage. `default`: for pipelines, the code that a new row gets. `open`: whether a
    column may hold codes that it lacks.
    """

    name: str
    titles: Mapping[str, str]
    pipelines: Mapping[str, int] = field(default_factory=dict)
    default: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """A column with captions replaced by codes, and the cells whose text matches no code or several."""

    values: tuple[object, ...]
    faults: tuple[Fault, ...] = ()


def lookup_of(field: Field, entity_type_id: int | None = None) -> Lookup | None:
    """Find the dictionary of a field; None if its values are not codes.

    Parameters
    ----------
    field : Field
    entity_type_id : int, optional
        Type of the entity that has the field: pipelines and the stages of a stage history depend on it.

    Examples
    --------
    >>> lookup_of(Field("stageId", "crm_status", status_type="DEAL_STAGE"), 2).name
    'DEAL_STAGE'
    """
    return _closed(field) or _coded(field, entity_type_id) or _linked(field)


def _closed(field: Field) -> Lookup | None:
    """The list that only this field or the system itself has."""
    if field.choices:
        return Lookup(Origin.CHOICES)
    if field.code in FIXED_LISTS:
        return Lookup(Origin.FIXED, FIXED_LISTS[field.code])
    if field.code in OWNER_CODES:
        return Lookup(Origin.ENUM, OWNER_TYPES, key=OWNER_CODES[field.code])
    return Lookup(Origin.ENUM, field.type.removeprefix(ENUM)) if field.type.startswith(ENUM) else None


def _coded(field: Field, entity_type_id: int | None) -> Lookup | None:
    """The dictionary that people keep in the portal."""
    if field.type == "crm_status":
        return _status(field, entity_type_id)
    if field.type == "crm_category":
        return None if entity_type_id is None else Lookup(Origin.PIPELINES, entity_type_id=entity_type_id)
    return _BY_TYPE.get(field.type)


def _linked(field: Field) -> Lookup | None:
    """The rows of the entity that a link refers to."""
    parent = LINKS.get(field.type) or (field.settings.get("parentEntityTypeId") if field.type == "crm_entity" else None)
    return Lookup(Origin.ROWS, entity_type_id=int(str(parent))) if parent else None


def _status(field: Field, entity_type_id: int | None) -> Lookup | None:
    name = field.status_type
    if name is None and field.code in _STAGE_CODES and entity_type_id is not None:
        name = STAGES.get(entity_type_id, f"DYNAMIC_{entity_type_id}_STAGE")
    if name is None:
        return None
    family = _PIPELINE.fullmatch(name)
    return Lookup(Origin.STAGES, family[1]) if family else Lookup(Origin.STATUS, name)


def choices_of(field: Field) -> Dictionary:
    """The dictionary in a field's own description."""
    return Dictionary(field.code, {choice.code: choice.title or choice.code for choice in field.choices})


def statuses(rows: Iterable[Mapping[str, JSON]], lookup: Lookup) -> Dictionary:
    """One dictionary, or those of all pipelines of an entity, from the rows of `crm.status.list`."""
    found: list[tuple[int, int, str, str]] = []
    for row in rows:
        pipeline = _pipeline(str(row.get("ENTITY_ID")), lookup)
        if pipeline is not None:
            code = str(row.get("STATUS_ID"))
            found.append((pipeline, _number(row.get("SORT")), code, str(row.get("NAME") or code)))
    found.sort(key=lambda one: one[:2])
    titles = {code: title for _, _, code, title in found}
    staged = lookup.origin is Origin.STAGES
    return Dictionary(lookup.name, titles, {code: pipeline for pipeline, _, code, _ in found} if staged else {})


def _pipeline(name: str, lookup: Lookup) -> int | None:
    """The pipeline whose stages a dictionary holds, 0 for a plain one; None for a dictionary of something else."""
    if lookup.origin is Origin.STATUS:
        return 0 if name == lookup.name else None
    match = _PIPELINE.fullmatch(name)
    return int(match[2] or 0) if match and match[1] == lookup.name else None


def pipelines(rows: Iterable[Mapping[str, JSON]]) -> Dictionary:
    """The pipelines of an entity type, from `crm.category.list`."""
    ordered = sorted(rows, key=lambda row: _number(row.get("sort")))
    default = next((str(row.get("id")) for row in ordered if row.get("isDefault") in ("Y", True)), None)
    titles = {str(row.get("id")): str(row.get("name") or row.get("id")) for row in ordered}
    return Dictionary(PIPELINE_NAMES, titles, default=default)


def people(rows: Iterable[Mapping[str, JSON]]) -> Dictionary:
    """Users by first and last name, or by e-mail without a name, from `user.get`."""
    return Dictionary(
        USER_NAMES, {str(row.get("ID")): _named(row, ("NAME", "LAST_NAME"), "EMAIL", "ID") for row in rows}
    )


def currencies(rows: Iterable[Mapping[str, JSON]]) -> Dictionary:
    """Currencies by full name, from `crm.currency.list`."""
    return Dictionary("currencies", {str(row.get("CURRENCY")): _named(row, ("FULL_NAME",), "CURRENCY") for row in rows})


def enumeration(rows: Iterable[Mapping[str, JSON]], lookup: Lookup) -> Dictionary:
    """A closed list of `crm.enum.*`, without the entry 0 that has no name."""
    key = lookup.key or "ID"
    named = {str(row[key]): str(row["NAME"]) for row in rows if row.get(key) is not None and row.get("NAME")}
    return Dictionary(lookup.name, named, open=key != "ID")  # an owner given as text has several spellings


def fixed_list(rows: Iterable[Mapping[str, JSON]], lookup: Lookup) -> Dictionary:
    """A documented list, in the language of the portal's own statuses."""
    titles = in_language_of(lookup.name, (row.get("NAME") for row in rows))
    return Dictionary(lookup.name, titles, open=lookup.name in SHORT_LISTS)


def row_names(rows: Iterable[Mapping[str, JSON]], entity_type_id: int) -> Dictionary:
    """Rows of an entity by title; contacts by first and last name."""
    titled = PERSON if entity_type_id == LINKS["crm_contact"] else ("title",)
    return Dictionary(f"item:{entity_type_id}", {str(row.get("id")): _named(row, titled, "id") for row in rows})


def _named(row: Mapping[str, JSON], parts: Sequence[str], *instead: str) -> str:
    name = " ".join(text for part in parts if (text := str(row.get(part) or "").strip()))
    return name or next((text for key in instead if (text := str(row.get(key) or "").strip())), "")


def _number(value: JSON) -> int:
    text = str(value)
    return int(text) if text.isdigit() else 0


def codes_for(
    captions: Sequence[object],
    field: Field,
    dictionary: Dictionary,
    pipeline: Sequence[int | None] | int | None = None,
    *,
    column: str | None = None,
) -> Coded:
    """Replace the captions in a column by codes.

    Parameters
    ----------
    captions : sequence
        One cell per row: text, or a list of texts in a multiple field; numbers are read as digits if codes are text;
        everything else is left unchanged.
    field : Field
    dictionary : Dictionary
        A text equal to one of its codes is taken as that code even if it is also a caption.
    pipeline : int, sequence of int or None, optional
        The pipeline of each row, or of all rows: it decides between stages with the same caption.
    column : str, optional
        The column's name in the frame, for faults.

    Returns
    -------
    Coded
        Cells at fault become None. Text that is neither a code nor a caption is at fault; a number written as text is a
        code if codes are numbers.

    Examples
    --------
    >>> stages = Dictionary("DEAL_STAGE", {"NEW": "New", "C1:NEW": "New"}, {"NEW": 0, "C1:NEW": 1})
    >>> codes_for(["New", "WON"], Field("stageId", "crm_status"), stages, [1, 0]).values
    ('C1:NEW', None)
    """
    by_title: dict[str, list[str]] = {}
    for code, title in dictionary.titles.items():
        by_title.setdefault(title, []).append(code)
    numeric = comparison(field) is Comparison.INTEGER
    rows = pipeline if isinstance(pipeline, Sequence) else [pipeline] * len(captions)
    values: list[object] = []
    faults: list[Fault] = []
    near = lru_cache(partial(_near, dictionary))  # a misspelt caption usually occurs many times
    for position, (cell, place) in enumerate(zip(captions, rows, strict=True)):
        parts = list(cell) if isinstance(cell, list | tuple) else [cell]
        found = [
            part if numeric and str(part).strip().isdigit() else _code(part, dictionary, by_title, place)
            for part in (parts if numeric else map(_digits, parts))
        ]
        wrong = [*_wrong(parts, found, dictionary, near), *_misplaced(field, found, dictionary, place)]
        faults += [Fault(position, column or field.code, text, reason) for text, reason in wrong]
        found = [part if code == [] else code for part, code in zip(parts, found, strict=True)]
        values.append(None if wrong else found if isinstance(cell, list | tuple) else found[0])
    return Coded(tuple(values), tuple(faults))


def _digits(part: object) -> object:
    """An integer as its digits: codes made of digits may have been read as numbers."""
    if isinstance(part, bool) or not isinstance(part, Real) or part != part:  # noqa: PLR0124 - NaN is no number
        return part
    return str(int(float(part))) if not isinstance(part, Integral) and float(part).is_integer() else str(part)


def _code(part: object, dictionary: Dictionary, by_title: Mapping[str, list[str]], pipeline: int | None) -> object:
    """The code of a cell; a list of codes if a caption has none or several."""
    if not isinstance(part, str) or part == "" or part in dictionary.titles:
        return part
    codes = by_title.get(part) or by_title.get(part.strip(), []) or _alike(part, dictionary, by_title)
    if len(codes) > 1 and pipeline is not None:
        here = [code for code in codes if dictionary.pipelines.get(code) == pipeline]
        codes = here if len(here) == 1 else codes
    return codes[0] if len(codes) == 1 else codes


def _alike(part: str, dictionary: Dictionary, by_title: Mapping[str, list[str]]) -> list[str]:
    """The codes of the only caption equal to a text apart from case and spaces; names of users in either order."""
    form = _words if dictionary.name == USER_NAMES else _folded
    wanted = form(part)
    alike = [title for title in by_title if form(title) == wanted]
    return by_title[alike[0]] if len(alike) == 1 and wanted else []


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _words(text: str) -> str:
    return " ".join(sorted(_folded(text).split()))


def _wrong(
    parts: Sequence[object], found: Sequence[object], dictionary: Dictionary, near: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    for part, one in zip(parts, found, strict=True):
        if isinstance(one, list) and len(one) > 1:
            hint = ", or give the row's pipeline in categoryId" if dictionary.pipelines else ""
            yield str(part), f"the caption of {' and '.join(map(str, one))}: write the code{hint}"
        elif isinstance(one, list) and not dictionary.open:
            yield str(part), f"neither a code nor a caption of {dictionary.name}{near(str(part))}"


def _misplaced(
    field: Field, found: Sequence[object], dictionary: Dictionary, place: int | None
) -> Iterator[tuple[str, str]]:
    """Faults for stages of another pipeline than the row's, which the portal silently replaces (crm module: stage
    field).
    """
    if field.read_only:  # the previous stage may belong to another pipeline
        return
    for code in found:
        own = dictionary.pipelines.get(code) if isinstance(code, str) else None
        if own is not None and place is not None and own != place:
            hint = f"give the row's pipeline in categoryId, {own} for this stage"
            yield str(code), f"a stage of pipeline {own}, but the row is in {place}: {hint}"


def _near(dictionary: Dictionary, text: str) -> str:
    """The caption or code that a text probably means, as a question."""
    known = {word.casefold(): word for word in (*dictionary.titles, *dictionary.titles.values())}
    found = difflib.get_close_matches(text.strip().casefold(), known, 1, NEARNESS)
    if found:
        return f"; did you mean {known[found[0]]!r}?"
    some = ", ".join(f"{code!r} ({title})" for code, title in [*dictionary.titles.items()][:SOME])
    return f"; valid codes: {some}{', ...' if len(dictionary.titles) > SOME else ''}" if some else ""
