"""pandera schemas: derive one from an entity, and list every cell of a frame that does not satisfy a schema."""

from __future__ import annotations

import importlib
import os
import warnings
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
    import pandas as pd
    import pandera.pandas
    import pandera.polars
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray

    Schema = pandera.pandas.DataFrameSchema | pandera.polars.DataFrameSchema

__all__ = ["check", "checks_index", "failures_in", "frame_schema", "named_columns", "show_failures"]


def frame_schema(table: TableSchema, backend: Backend = "pandas") -> Schema:
    """Describe an entity of the portal as a native pandera schema (https://pandera.readthedocs.io).

    Every column is optional, because a write may have only some of them; unknown columns are refused. A column has the
    dtype that a read gives it. Ids must not be null; single coded fields hold known codes.

    Parameters
    ----------
    table : TableSchema
        Its Arrow schema has the columns; its fields have the codes and the maximum lengths.
    backend : {"pandas", "polars", "pyarrow"}
        pyarrow uses the polars schema: pandera's pyarrow backend loses row positions.

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
    """Import pandera and undo its changes to the environment.

    Its import sets PYARROW_IGNORE_TIMEZONE=1 for pyspark (pandera: external_config.py), which makes `pyarrow.array`
    read ``12:00+03:00`` as ``12:00`` UTC in the whole process. It imports pyspark as well, where installed, which
    warns of every pandas from 3.0 on.
    """
    before = {name: os.environ.get(name) for name in ("PYARROW_IGNORE_TIMEZONE", "SPARK_LOCAL_IP")}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, module=r"pyspark\.")
            return importlib.import_module(f"pandera.{library}")
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def check(frame: object, schema: object) -> list[Fault]:
    """Check a whole frame against a pandera schema and list every invalid cell.

    Parameters
    ----------
    frame : object
        Any accepted frame; an Arrow table is checked in the schema's library.
    schema : pandera schema or model
        Of `pandera.pandas` or `pandera.polars`. Its coercion is ignored.

    Returns
    -------
    list of Fault
        Position `WHOLE_COLUMN` for a fault of a column, else the position of the row, regardless of the index.

    Raises
    ------
    ConfigError
        Not a pandera schema, or one for another library than the frame's.
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
    """Convert the failures of a `ValidationError` raised in the block to a frame of `backend`."""
    try:
        yield
    except ValidationError as error:
        show_failures(error, backend)
        raise


def show_failures(error: ValidationError, backend: Backend) -> None:
    """Convert the failures of an error to a frame of `backend`."""
    import pyarrow as pa

    if isinstance(error.failures, pa.Table):
        error.failures = to_backend(error.failures, backend)


def _dtypes(arrow: pa.Schema, library: Backend) -> dict[str, object]:
    """Return the dtypes that a read gives, from an empty table converted the same way."""
    empty = to_backend(arrow.empty_table(), library)
    found: object = cast("pd.DataFrame", empty).dtypes if library == "pandas" else empty.schema
    return dict(cast("Iterable[tuple[str, object]]", found.items()))  # type: ignore[attr-defined]


def _filled(field: Field) -> bool:
    return field.code in ("id", "ID")  # rows may lack other fields, even those described as required


def _checks(pandera: ModuleType, field: Field, kind: pa.DataType) -> list[object]:
    codes = _codes(field, kind)
    found = [pandera.Check.isin(codes)] if codes else []
    if field.max_length is not None and str(kind) == "string":
        found.append(pandera.Check.str_length(max_value=field.max_length))
    return found


def _codes(field: Field, kind: pa.DataType) -> list[object]:
    """Return the codes of a single coded field, in the type of its column."""
    import pyarrow as pa
    from pyarrow import types

    if not (types.is_integer(kind) or types.is_string(kind)):
        return []
    column: AnyArray = pa.array([choice.code for choice in field.choices], pa.string()).cast(kind)
    return list(column.to_pylist())


class _Validates(Protocol):
    def validate(self, check_obj: object, *, lazy: bool) -> object: ...


def _native_schema(schema: object) -> _Validates:
    model = getattr(schema, "to_schema", None)
    native: object = schema if model is None else model()
    if not hasattr(native, "validate"):
        raise ConfigError(f"schema must be a pandera DataFrameSchema or DataFrameModel, not {type(schema).__name__}")
    return cast("_Validates", native)


def named_columns(schema: object) -> Mapping[str, object]:
    """Return the columns of a schema, without regex columns."""
    native = _native_schema(schema)
    columns = cast("Mapping[str, object]", getattr(native, "columns", {}))
    return {name: column for name, column in columns.items() if not getattr(column, "regex", False)}


def checks_index(schema: object) -> bool:
    """Whether a schema checks a pandas index."""
    return getattr(_native_schema(schema), "index", None) is not None


def _library(schema: object) -> Backend:
    """Return the library of a schema by the module of its class: importing both libraries would take a second."""
    for backend in _LIBRARIES:
        if f".{backend}" in type(schema).__module__:
            return backend
    raise ConfigError(f"schema is from {type(schema).__module__}; use pandera.pandas or pandera.polars")


_LIBRARIES: Final[tuple[Backend, ...]] = ("pandas", "polars")


def _checkable(frame: object, library: Backend, *, by_label: bool) -> tuple[object, dict[object, int] | None]:
    """Return the frame in the schema's library; its index is kept only if the schema checks it, else it is 0, 1, ..."""
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
        # for an extra or missing column, pandera reports the schema as the column and the column as the value
        name = value if is_null(column) or str(reason).startswith("column_in_") else column
        found.append(Fault(place, str(name), "" if is_null(value) else str(value), _reason(str(reason))))
    checks: dict[tuple[str, str], int] = {}
    # with pandas 2, pandera gives the cells of one check in no order
    return sorted(
        found, key=lambda fault: (checks.setdefault((fault.column, fault.reason), len(checks)), fault.position)
    )


_REASONS: Final = {
    "not_nullable": "null, but a value is required",
    "column_in_schema": "no such field",
    "column_in_dataframe": "column is missing",
    "isin": "not one of the field's codes",
    "dtype": "has another dtype than the field",
}


def _reason(check_name: str) -> str:
    """Translate the name of a pandera check, such as ``isin([...])``, into a reason."""
    return _REASONS.get(check_name.partition("(")[0], f"fails {check_name}")
