"""Answers to the calls of an upload: what each means for every row that its call carried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from bx24frames.engine.batch import plain
from bx24frames.engine.codes import Reaction, meaning, outsized, untouched
from bx24frames.engine.messages import JSON, Answer, Lost, Refusal, Success
from bx24frames.engine.retry import is_passing
from bx24frames.entities.echo import NOT_STORED
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.state import Doubt

if TYPE_CHECKING:
    from bx24frames.engine.fallback import Settled
    from bx24frames.entities.echo import Difference
    from bx24frames.entities.encode import Encoded
    from bx24frames.reports import Action
    from bx24frames.upload.steps import Delivery

__all__ = ["RowResults", "credential_refusal", "not_stored", "taken"]

DENIED: Final = "access_denied"
"""The code of a missing right; of the right to import also with a prefix, ``CRM_ITEM_IMPORT_ACCESS_DENIED``."""
NOT_DONE: Final = "NOT_DONE"
"""The code of an outcome whose method answered false."""
SERVER_ERRORS: Final = 500
_FATAL: Final = frozenset({Reaction.AUTH, Reaction.SCOPE, Reaction.STOP})
_CLOSED: Final = ("error_method_not_found", "entity_type_not_supported")


@dataclass(frozen=True, slots=True)
class RowResults:
    """What one answer means for the rows of its call.

    `outcomes`: final ones. `doubts`: rows in doubt. `closed`: rows whose path is closed to this credential. `outsized`:
    rows that are too large together, and were not sent on to the portal.
    `compared`: rows that the answer shows as they were stored. `passed`: whether any row was written.
    """

    outcomes: Sequence[Outcome]
    doubts: Sequence[Doubt]
    closed: Sequence[int]
    outsized: Sequence[int]
    compared: frozenset[int]
    passed: bool

    @property
    def failed(self) -> int:
        """Number of rows that failed or are in doubt."""
        return len(self.doubts) + sum(outcome.action == "failed" for outcome in self.outcomes)


def taken(encoded: Encoded, item: Settled, delivery: Delivery, now: float, author: int | None) -> RowResults:
    """Interpret the final answer to a call.

    Parameters
    ----------
    now : float
        Seconds of the monotonic clock: when the connection was let go at the latest.
    author : int, optional
        The user of the credential that sent it.
    """
    outcomes, doubts, closed, compared = [], [], [], set()
    if outsized(item.answer) and len(encoded.positions) > 1:
        return RowResults([], [], [], encoded.positions, frozenset(), passed=False)
    results = list(zip(encoded.positions, _answers(encoded, item.answer), strict=True))
    for position, answer in results:
        if delivery.closes and import_is_closed(answer):
            closed.append(position)
            continue
        outcome = _outcome(position, answer, encoded, delivery, item)
        if encoded.echo is not None and isinstance(answer, Success):
            differing = encoded.echo.differences(answer.value)
            if differing is not None:
                compared.add(position)
                outcome = not_stored(outcome, differing)
        passing = isinstance(answer, Refusal) and is_passing(answer)
        open_ = _contested(answer, delivery.done) or (passing and answer is not item.answer)
        if outcome.action == "unknown" or (outcome.action == "failed" and open_):
            company = len(encoded.positions) + _shared(item, answer)
            doubts.append(Doubt(outcome, now, _ended(item.answer), company, passing, author))
        else:
            outcomes.append(outcome)
    passed = any(isinstance(answer, Success) for _, answer in results)
    return RowResults(outcomes, doubts, closed, [], frozenset(compared), passed)


def credential_refusal(encoded: Encoded, answer: Answer) -> Refusal | None:
    """The answer for one of the call's rows that refuses the credential, if there is one."""
    for one in _answers(encoded, answer):
        if isinstance(one, Refusal) and meaning(one).reaction in _FATAL:
            return one
    return None


def not_stored(outcome: Outcome, differing: Sequence[Difference]) -> Outcome:
    """The outcome of a row that was stored differently than it was sent.

    An update that was not stored has failed. A new row exists: ``failed`` would invite a second insert, so it is
    ``inserted`` and the message names the difference.
    """
    if not differing or outcome.action not in ("inserted", "updated"):
        return outcome
    first = differing[0]
    others = f" (and {', '.join(one.column for one in differing[1:])})" if len(differing) > 1 else ""
    action: Action = "failed" if outcome.action == "updated" else outcome.action
    told = f"{first.column}: {first.told}{others}"
    return replace(outcome, action=action, code=NOT_STORED, message=told, column=first.column)


def import_is_closed(answer: Answer) -> bool:
    """Whether an answer means that this credential, or this portal, cannot import at all."""
    if not isinstance(answer, Refusal) or meaning(answer).reaction in _FATAL:
        return False
    return answer.code.lower().endswith((DENIED, *_CLOSED))


# --- the answer for each row -----------------------------------------------------------------------


def _answers(encoded: Encoded, answer: Answer) -> list[Answer]:
    """One answer per row: for an import, the answer of each row; a row missing from it is in doubt."""
    if not isinstance(answer, Success) or encoded.shape.rows_path is None:
        return [answer] * len(encoded.positions)
    items = _at(answer.value, encoded.shape.rows_path)
    if isinstance(items, list):
        items = dict(zip(encoded.keys, items, strict=False)) if len(items) == len(encoded.keys) else {}
    found: Mapping[str, JSON] = items if isinstance(items, dict) else {}
    return [_row_answer(found.get(key)) for key in encoded.keys]


def _row_answer(value: JSON) -> Answer:
    if not isinstance(value, dict):
        return Lost("the answer does not mention this row", status=200)
    if value.get("error") is not None:
        # A row's own error in the items of an import proves that the row was not created.
        return Refusal(str(value["error"]), plain(value.get("error_description")), 200)
    return Success(value)


def _outcome(position: int, answer: Answer, encoded: Encoded, delivery: Delivery, item: Settled) -> Outcome:
    """What an answer means for a row; an error of one row in an import, or of a repeatable call, left it unchanged."""
    put = partial(Outcome, position, attempts=item.attempts, path=delivery.path or item.path)
    if isinstance(answer, Success):
        made = _id(_at(answer.value, encoded.shape.id_path)) if encoded.shape.id_path is not None else None
        if delivery.done == "inserted" and made is None:
            return put("unknown", message="the answer contains no id")
        if delivery.done != "inserted" and _denies(answer.value):
            return put("failed", code=NOT_DONE, message="the portal answered false, without an error")
        return put(delivery.done, made)
    if isinstance(answer, Lost):
        return put("unknown" if answer.sent else "failed", message=answer.reason)
    # What was deleted by an earlier attempt is not found by the next one.
    earlier = item.reached if delivery.done == "deleted" else item.lost
    sure = (encoded.call.repeatable and not earlier) or isinstance(item.answer, Success) or untouched(answer)
    reason = answer.text or "no reason given"
    return put("failed" if sure else "unknown", code=answer.code, message=reason, column=answer.argument)


def _ended(answer: Answer) -> bool:
    """Whether an answer is the portal's own word that it has finished with the request.

    A page, a cut or an empty answer is a gateway's or nobody's; so may be a server error of the whole request, which
    gateways also print as JSON.
    """
    if isinstance(answer, Refusal):
        return not (answer.whole and answer.status >= SERVER_ERRORS)
    return isinstance(answer, Success) or answer.answered


def _denies(result: JSON) -> bool:
    """Whether the result of an update or a deletion is false or 0, also alone in a map (``{"task": false}``).

    False is what PHP's own update returns for a row that did not change, too. Success is true, the row, its id, or
    nothing: null (`crm.timeline.comment.delete`), an empty list (`crm.item.delete`).
    """
    if isinstance(result, dict) and len(result) == 1:
        [result] = result.values()
    return result in (False, 0, "0")


def _contested(answer: Answer, done: Action) -> bool:
    """Whether an error may have occurred after the row was saved (crm module: lib/service/operation.php) or deleted."""
    if done == "deleted" or isinstance(answer, Success):
        return True
    plainly = isinstance(answer, Refusal) and not untouched(answer) and answer.code.lower() != DENIED
    return done == "updated" and plainly


def _shared(item: Settled, answer: Answer) -> bool:
    """Whether an answer is for a whole batch, so that it says nothing about any single call in it."""
    return item.path == "batch" and (isinstance(answer, Lost) or (isinstance(answer, Refusal) and answer.whole))


def _id(value: JSON) -> int | str | None:
    """A new id; PHP answers false or 0 where a row was not created, and prints an absent one as empty text."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) and value else None


def _at(value: JSON, path: Iterable[str]) -> JSON:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
