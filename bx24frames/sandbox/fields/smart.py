"""The system fields of smart processes, the smart invoice, and of the tables around the CRM."""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox.fields.crm import (
    ACTIVITY,
    COMPANY_LINK,
    CONTACT_LINKS,
    ID,
    MONEY,
    OBSERVERS,
    SOURCE,
    UTM,
    Fields,
)
from bx24frames.sandbox.fields.field import FieldSpec as F

SMART: Final[Fields] = (
    ID,
    F("XML_ID", "string", "Внешний код"),
    F("TITLE", "string", "Название"),
    F("CREATED_BY", "user", "Кем создан", read_only=True),
    F("UPDATED_BY", "user", "Кем изменён", read_only=True),
    F("MOVED_BY", "user", "Кем перемещён", read_only=True),
    F("CREATED_TIME", "datetime", "Когда создан", read_only=True),
    F("UPDATED_TIME", "datetime", "Когда обновлён", read_only=True),
    F("MOVED_TIME", "datetime", "Когда перемещён", read_only=True),
    F("CATEGORY_ID", "crm_category", "Воронка"),
    F("OPENED", "boolean", "Доступен для всех", claimed="item"),
    F("STAGE_ID", "crm_status", "Стадия"),
    F("PREVIOUS_STAGE_ID", "crm_status", "Предыдущая стадия", read_only=True),
    F("BEGINDATE", "date", "Дата начала"),
    F("CLOSEDATE", "date", "Предполагаемая дата закрытия"),
    COMPANY_LINK,
    *CONTACT_LINKS,
    OBSERVERS,
    F("MYCOMPANY_ID", "crm_company", "Реквизиты вашей компании", parent=4),
    *MONEY,
    F("TAX_VALUE", "double", "Сумма налога"),
    *SOURCE,
    F("WEBFORM_ID", "integer", "Создано CRM-формой"),
    F("ASSIGNED_BY_ID", "user", "Ответственный"),
    *ACTIVITY,
    *UTM,
    F("PARENT_ID_2", "crm_entity", "Сделка", parent=2),
)

INVOICE: Final[Fields] = (
    *SMART,
    F("ACCOUNT_NUMBER", "string", "Номер"),
    F("COMMENTS", "text", "Комментарий"),
    F("LOCATION_ID", "location", "Местоположение"),
)

USER: Final[Fields] = (
    ID,
    F("XML_ID", "string", "Внешний код"),
    F("ACTIVE", "active", "Активность"),
    F("NAME", "string", "Имя"),
    F("LAST_NAME", "string", "Фамилия"),
    F("SECOND_NAME", "string", "Отчество"),
    F("TITLE", "string", "Обращение"),
    F("EMAIL", "string", "E-Mail"),
    F("LAST_LOGIN", "datetime", "Последняя авторизация"),
    F("DATE_REGISTER", "datetime", "Дата регистрации"),
    F("TIME_ZONE", "string", "TIME_ZONE"),
    F("IS_ONLINE", "char", "IS_ONLINE"),
    F("TIME_ZONE_OFFSET", "string", "TIME_ZONE_OFFSET"),
    F("TIMESTAMP_X", "datetime", "TIMESTAMP_X"),
    F("LAST_ACTIVITY_DATE", "datetime", "LAST_ACTIVITY_DATE"),
    F("PERSONAL_GENDER", "string", "Пол"),
    F("PERSONAL_BIRTHDAY", "date", "Дата рождения"),
    F("PERSONAL_PHONE", "string", "Личный телефон"),
    F("PERSONAL_MOBILE", "string", "Личный мобильный"),
    F("PERSONAL_CITY", "string", "Город проживания"),
    F("WORK_PHONE", "string", "Телефон компании"),
    F("WORK_COMPANY", "string", "Компания"),
    F("WORK_POSITION", "string", "Должность"),
    F("UF_DEPARTMENT", "integer", "Подразделения", multiple=True),
    F("UF_PHONE_INNER", "string", "Внутренний телефон"),
    F("USER_TYPE", "string", "USER_TYPE"),
)

STAGE_HISTORY: Final[Fields] = (
    ID,
    F("OWNER_TYPE_ID", "integer", "Тип владельца"),
    F("TYPE_ID", "integer", "Тип записи"),
    F("OWNER_ID", "integer", "Владелец"),
    F("CREATED_TIME", "datetime", "Когда"),
    F("CATEGORY_ID", "integer", "Воронка"),
    F("STAGE_SEMANTIC_ID", "string", "Группа стадии"),
    F("STAGE_ID", "string", "Стадия"),
)

PRODUCT_ROW: Final[Fields] = (
    ID,
    F("OWNER_ID", "integer", "Владелец", required=True),
    F("OWNER_TYPE", "string", "Тип владельца", required=True),
    F("PRODUCT_ID", "integer", "Товар", claimed="item"),
    F("PRODUCT_NAME", "string", "Название товара"),
    F("PRICE", "double", "Цена"),
    F("PRICE_EXCLUSIVE", "double", "Цена без налога со скидкой", read_only=True),
    F("PRICE_NETTO", "double", "PRICE_NETTO", read_only=True),
    F("PRICE_BRUTTO", "double", "PRICE_BRUTTO", read_only=True),
    F("PRICE_ACCOUNT", "double", "PRICE_ACCOUNT", read_only=True),
    F("QUANTITY", "double", "Количество"),
    F("DISCOUNT_TYPE_ID", "integer", "Тип скидки"),
    F("DISCOUNT_RATE", "double", "Величина скидки"),
    F("DISCOUNT_SUM", "double", "Сумма скидки"),
    F("TAX_RATE", "double", "Налог"),
    F("TAX_INCLUDED", "char", "Налог включён в цену"),
    F("CUSTOMIZED", "char", "Изменён", read_only=True),
    F("MEASURE_CODE", "integer", "Код единицы измерения"),
    F("MEASURE_NAME", "string", "Единица измерения"),
    F("SORT", "integer", "Сортировка"),
    F("TYPE", "integer", "Тип товара", read_only=True),
    F("STORE_ID", "integer", "Склад", read_only=True),
)
