"""Read request: the arguments of a read, one row each, with default, rule and documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, cast

from bx24frames.arguments import (
    PROGRESS,
    SWITCH,
    Checked,
    anything,
    keyword,
    mapping,
    names,
    one_of,
    whole_number,
    zone_of_frame,
)
from bx24frames.entities.names import named_by_text
from bx24frames.errors import ConfigError
from bx24frames.portal.several import PORTALS_AT_ONCE, portal_number
from bx24frames.scan.order import OrderBy, sort_key
from bx24frames.where.filters import reusable

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from bx24frames.entities.columns import Names
    from bx24frames.entities.faults import Fault
    from bx24frames.options import Progress
    from bx24frames.where.filters import Filters

CHUNK_ROWS: Final = 2500
"""Rows of a chunk or batch, unless another number is requested."""

Labels: TypeAlias = bool | Literal["all"] | Sequence[str] | Mapping[str, str]
Moment: TypeAlias = "str | dt.datetime | dt.date"


class SchemaCheck(Protocol):
    """A caller's schema, as a check of the tables of one read."""

    def types(self) -> Mapping[str, pa.DataType]:
        """The Arrow types of its columns, of those that name one."""
        ...

    def drift(self, names: Names, empty: pa.Table) -> list[Fault]:
        """Differences between the schema and the fields of the portal; `empty` has the columns that will be read."""
        ...

    def failing(self, table: pa.Table, first_row: int) -> list[Fault]:
        """Cells that do not fit; positions count from `first_row`."""
        ...


def reread(_name: str, value: object) -> object:
    """Accept filters, in a form that can be resolved more than once."""
    return reusable(cast("Filters | None", value))


def labeled(name: str, value: object) -> bool | str | list[str] | dict[str, str]:
    """Accept a bool, ``"all"``, column names, or a mapping of columns to the names of columns beside them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value == "all":
        return value
    if isinstance(value, Mapping):
        texts = {
            column: beside for column, beside in value.items() if isinstance(column, str) and isinstance(beside, str)
        }
        if len(texts) == len(value) and len(set(texts.values())) == len(texts):
            return texts
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        found = list(value)
        if all(isinstance(one, str) for one in found):
            return found
    raise ConfigError(
        f"{name} must be True, False or a list of columns, 'all', or a mapping of columns to distinct names of columns "
        f"with their captions, not {value!r:.80}"
    )


@dataclass(frozen=True, slots=True)
class ReadRequest(Checked):
    """The arguments of a read."""

    entity: str
    columns: Sequence[str] | None = keyword(
        None,
        names,
        "sequence of str, optional",
        "Columns to read, in this order and spelling (``stageId`` or ``STAGE_ID``). Default: all columns that the list "
        "method returns.",
    )
    filters: Filters | None = keyword(
        None,
        reread,
        "mapping, tuple, list of tuples, list of lists of tuples, optional",
        'The portal\'s mapping with prefixed keys, ``{">=createdTime": "2026-01-01"}``; or ``(column, op, value)`` '
        'with op one of ``= == != < <= > >= in "not in" like "is null" "not null"``. A list of tuples is AND, a list '
        "of lists OR. Values are codes, not captions, also where captions are read.",
    )
    order_by: OrderBy | None = keyword(
        None,
        sort_key,
        'str or (str, "asc" | "desc"), optional',
        "Default: by id. Nulls sort first when ascending; ties are ordered by id; text is compared in lower case, then "
        "by code points. All rows are held in memory, except for `limit` rows by a number or date.",
    )
    limit: int | None = keyword(
        None,
        whole_number(0, "a number of rows, 0 or more", None),
        "int, optional",
        "Maximum number of rows: the first ones in that order. Of several portals, the first rows of all of them "
        "together: with `order_by` in that order, otherwise in the order of the portals, which are read one after the "
        "other until there are enough.",
    )
    changed_since: Moment | None = keyword(
        None,
        anything,
        "str or datetime, optional",
        "Only rows changed at or after this moment; deletions are not detected.",
    )
    timezone: str | None = keyword(
        None,
        zone_of_frame,
        "str, optional",
        'Time zone (IANA name, or ``"portal"`` for that of the portal) of the result, of dates and naive datetimes in '
        "`filters`, and of times of the portal's lists and list elements, which it prints without a zone. Default: "
        "UTC, but dates in `filters` are days of the portal's zone; a warning says so where the difference shows.",
    )
    labels: Labels = keyword(
        False,
        labeled,
        'bool, "all", sequence of str or mapping of str to str',
        "Captions in place of codes, as categories. True: stages, statuses, enumerations, pipelines and users. "
        '``"all"``: also the names of linked companies, contacts and other entities. A list of columns: only these. A '
        'mapping ``{"stageId": "stage"}``: codes stay, and a column with the captions follows each. Unknown codes stay '
        "as text; several codes in a cell become a list of text. The portal's dictionaries are read once. All chunks "
        "of `iter_entity` have the same categories, so all names of a linked entity are read first.",
    )
    titles: bool = keyword(
        False,
        SWITCH,
        "bool",
        "Field titles as column names; fields that share a title have their code appended.",
    )
    schema_overrides: Mapping[str, pa.DataType] | None = keyword(
        None,
        mapping,
        "mapping of str to pyarrow.DataType or polars.DataType, optional",
        "Types to use in place of the portal's.",
    )
    schema: SchemaCheck | None = keyword(
        None,
        anything,
        "pandera schema, optional",
        "Schema that the whole result must satisfy, with the dtypes of a read without options, and codes in place of "
        "captions. Fields removed or retyped since the schema was made are reported before any row is read.",
    )
    missing_columns: Literal["raise", "insert"] = keyword(
        "raise",
        one_of("raise", "insert"),
        '{"raise", "insert"}',
        "Columns of `columns` or `schema` that the portal lacks: raise, or insert nulls of the type in "
        "`schema_overrides` or `schema`, else of text.",
    )
    on_bad_value: Literal["raise", "null"] = keyword(
        "raise",
        one_of("raise", "null"),
        '{"raise", "null"}',
        "Values that do not fit the type of their field: raise, or read null.",
    )
    progress: Progress = keyword(
        "auto",
        PROGRESS,
        '{"auto", True, False}',
        'Progress bar on stderr; ``"auto"`` shows it in a terminal and in a notebook.',
    )
    type_conflicts: Literal["raise", "text"] = keyword(
        "raise",
        one_of("raise", "text"),
        '{"raise", "text"}',
        "A column that has different types in several portals: raise, or read it as text.",
    )
    portals_at_once: int = keyword(
        PORTALS_AT_ONCE,
        portal_number,
        "int",
        "Of several portals, how many are read at the same time. Each holds the answers to a few requests in memory.",
    )
    inner: bool = False
    """Whether the read serves a write that looks up present values: no warnings about columns that are null."""

    def __post_init__(self) -> None:
        named_by_text(self.entity)
        Checked.__post_init__(self)
