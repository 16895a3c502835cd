"""The fields of the tables of people's work: tasks and their time, calls, lists, workgroups, the disk."""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox.fields.crm import ID, Fields
from bx24frames.sandbox.fields.field import FieldSpec as F

TASK: Final[Fields] = (
    ID,
    F("PARENT_ID", "integer", "ID базовой задачи"),
    F("TITLE", "string", "Название", required=True),
    F("DESCRIPTION", "string", "Описание"),
    F("MARK", "enum", "Оценка"),
    F("PRIORITY", "enum", "Приоритет"),
    F("STATUS", "enum", "Статус"),
    F("MULTITASK", "enum", "Множественная задача"),
    F("NOT_VIEWED", "enum", "Не просмотрена"),
    F("REPLICATE", "enum", "Повторяемая"),
    F("STAGE_ID", "integer", "Стадия"),
    F("CREATED_BY", "integer", "Постановщик", required=True),
    F("CREATED_DATE", "datetime", "Создана"),
    F("RESPONSIBLE_ID", "integer", "Исполнитель", required=True),
    F("CHANGED_BY", "integer", "Кем изменена"),
    F("CHANGED_DATE", "datetime", "Изменена"),
    F("CLOSED_BY", "integer", "Кем закрыта"),
    F("CLOSED_DATE", "datetime", "Закрыта"),
    F("DATE_START", "datetime", "Начата"),
    F("DEADLINE", "datetime", "Крайний срок"),
    F("TIME_ESTIMATE", "integer", "Затраты план"),
    F("GROUP_ID", "integer", "Проект"),
    F("ACCOMPLICES", "array", "Соисполнители"),
    F("AUDITORS", "array", "Наблюдатели"),
    F("TAGS", "array", "Теги"),
    F("UF_CRM_TASK", "array", "CRM", "ufCrmTask"),
    F("UF_TASK_WEBDAV_FILES", "array", "Файлы", "ufTaskWebdavFiles"),
)

ELAPSED: Final[Fields] = (
    ID,
    F("TASK_ID", "integer", "Задача"),
    F("USER_ID", "integer", "Кто"),
    F("COMMENT_TEXT", "string", "Комментарий"),
    F("SECONDS", "integer", "Секунд"),
    F("MINUTES", "integer", "Минут"),
    F("SOURCE", "integer", "Источник"),
    F("CREATED_DATE", "datetime", "Создано"),
    F("DATE_START", "datetime", "Начало"),
    F("DATE_STOP", "datetime", "Конец"),
)

CALL: Final[Fields] = (
    ID,
    F("PORTAL_USER_ID", "integer", "Сотрудник"),
    F("PORTAL_NUMBER", "string", "Номер портала"),
    F("PHONE_NUMBER", "string", "Номер"),
    F("CALL_ID", "string", "Звонок"),
    F("EXTERNAL_CALL_ID", "string", "Внешний код"),
    F("CALL_CATEGORY", "string", "Вид"),
    F("CALL_DURATION", "integer", "Секунд"),
    F("CALL_START_DATE", "datetime", "Начало"),
    F("CALL_TYPE", "integer", "Тип"),
    F("CALL_FAILED_CODE", "string", "Код"),
    F("CALL_FAILED_REASON", "string", "Причина"),
    F("CALL_VOTE", "integer", "Оценка"),
    F("COST", "double", "Стоимость", scale=4),
    F("COST_CURRENCY", "string", "Валюта"),
    F("CRM_ENTITY_TYPE", "string", "Тип"),
    F("CRM_ENTITY_ID", "integer", "Сущность"),
    F("CRM_ACTIVITY_ID", "integer", "Дело"),
    F("TRANSCRIPT_PENDING", "char", "Расшифровка"),
    F("SESSION_ID", "integer", "Сессия"),
    F("RECORD_FILE_ID", "integer", "Запись"),
)

LIST_ELEMENT: Final[Fields] = (
    ID,
    F("IBLOCK_ID", "integer", "Список"),
    F("NAME", "string", "Название"),
    F("IBLOCK_SECTION_ID", "integer", "Раздел"),
    F("CREATED_BY", "integer", "Кем создан"),
    F("BP_PUBLISHED", "char", "Опубликован"),
    F("CODE", "string", "Символьный код"),
    F("DATE_CREATE", "datetime", "Создан"),
    F("TIMESTAMP_X", "datetime", "Изменён"),
    F("PROPERTY_101", "string", "Заметка"),
    F("PROPERTY_103", "double", "Вес"),
    F("PROPERTY_105", "enum", "Цвет"),
    F("PROPERTY_107", "enum", "День"),
    F("PROPERTY_109", "array", "Метки"),
)

WORKGROUP: Final[Fields] = (
    ID,
    F("SITE_ID", "string", "Сайт", faces="classic"),
    F("NAME", "string", "Название", required=True),
    F("DESCRIPTION", "string", "Описание"),
    F("DATE_CREATE", "datetime", "Создана"),
    F("DATE_UPDATE", "datetime", "Изменена"),
    F("ACTIVE", "char", "Активна"),
    F("VISIBLE", "char", "Видна всем"),
    F("OPENED", "char", "Открыта"),
    F("CLOSED", "char", "Архив"),
    F("SUBJECT_ID", "integer", "Тема"),
    F("OWNER_ID", "integer", "Владелец"),
    F("KEYWORDS", "string", "Ключевые слова", faces="classic"),
    F("NUMBER_OF_MEMBERS", "integer", "Участников"),
    F("DATE_ACTIVITY", "datetime", "Активность"),
    F("PROJECT", "char", "Проект"),
)

STORAGE: Final[Fields] = (
    ID,
    F("NAME", "string", "Название"),
    F("CODE", "string", "Код"),
    F("MODULE_ID", "string", "Модуль"),
    F("ENTITY_TYPE", "string", "Тип"),
    F("ENTITY_ID", "string", "Владелец"),
    F("ROOT_OBJECT_ID", "integer", "Корень"),
)

DISK_ITEM: Final[Fields] = (
    ID,
    F("NAME", "string", "Название"),
    F("CODE", "string", "Код"),
    F("STORAGE_ID", "integer", "Хранилище"),
    F("TYPE", "string", "Тип"),
    F("REAL_OBJECT_ID", "integer", "Объект"),
    F("PARENT_ID", "integer", "Папка"),
    F("DELETED_TYPE", "integer", "Удалён"),
    F("FILE_ID", "integer", "Файл"),
    F("SIZE", "integer", "Байт"),
    F("CREATE_TIME", "datetime", "Создан"),
    F("UPDATE_TIME", "datetime", "Изменён"),
    F("DELETE_TIME", "datetime", "Удалён"),
    F("CREATED_BY", "integer", "Кем создан"),
    F("UPDATED_BY", "integer", "Кем изменён"),
    F("DELETED_BY", "integer", "Кем удалён"),
    F("DETAIL_URL", "string", "Страница"),
)
