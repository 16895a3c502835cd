"""Raw calls of `crm.item.list`: names of user fields, and a select that keeps the id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bx24frames.engine.messages import JSON, Row
from bx24frames.entities.forms import ALL_FIELDS, ORIGINAL, by_camel, conditions_by_code
from bx24frames.entities.schema import Field

ALL_USER_FIELDS: Final = "UF_*"


def original(params: Mapping[str, JSON]) -> bool:
    """Whether a call names user fields by their codes."""
    return params.get(ORIGINAL) in ("Y", "y", True)


def names_user_fields(params: Mapping[str, JSON]) -> bool:
    """Whether a select names user fields, so that the description is needed."""
    wanted = params.get("select")
    return isinstance(wanted, list) and any(str(name).startswith(("UF_CRM", "ufCrm")) for name in wanted)


def as_taken(fields: Sequence[Field], params: Mapping[str, JSON]) -> dict[str, JSON]:
    """The parameters with every user field under the name that the call takes: the portal drops the other one.

    Parameters
    ----------
    fields : sequence of Field
        The whole description.
    params : mapping
        Of the call, `filter` and `select` among them.
    """
    rename = conditions_by_code if original(params) else by_camel
    found = dict(params)
    if isinstance(conditions := params.get("filter"), dict):
        found["filter"] = rename(fields, conditions)
    if isinstance(wanted := params.get("select"), list):
        found["select"] = [*rename(fields, dict.fromkeys(map(str, wanted)))]
    return found


def loses_ids(params: Mapping[str, JSON]) -> bool:
    """Whether a select may leave nothing but user fields in the rows (b24-rest-docs #263)."""
    wanted = params.get("select")
    return original(params) and isinstance(wanted, list) and ALL_FIELDS not in wanted


def cut(rows: Iterable[Row], wanted: Sequence[str], fields: Iterable[Field]) -> list[Row]:
    """Complete rows, reduced to the selected keys."""
    every = ALL_USER_FIELDS in wanted
    keys = {"id", *wanted}
    keys |= {one.code for one in fields if not keys.isdisjoint(one.aliases) or (every and one.user_field)}
    return [{key: cell for key, cell in row.items() if key in keys} for row in rows]
