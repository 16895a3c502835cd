"""`Admin`: what happens to a portal without a call of REST, as `Sandbox.admin`.

People, robots and the portal itself change rows in ways that the lists do not announce. Each operation takes place at
once, by the portal's clock, and says which columns it leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bx24frames.sandbox.auth import Keyring, scopes_of
from bx24frames.sandbox.portal_store import draft_of
from bx24frames.sandbox.store.base import several
from bx24frames.sandbox.store.dictionaries import STATUSES
from bx24frames.sandbox.store.initial import same_pipeline
from bx24frames.sandbox.store.records import Draft, change, create
from bx24frames.sandbox.store.removal import rebind, remove, restore

if TYPE_CHECKING:
    from bx24frames.sandbox.exchange import Exchange
    from bx24frames.sandbox.fields.user import UserField
    from bx24frames.sandbox.portal_store import PortalStore
    from bx24frames.sandbox.store.roles import Role
    from bx24frames.sandbox.store.tables import EntityType

_Values = Mapping[str, Any]


class Admin:
    """Changes of a portal by people and by the portal itself; thread-safe, also while requests are answered.

    An entity is named as its table, ``"deal"``, or by its type, ``"item:1036"`` or ``1036``. Rows are mappings of
    fields in any spelling to values as the portal would take them.

    Examples
    --------
    >>> from bx24frames.sandbox import Sandbox
    >>> with Sandbox(sizes={"deal": 2}, listen=False) as sandbox:
    ...     (deal,) = sandbox.admin.add("deal", {"title": "By phone"})
    ...     deleted = sandbox.admin.delete("deal", deal)
    ...     print(deleted, sandbox.admin.restore("deal", deal) == {deal: deal + 1})
    1 True
    """

    def __init__(self, exchange: Exchange, store: PortalStore, keyring: Keyring) -> None:
        self._exchange = exchange
        self._store = store
        self._keyring = keyring

    # --- rows ------------------------------------------------------------------------------------

    def add(
        self,
        entity: str | int,
        rows: _Values | Iterable[_Values],
        *,
        count: int = 1,
        commit_after: float = 0.0,
        user_id: int = 1,
    ) -> list[int]:
        """Add rows; returns their ids.

        Parameters
        ----------
        entity : str or int
        rows : mapping or iterable of mappings
        count : int
            How often each row is added. All rows of one call are of the same second.
        commit_after : float
            Seconds after its created and modified time at which the row appears: the times are set before the
            transaction is committed.
        user_id : int
            Who adds them.
        """
        table = self._entity(entity)
        given = several(rows)
        with self._acting() as now, self._transaction():
            moment = self._store.local_time(now)
            drafts = [draft_of(self._store, table, row) for row in given]
            ids = [
                create(self._store, table, draft, user_id=user_id, now=moment) for draft in drafts for _ in range(count)
            ]
            if commit_after:
                self._store.appearing.setdefault(table.name, {}).update(dict.fromkeys(ids, now + commit_after))
        return ids

    def import_rows(self, entity: str | int, rows: _Values | Iterable[_Values]) -> list[int]:
        """Add rows as an administrator's import does: `createdTime`, `updatedTime` and `movedTime` as they are given,
        however old. Returns their ids.
        """
        table = self._entity(entity)
        given = several(rows)
        with self._acting() as now, self._transaction():
            today = self._store.local_time(now)
            drafts = [draft_of(self._store, table, row) for row in given]
            return [
                create(self._store, table, one, user_id=1, now=one.columns.get("createdTime") or today)
                for one in drafts
            ]

    def update(
        self,
        entity: str | int,
        ids: int | Iterable[int],
        values: _Values,
        *,
        commit_after: float = 0.0,
        user_id: int = 1,
    ) -> None:
        """Change rows; their modified time becomes now, and moves are recorded.

        Parameters
        ----------
        commit_after : float
            Seconds after which the change appears, with the modified time of this moment.

        Raises
        ------
        KeyError
            A row is not there.
        """
        table = self._entity(entity)
        chosen = _ids(ids)
        with self._acting() as now:
            for row_id in chosen:
                if self._store.row(table.name, row_id) is None:
                    raise KeyError(f"{table.name} {row_id}")
            moment, draft = self._store.local_time(now), draft_of(self._store, table, values)

            def commit(_: float) -> None:
                for row_id in chosen:
                    self._change(table, row_id, draft, user_id, moment)

            if commit_after:
                self._exchange.app.later.at(now + commit_after, commit)
            else:
                commit(now)

    def delete(self, entity: str | int, ids: int | Iterable[int]) -> int:
        """Delete rows into the recycle bin; returns how many there were.

        Links to them in leads, deals, quotes, contacts and companies are emptied; the modified time of those rows is
        left alone.
        """
        with self._acting():
            return remove(self._store, self._entity(entity), _ids(ids))

    def restore(self, entity: str | int, ids: int | Iterable[int]) -> dict[int, int]:
        """Restore rows from the recycle bin; returns the new id of each.

        They have new ids and their old created, modified and moved times. Links to them stay empty.

        Raises
        ------
        KeyError
            The bin does not have a row.
        """
        with self._acting():
            table = self._entity(entity)
            return {row_id: restore(self._store, table, row_id) for row_id in _ids(ids)}

    def merge(self, entity: str | int, keep: int, others: int | Iterable[int]) -> None:
        """Merge duplicates into one row: links to the others move to it, and the others are deleted.

        The modified time of the linking rows is left alone; the row that is kept takes the values it lacks and is
        modified now.

        Raises
        ------
        KeyError
            The row to keep is not there.
        """
        table, gone = self._entity(entity), _ids(others)
        with self._acting() as now:
            kept = self._store.row(table.name, keep)
            if kept is None:
                raise KeyError(f"{table.name} {keep}")
            rebind(self._store, table.id, dict.fromkeys(gone, keep))
            for child, owner_type, owner in _CHILDREN:
                ids = ", ".join(map(str, gone))
                self._store.database.change(
                    f'UPDATE "{child}" SET "{owner}" = ? WHERE "{owner_type}" = ? AND "{owner}" IN ({ids})',  # noqa: S608
                    (keep, table.id),
                )
            lacking: dict[str, Any] = {}
            for row in filter(None, (self._store.row(table.name, row_id) for row_id in gone)):
                empty = [name for name, cell in kept.items() if cell in (None, "") and name not in _LEFT]
                lacking |= {name: row[name] for name in empty if name not in lacking and row[name] not in (None, "")}
            self._change(table, keep, Draft(columns=lacking), 1, self._store.local_time(now))
            remove(self._store, table, gone)

    # --- rights ----------------------------------------------------------------------------------

    def set_role(self, user_id: int, role: Role | None) -> None:
        """Give a user a role, or take it back: rows disappear from the user's lists and counts, or come back. No
        modified time changes.
        """
        with self._acting():
            if role is None:
                self._store.roles.pop(user_id, None)
            else:
                self._store.roles[user_id] = role

    def set_scopes(self, url: str, scopes: Iterable[str] | None) -> None:
        """Change the scopes of a webhook by its address; None is every scope."""
        user, code = url.rstrip("/").split("/")[-2:]
        with self._acting():
            credential = self._keyring.webhooks[user, code]
            self._keyring.webhooks[user, code] = replace(credential, scopes=scopes_of(scopes))

    # --- fields and dictionaries -----------------------------------------------------------------

    def add_field(self, entity: str | int, code: str, type: str = "string", **settings: Any) -> UserField:
        """Add a user field; rows do not have it yet, and are not modified. See `Store.add_user_field`."""
        with self._acting():
            return self._store.add_user_field(self._entity(entity).id, code, type, **settings)

    def rename_field(self, entity: str | int, code: str, title: str) -> None:
        """Change the title of a user field."""
        with self._acting():
            self._store.replace_user_field(replace(self._field(entity, code), title=title, display={}))

    def remove_field(self, entity: str | int, code: str) -> None:
        """Delete a user field with its values; rows are not modified."""
        with self._acting():
            self._field(entity, code)
            self._store.remove_user_field(self._entity(entity).id, code)
            self._forget(entity, code)

    def retype_field(self, entity: str | int, code: str, type: str, **settings: Any) -> UserField:
        """Delete a user field and create one of the same code and another type, as people do, since a type cannot be
        changed: its values are gone, and rows are not modified.
        """
        with self._acting():
            before = self._field(entity, code)
            number = self._entity(entity).id
            self._store.remove_user_field(number, code)
            self._forget(entity, code)
            return self._store.add_user_field(number, code, type, **{"title": before.title, **settings})

    def rename_stage(self, entity: str | int, code: str, caption: str) -> None:
        """Change the caption of a stage; rows are not modified.

        Raises
        ------
        KeyError
            The entity has no such stage.
        """
        stages = self._entity(entity).stages
        with self._acting():
            for row in STATUSES.rows(self._store):
                if same_pipeline(stages, row["ENTITY_ID"]) and row["STATUS_ID"] == code:
                    STATUSES.put(self._store, {**row, "NAME": caption})
                    return
        raise KeyError(code)

    def rename_choice(self, entity: str | int, code: str, text: str, renamed: str) -> None:
        """Change the text of a choice of an enumeration; its id and the rows stay."""
        with self._acting():
            spec = self._field(entity, code)
            items = tuple((number, renamed if item == text else item) for number, item in spec.items)
            self._store.replace_user_field(replace(spec, items=items))

    # --- parts -----------------------------------------------------------------------------------

    @contextmanager
    def _acting(self) -> Iterator[float]:
        with self._exchange.acting() as now:
            yield now

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._store.database.change("BEGIN")
        try:
            yield
        except BaseException:
            self._store.database.change("ROLLBACK")
            raise
        self._store.database.change("COMMIT")

    def _entity(self, entity: str | int) -> EntityType:
        wanted = str(entity).removeprefix("item:")
        for one in self._store.entities():
            if wanted in (one.name, str(one.id)):
                return one
        raise ValueError(f"unknown entity {entity!r}; known: {', '.join(one.name for one in self._store.entities())}")

    def _field(self, entity: str | int, code: str) -> UserField:
        found = [spec for spec in self._store.user_fields(self._entity(entity).id) if spec.code == code]
        if not found:
            raise KeyError(code)
        return found[0]

    def _forget(self, entity: str | int, code: str) -> None:
        table = self._entity(entity).name
        self._store.database.change(
            f'UPDATE "{table}" SET uf = json_remove(uf, ?) WHERE uf IS NOT NULL',  # noqa: S608
            (f'$."{code}"',),
        )

    def _change(self, table: EntityType, row_id: int, draft: Draft, user_id: int, moment: str) -> None:
        before = self._store.row(table.name, row_id)
        if before is not None:  # it may have been deleted before the commit
            change(self._store, table, row_id, before, draft, user_id=user_id, now=moment)


_CHILDREN = (("activity", "ownerTypeId", "ownerId"), ("requisite", "entityTypeId", "entityId"))
"""Tables whose rows move to the row that is kept: the columns of the owner's type and id."""
_LEFT = frozenset({"id", "uf", "createdTime", "updatedTime", "movedTime", "xmlId"})
"""Columns that a merge does not complete."""


def _ids(ids: int | Iterable[int]) -> list[int]:
    return [ids] if isinstance(ids, int) else [int(one) for one in ids]
