"""A table of the portal as a pandera schema, and what such a schema finds wrong with a frame, cell by cell."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Final, Protocol, cast

from bx24frames.entities.faults import WHOLE_COLUMN, Fault
from bx24frames.entities.schema import Field, TableSchema
from bx24frames.errors import ConfigError, ValidationError
from bx24frames.frames.accept import PandasSource, PolarsSource, accept
from bx24frames.frames.give import to_backend
from bx24frames.options import Backend
from bx24frames.upload.coerce.cells import is_null
from bx24frames.upload.source import ArrowSource

if TYPE_CHECKING:
    import pandera.pandas
    import pandera.polars
    import pyarrow as pa

    Schema = pandera.pandas.DataFrameSchema | pandera.polars.DataFrameSchema

__all__ = ["check", "checks_index", "columns_of", "failures_in", "frame_schema"]


def frame_schema(table: TableSchema, backend: Backend = "pandas") -> Schema:
    """Describe a table of the portal as a native pandera schema (https://pandera.readthedocs.io).

    Every column is optional, because a write may carry a few; unknown ones are refused. A column has the dtype a read
    gives it. Fields the portal requires, and ids, may not be null; single coded fields hold known codes.

    Parameters
    ----------
    table : TableSchema
        Its Arrow schema names the columns; its fields say what is required and which codes there are.
    backend : {"pandas", "polars", "pyarrow"}
        pyarrow has the polars schema: pandera's own for it loses row positions.

    Returns
    -------
    pandera.pandas.DataFrameSchema or pandera.polars.DataFrameSchema
    """
    library: Backend = "pandas" if backend == "pandas" else "polars"
    pandera = _pandera(library)
    dtypes = _dtypes(table.arrow, library)
    columns = {
        name: pandera.Column(
            dtypes[name],
            _checks(pandera, field, table.arrow.field(name).type),
            nullable=not _filled(field),
            required=False,
            title=field.title or None,
            metadata={"type": field.type, "read_only": field.read_only, "immutable": field.immutable},
        )
        for name, field in zip(table.arrow.names, table.fields, strict=True)
    }
    made: Schema = pandera.DataFrameSchema(columns, strict=True, name=table.entity)
    return made


def _pandera(library: Backend) -> ModuleType:
    """Import pandera and take back what that does to the process.

    Its import sets PYARROW_IGNORE_TIMEZONE=1 for the sake of pyspark (pandera: external_config.py), whereupon
    `pyarrow.array` reads ``12:00+03:00`` as ``12:00`` UTC in everybody's code.
    """
    before = {name: os.environ.get(name) for name in ("PYARROW_IGNORE_TIMEZONE", "SPARK_LOCAL_IP")}
    try:
        return importlib.import_module(f"pandera.{library}")
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def check(frame: object, schema: object) -> list[Fault]:
    """Hold a whole frame against a pandera schema and list every cell at fault.

    Parameters
    ----------
    frame : object
        What `to_arrow` takes; an Arrow table is checked in the schema's library.
    schema : pandera schema or model
        Of `pandera.pandas` or `pandera.polars`. What it coerces is not used.

    Returns
    -------
    list of Fault
        Position `WHOLE_COLUMN` for what is no cell's fault; else the row, whatever the frame's index.

    Raises
    ------
    ConfigError
        Not a pandera schema, or one of another library than the frame.
    """
    native = _native_schema(schema)
    data, positions = _checkable(frame, _library(native), by_label=checks_index(native))
    from pandera.errors import SchemaErrors

    try:
        native.validate(data, lazy=True)
    except SchemaErrors as errors:
        return _faults(errors.failure_cases, positions)
    return []


@contextmanager
def failures_in(backend: Backend) -> Iterator[None]:
    """Give the failures of a `ValidationError` raised inside as a frame of `backend`."""
    import pyarrow as pa

    try:
        yield
    except ValidationError as error:
        if isinstance(error.failures, pa.Table):
            error.failures = to_backend(error.failures, backend)
        raise


def _dtypes(arrow: pa.Schema, library: Backend) -> dict[str, object]:
    """Dtypes as a read gives them: taken from an empty table that went the same way."""
    empty = to_backend(arrow.empty_table(), library)
    found: object = empty.dtypes if library == "pandas" else empty.schema
    return dict(cast("Iterable[tuple[str, object]]", found.items()))  # type: ignore[attr-defined]


def _filled(field: Field) -> bool:
    return field.code in ("id", "ID")  # what a description calls required, rows lack all the same


def _checks(pandera: ModuleType, field: Field, kind: pa.DataType) -> list[object]:
    codes = _codes(field, kind)
    found = [pandera.Check.isin(codes)] if codes else []
    if field.max_length is not None and str(kind) == "string":
        found.append(pandera.Check.str_length(max_value=field.max_length))
    return found


def _codes(field: Field, kind: pa.DataType) -> list[object]:
    """Allowed values of a single coded field, of its column's type; captions are not codes."""
    import pyarrow as pa
    from pyarrow import types

    if not (types.is_integer(kind) or types.is_string(kind)):
        return []
    codes: list[object] = pa.array([choice.code for choice in field.choices], pa.string()).cast(kind).to_pylist()
    return codes


class _Validates(Protocol):
    def validate(self, check_obj: object, *, lazy: bool) -> object: ...


def _native_schema(schema: object) -> _Validates:
    native = schema.to_schema() if hasattr(schema, "to_schema") else schema
    if not hasattr(native, "validate"):
        raise ConfigError(f"schema is a pandera DataFrameSchema or DataFrameModel, not {type(schema).__name__}")
    return cast("_Validates", native)


def columns_of(schema: object) -> Mapping[str, object]:
    """The columns that a schema names, without its patterns."""
    native = _native_schema(schema)
    columns = cast("Mapping[str, object]", getattr(native, "columns", {}))
    return {name: column for name, column in columns.items() if not getattr(column, "regex", False)}


def checks_index(schema: object) -> bool:
    """Whether a schema says something of a pandas index."""
    return getattr(_native_schema(schema), "index", None) is not None


def _library(schema: object) -> Backend:
    """Tell which library a schema is for by where its class lives: importing both to ask costs a second."""
    for backend in _LIBRARIES:
        if f".{backend}" in type(schema).__module__:
            return backend
    raise ConfigError(f"schema is of {type(schema).__module__}; use pandera.pandas or pandera.polars")


_LIBRARIES: Final[tuple[Backend, ...]] = ("pandas", "polars")


def _checkable(frame: object, library: Backend, *, by_label: bool) -> tuple[object, dict[object, int] | None]:
    """Give the frame in the schema's library; with labels where the schema checks the index, else numbered from 0."""
    source = accept(frame)
    if isinstance(source, ArrowSource):
        return to_backend(source.table, library), None
    if source.backend != library:
        raise ConfigError(f"The schema is for {library}, the frame is {source.backend}")
    if isinstance(source, PolarsSource):
        return source.frame, None
    data = cast("PandasSource", source).frame
    if by_label:
        return data, {label: position for position, label in reversed(list(enumerate(data.index)))}
    return data.reset_index(drop=True), None


def _faults(cases: object, positions: dict[object, int] | None) -> list[Fault]:
    table = cast("dict[str, Iterable[object]]", cases)
    names = ("index", "column", "failure_case", "check")
    found = []
    for index, column, value, reason in zip(*(table[name] for name in names), strict=True):
        place = WHOLE_COLUMN if is_null(index) else positions[index] if positions else int(cast("int", index))
        # for a column too many or too few, pandera names the schema and gives the column as the value
        name = value if is_null(column) or str(reason).startswith("column_in_") else column
        found.append(Fault(place, str(name), "" if is_null(value) else str(value), _reason(str(reason))))
    return found


_REASONS: Final = {
    "not_nullable": "null, where a value must be",
    "column_in_schema": "no such field",
    "column_in_dataframe": "column is missing",
    "isin": "not one of the field's codes",
    "dtype": "has another dtype than the field",
}


def _reason(check_name: str) -> str:
    """Say a check in our words where we have some; pandera writes it ``isin([...])``."""
    return _REASONS.get(check_name.partition("(")[0], f"fails {check_name}")
