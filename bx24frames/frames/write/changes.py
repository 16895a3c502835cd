"""What of a row has to be sent: only cells that differ, phones that are not there yet, ids for those that are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from bx24frames.entities.match import as_stored, canonical
from bx24frames.entities.schema import InputRow
from bx24frames.entities.types import Kind, kind
from bx24frames.entities.values import uploads

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.frames.write.upload import Upload


def compared_codes(upload: Upload) -> list[str]:
    """The fields whose present values an update has to know before it is sent."""
    return [
        field.code
        for field in upload.columns.values()
        if field.listed and (kind(field) is Kind.MULTIFIELD or field.immutable or upload.request.only_changed)
    ]


def set_once(upload: Upload, keys: Iterable[str]) -> dict[str, Field]:
    """The columns that only a new row takes, by the frame's spelling; `keys`: columns that are the same anyway."""
    return {name: field for name, field in upload.columns.items() if field.immutable and name not in set(keys)}


def settled_otherwise(field: Field, value: object, held: Mapping[str, object]) -> bool:
    """Whether a row that is there has another value than the wanted one in a field that is set once."""
    return value is not None and field.code in held and as_stored(field, value) != as_stored(field, held[field.code])


def rows_to_update(upload: Upload, positions: Iterable[int]) -> Iterator[tuple[InputRow, bool]]:
    """The rows with the cells to send, and whether there are any."""
    wanted = set(positions)
    clear = upload.request.nulls == "clear"
    for row in upload.rows(wanted.__contains__):
        row_id = upload.ids.get(row.position)
        held = upload.current.get(row_id, {}) if row_id is not None else {}
        values = dict(_cells(row.values, held, upload))
        yield InputRow(row.position, values), any(clear or value is not None for value in values.values())


def _cells(values: Mapping[str, object], held: Mapping[str, object], upload: Upload) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        field = upload.columns[name]
        if field.immutable:
            continue
        if kind(field) is Kind.MULTIFIELD and value is None:
            if upload.request.nulls == "clear" and (removed := _removed(held.get(field.code))):
                yield name, removed
            continue
        if field.code not in held:
            yield name, value
            continue
        now = held[field.code]
        if kind(field) is Kind.MULTIFIELD and isinstance(value, list):
            merged = merge_points(field, value, now if isinstance(now, list) else [])
            if merged:
                yield name, merged
            continue
        if upload.request.only_changed and _same(field, value, now, upload):
            continue
        yield name, value


def _removed(now: object) -> list[object]:
    """What takes phones or e-mails away: their ids with nothing beside them (docs: crm-contact-update.md)."""
    points = now if isinstance(now, list) else []
    return [{**point, "value": ""} for point in points if isinstance(point, Mapping)]


def _same(field: Field, value: object, now: object, upload: Upload) -> bool:
    if value is None and upload.request.nulls == "skip":
        return True
    if kind(field) is Kind.FILE:
        return not uploads(value) and _file_ids(value) == _file_ids(now)
    return as_stored(field, value) == as_stored(field, now)


def _file_ids(cell: object) -> list[object]:
    files = cell if isinstance(cell, list) else [cell]
    return sorted((file.get("id") for file in files if isinstance(file, Mapping)), key=str)


def merge_points(field: Field, wanted: list[object], held: list[object]) -> list[object]:
    """Phones or e-mails to send so that each is there once: those that are there under their ids, or not at all.

    An entry without an id adds one, so an entry whose value is there already is left out; one with an id edits it.
    """
    there = {canonical(field, [point]): point for point in held}
    merged: list[object] = []
    for point in wanted:
        known = there.get(canonical(field, [point]))
        given = dict(point) if isinstance(point, Mapping) else {"value": point}
        if known is not None and isinstance(known, Mapping):
            same_type = given.get("value_type") in (None, known.get("value_type"))
            if same_type or given.get("id") not in (None, known.get("id")):
                continue
            merged.append({**given, "id": known.get("id")})
        else:
            merged.append(given)
    return merged
