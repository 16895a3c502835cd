"""Changes: the cells of a row that must be sent: those that differ, new phones, and ids of existing ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bx24frames.entities.encode import InputRow
from bx24frames.entities.types import Kind, is_list, kind
from bx24frames.entities.values import goes_by_id, uploads
from bx24frames.upload.match import as_stored, canonical

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.upload.request import Upload
    from bx24frames.upload.state import RowStates


def compared_codes(upload: Upload) -> list[str]:
    """The fields whose present values an update needs before it is sent."""
    return [
        field.code
        for field in upload.columns.values()
        if field.listed and (_is_looked_at(upload, field) or field.immutable or upload.request.only_changed)
    ]


def _is_looked_at(upload: Upload, field: Field) -> bool:
    """Whether the present value decides what is sent: phones are merged, and values removed by id are looked up."""
    cleared = upload.request.nulls == "clear" and goes_by_id(upload.entity.family, field)
    return kind(field) is Kind.MULTIFIELD or cleared


def set_once(upload: Upload, keys: Iterable[str]) -> dict[str, Field]:
    """The create-only columns, by the frame's spelling; `keys`: columns that are equal anyway."""
    return {name: field for name, field in upload.columns.items() if field.immutable and name not in set(keys)}


def settled_otherwise(field: Field, value: object, held: Mapping[str, object]) -> bool:
    """Whether an existing row has a different value in a create-only field."""
    return value is not None and field.code in held and as_stored(field, value) != as_stored(field, held[field.code])


def rows_to_update(
    upload: Upload, rows: RowStates, positions: Iterable[int], *, only_changed: bool | None = None
) -> Iterator[tuple[InputRow, bool]]:
    """The rows with the cells to send, and whether there are any; `only_changed` replaces the request's option."""
    wanted = set(positions)
    trimmed = upload.request.only_changed if only_changed is None else only_changed
    clear = upload.request.nulls == "clear"
    for row in upload.rows(wanted.__contains__):
        row_id = rows.ids.get(row.position)
        held = rows.held.get(row_id, {}) if row_id is not None else {}
        values = dict(_cells(row.values, held, upload, trimmed=trimmed))
        yield InputRow(row.position, values), any(clear or value is not None for value in values.values())


def _cells(
    values: Mapping[str, object], held: Mapping[str, object], upload: Upload, *, trimmed: bool
) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        field = upload.columns[name]
        if field.immutable:
            continue
        if value is None and goes_by_id(upload.entity.family, field):
            if upload.request.nulls == "clear" and (gone := removed(field, held.get(field.code))):
                yield name, gone
            continue
        if field.code not in held:
            yield name, value
            continue
        now = held[field.code]
        if kind(field) is Kind.MULTIFIELD and isinstance(value, list):
            merged = merge_points(field, value, now if isinstance(now, list) else [])
            if upload.request.nulls == "clear" and name in upload.frame.whole:
                merged += left_out(field, value, now if isinstance(now, list) else [])
            if merged:
                yield name, merged
            continue
        if trimmed and _same(field, value, now, upload):
            continue
        yield name, value


def removed(field: Field, now: object) -> object:
    """The value that removes phones, e-mails or files: their ids, without a value or with a mark (docs:
    crm-contact-update.md).
    """
    parts = now if isinstance(now, list) else [now]
    gone = {"remove": True} if kind(field) is Kind.FILE else {"value": ""}
    parted = [{**part, **gone} for part in parts if isinstance(part, Mapping)]
    return parted if is_list(field) or not parted else parted[0]


def _same(field: Field, value: object, now: object, upload: Upload) -> bool:
    if value is None and upload.request.nulls == "skip":
        return True
    if kind(field) is Kind.FILE:
        return not uploads(value) and _file_ids(value) == _file_ids(now)
    return as_stored(field, value) == as_stored(field, now)


def _file_ids(cell: object) -> list[object]:
    files = cell if isinstance(cell, list) else [cell]
    return sorted((file.get("id") for file in files if isinstance(file, Mapping)), key=str)


def left_out(field: Field, wanted: list[object], held: list[object]) -> list[object]:
    """The value that removes the phones or e-mails not in a complete list."""
    named = {canonical(field, [point]) for point in wanted}
    ids = {point.get("id") for point in wanted if isinstance(point, Mapping) and point.get("id") is not None}
    gone = [point for point in held if isinstance(point, Mapping) and canonical(field, [point]) not in named]
    return [{**point, "value": ""} for point in gone if point.get("id") not in ids]


def merge_points(field: Field, wanted: list[object], held: list[object]) -> list[object]:
    """Phones or e-mails to send so that each exists once: existing ones with their ids, or not at all.

    An entry without an id is added, so an entry whose value already exists is left out; one with an id of the row edits
    that entry. An id of another row is ignored.
    """
    points = [point for point in held if isinstance(point, Mapping)]
    by_id = {point.get("id"): point for point in points if point.get("id") is not None}
    by_value = {canonical(field, [point]): point for point in points}
    merged: list[object] = []
    for point in wanted:
        given = dict(point) if isinstance(point, Mapping) else {"value": point}
        form = canonical(field, [given])
        own = by_id.get(given.get("id"))
        known = own or by_value.get(form)
        if known is None:
            by_value[form] = {**given, "id": None}
            merged += [by_value[form]] if given.get("value") else []
            continue
        value = known.get("value") if own is None else given.get("value")
        value_type = given.get("value_type") or known.get("value_type")
        edited = (value, value_type) != (known.get("value"), known.get("value_type"))
        if edited and known.get("id") is not None:
            merged.append({"id": known.get("id"), "value": value, "value_type": value_type})
    return merged
