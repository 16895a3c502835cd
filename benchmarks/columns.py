"""The 36 columns of a deal that every reader of the comparison asks for."""

ITEM = """
id title typeId categoryId stageId stageSemanticId isNew isRecurring probability currencyId opportunity
isManualOpportunity taxValue leadId companyId contactId quoteId begindate closedate opened closed comments
additionalInfo assignedById createdBy updatedBy createdTime updatedTime movedBy movedTime sourceId originatorId
originId lastActivityTime UF_CRM_MY_STRING UF_CRM_PRICE
""".split()  # noqa: SIM905 (a list of 36 quoted names says less)
"""As `crm.item.list` spells them."""

CLASSIC = """
ID TITLE TYPE_ID CATEGORY_ID STAGE_ID STAGE_SEMANTIC_ID IS_NEW IS_RECURRING PROBABILITY CURRENCY_ID OPPORTUNITY
IS_MANUAL_OPPORTUNITY TAX_VALUE LEAD_ID COMPANY_ID CONTACT_ID QUOTE_ID BEGINDATE CLOSEDATE OPENED CLOSED COMMENTS
ADDITIONAL_INFO ASSIGNED_BY_ID CREATED_BY_ID MODIFY_BY_ID DATE_CREATE DATE_MODIFY MOVED_BY_ID MOVED_TIME SOURCE_ID
ORIGINATOR_ID ORIGIN_ID LAST_ACTIVITY_TIME UF_CRM_MY_STRING UF_CRM_PRICE
""".split()  # noqa: SIM905 (a list of 36 quoted names says less)
"""As `crm.deal.list` spells them."""

assert len(ITEM) == len(CLASSIC) == 36
