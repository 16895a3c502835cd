"""Untyped reads: methods outside the catalogue as columns of text, with rows and ids found by shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON, Row
from bx24frames.entities.catalog.catalog import ROWS
from bx24frames.entities.names import needs_types, resolve
from bx24frames.errors import ConfigError, UnknownColumn
from bx24frames.portal.wire.listing import read_all
from bx24frames.portal.wire.parameters import check_method, check_params

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.portal.connection import Connection
    from bx24frames.scan.request import ReadRequest
    from bx24frames.where.filters import Filters

VALUE: Final = "value"
"""The column for rows that are not maps."""


def is_untyped(entity: str) -> bool:
    """Whether a name is a method outside the catalogue."""
    return not needs_types(entity) and resolve(entity).untyped


async def read_untyped(connection: Connection, request: ReadRequest) -> pa.Table:
    """Read a list or get method that is not in the catalogue.

    Every column is text; a list or a map in a row becomes its JSON. Without `columns`, the columns are those of the
    returned rows in their order, and may differ between reads because the method is not described.

    Parameters
    ----------
    connection : Connection
    request : ReadRequest
        `filters` holds the method's parameters.

    Raises
    ------
    ConfigError
        An option needs a description: an order, types, captions, a schema.
    UnknownColumn
        A wanted column is in no row.

    Warns
    -----
    UserWarning
        That the types are unknown.
    """
    _refuse(request)
    warn(_told(request.entity))
    rows = _rows(await _answer(connection, request.entity, request.filters))
    return _table(rows if request.limit is None else rows[: request.limit], request)


async def count_untyped(connection: Connection, entity: str, filters: Filters | None) -> int:
    """Count the rows by reading them."""
    return len(_rows(await _answer(connection, entity, filters)))


async def _answer(connection: Connection, entity: str, filters: Filters | None) -> JSON:
    if filters is not None and not isinstance(filters, Mapping):
        raise ConfigError(
            f"{entity} is outside the catalogue: filters must be a mapping of its parameters",
            entity=entity,
            guidance='For example filters={"filter": {">ID": 5}, "select": ["*"]}.',
        )
    method = check_method(entity)
    return await read_all(connection, method, check_params(filters, method))


def _refuse(request: ReadRequest) -> None:
    asked: dict[str, object] = {
        "order_by": request.order_by,
        "changed_since": request.changed_since,
        "schema_overrides": request.schema_overrides,
        "labels": request.labels,
        "titles": request.titles,
        "schema": request.schema,
    }
    named = [name for name, value in asked.items() if value is not None and value is not False]
    if named:
        raise ConfigError(
            f"{named[0]} needs an entity of the catalogue: {request.entity} is outside it", entity=request.entity
        )


def _told(method: str) -> str:
    """The warning for an untyped read, with the entities of the catalogue that the method lists, if any."""
    named = [row.name for row in ROWS if row.listing.call.method.lower() == method.strip().lower()]
    if not named:
        return f"{method} is outside the catalogue: its columns are read as text"
    shown = " or ".join(map(repr, named[:2]))
    return f"{method} is read as text, because it is named as a method; read the entity {shown} for typed columns"


def _rows(answer: JSON) -> list[Row]:
    """The rows of an answer: of a list, or the single object of a get method, alone or under its name."""
    if isinstance(answer, dict) and len(answer) == 1:
        [inner] = answer.values()
        answer = inner if isinstance(inner, dict) else answer
    items = answer if isinstance(answer, list) else [] if answer is None else [answer]
    return [item if isinstance(item, dict) else {VALUE: item} for item in items]


def _table(rows: list[Row], request: ReadRequest) -> pa.Table:
    import pyarrow as pa

    found = list(dict.fromkeys(name for row in rows for name in row))
    wanted = found if request.columns is None else list(request.columns)
    absent = [name for name in wanted if rows and name not in found]
    if absent:
        raise UnknownColumn(
            f"no column {absent[0]!r}", entity=request.entity, guidance=f"The columns are {', '.join(found)}."
        )
    columns = {name: [_text(row.get(name)) for row in rows] for name in wanted}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _text(value: JSON) -> str | None:
    """Any value as text; only null is missing."""
    import orjson

    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
