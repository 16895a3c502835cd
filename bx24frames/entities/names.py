"""Entity names: which entity a name means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from bx24frames.engine.messages import JSON, Call, Listing, Paging
from bx24frames.entities.arguments import bound
from bx24frames.entities.catalog.catalog import CATALOG, ITEM_TYPES, item_entity
from bx24frames.entities.schema import Entity, Family, FieldsSource
from bx24frames.errors import UnknownEntity

_NEAREST: Final = 3

ORDER: Final = "The entity is the first argument, the portal the second: read_entity('deal', portal)."

_RUSSIAN: Final[Mapping[str, str]] = {
    "лид": "lead", "лиды": "lead", "сделка": "deal", "сделки": "deal", "контакт": "contact", "контакты": "contact",
    "компания": "company", "компании": "company", "предложение": "quote", "предложения": "quote",
    "счёт": "smart_invoice", "счета": "smart_invoice", "дело": "activity", "дела": "activity", "звонок": "call",
    "звонки": "call", "задача": "task", "задачи": "task", "пользователь": "user", "пользователи": "user",
    "сотрудники": "user", "товар": "product", "товары": "product", "реквизиты": "requisite", "воронка": "category",
    "воронки": "category",
}  # fmt: skip
"""Entities by the words of the portal's Russian menus, for suggestions."""

_ITEM: Final = re.compile(r"item:(\d+)")
_METHOD: Final = re.compile(r"(?:api/)?[a-z0-9_]+(\.[a-z0-9_]+)+", re.IGNORECASE)
_CHANGES: Final = (
    "accept", "answer", "approve", "attach", "block", "call", "cancel", "clear", "close", "commit", "complete",
    "confirm", "convert", "defer", "delegate", "dismiss", "exclude", "execute", "finish", "fire", "hide",
    "intercept", "invite", "join", "kill", "leave", "lock", "mark", "merge", "mute", "notify", "open", "pause",
    "pin", "publish", "purge", "push", "read", "reject", "release", "renew", "replace", "reset", "restart", "run",
    "save", "share", "show", "skip", "start", "stop", "subscribe", "terminate", "transfer", "unlock", "unmute",
    "unpin", "unpublish", "unsubscribe", "untrash", "vote", "write",
)  # fmt: skip
"""Last parts of the names of methods that change something: reading such a method would execute it."""
_STEMS: Final = (
    "activate", "add", "append", "archive", "batchimport", "bind", "copy", "create", "deactivate", "decline",
    "delete", "detach", "disable", "disapprove", "edit", "enable", "import", "install", "mark", "modify", "move",
    "register", "remove", "rename", "restore", "send", "set", "startexec", "unattach", "unbind", "unblock",
    "uninstall", "unregister", "update", "upload",
)  # fmt: skip
"""Verbs that such a last part may begin with, unless it is a longer noun."""
_NOUNS: Final = ("address", "setting", "sets", "bindings", "copies", "imports", "restores")
"""Nouns that begin with such a verb."""


def resolve(name: str, types: Iterable[Mapping[str, JSON]] = ()) -> Entity:
    """Find an entity by its name.

    Parameters
    ----------
    name : str
        A name of the catalogue in any case, singular or plural; ``item:N`` for an `entityTypeId`; ``category:2``,
        ``product:15``, ``list_element:42`` for an entity with an argument; a smart process by code or title; or a list
        method that changes nothing, which is read untyped.
    types : iterable of mappings, optional
        The rows of `crm.type.list`, needed if `needs_types(name)`
        (https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-object-types/crm-type-list.html).

    Returns
    -------
    Entity

    Raises
    ------
    UnknownEntity
        If no entity has that name (the message suggests similar ones), or two smart processes have it (it names both).

    Examples
    --------
    >>> resolve("Deals").name, resolve("item:1036").entity_type_id, resolve("log.blogpost.get").untyped
    ('deal', 1036, True)
    """
    named_by_text(name)
    known = _catalogued(name)
    if known is not None:
        return known
    table, _, value = name.partition(":")
    owned = _catalogued(table) if value.strip() else None
    if owned is not None:
        return bound(owned, value.strip())
    number = _ITEM.fullmatch(name.strip().lower())
    if number:
        return _by_number(int(number[1]))
    if _is_method(name):
        if changes(name):
            raise UnknownEntity(
                f"{name.strip()} is a method that changes something, not an entity",
                entity=name,
                guidance="Use portal.call(method, params) to call it.",
            )
        return untyped(name.strip())
    return _smart_process(name, tuple(types))


def named_by_text(name: object) -> None:
    """Check that an entity is named by text which is not a portal's address.

    Raises
    ------
    UnknownEntity
        It is not; the address is not shown, because it contains a secret.
    """
    if not isinstance(name, str):
        raise UnknownEntity(f"entity must be text such as 'deal', not {name!r:.80}", guidance=ORDER)
    if is_address(name):
        raise UnknownEntity("entity is an address instead of the name of an entity", guidance=ORDER)


def needs_types(name: str) -> bool:
    """Whether a name can only be a smart process, so that `resolve` needs the rows of `crm.type.list`."""
    text = name.strip() if isinstance(name, str) else ""
    return bool(text) and not (
        is_address(text)
        or _catalogued(name.partition(":")[0])
        or _ITEM.fullmatch(text.lower())
        or _METHOD.fullmatch(text)
    )


def is_address(name: str) -> bool:
    """Whether text is the address of a portal rather than an entity's name."""
    return "://" in name or "/rest/" in name


def is_table(name: str) -> bool:
    """Whether text names an entity that every portal has, or a smart process by number."""
    return _catalogued(name.partition(":")[0]) is not None or _ITEM.fullmatch(name.strip().lower()) is not None


def untyped(method: str) -> Entity:
    """A list method outside the catalogue: no fields, unknown location of the rows, paging by offset."""
    listing = Listing(Call(method, {}), id_key="", id_filter="", paging=Paging.OFFSET, wraps=True)
    return Entity(method, method, Family.OTHER, listing, FieldsSource(), scope="", select=None, untyped=True)


def _catalogued(name: str) -> Entity | None:
    text = re.sub(r"[\s-]+", "_", name.strip().lower())
    candidates = [text]
    if text.endswith("ies"):
        candidates.append(text[:-3] + "y")
    if text.endswith("es"):
        candidates.append(text[:-2])
    if text.endswith("s"):
        candidates.append(text[:-1])
    return next((CATALOG[candidate] for candidate in candidates if candidate in CATALOG), None)


def _by_number(entity_type_id: int) -> Entity:
    for name, (number, _) in ITEM_TYPES.items():
        if number == entity_type_id:
            return CATALOG[name]
    return item_entity(entity_type_id, f"item:{entity_type_id}", f"Items of type {entity_type_id}")


def _is_method(name: str) -> bool:
    """Whether a name has the form of a method; CRM methods have three parts, so `crm.dael` is a misspelt entity."""
    text = name.strip().lower()
    return _METHOD.fullmatch(text) is not None and not (text.startswith("crm.") and text.count(".") == 1)


def changes(method: str) -> bool:
    """Whether a method changes something, judging by its name.

    Examples
    --------
    >>> changes("crm.deal.delete"), changes("disk.file.getVersions"), changes("bizproc.workflow.instances")
    (True, False, False)
    """
    last = method.strip().rsplit(".", 1)[-1]
    first = re.split(r"(?<=[a-z])(?=[A-Z])", last)[0].lower()
    small = last.lower()
    return first in _CHANGES or (small.startswith(_STEMS) and not small.startswith(_NOUNS))


def _smart_process(name: str, types: tuple[Mapping[str, JSON], ...]) -> Entity:
    wanted = name.strip().casefold()
    found = {
        int(str(row["entityTypeId"])): str(row.get("title") or "")
        for row in types
        if wanted and wanted in {str(row.get("code") or "").casefold(), str(row.get("title") or "").casefold()}
    }
    if len(found) == 1:
        [(number, title)] = found.items()
        return item_entity(number, f"item:{number}", title)
    if found:
        both = " and ".join(f"item:{number} ({title})" for number, title in sorted(found.items()))
        raise UnknownEntity(f"{name!r} names {both}", entity=name, guidance="Use the number.")
    raise UnknownEntity(f"no entity {name!r}", entity=name, guidance=_hint(wanted, types))


def _hint(wanted: str, types: tuple[Mapping[str, JSON], ...]) -> str:
    titles = {str(row.get("title") or "").casefold(): str(row.get("title") or "") for row in types}
    meant = {**{name: name for name in CATALOG}, **_RUSSIAN, **{text: title for text, title in titles.items() if text}}
    near = dict.fromkeys(meant[text] for text in difflib.get_close_matches(wanted, meant, _NEAREST))
    advice = "list_entities() shows all entities."
    return f"Did you mean {', '.join(near)}? {advice}" if near else advice
