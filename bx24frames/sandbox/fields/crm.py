"""System fields of leads, deals, contacts, companies and quotes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bx24frames.sandbox.fields.field import FieldSpec

Fields = tuple[FieldSpec, ...]


def _f(code: str, type: str, title: str, name: str = "", upper: str = "", **kw: Any) -> FieldSpec:
    return FieldSpec(code, type, title, name, upper, **kw)


ID: Final = _f("ID", "integer", "ID", read_only=True)
TITLE: Final = _f("TITLE", "string", "Название")
_NAMES: Final[Fields] = (
    _f("HONORIFIC", "crm_status", "Обращение", status="HONORIFIC"),
    _f("NAME", "string", "Имя"),
    _f("SECOND_NAME", "string", "Отчество"),
    _f("LAST_NAME", "string", "Фамилия"),
)
SOURCE: Final[Fields] = (
    _f("SOURCE_ID", "crm_status", "Источник", status="SOURCE"),
    _f("SOURCE_DESCRIPTION", "text", "Дополнительно об источнике"),
)
MONEY_FIELDS: Final[Fields] = (
    _f("CURRENCY_ID", "crm_currency", "Валюта"),
    _f("OPPORTUNITY", "double", "Сумма"),
    _f("IS_MANUAL_OPPORTUNITY", "char", "Сумма задана вручную"),
)
ACCOUNTED: Final[Fields] = (
    _f("OPPORTUNITY_ACCOUNT", "double", "Сумма в валюте отчётов", read_only=True, faces="item"),
    _f("ACCOUNT_CURRENCY_ID", "crm_currency", "Валюта отчётов", read_only=True, faces="item"),
)
AUDIT: Final[Fields] = (
    _f("ASSIGNED_BY_ID", "user", "Ответственный"),
    _f("CREATED_BY_ID", "user", "Кем создан", "createdBy", "CREATED_BY", read_only=True),
    _f("MODIFY_BY_ID", "user", "Кем изменен", "updatedBy", "UPDATED_BY", read_only=True),
    _f("DATE_CREATE", "datetime", "Дата создания", "createdTime", "CREATED_TIME", read_only=True),
    _f("DATE_MODIFY", "datetime", "Дата изменения", "updatedTime", "UPDATED_TIME", read_only=True),
)
MOVED: Final[Fields] = (
    _f("MOVED_BY_ID", "user", "Кем перемещён", "movedBy", "MOVED_BY", read_only=True),
    _f("MOVED_TIME", "datetime", "Когда перемещён", read_only=True),
)
ACTIVITY_FIELDS: Final[Fields] = (
    _f("LAST_ACTIVITY_BY", "user", "Автор последней активности", read_only=True, unsaid="item"),
    _f("LAST_ACTIVITY_TIME", "datetime", "Последняя активность", read_only=True, unsaid="item"),
)
COMMUNICATION: Final = _f(
    "LAST_COMMUNICATION_TIME", "string", "Дата последней коммуникации", read_only=True, faces="classic"
)
# a date-time that is described as text (a description printed by a cloud portal, September 2026)
CONTACTED: Final[Fields] = (
    _f("LAST_COMMUNICATION_TIME", "string", "Последняя коммуникация", faces="item"),
    _f("WEBFORM_ID", "crm_webform", "CRM-форма", faces="item"),
)
ORIGIN: Final[Fields] = (
    _f("ORIGINATOR_ID", "string", "Внешний источник"),
    _f("ORIGIN_ID", "string", "Идентификатор элемента во внешнем источнике"),
)
ORIGIN_VERSION: Final = _f("ORIGIN_VERSION", "string", "Версия данных во внешнем источнике")
UTM: Final[Fields] = (
    _f("UTM_SOURCE", "string", "Рекламная система"),
    _f("UTM_MEDIUM", "string", "Тип трафика"),
    _f("UTM_CAMPAIGN", "string", "Обозначение рекламной кампании"),
    _f("UTM_CONTENT", "string", "Содержание кампании"),
    _f("UTM_TERM", "string", "Условие поиска кампании"),
)
COMPANY_LINK: Final = _f("COMPANY_ID", "crm_company", "Компания", parent=4)
CONTACT_LINKS: Final[Fields] = (
    _f("CONTACT_ID", "crm_contact", "Контакт", deprecated=True),
    # present in crm.deal.fields, never in a classic list (crm module: classes/general/restservice.php)
    _f("CONTACT_IDS", "crm_contact", "Контакты", multiple=True, listed=False),
)
OBSERVERS: Final = _f("OBSERVERS", "user", "Наблюдатели", multiple=True, faces="item", listed=False)
_MULTIFIELDS: Final[Fields] = (
    _f("PHONE", "crm_multifield", "Телефон", multiple=True, faces="classic"),
    _f("EMAIL", "crm_multifield", "E-mail", multiple=True, faces="classic"),
    _f("WEB", "crm_multifield", "Сайт", multiple=True, faces="classic"),
    _f("IM", "crm_multifield", "Мессенджер", multiple=True, faces="classic"),
    _f("LINK", "crm_multifield", "LINK", multiple=True, faces="classic"),
    _f("FM", "crm_multifield", "Контактные данные", multiple=True, faces="item"),
)
HAS: Final[Fields] = (
    _f("HAS_PHONE", "char", "Задан телефон", read_only=True),
    _f("HAS_EMAIL", "char", "Задан e-mail", read_only=True),
    _f("HAS_IMOL", "char", "Задана открытая линия", read_only=True),
)


def _address(prefix: str) -> Fields:
    parts = (
        ("", "Адрес"),
        ("_2", "Адрес (стр. 2)"),
        ("_CITY", "Город"),
        ("_POSTAL_CODE", "Почтовый индекс"),
        ("_REGION", "Район"),
        ("_PROVINCE", "Область"),
        ("_COUNTRY", "Страна"),
        ("_COUNTRY_CODE", "Код страны"),
    )
    place = _f(f"{prefix}_LOC_ADDR_ID", "integer", "Идентификатор адреса местоположения", faces="classic")
    return (*(_f(prefix + tail, "string", title, faces="classic") for tail, title in parts), place)


LEAD: Final[Fields] = (
    ID,
    _f("TITLE", "string", "Название лида"),
    *_NAMES,
    _f("BIRTHDATE", "date", "Дата рождения"),
    _f("COMPANY_TITLE", "string", "Название компании"),
    *SOURCE,
    _f("STATUS_ID", "crm_status", "Статус", "stageId", "STAGE_ID", status="STATUS"),
    _f("STATUS_DESCRIPTION", "text", "Дополнительно о статусе"),
    _f("STATUS_SEMANTIC_ID", "string", "Состояние статуса", "stageSemanticId", "STAGE_SEMANTIC_ID", read_only=True),
    _f("POST", "string", "Должность"),
    *_address("ADDRESS"),
    *MONEY_FIELDS,
    _f("OPENED", "char", "Доступен для всех", claimed="item"),
    _f("COMMENTS", "text", "Комментарий"),
    *HAS,
    *AUDIT,
    *MOVED,
    COMPANY_LINK,
    *CONTACT_LINKS,
    OBSERVERS,
    _f("IS_RETURN_CUSTOMER", "char", "Повторный лид", read_only=True),
    _f("DATE_CLOSED", "datetime", "Дата завершения", read_only=True),
    *ORIGIN,
    *ACTIVITY_FIELDS,
    *CONTACTED,
    *UTM,
    *_MULTIFIELDS,
)

DEAL: Final[Fields] = (
    ID,
    TITLE,
    _f("TYPE_ID", "crm_status", "Тип", status="DEAL_TYPE"),
    _f("CATEGORY_ID", "crm_category", "Воронка", immutable=True),
    _f("STAGE_ID", "crm_status", "Стадия сделки", status="DEAL_STAGE"),
    _f("STAGE_SEMANTIC_ID", "string", "Группа стадии", read_only=True),
    _f("PREVIOUS_STAGE_ID", "crm_status", "Предыдущая стадия", read_only=True, faces="item", status="DEAL_STAGE"),
    _f("IS_NEW", "char", "Новая сделка", read_only=True),
    _f("IS_RECURRING", "char", "Регулярная сделка", read_only=True, unsaid="item"),
    _f("IS_RETURN_CUSTOMER", "char", "Повторная сделка", read_only=True),
    _f("IS_REPEATED_APPROACH", "char", "Повторное обращение", read_only=True),
    _f("PROBABILITY", "integer", "Вероятность"),
    *MONEY_FIELDS,
    *ACCOUNTED,
    _f("TAX_VALUE", "double", "Сумма налога"),
    _f("LEAD_ID", "crm_lead", "Лид", read_only=True),
    COMPANY_LINK,
    *CONTACT_LINKS,
    OBSERVERS,
    _f("QUOTE_ID", "crm_quote", "Предложение", read_only=True),
    _f("BEGINDATE", "date", "Дата начала"),
    _f("CLOSEDATE", "date", "Дата завершения"),
    _f("OPENED", "char", "Доступна для всех", claimed="item"),
    _f("CLOSED", "char", "Закрыта"),
    _f("COMMENTS", "text", "Комментарий"),
    _f("ADDITIONAL_INFO", "text", "Дополнительная информация"),
    _f("LOCATION_ID", "location", "Местоположение"),
    *AUDIT,
    *MOVED,
    *SOURCE,
    *ORIGIN,
    *ACTIVITY_FIELDS,
    *CONTACTED,
    *UTM,
    _f("PARENT_ID_128", "crm_entity", "Project", parent=128),
)

CONTACT: Final[Fields] = (
    ID,
    _NAMES[0],
    *(replace(spec, claimed="classic") for spec in _NAMES[1:]),
    _f("PHOTO", "file", "Фотография"),
    _f("BIRTHDATE", "date", "Дата рождения"),
    _f("TYPE_ID", "crm_status", "Тип контакта", status="CONTACT_TYPE"),
    *SOURCE,
    _f("POST", "string", "Должность"),
    *_address("ADDRESS"),
    _f("COMMENTS", "text", "Комментарий"),
    _f("OPENED", "char", "Доступен для всех", claimed="item"),
    _f("EXPORT", "char", "Участвует в экспорте контактов"),
    *HAS,
    *AUDIT,
    _f("COMPANY_ID", "crm_company", "Компания", parent=4, deprecated=True),
    _f("COMPANY_IDS", "crm_company", "Компании", multiple=True, listed=False),
    _f("LEAD_ID", "crm_lead", "Лид", read_only=True, parent=1),
    _f("CATEGORY_ID", "crm_category", "Направление", immutable=True, faces="item"),
    OBSERVERS,
    *ORIGIN,
    ORIGIN_VERSION,
    _f("FACE_ID", "integer", "Привязка к лицам из модуля faceid", read_only=True),
    *ACTIVITY_FIELDS,
    *UTM,
    *_MULTIFIELDS,
)

COMPANY: Final[Fields] = (
    ID,
    _f("TITLE", "string", "Название компании", claimed="classic"),
    _f("COMPANY_TYPE", "crm_status", "Тип компании", "typeId", "TYPE_ID", status="COMPANY_TYPE"),
    _f("LOGO", "file", "Логотип"),
    *_address("ADDRESS"),
    *_address("REG_ADDRESS"),
    _f("BANKING_DETAILS", "text", "Банковские реквизиты"),
    _f("INDUSTRY", "crm_status", "Сфера деятельности", status="INDUSTRY"),
    _f("EMPLOYEES", "crm_status", "Кол-во сотрудников", status="EMPLOYEES"),
    _f("CURRENCY_ID", "crm_currency", "Валюта"),
    _f("REVENUE", "double", "Годовой оборот"),
    _f("OPENED", "char", "Доступна для всех", claimed="item"),
    _f("COMMENTS", "text", "Комментарий"),
    *HAS,
    _f("IS_MY_COMPANY", "char", "Моя компания"),
    *AUDIT,
    _f("CONTACT_ID", "crm_contact", "Контакт", "contactIds", "CONTACT_IDS", multiple=True, listed=False),
    _f("LEAD_ID", "crm_lead", "Лид", read_only=True, parent=1),
    _f("CATEGORY_ID", "crm_category", "Направление", immutable=True, faces="item"),
    OBSERVERS,
    *ORIGIN,
    ORIGIN_VERSION,
    *(replace(spec, unsaid="item classic") for spec in ACTIVITY_FIELDS),
    *UTM,
    *_MULTIFIELDS,
    _f("ADDRESS_LEGAL", "string", "Юридический адрес", faces="classic"),
    COMMUNICATION,
)

QUOTE: Final[Fields] = (
    ID,
    _f("QUOTE_NUMBER", "string", "Номер", read_only=True),
    replace(TITLE, claimed="classic"),
    _f("STATUS_ID", "crm_status", "Статус", "stageId", "STAGE_ID", status="QUOTE_STATUS"),
    *MONEY_FIELDS[:2],
    replace(MONEY_FIELDS[2], faces="item"),
    _f("TAX_VALUE", "double", "Сумма налога"),
    COMPANY_LINK,
    _f("MYCOMPANY_ID", "crm_company", "Реквизиты вашей компании", parent=4),
    *CONTACT_LINKS,
    _f("LEAD_ID", "crm_lead", "Лид", parent=1),
    _f("DEAL_ID", "crm_deal", "Сделка", parent=2),
    _f("BEGINDATE", "date", "Дата выставления"),
    _f("CLOSEDATE", "date", "Дата завершения"),
    _f("ACTUAL_DATE", "date", "Действительно до"),
    _f("OPENED", "char", "Доступно для всех", claimed="item"),
    _f("CLOSED", "char", "Закрыто"),
    _f("COMMENTS", "text", "Комментарий"),
    _f("CONTENT", "text", "Содержание"),
    _f("TERMS", "text", "Условия"),
    _f("CLIENT_TITLE", "string", "Название клиента", faces="classic"),
    _f("CLIENT_PHONE", "string", "Телефон клиента", faces="classic"),
    _f("CLIENT_EMAIL", "string", "E-mail клиента", faces="classic"),
    _f("CLIENT_ADDR", "string", "Адрес", faces="classic"),
    _f("CLIENT_CONTACT", "string", "Контактное лицо", faces="classic"),
    _f("CLIENT_TP_ID", "string", "ИНН", faces="classic"),
    _f("CLIENT_TPA_ID", "string", "КПП", faces="classic"),
    _f("PERSON_TYPE_ID", "integer", "Тип плательщика"),
    _f("LOCATION_ID", "location", "Местоположение"),
    *AUDIT,
    *ACTIVITY_FIELDS,
    *UTM,
    COMMUNICATION,
)
