"""Encoding of rows as the calls that write them, each marked as repeatable or not and as batchable or not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.batch import MAX_PAIRS, has_reference
from bx24frames.engine.messages import JSON, Call, Path
from bx24frames.entities.echo import Echo
from bx24frames.entities.faults import Fault
from bx24frames.entities.fields import MULTIFIELDS
from bx24frames.entities.operators import Comparison
from bx24frames.entities.schema import Entity, Family, Field, Operation
from bx24frames.entities.types import KIND, Kind, is_list, kind
from bx24frames.entities.values import clearing, points, uploads, written_value
from bx24frames.entities.writers import Unwritable, removes, write_kind
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.options import Nulls
from bx24frames.transport.query import pairs

IMPORT_ROWS: Final = 20
"""Rows in one `crm.item.batchImport`; more raise `MAX_IMPORT_BATCH_SIZE_EXCEEDED` (docs: crm-item-batch-import.md)."""
COMPOSED: Final = frozenset(own for own, spec in KIND.items() if spec.comparison is Comparison.NONE)
DEFAULT_VALUE_TYPE: Final = "WORK"


BY_CLASSIC_METHODS: Final = frozenset({(3, "photo"), (4, "logo")})
"""Fields that the item methods describe but reject in every form (vendor's tutorials, August 2026)."""


@dataclass(frozen=True, slots=True)
class InputRow:
    """One row to write: its position in the input, from 0, and its values by column."""

    position: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """Location of the ids in the answer to a write.

    `id_path`: from the `result` of one row to its new id; None if the answer has no id.
    `rows_path`: from `result` to the answers for each row (imports); None if the call has one row.
    """

    id_path: Path | None = None
    rows_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded write call, and how to interpret its answer.

    `positions`: the input rows in it. `keys`: the key of each row's answer (imports); empty if the call has one row.
    `echo`: what the row in the answer is compared with.
    """

    call: Call
    shape: AnswerShape = field(default_factory=AnswerShape)
    positions: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    echo: Echo | None = None


@dataclass(frozen=True, slots=True)
class _Values:
    """One row's values in wire form. `additive`: sending them twice adds them twice (new phones, new files)."""

    fields: dict[str, JSON]
    additive: bool


def add_call(entity: Entity, columns: Mapping[str, Field], row: InputRow) -> Encoded:
    """Encode one insert; for nulls the portal's defaults apply.

    Parameters
    ----------
    entity : Entity
    columns : mapping of str to Field
        The field of every column in ``row.values``.
    row : InputRow

    Raises
    ------
    ValidationError
        If a value cannot be written; the message names the row and the column.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-add.html
    """
    values = _values(entity, columns, row, "skip", fresh=True)
    call = _call(_method(entity, "add"), {**entity.base_params, **_held(entity, values.fields)}, repeatable=False)
    shape = AnswerShape(entity.writes.id_path)
    return Encoded(call, shape, (row.position,), echo=_echo(entity, columns, row))


def update_call(
    entity: Entity, columns: Mapping[str, Field], row_id: int | str, row: InputRow, nulls: Nulls = "skip"
) -> Encoded:
    """Encode one update; `nulls`: "skip" leaves the field of a null unchanged, "clear" clears it.

    Repeatable unless it adds values: phones and e-mails without ids, and new files.
    """
    values = _values(entity, columns, row, nulls, fresh=False)
    params = {**entity.base_params, entity.writes.id_param: row_id, **_held(entity, values.fields)}
    call = _call(_method(entity, "update"), params, repeatable=not values.additive)
    return Encoded(call, positions=(row.position,), echo=_echo(entity, columns, row))


def _echo(entity: Entity, columns: Mapping[str, Field], row: InputRow) -> Echo | None:
    """What the answer is compared with, for methods that return the row: those whose ids are inside one."""
    if len(entity.writes.id_path) < 2:
        return None
    ours = {name: cell for name, cell in row.values.items() if columns[name].code not in entity.set_by_portal}
    sent = {name: cell for name, cell in ours.items() if cell is not None}
    return Echo(entity.writes.id_path[:-1], entity.family, columns, sent)


def delete_call(entity: Entity, row_id: int | str, position: int = 0) -> Encoded:
    """Encode one deletion; if repeated, it returns "not found"."""
    params = {**entity.base_params, entity.writes.id_param: row_id}
    return Encoded(_call(_method(entity, "delete"), params, repeatable=True), positions=(position,))


def import_one_call(entity: Entity, columns: Mapping[str, Field], row: InputRow) -> Encoded:
    """Encode the import of a single row."""
    params = {**entity.base_params, **_held(entity, _imported(entity, columns, row))}
    call = _call(_method(entity, "import_one"), params, repeatable=False)
    return Encoded(call, AnswerShape(entity.writes.id_path), (row.position,))


def import_calls(
    entity: Entity, columns: Mapping[str, Field], rows: Sequence[InputRow], size: int = IMPORT_ROWS
) -> Iterator[Encoded]:
    """Encode rows as imports of at most `size` rows and 900 name=value pairs; an import does not start automation.

    Rows that cannot be part of a batch, or have more pairs, go into separate imports marked ``direct``. `data` is a map
    with generated names, and the answers have the same names, so no row depends on its place.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-batch-import.html
    """
    fit: list[tuple[int, dict[str, JSON]]] = []
    direct: list[tuple[int, dict[str, JSON]]] = []
    budget = room = MAX_PAIRS - pairs(entity.base_params)
    for row in rows:
        fields = _imported(entity, columns, row)
        need = pairs(fields)
        if need > budget or unbatchable(fields):
            direct.append((row.position, fields))
            continue
        if fit and (len(fit) == size or need > room):
            yield _import(entity, fit)
            fit, room = [], budget
        fit.append((row.position, fields))
        room -= need
    if fit:
        yield _import(entity, fit)
    for start in range(0, len(direct), size):
        yield _import(entity, direct[start : start + size])


def _imported(entity: Entity, columns: Mapping[str, Field], row: InputRow) -> dict[str, JSON]:
    return _values(entity, columns, row, "skip", fresh=True, importing=True).fields


def _import(entity: Entity, rows: Sequence[tuple[int, dict[str, JSON]]]) -> Encoded:
    data: dict[str, JSON] = {f"r{position}": fields for position, fields in rows}
    call = _call(_method(entity, "import_many"), {**entity.base_params, "data": data}, repeatable=False)
    shape = AnswerShape(entity.writes.id_path, rows_path=("items",))
    return Encoded(call, shape, tuple(position for position, _ in rows), tuple(data))


def unbatchable(value: JSON) -> bool:
    """Whether a batch cannot carry a value unchanged.

    A command is a query string, in which null, an empty list and infinity have no form. The portal also replaces any
    text that looks like a reference to another command's result (rest module: classes/general/rest_provider.php).
    """
    if isinstance(value, str):
        return has_reference(value)
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return not value or any(unbatchable(part) for part in parts)
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _call(method: str, params: Mapping[str, JSON], *, repeatable: bool) -> Call:
    # from a command with more names, PHP silently reads only the first thousand
    direct = pairs(params) > MAX_PAIRS or any(unbatchable(value) for value in params.values())
    return Call(method, params, repeatable, direct)


def _method(entity: Entity, verb: str) -> str:
    method: str | None = getattr(entity.writes, verb)
    if method is None:
        raise ConfigError(f"{entity.name} has no method to {verb.replace('_', ' ')}", entity=entity.name)
    return method


def _held(entity: Entity, fields: dict[str, JSON]) -> dict[str, JSON]:
    """The values under the parameter that holds them, or next to the id if there is none."""
    return fields if entity.writes.fields_param is None else {entity.writes.fields_param: fields}


def unwritable(
    entity: Entity, columns: Mapping[str, Field], rows: Iterable[InputRow], operation: Operation, nulls: Nulls
) -> Iterator[Fault]:
    """Find the composed cells that cannot be written: money without a currency, a phone to clear.

    Parameters
    ----------
    rows : iterable of InputRow
        With the values of columns of `COMPOSED` kinds only; for all others the write type is sufficient.
    """
    for row in rows:
        for column, value in row.values.items():
            try:
                _values(entity, columns, InputRow(row.position, {column: value}), nulls, fresh=operation == "insert")
            except ValidationError as error:
                reason = str(error.__cause__ or error)
                yield Fault(row.position, column, f"{value!r:.200}", reason)


def _values(
    entity: Entity, columns: Mapping[str, Field], row: InputRow, nulls: Nulls, *, fresh: bool, importing: bool = False
) -> _Values:
    """Encode a row. `fresh`: the row is new. `importing`: item imports spell phones as classic methods do."""
    fields: dict[str, JSON] = {}
    contact: dict[str, JSON] = {}
    additive = False
    for column, value in row.values.items():
        field = columns[column]
        if field.code == entity.listing.id_key or (value is None and nulls == "skip"):
            continue
        try:
            if kind(field) is Kind.MULTIFIELD and value is not None:
                additive |= _add_points(contact, entity, field, value, fresh=fresh, importing=importing)
                continue
            if _kept(entity, field, value, fresh=fresh):
                continue
            if value is not None and (entity.entity_type_id, field.code) in BY_CLASSIC_METHODS:
                raise Unwritable(f"the item methods do not accept {field.code}: write it as crm.{entity.name}")
            cell = clearing(field, entity.family) if value is None else written_value(field, entity.family, value)
            fields[field.written] = cell
            additive |= kind(field) is Kind.FILE and uploads(value)
        except Unwritable as fault:
            message = f"row {row.position}, column {column}: {fault} ({value!r:.80})"
            raise ValidationError(message, entity=entity.name, rows=(row.position,)) from fault
    return _Values({**fields, **contact}, additive)


def _kept(entity: Entity, field: Field, value: object, *, fresh: bool) -> bool:
    """Whether the value only holds files that the row already has and that are kept by not naming them.

    The item methods remove every file of a multiple field that is not named; the classic methods remove none.
    """
    if kind(field) is not Kind.FILE or value is None or uploads(value) or removes(value):
        return False
    if fresh and value not in ([], ()):
        raise Unwritable("a new row needs a file's content")
    return fresh or not is_list(field) or entity.family is Family.CLASSIC


def _add_points(
    contact: dict[str, JSON], entity: Entity, field: Field, value: object, *, fresh: bool, importing: bool
) -> bool:
    """Encode phones or e-mails; returns whether repeating the call would add any of them again.

    An entry without an id is added (docs: crm-contact-update.md). Items hold all of them in one map `fm`, keyed by id,
    or by a generated name for new ones.
    """
    type_id = MULTIFIELDS.get(field.code, field.code.upper())
    together = entity.family is Family.ITEM and not importing
    additive = False
    for point in points(value):
        known = None if fresh else point.get("id")
        additive |= known is None
        text, given = str(point["value"]), point.get("value_type") or DEFAULT_VALUE_TYPE
        value_type = write_kind(field, given) if known is None else str(given)
        if together:
            held = contact.setdefault("fm", {})
            entry: JSON = {"typeId": type_id, "valueType": value_type, "value": text}
            if isinstance(held, dict):
                held[f"n{len(held)}" if known is None else str(known)] = entry
            continue
        entries = contact.setdefault(type_id, [])
        if isinstance(entries, list):
            named: dict[str, JSON] = {"VALUE": text, "VALUE_TYPE": value_type}
            entries.append(named if known is None else {"ID": str(known), **named})
    return additive
