"""Coercion of one cell to a list or struct: the forms in which people write money, phones and files."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from bx24frames.upload.coerce.cells import BadCell, Read, is_null, python_value

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import ListType

    Choose: TypeAlias = Callable[[pa.DataType], Read]

__all__ = ["lists", "structs"]


@dataclass(frozen=True, slots=True)
class StructForms:
    """How a struct with the fields `marks` may be written other than as a mapping.

    `pair`: the fields a tuple or list fills, in order. `parts`: splits a text into values for `pair`.
    `binary`: the field whose bytes are sent as Base64. `scalar`: the field set by a single value.
    `alone`: a list with one such struct may be written as the struct. `fault`: says that a value is in none of them.
    `ignored`: keys that a read returns and a write does not use.
    """

    marks: frozenset[str]
    pair: tuple[str, ...] = ()
    parts: Callable[[str], tuple[str, ...]] | None = None
    binary: str = ""
    scalar: str = ""
    alone: bool = False
    ignored: frozenset[str] = frozenset()
    fault: str = "not a mapping"


def _money(written: str) -> tuple[str, ...]:
    """The portal's own spelling, ``1500.50|EUR`` (https://apidocs.bitrix24.com/api-reference/data-types.html)."""
    amount, bar, currency = written.partition("|")
    if not bar or not currency.strip():
        raise BadCell("money without a currency: write '1500.50|EUR', a pair or a struct")
    return amount.strip(), currency.strip()


def _file(path: str) -> tuple[str, ...]:
    """A local file given by path: its name and its content in Base64."""
    try:
        content = Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise BadCell(f"no readable file: {getattr(error, 'strerror', None) or error}") from None
    return Path(path).name, b64encode(content).decode()


def _base64(content: object) -> object:
    """Encode bytes as Base64; text must already be Base64 (docs: files/how-to-upload-files.md)."""
    if isinstance(content, bytes | bytearray | memoryview):
        return b64encode(content).decode()
    if isinstance(content, str):
        try:
            b64decode(content, validate=True)
        except ValueError:
            raise BadCell("the content is a text that is no Base64: give bytes") from None
    return content


SHAPES: Final = (
    StructForms(
        frozenset({"amount", "currency"}),
        pair=("amount", "currency"),
        parts=_money,
        fault="not '1500.50|EUR', a pair (amount, currency) or a struct",
    ),
    StructForms(
        frozenset({"value", "value_type"}),
        scalar="value",
        alone=True,
        ignored=frozenset({"typeid"}),
        fault="not a text or a struct {value, value_type}",
    ),
    StructForms(
        frozenset({"name", "content"}),
        pair=("name", "content"),
        parts=_file,
        binary="content",
        ignored=frozenset({"url", "urlmachine", "showurl", "downloadurl"}),
        fault="not a path, a pair (name, content) or a struct, the content as bytes or Base64",
    ),
)
ANY: Final = StructForms(frozenset())


def _shape(kind: pa.DataType) -> StructForms:
    names = {kind.field(index).name for index in range(kind.num_fields)}
    return next((shape for shape in SHAPES if shape.marks <= names), ANY)


def lists(kind: pa.DataType, choose: Choose) -> Read:
    """Lists, element by element; the error names the element."""
    from pyarrow import types

    item_type = cast("ListType", kind).value_type
    inner = choose(item_type)
    alone = types.is_struct(item_type) and _shape(item_type).alone

    def read(value: object) -> list[object]:
        if not isinstance(value, (list, tuple)):
            if not alone:
                raise BadCell("not a list")
            value = [value]
        return [_element(inner, place, item) for place, item in enumerate(value)]

    return read


def _element(inner: Read, place: int, item: object) -> object:
    try:
        return None if is_null(item) else inner(python_value(item))
    except BadCell as unfit:
        raise BadCell(f"element {place}: {unfit}") from None


def structs(kind: pa.DataType, choose: Choose) -> Read:
    """Structs: a mapping with names in any case style, or a form of `SHAPES`."""
    fields = [kind.field(index) for index in range(kind.num_fields)]
    inner = {field.name: choose(field.type) for field in fields}
    names = {_key(field.name): field.name for field in fields}
    shape = _shape(kind)

    def read(value: object) -> dict[str, object]:
        found = _named(value, names, shape)
        if shape.binary in found:
            found[shape.binary] = _base64(found[shape.binary])
        return {name: _member(inner[name], name, item) for name, item in found.items()}

    return read


def _member(inner: Read, name: str, item: object) -> object:
    try:
        return None if is_null(item) else inner(python_value(item))
    except BadCell as unfit:
        raise BadCell(f"{name}: {unfit}") from None


def _named(value: object, names: Mapping[str, str], shape: StructForms) -> dict[str, object]:
    if isinstance(value, str | os.PathLike) and shape.parts:
        value = shape.parts(os.fspath(value))
    if isinstance(value, Mapping):
        return _by_key(value, names, shape)
    if isinstance(value, (list, tuple)):
        if shape.pair and len(value) == len(shape.pair):
            return dict(zip(shape.pair, value, strict=True))
    elif shape.scalar:
        return {shape.scalar: value}
    raise BadCell(shape.fault)


def _by_key(value: Mapping[object, object], names: Mapping[str, str], shape: StructForms) -> dict[str, object]:
    keyed = {_key(str(key)): item for key, item in value.items()}
    strange = keyed.keys() - names.keys() - shape.ignored
    if strange:
        raise BadCell(f"unknown parts {', '.join(sorted(strange))}; allowed are {', '.join(names.values())}")
    return {names[key]: item for key, item in keyed.items() if key in names}


def _key(name: str) -> str:
    """Normalise a name: ``VALUE_TYPE``, ``valueType`` and ``value_type`` are the same."""
    return name.replace("_", "").lower()
