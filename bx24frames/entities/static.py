"""Field lists of the tables whose methods describe no types."""

from __future__ import annotations

from typing import Final

from bx24frames.entities.schema import Field


def _fields(**types: str) -> tuple[Field, ...]:
    return tuple(Field(code, type_, read_only=True) for code, type_ in types.items())


STAGE_HISTORY_FIELDS: Final = _fields(
    ID="integer",
    TYPE_ID="integer",
    OWNER_ID="crm_entity",
    CREATED_TIME="datetime",
    CATEGORY_ID="crm_category",
    STAGE_ID="crm_status",
    STAGE_SEMANTIC_ID="crm_status",
    STATUS_ID="crm_status",
    STATUS_SEMANTIC_ID="crm_status",
)
"""docs: crm-stage-history-list.md. Leads have the STATUS pair, all others the STAGE pair and the category."""

USER_FIELDS: Final = (
    Field("ID", "integer", read_only=True),
    Field("ACTIVE", "boolean"),
    Field("IS_ONLINE", "boolean", read_only=True),
    Field("LAST_LOGIN", "datetime", read_only=True),
    Field("DATE_REGISTER", "datetime", read_only=True),
    Field("TIMESTAMP_X", "datetime", read_only=True),
    Field("LAST_ACTIVITY_DATE", "datetime", read_only=True),
    Field("TIME_ZONE_OFFSET", "integer"),
    Field("PERSONAL_BIRTHDAY", "date"),
    Field("UF_EMPLOYMENT_DATE", "date", user_field=True),
    Field("UF_DEPARTMENT", "crm_entity", multiple=True, user_field=True),
    Field("UF_HEAD", "user", user_field=True),
)
"""docs: user-fields.md gives captions only; what is not here is text."""

CALL_FIELDS: Final = _fields(
    ID="integer",
    PORTAL_USER_ID="user",
    PORTAL_NUMBER="string",
    PHONE_NUMBER="string",
    CALL_ID="string",
    EXTERNAL_CALL_ID="string",
    CALL_CATEGORY="string",
    CALL_DURATION="integer",
    CALL_START_DATE="datetime",
    CALL_TYPE="integer",
    CALL_FAILED_CODE="string",
    CALL_FAILED_REASON="string",
    CALL_VOTE="integer",
    COST="double",
    COST_CURRENCY="crm_currency",
    CRM_ENTITY_TYPE="string",
    CRM_ENTITY_ID="crm_entity",
    CRM_ACTIVITY_ID="crm_entity",
    REST_APP_ID="integer",
    REST_APP_NAME="string",
    REDIAL_ATTEMPT="integer",
    SESSION_ID="integer",
    TRANSCRIPT_ID="integer",
    TRANSCRIPT_PENDING="boolean",
    RECORD_FILE_ID="integer",
)
"""docs: voximplant-statistic-get.md."""

ELAPSED_FIELDS: Final = _fields(
    ID="integer",
    TASK_ID="crm_entity",
    USER_ID="user",
    COMMENT_TEXT="string",
    SECONDS="integer",
    MINUTES="integer",
    SOURCE="integer",
    CREATED_DATE="datetime",
    DATE_START="datetime",
    DATE_STOP="datetime",
)
"""docs: task-elapseditem-getlist.md."""
