"""Values of fields in wire form: written, cleared, and compared in conditions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from bx24frames.engine.messages import JSON
from bx24frames.entities.operands import OperandContext, Unfit, plain
from bx24frames.entities.schema import Family, Field, Holder
from bx24frames.entities.types import DISK_FILES, DOCUMENTS, KIND, Kind, is_list, kind
from bx24frames.entities.writers import Unwritable, Writer, write_disk_file, write_document


def operand(field: Field, value: object, timezone: tzinfo | None = None, *, up: bool = False) -> JSON:
    """Convert one value to the form that a condition on a field takes.

    Parameters
    ----------
    field : Field
    value : object
        Text, number, bool, date, datetime, Decimal, or a numpy or pyarrow scalar.
    timezone : tzinfo, optional
        Time zone of naive datetimes.
    up : bool
        Round fractions of a second up: the portal stores whole seconds, so ``>= 10.5`` becomes ``>= 11`` and ``> 10.5``
        becomes ``> 10``.

    Raises
    ------
    Unfit
        If the value is not of the field's kind, or is a naive datetime without `timezone`.
    """
    found = plain(value)
    if found is None:
        raise Unfit('a null: use "is null" or "not null", and drop nulls from lists')
    return KIND[kind(field)].operand(found, OperandContext(field.user_field, timezone, up))


def uploads(value: object) -> bool:
    """Whether a file cell contains a new file."""
    files = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(file, Mapping) and file.get("content") is not None for file in files)


def writer(field: Field, family: Family) -> Writer:
    """The writer for one value of a field in a family of methods."""
    if field.type in DISK_FILES or field.type in DOCUMENTS:
        return write_disk_file if field.type in DISK_FILES else write_document
    spec = KIND[kind(field)]
    if family is not Family.CLASSIC:
        return spec.write
    of_user_field = spec.write_user_field if field.user_field else None
    return of_user_field or spec.write_classic or spec.write


def written_value(field: Field, family: Family, value: object) -> JSON:
    """Write a value of a field; a list for a multiple one.

    Raises
    ------
    Unwritable
        If it cannot be written without loss; the message is the reason.
    """
    one = writer(field, family)
    if field.holder is Holder.VALUE:
        return _in_holders(field, one, value)
    if not is_list(field):
        return one(value)
    if not isinstance(value, list | tuple):
        raise Unwritable("not a list")
    written = [one(element) for element in value if element is not None]
    return written or clearing(field, family)


def _in_holders(field: Field, one: Writer, value: object) -> JSON:
    """Write a property of a product with each value in a map: a bare value is ignored or clears it
    (catalog.product.update).
    """
    parts = value if isinstance(value, list | tuple) else [value]
    written: list[JSON] = [{"value": one(part)} for part in parts if part is not None]
    if is_list(field):
        return written or [{"value": ""}]
    return written[0] if written else {"value": ""}


def goes_by_id(family: Family, field: Field) -> bool:
    """Whether values can only be removed by their ids: phones, e-mails, and files of the classic methods."""
    return kind(field) is Kind.MULTIFIELD or (kind(field) is Kind.FILE and family is Family.CLASSIC)


def clearing(field: Field, family: Family) -> JSON:
    """The value that clears a field.

    The item methods clear a field on any empty value, and empty text is the one that a batch can carry; the classic
    methods ignore null for a date, read ``[""]`` as no values, and remove a file or a phone only by its id (crm module:
    lib/controller/item.php, classes/general/restservice.php).

    Raises
    ------
    Unwritable
        If the field cannot be cleared without knowing its content.
    """
    if goes_by_id(family, field):
        raise Unwritable("phones, e-mails and files of classic methods are removed by id, and the ids are not known")
    if field.holder is Holder.VALUE:
        return [{"value": ""}] if is_list(field) else {"value": ""}
    return [""] if is_list(field) and family is Family.CLASSIC else ""


def points(value: object) -> list[Mapping[str, object]]:
    """The phones or e-mails of a cell, each with `value`, and with `id` and `value_type` if known."""
    if not isinstance(value, list | tuple):
        raise Unwritable("not a list")
    found: list[Mapping[str, object]] = []
    for point in value:
        if isinstance(point, Mapping) and isinstance(point.get("value"), str):
            found.append(point)
        elif isinstance(point, str):
            found.append({"value": point})
        elif point is not None:
            raise Unwritable("a contact point needs a value")
    return found
