"""Reconciliation: look for rows whose answer was lost, and send again only those proved absent.

Absence is proved by a list that shows rows known to be ours and alike, requested with the credential that sent the row,
later than its request can last have been executed. Otherwise the row stays unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bx24frames.entities.echo import NOT_STORED
from bx24frames.errors import BX24Error, PortalError, ResponseError, TransportError
from bx24frames.upload.lookup import found_by_id, owners
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.sightings import SearchView, Sort, author_of, sight_rows, wanted_rows
from bx24frames.upload.state import Doubt
from bx24frames.upload.steps import Author, HighestId, Note, RowsById, RowsLike, WaitUntil, answer_to
from bx24frames.upload.visibility import conditions_of, deciding, grants, visible_as

if TYPE_CHECKING:
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.steps import Script

__all__ = ["begin", "settle_doubts"]

SHAPES_SEARCHED: Final = 10
"""Kinds of rows for which an earlier row of the same kind is searched, at most."""


@dataclass(slots=True)
class AbsenceProof:
    """Which rows are proved absent: `proved`; `ahead`: a few of each kind, to show whether the list contains its kind.

    `why`: what keeps the absence of the others from being proved.
    """

    proved: list[int] = field(default_factory=list)
    ahead: list[int] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)


def begin(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Learn and record what a search will need, before the first row is sent."""
    machine.author = yield from answer_to(Author())
    machine.rows.recall(
        Doubt(
            Outcome(position, "unknown", message="the upload was aborted", attempts=intent.times),
            machine.earlier.let_go[position],
            company=2,
            author=intent.author,
        )
        for position, intent in machine.earlier.intents.items()
        if machine.rows.waits(position)
    )
    high = machine.earlier.facts.get("high")
    if high is not None:
        machine.high = int(high)
        return
    machine.high = yield from answer_to(HighestId(owners(upload.table, upload.frame)))
    yield from answer_to(Note({"high": str(machine.high)}))


def settle_doubts(
    upload: Upload,
    machine: UploadMachine,
    send_alone: Callable[[Sequence[int]], Script[None]],
) -> Script[None]:
    """Find the outcome of inserts in doubt; send again, one by one, those that are proved absent."""
    rows = machine.rows
    tries, width = 0, 1
    ahead: set[int] = set()
    if rows.doubts:
        yield from _confirm_author(machine)
    while rows.doubts:
        try:
            proof = yield from _search_in_outages(upload, machine, width)
        except BX24Error as fault:
            _explain(machine, f"looking for it failed: {fault.message}")
            return
        again = _conclude(proof, machine)
        if machine.stopped or tries > machine.policy.insert_rounds:
            _give_up(again, proof, machine)
            break
        if not again:
            break
        tries += 1
        if any(rows.doubts[position].passing for position in again):
            yield from answer_to(WaitUntil(machine.now + machine.retry.delay(tries)))
        if machine.is_stopped():
            break
        rows.miss(again)
        ahead.update(proof.ahead)
        yield from send_alone(again)
        if proof.ahead and all(_is_refused(position, machine) for position in proof.ahead):
            tries, width = tries - 1, 2 * width  # nothing was inserted that could have shown it
    _explain(machine, "it was not settled whether the row is there" if machine.stopped else "the row was not found")
    if found_by_id(upload.table):
        yield from _check_ahead(machine, ahead)


def _search_in_outages(upload: Upload, machine: UploadMachine, width: int) -> Script[AbsenceProof]:
    """Look for the rows in doubt; if the portal is down, look again until it has been for too long."""
    down_since: float | None = None
    while True:
        try:
            return (yield from _search(upload, machine, width))
        except BX24Error as fault:
            down_since = machine.now if down_since is None else down_since
            lasting = machine.now - down_since >= machine.retry.outage
            if lasting or machine.is_stopped() or not _is_down(fault):
                raise
        yield from answer_to(WaitUntil(machine.now + machine.retry.longest_delay))


def _is_down(fault: BX24Error) -> bool:
    """Whether the portal may answer later: it gave no answer, or none of its own."""
    if isinstance(fault, PortalError):
        return fault.retryable
    return isinstance(fault, TransportError) or (isinstance(fault, ResponseError) and not fault.answered)


def _confirm_author(machine: UploadMachine) -> Script[None]:
    """Ask who the author of the rows is: a webhook keeps its address when it passes to another user, as it does when
    its maker is dismissed (docs: settings/system-user).
    """
    try:
        sender = yield from answer_to(Author(asked=True))
    except BX24Error:
        return
    if sender is not None and machine.author is not None and sender != machine.author:
        machine.rows.attribute(machine.author, sender)
        machine.author = sender


def _check_ahead(machine: UploadMachine, ahead: Collection[int]) -> Script[None]:
    """Report the rows sent ahead that no list shows: their absence was not proved, so they may be there twice."""
    outcomes = (machine.rows.outcome(position) for position in sorted(ahead))
    made = [one for one in outcomes if one is not None and one.action == "inserted" and one.id is not None]
    if not made:
        return
    try:
        held = yield from answer_to(RowsById([one.id for one in made if one.id is not None]))
    except BX24Error:
        held = {}
    message = "it may be there twice: an earlier request with it was not answered, and the list shows no new rows"
    machine.rows.amend(*(replace(one, code=NOT_STORED, message=message) for one in made if one.id not in held))


def _is_refused(position: int, machine: UploadMachine) -> bool:
    """Whether the portal reported an error for this row alone."""
    doubt, outcome = machine.rows.doubts.get(position), machine.rows.outcome(position)
    return doubt.refused if doubt is not None else outcome is not None and outcome.action == "failed"


def _explain(machine: UploadMachine, why: str) -> None:
    """Say of the rows that stay in doubt why."""
    for position, doubt in list(machine.rows.doubts.items()):
        machine.rows.explain(position, f"{doubt.outcome.message} (and {why})")


# --- looking ---------------------------------------------------------------------------------------


def _search(upload: Upload, machine: UploadMachine, width: int) -> Script[AbsenceProof]:
    """Look for the rows in doubt until each is found, or its request has certainly ended and the list is up to date."""
    lag = machine.policy.grace
    while True:
        asked_at = machine.now
        view = yield from sight_rows(upload, machine)
        over = {at: _over_at(machine, machine.rows.doubts[at]) for at in (*view.absent, *view.unclear)}
        pending = [moment for at, moment in over.items() if moment > asked_at and _is_awaited(machine, at)]
        if not pending and view.missing and lag <= machine.policy.longest_lag:
            pending = [asked_at + lag]
            lag *= 2
        if pending and not machine.interrupted:
            yield from answer_to(WaitUntil(min(pending)))
            continue
        view.absent = [at for at in view.absent if over[at] <= asked_at]
        _leave_unclear(view, machine)
        return (yield from _prove(upload, machine, view, width))


def _is_awaited(machine: UploadMachine, position: int) -> bool:
    """Whether to wait until the request of a row has ended; an upload that stops does not wait for the portal's cut."""
    return not machine.stopped or machine.rows.doubts[position].ended


def _over_at(machine: UploadMachine, doubt: Doubt) -> float:
    return machine.policy.over_at(doubt.let_go, ended=doubt.ended)


# --- concluding ------------------------------------------------------------------------------------


def _leave_unclear(view: SearchView, machine: UploadMachine) -> None:
    for position, candidates in view.unclear.items():
        outcome = machine.rows.doubts[position].outcome
        ids = ", ".join(map(str, candidates[:5])) + (", ..." if len(candidates) > 5 else "")
        machine.rows.settle(replace(outcome, message=f"{outcome.message}; it may be one of these rows: {ids}"))


def _prove(upload: Upload, machine: UploadMachine, view: SearchView, width: int) -> Script[AbsenceProof]:
    """Decide which rows are proved absent by what the list shows; `width`: rows of a kind to send ahead."""
    proof = AbsenceProof()
    fields = deciding(upload)
    values = {wanted.position: wanted.values for wanted in wanted_rows(upload, view.absent, fields)}
    sorts: dict[Sort, list[int]] = defaultdict(list)
    for position in view.absent:
        author = machine.rows.doubts[position].author
        sorts[author, visible_as(fields.values(), values[position])].append(position)
    for number, (sort, positions) in enumerate(sorts.items()):
        if sort in view.missing:
            proof.why |= dict.fromkeys(
                positions,
                f"the list does not show row {view.missing[sort]} either, which this upload made: look for it with a "
                "credential that may read such rows",
            )
            continue
        # The portal's own error for one row is believed unless the row is found.
        proof.proved += [at for at in positions if machine.rows.doubts[at].refused]
        lost = [at for at in positions if not machine.rows.doubts[at].refused]
        if sort in view.shown:
            proof.proved += lost
        elif sort[0] != machine.author:
            whose = "" if sort[0] is None else f": resume with one of user {sort[0]}"
            proof.why |= dict.fromkeys(lost, f"only the credential that sent it can show that it is absent{whose}")
        elif lost and number < SHAPES_SEARCHED and (yield from _is_listed(upload, machine, values[lost[0]])):
            proof.ahead += lost[:width]  # whether the list contains new rows of this kind, the first ones show
        else:
            proof.why |= dict.fromkeys(
                lost,
                "no row like it is visible to this credential, so that its absence proves nothing: look for it with "
                "one that may read such rows",
            )
    return proof


def _is_listed(upload: Upload, machine: UploadMachine, values: Mapping[str, object]) -> Script[bool]:
    """Whether the list shows an earlier row that is visible to the same users."""
    if all(value is None for value in values.values()):
        return machine.high > 0  # its responsible is its author: every level of access but none shows those rows
    fields = [one for one in deciding(upload).values() if one.code in values]
    conditions = conditions_of(fields, values)
    if conditions is None:
        return False
    of = owners(upload.table, upload.frame)
    try:
        found = yield from answer_to(RowsLike({**conditions, **author_of(upload, machine.author)}, grants(upload), of))
    except BX24Error:
        return False
    return bool(found)


def _conclude(proof: AbsenceProof, machine: UploadMachine) -> list[int]:
    """The rows to send again; an absent row is failed if the portal reported an error for that row alone."""
    again = []
    for position in (*proof.proved, *proof.ahead):
        doubt = machine.rows.doubts[position]
        if doubt.refused:
            machine.rows.settle(replace(doubt.outcome, action="failed"))
        else:
            again.append(position)
    for position, why in proof.why.items():
        outcome = machine.rows.doubts[position].outcome
        machine.rows.settle(replace(outcome, message=f"{outcome.message} (and {why})"))
    return again


def _give_up(absent: Iterable[int], proof: AbsenceProof, machine: UploadMachine) -> None:
    """Absent rows that are not sent again because the upload stops or the attempts are used up."""
    for position in absent:
        outcome = machine.rows.doubts[position].outcome
        if position in proof.proved:
            message = f"{outcome.message} (the row does not exist and was not sent again)"
            machine.rows.settle(replace(outcome, action="failed", message=message))
