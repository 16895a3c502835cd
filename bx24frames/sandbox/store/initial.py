"""The portal's fixed dictionaries: stages, sources, pipelines, smart processes, currencies, departments."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

FINAL_SEMANTICS: Final = frozenset({"S", "F"})
PROCESS: Final = "P"

# (code, caption, semantics)
Stage = tuple[str, str, str | None]
_DEAL: Final[tuple[Stage, ...]] = (
    ("NEW", "Новая", None),
    ("PREPARATION", "Подготовка документов", None),
    ("PREPAYMENT_INVOICE", "Cчёт на предоплату", None),
    ("EXECUTING", "В работе", None),
    ("FINAL_INVOICE", "Финальный счёт", None),
    ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"),
    ("APOLOGY", "Анализ причины провала", "F"),
)
_SMART: Final[tuple[Stage, ...]] = (
    ("NEW", "Начало", None),
    ("PREPARATION", "Подготовка", None),
    ("CLIENT", "Согласование", None),
    ("SUCCESS", "Успех", "S"),
    ("FAIL", "Провал", "F"),
)


def _prefixed(prefix: str, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    return tuple((f"{prefix}:{code}", caption, semantic) for code, caption, semantic in stages)


_PLAIN: Final[dict[str, tuple[Stage, ...]]] = {
    "STATUS": (
        ("NEW", "Не обработан", None),
        ("IN_PROCESS", "В работе", None),
        ("3", "Думает", None),
        ("PROCESSED", "Обработан", None),
        ("CONVERTED", "Качественный лид", "S"),
        ("JUNK", "Некачественный лид", "F"),
    ),
    "DEAL_STAGE": _DEAL,
    "DEAL_STAGE_1": _prefixed("C1", _DEAL),
    "DEAL_STAGE_5": _prefixed("C5", _DEAL[:1] + _DEAL[3:7]),
    "QUOTE_STATUS": (
        ("DRAFT", "Новое", None),
        ("SENT", "Отправлено клиенту", None),
        ("APPROVED", "Принято", "S"),
        ("DECLAINED", "Отклонено", "F"),
    ),
    "SMART_INVOICE_STAGE_4": _prefixed(
        "DT31_4", (("N", "Новый", None), ("S", "Отправлен", None), ("P", "Оплачен", "S"), ("D", "Не оплачен", "F"))
    ),
    "DYNAMIC_128_STAGE_9": _prefixed("DT128_9", _SMART),
    "DYNAMIC_128_STAGE_10": _prefixed("DT128_10", _SMART),
    "DYNAMIC_1036_STAGE_15": _prefixed("DT1036_15", _SMART),
    "DYNAMIC_1038_STAGE_17": _prefixed("DT1038_17", _SMART),
    "SOURCE": (
        ("CALL", "Звонок", None),
        ("EMAIL", "Электронная почта", None),
        ("WEB", "Веб-сайт", None),
        ("PARTNER", "Существующий клиент", None),
        ("1", "Выставка", None),
        ("REPEAT_SALE", "Выставка", None),
    ),
    "DEAL_TYPE": (("SALE", "Продажа", None), ("SERVICES", "Услуги", None), ("COMPLEX", "Комплексная продажа", None)),
    "CONTACT_TYPE": (("CLIENT", "Клиенты", None), ("SUPPLIER", "Поставщики", None), ("OTHER", "Другое", None)),
    "COMPANY_TYPE": (("CUSTOMER", "Клиент", None), ("PARTNER", "Партнёр", None), ("OTHER", "Другое", None)),
    "INDUSTRY": (("IT", "Информационные технологии", None), ("FINANCE", "Финансы", None), ("OTHER", "Другое", None)),
    "EMPLOYEES": (
        ("EMPLOYEES_1", "менее 50", None),
        ("EMPLOYEES_2", "50-250", None),
        ("EMPLOYEES_3", "250-500", None),
    ),
    "HONORIFIC": (("HNR_RU_1", "г-н", None), ("HNR_RU_2", "г-жа", None)),
    "CALL_LIST": (
        ("IN_WORK", "В работе", None),
        ("SUCCESS", "Успешно", None),
        ("WRONG_NUMBER", "Неверный номер", None),
        ("STOP_CALLING", "Больше не звонить", None),
    ),
}
"""Two sources share a caption: a caption need not name one code."""

# entityTypeId: (id, caption, prefix of its stages)
CATEGORIES: Final[dict[int, tuple[tuple[int, str], ...]]] = {
    2: ((0, "Общая"), (1, "Закупки"), (5, "B2B & партнёры")),
    3: ((0, "Контакты"), (6, "Поставщики")),
    4: ((0, "Компании"), (7, "Поставщики")),
    31: ((4, "Общая"),),
    128: ((9, "Общая"), (10, "Вторая")),
    1036: ((15, "Общая"),),
    1038: ((17, "Общая"),),
}


def stage_dictionary(stages: str, category: int) -> str:
    """The dictionary of the stages of a pipeline, given that of the default pipeline."""
    if stages == "DEAL_STAGE":
        return f"DEAL_STAGE_{category}" if category else stages
    head, mark, tail = stages.rpartition("_")
    return f"{head}_{category}" if mark and tail.isdigit() and category else stages


@cache
def stages_of(dictionary: str) -> tuple[Stage, ...]:
    """The entries of a dictionary; pipelines created later all start with the same stages.

    >>> stages_of("DYNAMIC_2024_STAGE_30")[0], stages_of("DEAL_STAGE_30")[0]
    (('DT2024_30:NEW', 'Начало', None), ('C30:NEW', 'Новая', None))
    """
    prefix = stage_prefix(dictionary).removesuffix(":")
    if dictionary in _PLAIN or not prefix:
        return _PLAIN[dictionary]
    if dictionary.startswith("SMART_INVOICE"):
        first = _PLAIN["SMART_INVOICE_STAGE_4"]
        return _prefixed(prefix, tuple((code.partition(":")[2], caption, end) for code, caption, end in first))
    return _prefixed(prefix, _DEAL if dictionary.startswith("DEAL") else _SMART)


def first_stage(stages: str, category: int) -> str | None:
    """The stage a new row of a pipeline gets."""
    named = stage_dictionary(stages, category)
    return stages_of(named if named in _PLAIN or stage_prefix(named) else stages)[0][0]


def same_pipeline(stages: str, name: str) -> bool:
    """Whether a dictionary holds stages of a pipeline of the table whose default pipeline has `stages`."""
    head, mark, tail = stages.rpartition("_")
    family = head + mark if tail.isdigit() else stages
    return name == stages or (name.startswith(family) and "STAGE" in name)


@cache
def stage_order(stages: str) -> dict[str, int]:
    """Sort index of every stage of every pipeline of a table."""
    dictionaries = [name for name in _PLAIN if same_pipeline(stages, name)] or [stages]
    return {code: 10 * place for name in dictionaries for place, (code, _, _) in enumerate(stages_of(name), 1)}


@cache
def _semantics(stages: str) -> dict[str, str]:
    known = {code: semantic or PROCESS for rows in _PLAIN.values() for code, _, semantic in rows}
    return {code: known[code] for code in stage_order(stages) if code in known} | {
        code: semantic or PROCESS for code, _, semantic in stages_of(stages)
    }


def semantics(stages: str, code: str) -> str:
    """P (in progress), S (success) or F (failure); a stage of a later pipeline has the semantics of the first one's."""
    known = _semantics(stages)
    tail = code.rpartition(":")[2]
    return known.get(code) or next((end for one, end in known.items() if one.rpartition(":")[2] == tail), PROCESS)


@cache
def status_codes(entity_id: str) -> frozenset[str]:
    """The codes a status field accepts; a stage field accepts those of every pipeline."""
    if "STAGE" in entity_id:
        return frozenset(stage_order(entity_id))
    return frozenset(code for code, _, _ in stages_of(entity_id))


@cache
def _status_rows() -> tuple[dict[str, Any], ...]:
    rows: list[dict[str, Any]] = []
    for entity_id, stages in _PLAIN.items():
        for place, (code, caption, semantic) in enumerate(stages, 1):
            category = entity_id.rpartition("_")[2] if "STAGE_" in entity_id else None
            rows.append(
                {
                    "ID": str(2 * len(rows) + 1),
                    "ENTITY_ID": entity_id,
                    "STATUS_ID": code,
                    "NAME": caption,
                    "NAME_INIT": "",
                    "SORT": str(10 * place),
                    "SYSTEM": "Y" if place == 1 else "N",
                    "COLOR": "#2FC6F6" if "STAGE" in entity_id else None,
                    "SEMANTICS": semantic,
                    "CATEGORY_ID": category or ("0" if entity_id == "DEAL_STAGE" else None),
                    "EXTRA": {"SEMANTICS": {None: "process", "S": "success", "F": "failure"}[semantic]},
                }
            )
    return tuple(rows)


def status_rows() -> list[dict[str, Any]]:
    """``crm.status.list`` whole."""
    return [dict(row) for row in _status_rows()]


def stage_prefix(dictionary: str) -> str:
    """The prefix of the codes of the stages of a pipeline.

    >>> stage_prefix("DEAL_STAGE_1"), stage_prefix("DYNAMIC_128_STAGE_9"), stage_prefix("SOURCE")
    ('C1:', 'DT128_9:', '')
    """
    head, mark, category = dictionary.rpartition("_STAGE_")
    if not mark or not category.isdigit():
        return ""
    if head == "DEAL":
        return f"C{category}:"
    return f"DT{'31' if head == 'SMART_INVOICE' else head.removeprefix('DYNAMIC_')}_{category}:"


def category_rows(entity_type_id: int) -> list[dict[str, Any]]:
    """``crm.category.list`` of an entity type, in the recorded shape: the default one lacks the origin keys."""
    rows: list[dict[str, Any]] = []
    for place, (category, name) in enumerate(CATEGORIES.get(entity_type_id, ()), 1):
        row = {"id": category, "name": name, "sort": 100 * place, "entityTypeId": entity_type_id}
        row["isDefault"] = "Y" if place == 1 else "N"
        rows.append(row if category == 0 else row | {"originId": "", "originatorId": ""})
    return rows


def currency_rows(zone: str) -> list[dict[str, Any]]:
    """``crm.currency.list`` whole."""
    return [
        {
            "CURRENCY": code,
            "AMOUNT_CNT": "1",
            "AMOUNT": rate,
            "SORT": str(100 * place),
            "BASE": "Y" if code == "RUB" else "N",
            "FULL_NAME": name,
            "LID": "ru",
            "FORMAT_STRING": pattern,
            "DEC_POINT": ".",
            "THOUSANDS_SEP": " ",
            "DECIMALS": "2",
            "DATE_UPDATE": f"2026-01-12T10:00:00{zone}",
        }
        for place, (code, rate, name, pattern) in enumerate(
            (
                ("RUB", "1.0000", "Российский рубль", "# &#8381;"),
                ("USD", "92.5000", "Доллар США", "$#"),
                ("EUR", "99.1000", "Евро", "&euro;#"),
            ),
            1,
        )
    ]


DEPARTMENTS: Final[tuple[dict[str, Any], ...]] = (
    {"ID": "1", "NAME": "ООО «Ромашка»", "SORT": 500, "UF_HEAD": "1"},
    {"ID": "3", "NAME": "Отдел продаж", "SORT": 100, "PARENT": "1", "UF_HEAD": "3"},
    {"ID": "4", "NAME": "Support & IT", "SORT": 200, "PARENT": "1"},
    {"ID": "9", "NAME": "Логистика", "SORT": 300, "PARENT": "3"},
)
