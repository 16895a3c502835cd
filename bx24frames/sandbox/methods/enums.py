"""Closed lists of the CRM and descriptions without a table: ``crm.enum.*``, ``crm.multifield.fields``,
``crm.userfield.types`` and its like (https://apidocs.bitrix24.com/api-reference/crm/auxiliary/enum/).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY
from bx24frames.sandbox.methods.dictionaries import flat
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import ENTITY_TYPES, Row

_Choice = tuple[int, str]

ENUMS: Final[Mapping[str, tuple[_Choice, ...]]] = {
    "activitydirection": ((0, ""), (1, "Входящее"), (2, "Исходящее")),
    "activitynotifytype": ((0, ""), (1, "мин."), (2, "ч."), (3, "дн.")),
    "activitypriority": ((0, ""), (1, "низкая"), (2, "средняя"), (3, "высокая")),
    "activitystatus": ((0, ""), (1, "Ожидается"), (2, "Завершено"), (3, "Завершено автоматически")),
    "activitytype": (
        (0, ""),
        (1, "Встреча"),
        (2, "Звонок"),
        (3, "Задача"),
        (4, "Письмо"),
        (5, "Действие"),
        (6, "Пользовательское действие"),
    ),
    "addresstype": (
        (11, "Адрес доставки"),
        (1, "Фактический адрес"),
        (6, "Юридический адрес"),
        (4, "Адрес регистрации"),
        (8, "Адрес для корреспонденции"),
        (9, "Адрес бенефициара"),
    ),
    "contenttype": ((0, ""), (1, "Plain text"), (2, "bbCode"), (3, "HTML")),
    "settings.mode": ((1, "Классическая CRM"), (2, "Простая CRM")),
}

# in addition to those of the tables: (id, caption, code, short code)
OTHER_OWNERS: Final = (
    (5, "Счёт (старая версия)", "INVOICE", "I"),
    (8, "Реквизиты", "REQUISITE", "RQ"),
    (36, "Документ", "SMART_DOCUMENT", "DO"),
    (39, "Документ компании", "SMART_B2E_DOC", "SBD"),
)
CLASSIC_MODE: Final = 1

ENUM_FIELDS: Final = {
    "ID": flat("int", "ID", read_only=READ_ONLY),
    "NAME": flat("string", "Название", read_only=READ_ONLY),
    "SYMBOL_CODE": flat("string", "Символьный код", read_only=READ_ONLY),
    "SYMBOL_CODE_SHORT": flat("string", "Краткий символьный код", read_only=READ_ONLY),
}
MULTIFIELD_FIELDS: Final = {
    "ID": flat("int", "ID", read_only=READ_ONLY),
    "TYPE_ID": flat("string", "Тип поля", read_only=READ_ONLY),
    "VALUE": flat("string", "Значение"),
    "VALUE_TYPE": flat("string", "Тип значения"),
}
COMMUNICATION_FIELDS: Final = {
    "ID": flat("integer", "ID", read_only=READ_ONLY),
    "ACTIVITY_ID": flat("integer", "Дело", read_only=READ_ONLY),
    "ENTITY_ID": flat("integer", "ID элемента сущности"),
    "ENTITY_TYPE_ID": flat("integer", "Тип сущности"),
    "TYPE": flat("string", "Тип"),
    "VALUE": flat("string", "Значение"),
}


def _entry(number: int, caption: str, code: str | None = None, short: str | None = None) -> Row:
    return {"ID": number, "NAME": caption, "SYMBOL_CODE": code, "SYMBOL_CODE_SHORT": short}


def _enum(choices: tuple[_Choice, ...], _: Params, __: Context) -> Result:
    """The entries of one closed list, unpaged."""
    return Result([_entry(number, caption) for number, caption in choices])


def _static(value: Any, _: Params, __: Context) -> Result:
    """A constant answer."""
    return Result(value)


for _name, _choices in ENUMS.items():
    method(f"crm.enum.{_name}", "crm")(partial(_enum, _choices))
for _name, _fields in (
    ("enum", ENUM_FIELDS),
    ("multifield", MULTIFIELD_FIELDS),
    ("activity.communication", COMMUNICATION_FIELDS),
):
    method(f"crm.{_name}.fields", "crm")(partial(_static, _fields))
method("crm.settings.mode.get", "crm")(partial(_static, CLASSIC_MODE))


@method("crm.enum.ownertype", "crm")
def list_owner_types(_: Params, context: Context) -> Result:
    """The types of objects, including smart processes."""
    known = [(entity.id, entity.title, entity.name.upper(), entity.short) for entity in context.store.entities()]
    return Result([_entry(*owner) for owner in sorted((*known, *OTHER_OWNERS))])


@method("crm.enum.getorderownertypes", "crm")
def list_order_owners(_: Params, __: Context) -> Result:
    """The types that an order of the shop may belong to."""
    deal = ENTITY_TYPES[2]
    return Result([{"attribute": "DYN", "code": deal.name.upper(), "id": deal.id, "name": deal.title}])


# ---------------------------------------------------------------- types of user fields

USER_TYPES: Final[Mapping[str, str]] = {
    "string": "Строка",
    "integer": "Целое число",
    "double": "Число",
    "boolean": "Да/Нет",
    "enumeration": "Список",
    "datetime": "Дата/Время",
    "date": "Дата",
    "money": "Деньги",
    "url": "Ссылка",
    "address": "Адрес",
    "file": "Файл",
    "employee": "Привязка к пользователю",
    "crm_status": "Привязка к справочникам CRM",
    "iblock_section": "Привязка к разделам инф. блоков",
    "iblock_element": "Привязка к элементам инфоблоков",
    "crm": "Привязка к элементам CRM",
}
_LABELS: Final = {
    "EDIT_FORM_LABEL": "Подпись в форме редактирования",
    "LIST_COLUMN_LABEL": "Заголовок в списке",
    "LIST_FILTER_LABEL": "Подпись фильтра в списке",
    "ERROR_MESSAGE": "Сообщение об ошибке",
    "HELP_MESSAGE": "Помощь",
}
USER_FIELD_FIELDS: Final[Mapping[str, Row]] = {
    "ID": {"type": "int", "title": "Ид", "isReadOnly": True},
    "ENTITY_ID": {"type": "string", "title": "Объект", "isImmutable": True},
    "FIELD_NAME": {"type": "string", "title": "Код", "isImmutable": True},
    "USER_TYPE_ID": {"type": "string", "title": "Тип данных", "isImmutable": True},
    "XML_ID": {"type": "string", "title": "Внешний Ид (XML ID)"},
    "SORT": {"type": "int", "title": "Сортировка"},
    "MULTIPLE": {"type": "char", "title": "Множественное"},
    "MANDATORY": {"type": "char", "title": "Обязательное"},
    "SHOW_FILTER": {"type": "char", "title": "Показывать в фильтре списка"},
    "SHOW_IN_LIST": {"type": "char", "title": "Показывать в списке"},
    "EDIT_IN_LIST": {"type": "char", "title": "Разрешать редактирование пользователем"},
    "IS_SEARCHABLE": {"type": "char", "title": "Значения поля участвуют в поиске"},
    **{name: {"type": "string", "title": title} for name, title in _LABELS.items()},
    "LIST": {"type": "uf_enum_element", "title": "Элементы списка", "isMultiple": True},
    "SETTINGS": {"type": "object", "title": "Дополнительные настройки (зависят от типа)"},
}
CHOICE_FIELDS: Final[Mapping[str, Row]] = {
    "ID": {"type": "int", "title": "Ид", "isReadOnly": True},
    "SORT": {"type": "int", "title": "Сортировка"},
    "VALUE": {"type": "string", "title": "Значение"},
    "DEF": {"type": "string", "title": "Значение по умолчанию"},
    "DEL": {"type": "string", "title": "Флаг удаления элемента"},
}


def _setting(type: str, title: str) -> Row:
    return {"type": type, "title": title}


_DEFAULT: Final = "Значение по умолчанию"
_IBLOCK: Final = {
    "IBLOCK_TYPE_ID": _setting("string", "Тип инфоблока"),
    "IBLOCK_ID": _setting("string", "Инфоблок"),
    "DEFAULT_VALUE": _setting("string", _DEFAULT),
    "DISPLAY": _setting("string", "Внешний вид"),
    "LIST_HEIGHT": _setting("int", "Высота списка"),
    "ACTIVE_FILTER": _setting("string", "Показывать только активные"),
}
_SETTINGS: Final[Mapping[str, Mapping[str, Row]]] = {
    "string": {"DEFAULT_VALUE": _setting("string", _DEFAULT), "ROWS": _setting("int", "Высота поля")},
    "integer": {"DEFAULT_VALUE": _setting("int", _DEFAULT)},
    "double": {"DEFAULT_VALUE": _setting("double", _DEFAULT), "PRECISION": _setting("int", "Точность")},
    "boolean": {"DEFAULT_VALUE": _setting("int", _DEFAULT), "DISPLAY": _setting("string", "Внешний вид")},
    "datetime": {"DEFAULT_VALUE": _setting("datetime", _DEFAULT)},
    "date": {"DEFAULT_VALUE": _setting("date", _DEFAULT)},
    "enumeration": {
        "DISPLAY": _setting("string", "Внешний вид"),
        "LIST_HEIGHT": _setting("int", "Высота списка"),
        "CAPTION_NO_VALUE": _setting("string", "Подпись при отсутствии значения"),
        "SHOW_NO_VALUE": _setting("char", "Показывать пустое значение"),
    },
    "crm_status": {"ENTITY_TYPE": _setting("string", "Тип справочника")},
    "crm": {
        name: _setting("char", title)
        for name, title in (("LEAD", "Лид"), ("CONTACT", "Контакт"), ("COMPANY", "Компания"), ("DEAL", "Сделка"))
    },
    "iblock_section": _IBLOCK,
    "iblock_element": _IBLOCK,
}


@method("crm.userfield.types", "crm")
def list_user_types(_: Params, __: Context) -> Result:
    """The types of user fields."""
    return Result([{"ID": name, "title": title} for name, title in USER_TYPES.items()])


@method("userfieldconfig.getTypes", "userfieldconfig")
def map_user_types(params: Params, context: Context) -> Result:
    """The types of user fields of a module, by their names."""
    module = php_text(params.get("moduleId"))
    if context.scopes is not None and module not in context.scopes:
        raise MethodError("", f"The current method required more scopes. ({module})")
    if module != "crm":
        raise MethodError("", "No settings for UserFieldAccess")
    types = {name: {"userTypeId": name, "description": title} for name, title in USER_TYPES.items()}
    return Result({"types": types})


method("crm.userfield.fields", "crm")(partial(_static, USER_FIELD_FIELDS))
method("crm.userfield.enumeration.fields", "crm")(partial(_static, CHOICE_FIELDS))


@method("crm.userfield.settings.fields", "crm")
def describe_settings(params: Params, _: Context) -> Result:
    """The settings that user fields of a type have."""
    type_ = php_text(params.get("type", params.get("TYPE")))
    if not type_:
        raise MethodError("", "Parameter 'type' is not specified or empty.")
    return Result(_SETTINGS.get(type_, {}))
