"""Sync request: the arguments of a sync, checked before anything is requested."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bx24frames.arguments import PROGRESS, SWITCH, Checked, keyword, name_or_names, names, one_of, required_keyword
from bx24frames.errors import ConfigError
from bx24frames.mirror.delta import span_of
from bx24frames.mirror.stores.choice import store_of
from bx24frames.portal.several import PORTALS_AT_ONCE, portal_number

if TYPE_CHECKING:
    from bx24frames.mirror.drift import Retyped
    from bx24frames.mirror.state import Deletions, History
    from bx24frames.mirror.stores.protocol import Store
    from bx24frames.options import OnError, Progress


def _history(name: str, value: object) -> History:
    if value is None or value == "rows":
        return "rows" if value else None
    if isinstance(value, str):
        raise ConfigError(f"{name} must be 'rows' or a list of columns, not {value!r:.80}")
    return tuple(names(name, value) or ())


def _store(_: str, value: object) -> Store:
    return store_of(value)


@dataclass(frozen=True, slots=True)
class SyncRequest(Checked):
    """The arguments of a sync."""

    store: Store = required_keyword(
        _store,
        "str, path or Store",
        'A DuckDB file (``"crm.duckdb"``), a folder for Parquet files (``"crm/"``), ``"postgresql://…"``, or an object '
        "with the methods of `bx24frames.mirror.stores.protocol.Store`.",
    )
    entities: Sequence[str] | None = keyword(
        None,
        name_or_names,
        "str or sequence of str, optional",
        'Names as for `read_entity`; ``"stage_history:2"`` is the stage history of deals. Default: everything of the '
        "CRM and around it that the credential can read.",
    )
    deletions: Deletions = keyword(
        "mark",
        one_of("mark", "delete", "keep"),
        '{"mark", "delete", "keep"}',
        "Set ``_deleted_at`` of rows that are gone, delete them, or leave them alone.",
    )
    history: History = keyword(
        None,
        _history,
        '"rows" or sequence of str, optional',
        'Columns whose earlier values are kept in ``TABLE_history``, or ``"rows"`` for all.',
    )
    labels: bool = keyword(
        True, SWITCH, "bool", "Keep captions, and views ``TABLE_labels`` that have them in place of codes."
    )
    lag: str | dt.timedelta = keyword(
        "5m",
        span_of,
        "str or timedelta",
        'How far behind the last run changes are looked for again, ``"5m"`` by default: rows can appear later than '
        "their modified time.",
    )
    full: bool = keyword(
        False,
        SWITCH,
        "bool",
        "Read all rows again, and believe that rows are gone whatever their number. It finds at once what changed "
        "without a new modified time, which other runs find in turn, and costs as much as a first load.",
    )
    on_error: OnError = keyword(
        "raise",
        one_of("raise", "report", "stop"),
        '{"raise", "report", "stop"}',
        '``"raise"`` goes on with the other tables, then raises; ``"stop"`` ends at the first table that fails.',
    )
    progress: Progress = keyword("auto", PROGRESS, '{"auto", True, False}', "As for `read_entity`.")
    portals_at_once: int = keyword(
        PORTALS_AT_ONCE, portal_number, "int", "Of several portals, how many are synced at the same time."
    )
    retyped: Retyped = keyword(
        "raise",
        one_of("raise", "column"),
        '{"raise", "column"}',
        "Whether a field that has another type now fails its table, or gets a second column.",
    )
    whole_rows: bool = False
    """Whether the store replaces rows as a whole: then a table with new columns is read completely."""
