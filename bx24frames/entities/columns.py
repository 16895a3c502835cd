"""Column names: which fields they mean, and which names a list method is sent to select them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import JSON
from bx24frames.entities.schema import UNTYPED, Entity, Field, TableSchema
from bx24frames.errors import ConfigError, UnknownColumn

if TYPE_CHECKING:
    import pyarrow as pa

_NEAREST: Final = 3
_SPELLINGS: Final = 2
"""Spellings that most fields have; a suggestion names the nearest of them."""


POINT_TITLES: Final[Mapping[str, Sequence[str]]] = {
    "phone": ("Телефон", "Рабочий телефон", "Phone", "Work phone"),
    "email": ("E-mail", "Рабочий e-mail", "Work e-mail"),
    "web": ("Сайт", "Корпоративный сайт", "Website"),
    "im": ("Мессенджер", "Messenger"),
}
"""Titles of contact points: the description of items has none, the classic descriptions have (docs:
crm-lead-fields.md). A text becomes a value of type WORK, as in the headings of the portal's own export."""


class Names:
    """Every spelling of every field of an entity.

    A field's code always means that field. An alias shared by two fields means neither. A title means its field, in the
    form that a read with titles gives it, unless it is a code or an alias.

    Parameters
    ----------
    fields : sequence of Field
    entity : str
        The entity's name, for messages.

    Examples
    --------
    >>> names = Names([Field("id", "integer", "ID"), Field("a", "string", "id")])
    >>> names.lookup("ID").code, names.lookup("id").code
    ('id', 'id')
    """

    def __init__(self, fields: Sequence[Field], entity: str = "") -> None:
        self.fields = tuple(fields)
        self.entity = entity
        self._codes = {field.code: field for field in fields}

    @cached_property
    def _claims(self) -> dict[str, list[Field]]:
        """The fields of each spelling that is no code; most reads name columns by codes and never ask."""
        claims: dict[str, list[Field]] = {}
        for field in self.fields:
            for alias in field.aliases:
                claims.setdefault(alias, []).append(field)
        for code, title in unique_titles(self.fields).items():
            if title not in self._codes:
                claims.setdefault(title, [self._codes[code]])
        for field in self.fields:
            for title in POINT_TITLES.get(field.code.lower(), ()):
                claims.setdefault(title, [field])
        return claims

    def find(self, name: str) -> Field | None:
        """The field with that spelling, or None; raises `UnknownColumn` if two fields share it."""
        if name in self._codes:
            return self._codes[name]
        claims = self._claims.get(name, [])
        if len(claims) > 1:
            both = " and ".join(field.code for field in claims)
            raise UnknownColumn(f"column {name!r} may mean {both}", entity=self.entity, guidance="Use the exact code.")
        return claims[0] if claims else None

    def means(self, name: str, code: str) -> bool:
        """Whether a spelling means one given field and no other."""
        return name == code or (name not in self._codes and [one.code for one in self._claims.get(name, [])] == [code])

    def lookup(self, name: str) -> Field:
        """The field with that spelling.

        Raises
        ------
        UnknownColumn
            If no field has it (the message suggests similar names), or two fields share it (it names both).
        """
        if not isinstance(name, str):
            raise UnknownColumn(f"a column must be named by text, not by {name!r:.80}", entity=self.entity)
        field = self.find(name)
        if field is None:
            raise UnknownColumn(f"no column {name!r}", entity=self.entity, guidance=self._hint(name))
        return field

    def _hint(self, name: str) -> str:
        meant: dict[str, tuple[str, str]] = {}
        for code in self._codes:
            meant.setdefault(code.casefold(), (code, code))
        for spelling, claims in self._claims.items():
            meant.setdefault(spelling.casefold(), (claims[0].code, spelling))
        near: dict[str, str] = {}
        for text in difflib.get_close_matches(name.casefold(), meant, _NEAREST * _SPELLINGS):
            code, spelling = meant[text]
            near.setdefault(code, spelling)
        if near:
            return f"Did you mean {', '.join([*near.values()][:_NEAREST])}?"
        return "describe_entity() lists the columns."


def lookup(fields: Sequence[Field], name: str, entity: str = "") -> Field:
    """Find one field by any of its spellings; raises `UnknownColumn` if there is none."""
    return Names(fields, entity).lookup(name)


def select(fields: Sequence[Field], columns: Sequence[str] | None, entity: str = "") -> tuple[Field, ...]:
    """Find the fields of the wanted columns, in the caller's order; without `columns`, every field that is listed.

    Raises
    ------
    UnknownColumn
        If a name is unknown, ambiguous, given twice, or never returned by the list method.
    """
    if columns is None:
        return tuple(field for field in fields if field.listed)
    names = Names(fields, entity)
    found = tuple(names.lookup(name) for name in columns)
    twice = [name for place, name in enumerate(columns) if name in columns[:place]]
    if twice:
        raise UnknownColumn(f"column {twice[0]!r} is requested twice", entity=entity)
    for name, field in zip(columns, found, strict=True):
        if not field.listed:
            guidance = "The item entity for the same rows returns it."
            raise UnknownColumn(f"the list method never returns {name!r}", entity=entity, guidance=guidance)
    return found


def table_schema(
    entity: Entity,
    fields: Sequence[Field],
    columns: Sequence[str] | None = None,
    overrides: Mapping[str, pa.DataType] | None = None,
) -> TableSchema:
    """Build the schema of a read: the wanted columns in the caller's spelling, typed only by the description.

    Parameters
    ----------
    entity : Entity
    fields : sequence of Field
        All fields, from `parse_fields`.
    columns : sequence of str, optional
        Wanted columns in any spelling; None means all that the list method returns, under their codes.
    overrides : mapping of str to pyarrow.DataType, optional
        Types that replace those of the description, by any spelling of the column.

    Returns
    -------
    TableSchema

    Raises
    ------
    UnknownColumn
        If a column, or a column of `overrides`, is not a field.
    ConfigError
        If a column of `overrides` is not wanted, or its type is not an Arrow type.
    """
    import pyarrow as pa

    from bx24frames.entities.types import arrow_type

    chosen = select(fields, columns, entity.name)
    spelled = [field.code for field in chosen] if columns is None else list(columns)
    names = Names(fields, entity.name)
    retyped = {names.lookup(name).code: type_ for name, type_ in (overrides or {}).items()}
    wrong = next((name for name, type_ in (overrides or {}).items() if not isinstance(type_, pa.DataType)), None)
    if wrong is not None:
        raise ConfigError(
            f"schema_overrides needs an Arrow type for each column, such as pyarrow.int64(); that of {wrong!r} is none",
            entity=entity.name,
        )
    unread = sorted(set(retyped) - {field.code for field in chosen})
    if unread:
        raise ConfigError(
            f"schema_overrides names columns that are not read: {', '.join(map(repr, unread))}", entity=entity.name
        )
    arrow = pa.schema(
        [
            pa.field(name, retyped.get(field.code) or arrow_type(field))
            for name, field in zip(spelled, chosen, strict=True)
        ]
    )
    return TableSchema(entity.name, chosen, arrow, entity.family, entity.listing.id_key)


def select_params(entity: Entity, fields: Iterable[Field]) -> dict[str, JSON]:
    """Parameters that select the wanted fields and those that identify rows.

    Notes
    -----
    An item list returns only the fields named explicitly, so the id is always included
    (https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-list.html). Classic lists give phones and e-mails
    only by name.
    """
    fields = list(fields)
    if entity.select is None or (any(field.type == UNTYPED for field in fields) and not entity.always):
        return {}  # undescribed keys are returned only by a full select, if at all
    arguments = {one.name for one in entity.arguments}
    wanted = [field for field in fields if field.code not in arguments]
    keys = [*filter(None, [entity.listing.id_filter]), *entity.listing.row_key]
    names = [*keys, *entity.always, *(field.wire for field in wanted)]
    return {entity.select: list(dict.fromkeys(names))}


def unique_titles(fields: Iterable[Field]) -> dict[str, str]:
    """Name every field of an entity by its title; fields that share a title have their code appended.

    All fields count, so that a column has the same name however many columns are read.

    Examples
    --------
    >>> unique_titles([Field("id", "integer", "ID"), Field("a", "string", "Date"), Field("b", "date", "Date")])
    {'id': 'ID', 'a': 'Date (a)', 'b': 'Date (b)'}
    """
    listed = list(fields)
    plain = {field.code: field.title.strip() or field.code for field in listed}
    times = Counter(plain.values())
    named = {code: title if times[title] == 1 else f"{title} ({code})" for code, title in plain.items()}
    again = Counter(named.values())
    return {code: name if again[name] == 1 else code for code, name in named.items()}


_QUOTED: Final = re.compile(r"«([^»]+)»|\"([^\"]+)\"|“([^”]+)”|'([^']+)'|&quot;(.+?)&quot;")
_NAMED: Final = re.compile(r"\b([Ff]ield|[Пп]оле) ([A-Z][A-Z0-9_]+)\b")


def named_column(text: str | None, fields: Iterable[Field], columns: Mapping[str, Field]) -> str | None:
    """The column that an error is about; the field's code if the frame has no such column.

    Portals name a field by its caption in the credential's language («Клиент»), or by its code
    (`The field COMMUNICATIONS is not defined or invalid.`).
    """
    if not text:
        return None
    words = {next(filter(None, found)).strip().casefold() for found in _QUOTED.findall(text)}
    words |= {code.casefold() for _, code in _NAMED.findall(text)}
    if not words:
        return None
    sent = {field.code: name for name, field in columns.items()}
    for field in fields:
        names = {field.code.casefold(), field.title.casefold(), *(alias.casefold() for alias in field.aliases)}
        if names & words:
            return sent.get(field.code, field.code)
    return None
