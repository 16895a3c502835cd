"""Repetition of an insert: a warning before a frame that has been inserted is inserted again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bx24frames.caller import warn

if TYPE_CHECKING:
    from pathlib import Path

    from bx24frames.upload.journal import Identity, Journal

__all__ = ["warn_of_repetition"]


def warn_of_repetition(journal: Journal, identity: Identity, kept: Path) -> None:
    """Warn, before a request is sent, what an earlier run inserted and when; `kept`: where its journal is now."""
    moment = datetime.fromtimestamp(journal.finished_at or 0.0).astimezone()
    ids = [row_id for one in journal.outcomes() if isinstance(row_id := one.id, int)]
    when = moment.isoformat(" ", "minutes")
    if ids:
        when = f"{when}, ids {min(ids)} to {max(ids)}" if len(ids) > 1 else f"{when}, id {ids[0]}"
    rows = len(identity.hashes)
    ways = (
        f"The same {rows:,} row{'s were' if rows != 1 else ' was'} already inserted into {identity.entity} at "
        f"{identity.host} on {when}; this run inserts them again.",
        "To remove the new ones: report.ids('inserted') has the ids for delete_entity().",
        f"For the earlier report, without an insert: resume={str(kept)!r}; to insert them knowingly: resume=False.",
    )
    warn("\n".join(ways))
