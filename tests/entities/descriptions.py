"""Field descriptions as the portal prints them, small enough to read."""

from __future__ import annotations

from bx24frames.engine.messages import JSON


def described(type_: str, **more: JSON) -> dict[str, JSON]:
    flags = {"isRequired": False, "isReadOnly": False, "isImmutable": False, "isMultiple": False, "isDynamic": False}
    return {"type": type_, **flags, **more}


def user_field(type_: str, upper: str, **more: JSON) -> dict[str, JSON]:
    return described(type_, isDynamic=True, upperName=upper, title=upper.title(), **more)


ITEM: dict[str, JSON] = {
    "id": described("integer", isReadOnly=True, title="ID", upperName="ID"),
    "title": described("string", title="Name", upperName="TITLE", settings=[]),
    "stageId": described("crm_status", title="Stage", upperName="STAGE_ID", statusType="DEAL_STAGE"),
    "categoryId": described("crm_category", upperName="CATEGORY_ID", isImmutable=True),
    "opportunity": described("double", upperName="OPPORTUNITY"),
    "companyId": described("crm_company", upperName="COMPANY_ID", settings={"parentEntityTypeId": 4}),
    "opened": described("boolean", upperName="OPENED"),
    "begindate": described("date", upperName="BEGINDATE"),
    "createdTime": described("datetime", isReadOnly=True, upperName="CREATED_TIME"),
    "contactIds": described("crm_contact", isMultiple=True, upperName="CONTACT_IDS"),
    "fm": described("crm_multifield", isMultiple=True, upperName="FM"),
    "UF_CRM_FLAG": user_field("boolean", "UF_CRM_FLAG"),
    "UF_CRM_COLOR": user_field(
        "enumeration", "UF_CRM_COLOR", items=[{"ID": "44", "VALUE": "Red"}, {"ID": "45", "VALUE": "Blue"}]
    ),
    "UF_CRM_PRICE": user_field("money", "UF_CRM_PRICE"),
    "UF_CRM_DAYS": user_field("date", "UF_CRM_DAYS", isMultiple=True),
    "UF_CRM_SCAN": user_field("file", "UF_CRM_SCAN"),
    "UF_CRM_NOTE": user_field("string", "UF_CRM_NOTE", settings={"MAX_LENGTH": "5"}),
    "UF_CRM_ODD": user_field("rest_1_odd", "UF_CRM_ODD"),
}

CLASSIC: dict[str, JSON] = {
    "ID": described("integer", isReadOnly=True, title="ID"),
    "TITLE": described("string", isRequired=True, title="Name"),
    "STATUS_ID": described("crm_status", statusType="STATUS"),
    "OPPORTUNITY": described("double"),
    "COMPANY_ID": described("crm_company"),
    "CONTACT_IDS": described("crm_contact", isMultiple=True),
    "OPENED": described("char"),
    "BIRTHDATE": described("date"),
    "DATE_CREATE": described("datetime", isReadOnly=True),
    "PHONE": described("crm_multifield", isMultiple=True),
    "UF_CRM_FLAG": described("boolean", isDynamic=True, title="UF_CRM_FLAG", listLabel="Flag"),
    "UF_CRM_SCAN": described("file", isDynamic=True),
}
