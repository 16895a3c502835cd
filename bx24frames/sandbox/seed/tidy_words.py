"""Words of the tidy portal in Russian and English: a company that sells coffee and machines to cafes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Locale: TypeAlias = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that has a language.

    `client`: how the kind and the name of a client make its title. `people`: first and last names, men and women
    apart. `posts`: of the users. `goods`: section, name, price. `captions`: of dictionaries, by dictionary and code,
    where they differ from the portal's Russian ones.
    """

    company: str
    client: str
    departments: tuple[str, str, str]
    people: tuple[tuple[tuple[str, ...], tuple[str, ...]], tuple[tuple[str, ...], tuple[str, ...]]]
    posts: tuple[str, ...]
    contact_posts: tuple[str, ...]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    towns: tuple[str, ...]
    goods: tuple[tuple[str, str, int], ...]
    deal: Mapping[str, str]
    tasks: tuple[str, ...]
    call_in: str
    call_out: str
    meeting: str
    letter: str
    todo: str
    pipelines: Mapping[int, str]
    fields: Mapping[str, str]
    reasons: tuple[str, ...]
    segments: tuple[str, ...]
    currency: str
    piece: str
    phone: str
    project: str
    captions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def retyped(self, phone: str) -> str:
        """A phone as another person types it: with blanks, and with the prefix of the country where it has one."""
        digits = phone.removeprefix("+7").removeprefix("+44")
        return f"{'8' if phone.startswith('+7') else '0'} {digits[:3]} {digits[3:6]}-{digits[6:]}"


_RU: Final = Words(
    company="ООО «Зерно и пар»",
    client="{0} «{1}»",
    departments=("Отдел продаж", "Сервис", "Бухгалтерия"),
    people=(
        (("Алексей", "Дмитрий", "Иван", "Максим", "Павел", "Сергей", "Тимур", "Андрей", "Николай", "Артём"),
         ("Соколов", "Кузнецов", "Попов", "Лебедев", "Козлов", "Новиков", "Морозов", "Волков", "Зайцев", "Павлов",
          "Беляев", "Тарасов", "Комаров", "Орлов")),
        (("Анна", "Мария", "Елена", "Ольга", "Наталья", "Ирина", "Светлана", "Дарья", "Юлия", "Екатерина"),
         ("Соколова", "Кузнецова", "Попова", "Лебедева", "Козлова", "Новикова", "Морозова", "Волкова", "Зайцева",
          "Павлова", "Беляева", "Тарасова", "Комарова", "Орлова")),
    ),
    posts=("Генеральный директор", "Руководитель отдела продаж", "Менеджер по продажам", "Менеджер по продажам",
           "Менеджер по продажам", "Старший менеджер", "Сервисный инженер", "Главный бухгалтер"),
    contact_posts=("Директор", "Управляющий", "Закупщик", "Бариста", "Бухгалтер"),
    kinds=("Кофейня", "Кафе", "Ресторан", "Пекарня", "Отель", "Бизнес-центр", "Сеть кофеен"),
    names=("Уют", "Утро", "Бариста", "Север", "Мельница", "Парк", "Причал", "Корица", "Старый город", "Облака", "Сфера",
           "Терраса", "Маяк", "Вишня", "Квартал", "Лофт", "Чердак", "Берег", "Полдень", "Перрон"),
    towns=("Москва", "Санкт-Петербург", "Казань", "Екатеринбург", "Нижний Новгород", "Самара"),
    goods=(
        ("Кофе", "Эспрессо-смесь «Утро», 1 кг", 1450), ("Кофе", "Бразилия Сантос, 1 кг", 1290),
        ("Кофе", "Эфиопия Иргачефф, 1 кг", 2100), ("Кофе", "Колумбия Супремо, 1 кг", 1750),
        ("Кофе", "Кофе без кофеина, 1 кг", 1900), ("Оборудование", "Кофемашина двухгрупповая", 289000),
        ("Оборудование", "Кофемашина автоматическая", 168000), ("Оборудование", "Кофемолка", 54000),
        ("Оборудование", "Фильтр для воды", 9800), ("Расходники", "Стаканы бумажные 250 мл, 1000 шт", 5200),
        ("Расходники", "Сироп ваниль, 1 л", 780), ("Расходники", "Средство для чистки, 900 г", 1350),
        ("Сервис", "Монтаж и настройка", 15000), ("Сервис", "Сервисный контракт на год", 48000),
        ("Сервис", "Обучение бариста", 12000),
    ),
    deal={"Кофе": "Поставка кофе", "Оборудование": "Кофейное оборудование", "Расходники": "Расходные материалы",
          "Сервис": "Сервис и обучение"},
    tasks=("Подготовить коммерческое предложение", "Согласовать договор", "Проверить оплату счёта", "Заказать доставку",
           "Позвонить после тест-драйва", "Отправить образцы кофе", "Назначить монтаж"),
    call_in="Входящий звонок: {}", call_out="Исходящий звонок: {}", meeting="Встреча: {}", letter="Письмо: {}",
    todo="Связаться: {}",
    pipelines={0: "Продажи", 1: "Сервис", 5: "Партнёры"},
    fields={"UF_CRM_LOSS_REASON": "Причина отказа", "UF_CRM_DELIVERY_DATE": "Дата поставки",
            "UF_CRM_MARGIN": "Маржа, %", "UF_CRM_SEGMENT": "Сегмент"},
    reasons=("Дорого", "Выбрали конкурента", "Отложили", "Нет ответа"),
    segments=("Малый", "Средний", "Сеть"),
    currency="RUB", piece="шт", phone="+79{:09d}", project="Монтаж",
    captions={
        "SOURCE": {"REPEAT_SALE": "Повторная продажа"}, "DEAL_STAGE": {"PREPAYMENT_INVOICE": "Счёт на предоплату"},
    },
)  # fmt: skip

_DEAL_STAGES: Final = {
    "NEW": "New", "PREPARATION": "Offer in preparation", "PREPAYMENT_INVOICE": "Prepayment invoice",
    "EXECUTING": "In progress", "FINAL_INVOICE": "Final invoice", "WON": "Won", "LOSE": "Lost",
    "APOLOGY": "Loss analysis",
}  # fmt: skip
_SMART_STAGES: Final = {
    "NEW": "Start", "PREPARATION": "Preparation", "CLIENT": "Approval", "SUCCESS": "Success", "FAIL": "Failure",
}  # fmt: skip
_EN: Final = Words(
    company="Bean & Steam Ltd",
    client="{1} {0}",
    departments=("Sales", "Service", "Accounting"),
    people=(
        (("James", "Oliver", "Henry", "Daniel", "Thomas", "Jack", "Samuel", "George", "Adam", "Peter"),
         ("Smith", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Hughes", "Green", "Hall", "Wood", "Harris", "Clark",
          "Cooper", "Ward")),
        (("Emily", "Sophie", "Alice", "Grace", "Hannah", "Lucy", "Charlotte", "Kate", "Laura", "Ruth"),
         ("Smith", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Hughes", "Green", "Hall", "Wood", "Harris", "Clark",
          "Cooper", "Ward")),
    ),
    posts=("Managing director", "Head of sales", "Sales manager", "Sales manager", "Sales manager",
           "Key account manager", "Service engineer", "Chief accountant"),
    contact_posts=("Director", "Manager", "Buyer", "Barista", "Accountant"),
    kinds=("Coffee house", "Cafe", "Restaurant", "Bakery", "Hotel", "Business centre", "Coffee chain"),
    names=("Morning", "Harbour", "Cinnamon", "North", "Mill", "Park", "Old Town", "Clouds", "Terrace", "Lighthouse",
           "Cherry", "Quarter", "Loft", "Attic", "Shore", "Noon", "Platform", "Garden", "Corner", "Bridge"),
    towns=("London", "Manchester", "Bristol", "Leeds", "Edinburgh", "Cardiff"),
    goods=(
        ("Coffee", "Morning espresso blend, 1 kg", 18), ("Coffee", "Brazil Santos, 1 kg", 16),
        ("Coffee", "Ethiopia Yirgacheffe, 1 kg", 26), ("Coffee", "Colombia Supremo, 1 kg", 22),
        ("Coffee", "Decaffeinated, 1 kg", 24), ("Equipment", "Two-group espresso machine", 3600),
        ("Equipment", "Automatic coffee machine", 2100), ("Equipment", "Grinder", 680),
        ("Equipment", "Water filter", 120), ("Supplies", "Paper cups 250 ml, 1000 pcs", 65),
        ("Supplies", "Vanilla syrup, 1 l", 10), ("Supplies", "Cleaner, 900 g", 17),
        ("Service", "Installation", 190), ("Service", "Service contract, one year", 600),
        ("Service", "Barista training", 150),
    ),
    deal={"Coffee": "Coffee delivery", "Equipment": "Coffee equipment", "Supplies": "Supplies",
          "Service": "Service and training"},
    tasks=("Prepare an offer", "Agree on the contract", "Check the payment", "Order the delivery",
           "Call after the trial", "Send coffee samples", "Arrange the installation"),
    call_in="Incoming call: {}", call_out="Outgoing call: {}", meeting="Meeting: {}", letter="E-mail: {}",
    todo="Follow up: {}",
    pipelines={0: "Sales", 1: "Service", 5: "Partners"},
    fields={"UF_CRM_LOSS_REASON": "Loss reason", "UF_CRM_DELIVERY_DATE": "Delivery date",
            "UF_CRM_MARGIN": "Margin, %", "UF_CRM_SEGMENT": "Segment"},
    reasons=("Too expensive", "Chose a competitor", "Postponed", "No answer"),
    segments=("Small", "Medium", "Chain"),
    currency="USD", piece="pcs", phone="+447{:09d}", project="Installation",
    captions={
        "DEAL_STAGE": _DEAL_STAGES, "DYNAMIC_128_STAGE": _SMART_STAGES,
        "SMART_INVOICE_STAGE": {"N": "New", "S": "Sent", "P": "Paid", "D": "Unpaid"},
        "STATUS": {"NEW": "Unprocessed", "IN_PROCESS": "In progress", "3": "Considering", "PROCESSED": "Processed",
                   "CONVERTED": "Good lead", "JUNK": "Junk lead"},
        "SOURCE": {"CALL": "Call", "EMAIL": "E-mail", "WEB": "Website", "PARTNER": "Existing client",
                   "1": "Exhibition", "REPEAT_SALE": "Repeat sale"},
        "DEAL_TYPE": {"SALE": "Sale", "SERVICES": "Services", "COMPLEX": "Combined sale"},
        "CONTACT_TYPE": {"CLIENT": "Clients", "SUPPLIER": "Suppliers", "OTHER": "Other"},
        "COMPANY_TYPE": {"CUSTOMER": "Client", "PARTNER": "Partner", "OTHER": "Other"},
        "INDUSTRY": {"IT": "Information technology", "FINANCE": "Finance", "OTHER": "Other"},
        "QUOTE_STATUS": {"DRAFT": "New", "SENT": "Sent to client", "APPROVED": "Accepted", "DECLAINED": "Declined"},
    },
)  # fmt: skip
LOCALE_WORDS: Final[Mapping[Locale, Words]] = {"ru": _RU, "en": _EN}
