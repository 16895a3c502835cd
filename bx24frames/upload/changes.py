"""What of a row has to be sent: only cells that differ, phones that are not there yet, ids for those that are."""

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


def compared_codes(upload: Upload) -> list[str]:
    """The fields whose present values an update has to know before it is sent."""
    return [
        field.code
        for field in upload.columns.values()
        if field.listed and (_is_looked_at(upload, field) or field.immutable or upload.request.only_changed)
    ]


def _is_looked_at(upload: Upload, field: Field) -> bool:
    """Whether what a row holds decides what is sent: phones are merged, and what goes by its id is found first."""
    cleared = upload.request.nulls == "clear" and goes_by_id(upload.entity.family, field)
    return kind(field) is Kind.MULTIFIELD or cleared


def set_once(upload: Upload, keys: Iterable[str]) -> dict[str, Field]:
    """The columns that only a new row takes, by the frame's spelling; `keys`: columns that are the same anyway."""
    return {name: field for name, field in upload.columns.items() if field.immutable and name not in set(keys)}


def settled_otherwise(field: Field, value: object, held: Mapping[str, object]) -> bool:
    """Whether a row that is there has another value than the wanted one in a field that is set once."""
    return value is not None and field.code in held and as_stored(field, value) != as_stored(field, held[field.code])


def rows_to_update(
    upload: Upload, positions: Iterable[int], *, only_changed: bool | None = None
) -> Iterator[tuple[InputRow, bool]]:
    """The rows with the cells to send, and whether there are any; `only_changed` in place of the request's own."""
    wanted = set(positions)
    trimmed = upload.request.only_changed if only_changed is None else only_changed
    clear = upload.request.nulls == "clear"
    for row in upload.rows(wanted.__contains__):
        row_id = upload.ids.get(row.position)
        held = upload.current.get(row_id, {}) if row_id is not None else {}
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
    """What takes phones, e-mails or files away: their ids, with no value or a mark (docs: crm-contact-update.md)."""
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
    """What takes away the phones or e-mails that a whole list does not name."""
    named = {canonical(field, [point]) for point in wanted}
    ids = {point.get("id") for point in wanted if isinstance(point, Mapping) and point.get("id") is not None}
    gone = [point for point in held if isinstance(point, Mapping) and canonical(field, [point]) not in named]
    return [{**point, "value": ""} for point in gone if point.get("id") not in ids]


def merge_points(field: Field, wanted: list[object], held: list[object]) -> list[object]:
    """Phones or e-mails to send so that each is there once: those that are there under their ids, or not at all.

    An entry without an id adds one, so an entry whose value is there already is left out; one with an id of the row
    edits it. An id of another row is no id here.
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
