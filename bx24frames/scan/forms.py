"""Form fallback: read in the first request form that returns the requested columns; warn about columns that none
returns.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.caller import warn
from bx24frames.entities.forms import ALL_FIELDS, Form, forms_of
from bx24frames.entities.proof import Proof, proof_of
from bx24frames.entities.schema import Family
from bx24frames.errors import PortalError, ResponseError
from bx24frames.portal.probe.findings import recalled
from bx24frames.where.recheck import shown_column

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.portal.connection import Connection
    from bx24frames.scan.preparation import Reading

BatchSource: TypeAlias = "Callable[[Form, Proof], AsyncGenerator[pa.RecordBatch, None]]"

NAMES_SHOWN: Final = 8
"""Number of names that a warning shows; the others are counted."""


def note_of(entity: str) -> str:
    """The name under which the form of an entity is remembered."""
    return f"form:{entity}"


class FormReader:
    """Reads the batches of one reading, trying forms until the first page proves one.

    The form is remembered, so that later reads of the entity begin with it.

    Parameters
    ----------
    connection : Connection
    reading : Reading
    source : callable
        Function that reads in one form, checked by one proof.
    """

    def __init__(self, connection: Connection, reading: Reading, source: BatchSource) -> None:
        self._connection = connection
        self._reading = reading
        self._source = source
        self._name = note_of(reading.table.entity.name)
        self._proof = self._proof_of()

    async def batches(self) -> AsyncGenerator[pa.RecordBatch, None]:
        """Yield the rows; the first batch follows once a form is proven."""
        forms = self._forms()
        lacking: list[str] | None = None
        for form in forms:
            self._proof = self._proof_of(strict=form is not forms[-1])
            begun = False
            try:
                async with aclosing(self._source(form, self._proof)) as source:
                    async for batch in source:
                        if batch.num_rows and not begun:
                            begun = True
                            self._take_note(form, forms[0], lacking)
                        yield batch
            except (ResponseError, PortalError) as fault:
                if begun or not _by_its_form(fault, form, forms):
                    raise
                lacking = list(self._proof.missing)
            else:
                return

    def tell(self) -> None:
        """After the last row, warn about columns that the rows lacked, and about undescribed keys that they had.

        Raises
        ------
        ResponseError
            A column requested by name was in no row.
        """
        proof, entity = self._proof, self._reading.table.entity
        self._reading.seen.uncarried = frozenset(proof.missing)
        if proof.broken and self._reading.explicit:
            raise proof.fault()
        if proof.bare and not self._reading.explicit and not self._reading.forgiving:
            raise proof.emptiness()
        if self._reading.inner:
            return
        missing = proof.missing or proof.unheeded
        if missing and not self._reading.forgiving:
            self._once(
                "missing", lambda shown: f"{entity.name}: columns that no row has, so they are null: {shown}", missing
            )
        left_out = [key for key in proof.left_out if key not in entity.fields.beside]
        if not self._reading.named and left_out:
            self._once(
                "left out",
                lambda shown: (
                    f"{entity.name}: columns that rows have, but no description names (to read them, name them in "
                    f"columns=): {shown}"
                ),
                left_out,
            )

    def first(self) -> tuple[Form, Proof]:
        """The form to try first, and its proof."""
        forms = self._forms()
        return forms[0], self._proof_of(strict=forms[0] is not forms[-1])

    def _forms(self) -> tuple[Form, ...]:
        reading = self._reading
        table, where = reading.table, reading.where
        forms = forms_of(table.entity, reading.schema.fields, table.fields, where.asked, reading.order.remote)
        if forms[0] is Form.CODES:  # a condition or an order needs it, whatever columns the portal returns
            return forms
        probed = recalled(self._connection)
        whole = Form.WHOLE.value if probed is not None and probed.select == ALL_FIELDS else None
        noted = self._connection.metadata.noted(self._name) or whole
        known = next((form for form in forms if form.value == noted), None)
        return forms if known is None else forms[forms.index(known) :]

    def _proof_of(self, *, strict: bool = False) -> Proof:
        reading = self._reading
        proof = proof_of(reading.table.entity, reading.table.fields, reading.schema, explicit=reading.explicit)
        dead = self._connection.metadata.noted(f"unprinted:{reading.table.entity.name}")
        proof.excused = frozenset(map(str, dead)) if isinstance(dead, list) else frozenset()
        proof.strict = strict
        return proof

    def _take_note(self, form: Form, first: Form, lacking: list[str] | None) -> None:
        """After the first rows, remember the form if it returned more than the one before, and the columns that no form
        returns.

        Item rows have every requested key, so that columns missing from the first rows are reported at once.
        """
        proof, metadata = self._proof, self._connection.metadata
        if proof.broken and self._reading.explicit and self._reading.table.entity.family is Family.ITEM:
            raise proof.fault()
        if lacking is None or proof.waiting:
            return
        name = self._reading.table.entity.name
        if len(proof.missing) < len(lacking) or (not lacking and form is not first):
            metadata.note(self._name, form.value)
        if proof.missing:
            metadata.note(f"unprinted:{name}", [*sorted({*proof.excused, *proof.missing})])

    def _once(self, what: str, said: Callable[[str], str], names: Sequence[str]) -> None:
        """Warn about names, each once per entity and connection."""
        entity, metadata = self._reading.table.entity.name, self._connection.metadata
        note = f"told {what}:{entity}"
        before = metadata.noted(note, keep=False)
        heard = before if isinstance(before, list) else []
        names = [name for name in dict.fromkeys(map(shown_column, names)) if name not in heard]
        if not names:
            return
        metadata.note(note, [*heard, *names], keep=False)
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        warn(said(f"{', '.join(names[:NAMES_SHOWN])}{more}"))


def _by_its_form(fault: ResponseError | PortalError, form: Form, forms: Sequence[Form]) -> bool:
    """Whether a read that failed before its first row may succeed in another form."""
    if form is forms[-1]:
        return False
    if isinstance(fault, ResponseError):
        return fault.answered
    return fault.code == "INVALID_ARG_VALUE" and Form.CODES in forms
