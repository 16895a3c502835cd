"""User fields: descriptions, labels, settings, and one field of every type for the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

INT_TYPES: Final = frozenset({"integer", "employee", "enumeration", "iblock_element", "iblock_section", "file"})
FIRST_ENUM_ID: Final = 40


@dataclass(frozen=True, slots=True)
class UserField:
    """One user field of a table; `items` are the (id, text) choices of an enumeration.

    `display` is what only its own methods print: the keys of `DISPLAY` and `LABELS` where they were written, and under
    ``LIST`` the keys of a choice, by its id.
    """

    id: int
    entity_type_id: int
    code: str
    type: str
    multiple: bool = False
    mandatory: bool = False
    title: str = ""
    items: tuple[tuple[int, str], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    display: dict[str, Any] = field(default_factory=dict)

    @property
    def bindings(self) -> tuple[str, ...]:
        """The tables a crm binding may point to."""
        return tuple(name for name, allowed in self.settings.items() if allowed == "Y")

    @property
    def is_integer(self) -> bool:
        """Whether values are stored as integers; a binding to one table is a bare id."""
        return self.type in INT_TYPES or (self.type == "crm" and len(self.bindings) == 1)


def oddly_named(code: str) -> bool:
    """Whether a user field is one of those that the seed fills by their place, not at random."""
    return any(code.endswith(f"_{tail}") for tail, _, _ in _ODDLY_NAMED)


_LENGTHS: Final[dict[str, Any]] = {"MIN_LENGTH": 0, "MAX_LENGTH": 0}
_BOUNDS: Final[dict[str, Any]] = {"MIN_VALUE": 0, "MAX_VALUE": 0, "DEFAULT_VALUE": None}
_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "string": {"SIZE": 20, "ROWS": 1, "REGEXP": "", **_LENGTHS, "DEFAULT_VALUE": None},
    "integer": {"SIZE": 20, **_BOUNDS},
    "double": {"SIZE": 20, **_BOUNDS},
    "boolean": {"DEFAULT_VALUE": 0, "DISPLAY": "CHECKBOX", "LABEL": ["", ""]},
    "date": {"DEFAULT_VALUE": {"TYPE": "NONE", "VALUE": ""}},
    "datetime": {"DEFAULT_VALUE": {"TYPE": "NONE", "VALUE": ""}, "USE_SECOND": "Y", "USE_TIMEZONE": "N"},
    "enumeration": {"DISPLAY": "LIST", "LIST_HEIGHT": 1, "CAPTION_NO_VALUE": "", "SHOW_NO_VALUE": "Y"},
    "money": {"DEFAULT_VALUE": ""},
    "url": {"POPUP": "Y", "SIZE": 20, **_LENGTHS, "ROWS": 1, "DEFAULT_VALUE": ""},
}
"""Default settings of a field; those of a double have no precision."""


def settings_of(spec: UserField) -> Any:
    """The settings of a field as they are printed; PHP's empty array where there are none."""
    return {**_SETTINGS.get(spec.type, {}), **spec.settings} or []


def describe_user_classic(spec: UserField) -> dict[str, Any]:
    """One user field in ``crm.X.fields``: `title` is the code, captions are in the labels."""
    described = _described(spec)
    shown = labels(spec)
    captions = {"listLabel": "LIST_COLUMN_LABEL", "formLabel": "EDIT_FORM_LABEL", "filterLabel": "LIST_FILTER_LABEL"}
    named = {key: shown[name].get(LANGUAGE) for key, name in captions.items()}
    return described | {"title": spec.code} | named | _items(spec) | {"settings": settings_of(spec)}


def describe_user_item(spec: UserField) -> dict[str, Any]:
    """One user field in ``crm.item.fields``: `title` is the caption."""
    return (
        _described(spec)
        | {"title": spec.title}
        | _items(spec)
        | {"settings": settings_of(spec), "upperName": spec.code}
    )


def _described(spec: UserField) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": spec.type,
        "isRequired": spec.mandatory,
        "isReadOnly": False,
        "isImmutable": False,
        "isMultiple": spec.multiple,
        "isDynamic": True,
    }
    if spec.type == "crm_status":
        described["statusType"] = spec.settings["ENTITY_TYPE"]
    return described


def _items(spec: UserField) -> dict[str, Any]:
    if spec.type != "enumeration":
        return {}
    return {"items": [{"ID": str(choice), "VALUE": value} for choice, value in spec.items]}


LANGUAGES: Final = ("en", "ru")
LANGUAGE: Final = "ru"
"""The portal's own."""
LABELS: Final = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL", "ERROR_MESSAGE", "HELP_MESSAGE")
MESSAGES: Final = ("ERROR_MESSAGE", "HELP_MESSAGE")
DISPLAY: Final[dict[str, Any]] = {
    "XML_ID": None,
    "SHOW_FILTER": "E",
    "SHOW_IN_LIST": "Y",
    "EDIT_IN_LIST": "Y",
    "IS_SEARCHABLE": "N",
}
"""Default display settings of a field."""


def labels(spec: UserField) -> dict[str, dict[str, str | None]]:
    """Captions of a field by kind and language; messages are empty unless they were written."""
    plain: dict[str, Any] = {name: None if name in MESSAGES else spec.title for name in LABELS}
    return {
        name: spec.display.get(name) or dict.fromkeys(LANGUAGES, value) for name, value in plain.items()
    }  # fmt: skip


def _choices(spec: UserField) -> list[dict[str, str]]:
    written = spec.display.get("LIST", {})
    return [
        {"ID": str(choice), "SORT": str(10 * place), "VALUE": value, "DEF": "N", "XML_ID": f"xml{choice}"}
        | written.get(str(choice), {})
        for place, (choice, value) in enumerate(spec.items, 1)
    ]


def entry(spec: UserField, entity_id: str) -> dict[str, Any]:
    """The settings of a field as ``crm.X.userfield.get`` prints them: captions in every language
    (https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-fields/).
    """
    display = DISPLAY | {"SORT": str(100 + spec.id)} | spec.display
    printed: dict[str, Any] = {
        "ID": str(spec.id),
        "ENTITY_ID": entity_id,
        "FIELD_NAME": spec.code,
        "USER_TYPE_ID": spec.type,
        "XML_ID": display["XML_ID"],
        "SORT": display["SORT"],
        "MULTIPLE": "Y" if spec.multiple else "N",
        "MANDATORY": "Y" if spec.mandatory else "N",
        **{name: display[name] for name in DISPLAY if name != "XML_ID"},
        "SETTINGS": settings_of(spec),
        **labels(spec),
    }
    return printed | {"LIST": _choices(spec)} if spec.type == "enumeration" else printed


def list_entry(spec: UserField, entity_id: str, language: str = LANGUAGE) -> dict[str, Any]:
    """One row of ``crm.X.userfield.list``: captions in one language."""
    printed = entry(spec, entity_id)
    return printed | {name: printed[name].get(language) for name in LABELS}


_COLOURS: Final = ("Red", "Зелёный", "Blue & white", "Red")
"""Two choices share a caption: a caption need not name one code."""

# (code after the prefix, type, multiple, caption, choices, settings)
_EVERY_TYPE: Final[tuple[tuple[str, str, bool, str, tuple[str, ...], dict[str, Any]], ...]] = (
    ("MY_STRING", "string", False, "Строка", (), {"SIZE": 20, "ROWS": 1, "DEFAULT_VALUE": None}),
    ("1721244482250", "integer", False, "Целое", (), {"SIZE": 20, "MIN_VALUE": 0, "MAX_VALUE": 0}),
    ("1721244482251", "double", False, "Число", (), {"PRECISION": 4, "SIZE": 20}),
    ("IS_VIP", "boolean", False, "VIP?", (), {"DEFAULT_VALUE": 0, "DISPLAY": "CHECKBOX"}),
    ("BIRTH_DAY", "date", False, "День", (), {"DEFAULT_VALUE": {"TYPE": "NONE", "VALUE": ""}}),
    ("VISIT_TIME", "datetime", False, "Визит", (), {"USE_SECOND": "Y"}),
    ("COLOUR", "enumeration", False, "Цвет", _COLOURS, {"DISPLAY": "LIST", "LIST_HEIGHT": 1}),
    ("COLOURS", "enumeration", True, "Цвета", _COLOURS, {"DISPLAY": "CHECKBOX", "LIST_HEIGHT": 5}),
    ("PRICE", "money", False, "Цена", (), {"DEFAULT_VALUE": ""}),
    ("SITE", "url", False, "Сайт", (), {"POPUP": "Y", "SIZE": 20}),
    ("PLACE", "address", False, "Место", (), {"SHOW_MAP": "Y"}),
    ("MANAGER", "employee", False, "Менеджер", (), {}),
    ("SCAN", "file", False, "Скан", (), {"SIZE": 20, "MAX_ALLOWED_SIZE": 0}),
    ("SCANS", "file", True, "Сканы", (), {"SIZE": 20, "MAX_ALLOWED_SIZE": 0}),
    ("PARTNER", "crm", False, "Партнёр", (), {"LEAD": "N", "CONTACT": "N", "COMPANY": "Y", "DEAL": "N"}),
    (
        "RELATED",
        "crm",
        True,
        "Связи",
        (),
        {"LEAD": "Y", "CONTACT": "Y", "COMPANY": "Y", "DEAL": "Y", "DYNAMIC_128": "Y"},
    ),
    ("ORIGIN_SOURCE", "crm_status", False, "Источник", (), {"ENTITY_TYPE": "SOURCE"}),
    ("ELEMENT", "iblock_element", False, "Элемент", (), {"IBLOCK_ID": 21}),
    ("SECTION", "iblock_section", True, "Разделы", (), {"IBLOCK_ID": 21}),
    ("TAGS", "string", True, "Теги", (), {"SIZE": 20}),
    ("DAYS", "date", True, "Дни", (), {}),
    ("MOMENTS", "datetime", True, "Моменты", (), {}),
    ("WEIGHTS", "double", True, "Веса", (), {"PRECISION": 2}),
    ("CARD", "rest_12_card", False, "Карточка", (), {}),
    ("TWIN_CODE", "string", False, "Близнец 1", (), {}),
    ("TWINCODE", "string", False, "Близнец 2", (), {}),
    ("RAW__TAIL", "string", False, "Двойная черта", (), {}),
)
# one code for each kind of conversion of names (fields.names)
_ODDLY_NAMED: Final[tuple[tuple[str, str, str], ...]] = (
    ("5B9A3C1F2D6A7", "string", "Комментарий склада"),
    ("10_DIGIT10", "double", "Коэффициент"),
    ("94_TRANSCRIPT_1", "datetime", "Расшифровка"),
    ("COLORS2", "integer", "Оттенок"),
    ("A_B_C", "string", "Категория ABC"),
    ("1689591234567", "string", "Номер договора"),
)
_FEW: Final = frozenset({"MY_STRING", "COLOUR", "COLOURS", "IS_VIP", "BIRTH_DAY", "TAGS", "PRICE", "VISIT_TIME"})


_MESSAGES: Final = {
    "ERROR_MESSAGE": dict.fromkeys(LANGUAGES, "Введите строку"),
    "HELP_MESSAGE": dict.fromkeys(LANGUAGES, "Любая строка"),
}


def seeded(prefixes: Sequence[tuple[int, str]]) -> list[UserField]:
    """The user fields of a fresh portal: every type for deals (2) and the first smart process (128), some elsewhere."""
    fields: list[UserField] = []
    choice = FIRST_ENUM_ID
    for entity_type_id, prefix in prefixes:
        for tail, type_, multiple, title, texts, settings in _EVERY_TYPE:
            if entity_type_id not in {2, 128} and tail not in _FEW:
                continue
            items = tuple((choice + 2 * place, text) for place, text in enumerate(texts))
            choice += 2 * len(items)
            code = prefix + (tail if prefix == "UF_CRM_" or not tail.isdigit() else tail[:10])
            if any(known.code == code and known.entity_type_id == entity_type_id for known in fields):
                code += "1"
            number, display = 2 * len(fields) + 101, _MESSAGES if tail == "MY_STRING" else {}
            fields.append(
                UserField(number, entity_type_id, code, type_, multiple, False, title, items, settings, dict(display))
            )
    return fields + _oddly_named(prefixes)


def _oddly_named(prefixes: Sequence[tuple[int, str]]) -> list[UserField]:
    """User fields of every table whose names are converted irregularly, numbered after all others."""
    named = (
        (number, prefix + tail, type_, title) for number, prefix in prefixes for tail, type_, title in _ODDLY_NAMED
    )
    return [
        UserField(2 * place + 5001, number, code, type_, title=title)
        for place, (number, code, type_, title) in enumerate(named)
    ]
