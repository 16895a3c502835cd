"""Faults of rows and columns as data, and the `ValidationError` that carries them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bx24frames.display import clipped
from bx24frames.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray

WHOLE_COLUMN: Final = -1
"""The position of a fault that concerns a whole column."""
VALUE_WIDTH: Final = 110
"""Characters of a value in a summary: two of them, where the portal holds another."""
KINDS_SHOWN: Final = 8
LINE_WIDTH: Final = 150
LEAST_REASON: Final = 60
"""Characters of a reason beside a long value: the value and its row are always shown."""
FIRST_IN_ROW: Final = 17
"""Characters between a reason, the row and the value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell or column that cannot be written. `position`: the input row, from 0, or -1 for the column."""

    position: int
    column: str
    value: str
    reason: str


def failures(faults: Iterable[Fault], labels: AnyArray | None = None) -> pa.Table:
    """Lay faults out as a table: position (null for a whole column), column, value, reason, a row a fault.

    With the `labels` of a frame to write, a column ``label`` has the index value behind the position.
    """
    import pyarrow as pa

    listed = list(faults)
    places = pa.array([None if fault.position == WHOLE_COLUMN else fault.position for fault in listed], pa.int64())
    rows = {"position": places} if labels is None else {"position": places, "label": labels.take(places)}
    # Arrow text is UTF-8, which has no form for half a surrogate pair.
    texts = {
        name: [str(getattr(fault, name)).encode("utf-8", "replace").decode() for fault in listed]
        for name in ("column", "value", "reason")
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    return pa.table({**rows, **columns})


def summary(faults: Sequence[Fault], headline: str = "The frame does not fit", labels: AnyArray | None = None) -> str:
    """Tell what is wrong in at most ten lines, however many cells are: a line a column and reason, with an example."""
    groups = Counter((fault.column, fault.reason) for fault in faults)
    first: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        first.setdefault((fault.column, fault.reason), fault)
    lines = [_line(first[key], count, labels) for key, count in groups.most_common(KINDS_SHOWN)]
    more = [f"  and {len(groups) - KINDS_SHOWN} other kinds of fault"] if len(groups) > KINDS_SHOWN else []
    rows = len({fault.position for fault in faults} - {WHOLE_COLUMN})
    total = f"{headline}: {len(faults):,} fault{'' if len(faults) == 1 else 's'}"
    if rows > 1:
        total = f"{headline}: {len(faults):,} faults in {rows:,} rows"
    return "\n".join([total, *lines, *more])


def validation_error(
    faults: Sequence[Fault],
    *,
    entity: str,
    headline: str = "The frame does not fit",
    labels: AnyArray | None = None,
) -> ValidationError:
    """Make the error that carries faults, for the caller to raise: the summary as text, every fault in `.failures`."""
    rows = sorted({fault.position for fault in faults} - {WHOLE_COLUMN})
    telling = None if labels is None or labels.to_pylist() == list(range(len(labels))) else labels
    told, every = summary(faults, headline, telling), failures(faults, telling)
    return ValidationError(told, failures=every, entity=entity, rows=rows)


def _line(fault: Fault, count: int, labels: AnyArray | None) -> str:
    """Say a fault in one line, with the first cell that has it."""
    if fault.position == WHOLE_COLUMN:
        return f"{fault.column}: {_reason(fault, 0)} ({count:,}x)"
    label = fault.position if labels is None else labels[fault.position].as_py()
    row = f"{fault.position}" if label == fault.position else f"{fault.position} ({clipped(str(label), 30)})"
    value = repr(clipped(fault.value, VALUE_WIDTH))
    return (
        f"{fault.column}: {_reason(fault, FIRST_IN_ROW + len(row + value))} ({count:,}x, first in row {row}: {value})"
    )


def _reason(fault: Fault, beside: int) -> str:
    """Shorten a reason to what fits in a line beside so many other characters."""
    return clipped(fault.reason, max(LEAST_REASON, LINE_WIDTH - len(fault.column) - beside))
