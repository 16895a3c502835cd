"""Parsing of an entity's field description, in any of its formats, into a list of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

import orjson

from bx24frames.engine.messages import JSON, Path
from bx24frames.entities import spelling, tasks
from bx24frames.entities.properties import list_field, property_type
from bx24frames.entities.schema import Choice, Entity, Family, Field, Shape
from bx24frames.errors import ResponseError

MULTIFIELDS: Final[Mapping[str, str]] = {"phone": "PHONE", "email": "EMAIL", "web": "WEB", "im": "IM"}
"""Columns of contact points and their `typeId`: item rows hold them together in `fm`, classic rows separately."""

_LINKS: Final = frozenset({"crm_contact", "crm_company"})
"""Multiple links of a row (`CONTACT_IDS`, a company's `CONTACT_ID`) are described and written by the classic methods
but never listed (docs: crm-deal-list.md, crm-contact-list.md, crm-company-list.md).
"""

_UNSEEN: Final = frozenset({"contacts", "companies"})
"""Described by the item methods but never returned; filtering by one or writing one is refused: use `contactIds` and
`companyIds` instead (docs: universal/object-fields.md).
"""

CALLERS: Final = frozenset({"CREATED_BY"})
"""Of a task: described as required, but defaults to the caller (docs: tasks/task/item/add.php, the sample)."""

FIELDS_HELD: Final = 4096
"""Parsed fields held in a process. Portals describe most of their fields word for word alike, and these are parsed and
held once; the entities of the catalogue have about 1,800 of them."""

_LABELS: Final = ("title", "name", "listLabel", "formLabel", "filterLabel")


def parse_fields(entity: Entity, answer: JSON = None) -> tuple[Field, ...]:
    """Parse the answer of an entity's description method.

    Parameters
    ----------
    entity : Entity
    answer : JSON
        The `result` of ``entity.fields.method``; unused if the fields are static.

    Returns
    -------
    tuple of Field
        In the portal's order, each with all spellings a caller may use.

    Raises
    ------
    ResponseError
        If the answer is not a description, or describes no field: a table without columns would have no rows either.

    Notes
    -----
    https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-fields.html,
    https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-fields.html
    """
    source = entity.fields
    static = {field.code: field for field in source.static}
    entries = {} if source.method is None else _entries(entity, answer)
    if entity.family is Family.ITEM and "fm" in entries:  # next to it, their first values may be described as text
        entries = {name: raw for name, raw in entries.items() if name not in MULTIFIELDS}
    described = [field for name, raw in entries.items() for field in _parsed(entity, name, raw, static)]
    own = source.static if source.method is None else source.extra
    arguments = (Field(one.name, one.type, read_only=True, aliases=one.aliases) for one in entity.arguments)
    told = {field.code: field for field in reversed(described)}  # of two with the same code the first one counts
    fields = {field.code: told[field.code] for field in described}
    for field in own:
        fields.setdefault(field.code, _aliased(field, entity.entity_type_id, ()))
    if source.extra and source.extra == source.static:  # fields that all rows of such entities have come first
        fields = {field.code: fields[field.code] for field in source.extra} | fields
    for field in arguments:
        fields.setdefault(field.code, _aliased(field, entity.entity_type_id, ()))
    if not fields:
        raise ResponseError("the description names no field", method=source.method, entity=entity.name)
    return _with_argument_names(entity, fields)


def _with_argument_names(entity: Entity, fields: dict[str, Field]) -> tuple[Field, ...]:
    """The fields; a field that is also an argument gets the argument's names."""
    for one in entity.arguments:
        known = fields[one.name]
        more = tuple(name for name in one.aliases if name not in known.aliases)
        fields[one.name] = replace(known, aliases=(*known.aliases, *more))
    return tuple(fields.values())


def _entries(entity: Entity, answer: JSON) -> Mapping[str, JSON]:
    value = _walk(answer, entity.fields.path)
    if value == []:  # PHP serializes an empty map as a list
        return {}
    if not isinstance(value, dict):
        raise ResponseError(
            "the description of the fields is not a map", method=entity.fields.method, entity=entity.name
        )
    return value


def _walk(value: JSON, path: Path) -> JSON:
    for step in path:
        if not isinstance(value, dict):
            return value
        value = value.get(step)
    return value


def _parsed(entity: Entity, name: str, raw: JSON, static: Mapping[str, Field]) -> Iterable[Field]:
    if entity.family is Family.ITEM and name == "fm":
        points = (Field(code, "crm_multifield", code, multiple=True) for code in MULTIFIELDS)
        return [_aliased(field, entity.entity_type_id, ()) for field in points]
    if entity.family is Family.ITEM and name in _UNSEEN:
        return []
    if entity.fields.shape is Shape.CAPTIONS:
        known = static.get(name, Field(name, "string", user_field=name.startswith("UF_")))
        return [_aliased(replace(known, title=str(raw or name)), entity.entity_type_id, ())]
    if not isinstance(raw, dict):
        raise ResponseError(f"the description of field {name} is not a map", entity=entity.name)
    if entity.fields.shape is Shape.LIST:
        return [_aliased(list_field(name, raw, static.get(name)), entity.entity_type_id, ())]
    if entity.fields.shape is Shape.TASK:
        return [_aliased(_task_field(name, raw, static), entity.entity_type_id, (name,))]
    field = _described(entity.family, entity.entity_type_id, name, orjson.dumps(raw))
    return [replace(field, type=static[name].type) if name in static else field]


@lru_cache(FIELDS_HELD)
def _described(family: Family, entity_type_id: int | None, name: str, text: bytes) -> Field:
    """A field by its description as JSON."""
    raw: dict[str, JSON] = orjson.loads(text)
    upper_name = str(raw.get("upperName") or "")
    user_field = bool(raw.get("isDynamic")) or spelling.USER_FIELD_NAME.match(name) is not None
    code = upper_name if user_field and upper_name.startswith("UF_") else name
    settings = raw.get("settings")
    settings = settings if isinstance(settings, dict) else {}  # an empty one is returned as []
    type_, holder = property_type(raw)
    multiple = _flag(raw, "isMultiple", "multiple")
    camel = name if family is Family.ITEM and user_field else ""
    own_name = camel if camel != code else ""
    field = Field(
        code,
        type_,
        title=_title(code, raw),
        required=_flag(raw, "isRequired", "required"),
        read_only=_flag(raw, "isReadOnly"),
        immutable=_flag(raw, "isImmutable"),
        multiple=multiple,
        user_field=user_field,
        choices=_choices(raw.get("values" if holder else "items")),
        status_type=str(raw["statusType"]) if raw.get("statusType") else None,
        settings=settings,
        listed=not (family is Family.CLASSIC and multiple and not user_field and type_ in _LINKS),
        max_length=_limit(settings.get("MAX_LENGTH")),
        holder=holder,
        request=own_name,
        printed=own_name,
        camel=camel,
        sent=code if own_name else "",
    )
    return _aliased(field, entity_type_id, tuple(other for other in (upper_name, name) if other and other != code))


def _task_field(name: str, raw: Mapping[str, JSON], static: Mapping[str, Field]) -> Field:
    """Tasks are described in UPPER_SNAKE, but their rows are in camelCase (docs: tasks-task-get-fields.md)."""
    values = raw.get("values")
    pairs = values.items() if isinstance(values, dict) else ()
    type_name = str(raw.get("type") or "string")
    code = spelling.camel(name)  # also for a user field: `UF_CRM_TASK` is returned as `ufCrmTask`
    listed = type_name == "array"
    return replace(
        static.get(code) or Field(code, "string" if listed else type_name, multiple=listed),
        title=_title(name, raw),
        required=_flag(raw, "required") and name not in CALLERS,
        read_only=_flag(raw, "primary"),
        user_field=name.startswith("UF_"),
        choices=tuple(Choice(str(code), str(title)) for code, title in pairs),
        request=name,
        conditions=tasks.CONDITIONS.get(name, ()),
        asking=tasks.asking(name),
    )


def _aliased(field: Field, entity_type_id: int | None, more: tuple[str, ...]) -> Field:
    """Add all spellings of a field: its other case, and its name in the other family."""
    names = [*more]
    if not field.user_field:
        names += [spelling.camel(field.code) if field.code.isupper() else spelling.upper(field.code)]
        for old, new in spelling.renamed_fields(entity_type_id).items():
            names += [new] if field.code == old else [old] if field.code == new else []
    return replace(field, aliases=tuple(dict.fromkeys(n for n in (*field.aliases, *names) if n != field.code)))


def _title(code: str, raw: Mapping[str, JSON]) -> str:
    """The caption: classic descriptions give a user field's code as title and its captions as labels."""
    captions = [str(raw[key]) for key in _LABELS if isinstance(raw.get(key), str) and raw[key] not in ("", code)]
    return captions[0] if captions else code


def _flag(raw: Mapping[str, JSON], *names: str) -> bool:
    return any(raw.get(name) in (True, "Y", 1, "1", "true") for name in names)


def _choices(items: JSON) -> tuple[Choice, ...]:
    if isinstance(items, dict):  # a list whose keys were not 0..n-1
        items = [*items.values()]
    if not isinstance(items, list):
        return ()
    maps = [{key.upper(): value for key, value in item.items()} for item in items if isinstance(item, dict)]
    return tuple(Choice(str(item.get("ID")), str(item.get("VALUE", ""))) for item in maps)


def _limit(value: JSON) -> int | None:
    text = str(value or 0)
    return int(text) if text.isdigit() and int(text) > 0 else None
