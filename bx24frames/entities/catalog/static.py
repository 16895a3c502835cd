"""Static field lists: for entities whose methods describe no types, and for types that a description gets wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bx24frames.entities import spelling, tasks
from bx24frames.entities.schema import Field, Holder


def read_only(**types: str) -> tuple[Field, ...]:
    """Read-only fields; a ``*`` behind the type makes one multiple."""
    return tuple(
        Field(code, type_.rstrip("*"), read_only=True, multiple=type_.endswith("*")) for code, type_ in types.items()
    )


STAGE_HISTORY: Final = read_only(
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
"""docs: crm-stage-history-list.md. Leads have the STATUS fields; all others the STAGE fields and the category."""

ACTIVITY: Final = (
    Field("FILES", "file"),  # described as disk ids, returned as {"id", "url"} (docs: crm-activity-list.md)
    Field("WEBDAV_ELEMENTS", "file"),
)

COMMENT: Final = (Field("FILES", "file"),)
"""docs: crm-timeline-comment-get.md: a map of files by id; the key is absent if there are none."""

STATUS: Final = (Field("SEMANTICS", "string"),)
"""Described as a char; the values are S, F or empty (docs: crm-status-fields.md)."""

CRM_USER_FIELD: Final = read_only(
    ID="integer",
    ENTITY_ID="string",
    FIELD_NAME="string",
    USER_TYPE_ID="string",
    XML_ID="string",
    SORT="integer",
    MULTIPLE="boolean",
    MANDATORY="boolean",
    SHOW_FILTER="string",  # N, I, E or S (docs: crm-deal-userfield-fields.md)
    SHOW_IN_LIST="boolean",
    EDIT_IN_LIST="boolean",
    IS_SEARCHABLE="boolean",
    SETTINGS="object",
    LIST="object*",
    # text if one language is requested, else a map by language (docs: crm-deal-userfield-list.md, ...-get.md)
    EDIT_FORM_LABEL="string",
    LIST_COLUMN_LABEL="string",
    LIST_FILTER_LABEL="string",
    ERROR_MESSAGE="string",
    HELP_MESSAGE="string",
)

USER_FIELD: Final = read_only(
    id="integer",
    entityId="string",
    fieldName="string",
    userTypeId="string",
    xmlId="string",
    sort="integer",
    multiple="boolean",
    mandatory="boolean",
    showFilter="string",
    showInList="boolean",
    editInList="boolean",
    isSearchable="boolean",
    settings="object",
    # captions as maps by language
    languageId="object",
    editFormLabel="object",
    listColumnLabel="object",
    listFilterLabel="object",
    errorMessage="object",
    helpMessage="object",
    enum="object*",
)
"""docs: userfieldconfig-list.md, userfieldconfig-get.md."""

TYPE: Final = read_only(
    updatedBy="user",
    customSectionId="integer",
    **dict.fromkeys(
        (
            "isCategoriesEnabled", "isStagesEnabled", "isBeginCloseDatesEnabled", "isClientEnabled",
            "isUseInUserfieldEnabled", "isLinkWithProductsEnabled", "isMycompanyEnabled", "isDocumentsEnabled",
            "isSourceEnabled", "isObserversEnabled", "isRecyclebinEnabled", "isAutomationEnabled", "isBizProcEnabled",
            "isSetOpenPermissions", "isPaymentsEnabled", "isCountersEnabled",
        ),
        "boolean",
    ),
)  # fmt: skip
"""docs: crm-type-list.md, in addition to what crm.type.fields describes."""

PRODUCT_ROW: Final = read_only(priceAccount="double", xmlId="string")
"""docs: crm-item-productrow-list.md: the sum in the reporting currency, and the id of the basket row."""

PRODUCT: Final = (
    # Y, N, or D for the catalogue's default, though described as flags (docs: catalog-product-fields.md)
    Field("quantityTrace", "enum"),
    Field("canBuyZero", "enum"),
    Field("subscribe", "enum"),
    Field("negativeAmountTrace", "enum"),
    # S, R or T for the kind of payment, and a letter for the period; also described as flags (docs:
    # catalog/data-types.md)
    Field("priceType", "enum"),
    Field("recurSchemeType", "enum"),
    Field("purchasingPrice", "double"),  # described as text, returned as a number (docs: catalog-product-list.md)
    Field("previewPicture", "file"),
    Field("detailPicture", "file"),
)

PRODUCT_MORE: Final = (
    Field("barcodeMulti", "boolean"),
    Field("recurSchemeLength", "integer"),
    Field("recurSchemeType", "enum"),
    Field("trialPriceId", "integer"),
    Field("withoutOrder", "boolean"),
)
"""docs: catalog-product-list.md, in addition to what the description of an information block names."""

USER: Final = (
    Field("ID", "integer", read_only=True),
    Field("ACTIVE", "boolean"),
    Field("IS_ONLINE", "boolean", read_only=True),
    Field("LAST_LOGIN", "datetime", read_only=True),
    Field("DATE_REGISTER", "date", read_only=True),  # printed without its time (rest module: lib/api/user.php)
    Field("TIMESTAMP_X", "datetime", read_only=True),
    Field("LAST_ACTIVITY_DATE", "datetime", read_only=True),
    Field("TIME_ZONE_OFFSET", "integer"),
    Field("PERSONAL_BIRTHDAY", "date"),
    Field("UF_EMPLOYMENT_DATE", "date", user_field=True),
    Field("UF_DEPARTMENT", "crm_entity", multiple=True, user_field=True),
    Field("UF_HEAD", "user", user_field=True),
)
"""docs: user-fields.md gives only captions; fields not listed here are text."""

DEPARTMENT: Final = (
    Field("ID", "integer", read_only=True),
    Field("NAME", "string", required=True),
    Field("SORT", "integer"),
    Field("PARENT", "crm_entity"),
    Field("UF_HEAD", "user", user_field=True),
)

TASK: Final = (
    Field("matchWorkTime", "boolean"),  # described as a number; the values are Y and N
    Field("ufCrmTask", "crm", multiple=True),
    Field("ufTaskWebdavFiles", "disk_file", multiple=True),
    *(Field(code, "user") for code in ("createdBy", "responsibleId", "changedBy", "statusChangedBy", "closedBy")),
    Field("tags", "string", multiple=True, holder=Holder.TITLED),
)
"""docs: tasks/fields.md: the description marks no field as multiple and describes people as numbers."""

TASK_MORE: Final = (
    Field(
        "tags", "string", title="Tags", multiple=True, holder=Holder.TITLED, request="TAGS",
        conditions=tasks.CONDITIONS["TAGS"],
    ),
    # the status as the portal shows it, -1 for overdue; returned with STATUS
    Field("subStatus", "enum", read_only=True, request="STATUS", conditions=tasks.CONDITIONS["SUB_STATUS"]),
    Field(
        "descriptionInBbcode", "boolean", read_only=True, request="DESCRIPTION",  # returned with the description
        asking=tasks.asking("DESCRIPTION_IN_BBCODE"),
    ),
)  # fmt: skip
"""docs: tasks-task-list.md: returned, but not described by tasks.task.getFields."""

TASK_BESIDE: Final = (
    "group", "creator", "responsible", "accomplicesData", "auditorsData", "counter", "lengthDeadline", "timeElapsed",
    "timerIsRunningForCurrentUser", "taskRequireResult", "taskHasOpenResult", "taskHasResult", "parsedDescription",
)  # fmt: skip
"""docs: tasks-task-list.md: the objects that the ids of a task refer to, and what its parameters request."""

CALL: Final = read_only(
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
    CALL_LOG="string",
    CALL_RECORD_URL="string",
    COMMENT="string",
    RECORD_DURATION="integer",
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

ELAPSED: Final = read_only(
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

LIST: Final = read_only(
    ID="integer",
    TIMESTAMP_X="datetime",
    IBLOCK_TYPE_ID="string",
    LID="string",
    CODE="string",
    NAME="string",
    ACTIVE="boolean",
    SORT="integer",
    LIST_PAGE_URL="string",
    DETAIL_PAGE_URL="string",
    PICTURE="integer",
    DESCRIPTION="string",
    DESCRIPTION_TYPE="string",
    XML_ID="string",
    BIZPROC="boolean",
    VERSION="integer",
    SOCNET_GROUP_ID="crm_entity",
    API_CODE="string",
    SECTION_PAGE_URL="string",
    CANONICAL_PAGE_URL="string",
    RSS_TTL="integer",
    RSS_ACTIVE="boolean",
    RSS_FILE_ACTIVE="boolean",
    RSS_FILE_LIMIT="integer",
    RSS_FILE_DAYS="integer",
    RSS_YANDEX_ACTIVE="boolean",
    TMP_ID="string",
    INDEX_ELEMENT="boolean",
    INDEX_SECTION="boolean",
    WORKFLOW="boolean",
    SECTION_CHOOSER="string",
    LIST_MODE="string",
    RIGHTS_MODE="string",
    SECTION_PROPERTY="boolean",
    PROPERTY_INDEX="string",
    LAST_CONV_ELEMENT="integer",
    EDIT_FILE_BEFORE="string",
    EDIT_FILE_AFTER="string",
    SECTIONS_NAME="string",
    SECTION_NAME="string",
    ELEMENTS_NAME="string",
    ELEMENT_NAME="string",
    REST_ON="boolean",
    FULLTEXT_INDEX="boolean",
    EXTERNAL_ID="string",
    LANG_DIR="string",
    SERVER_NAME="string",
)
"""docs: lists-get.md: `TIMESTAMP_X` in the site's format."""

LIST_ELEMENT: Final = read_only(
    ID="integer",
    IBLOCK_ID="integer",
    NAME="string",
    IBLOCK_SECTION_ID="iblock_section",
    CREATED_BY="user",
    BP_PUBLISHED="boolean",
    CODE="string",
    DATE_CREATE="datetime",
    TIMESTAMP_X="datetime",
    MODIFIED_BY="user",
)
"""docs: lists-element-get.md: the fields of every element; datetimes in the site's format."""

WORKGROUP: Final = (
    Field("ID", "integer", read_only=True),
    Field("NAME", "string", required=True),
    Field("DESCRIPTION", "string"),
    Field("VISIBLE", "boolean"),
    Field("OPENED", "boolean"),
    Field("CLOSED", "boolean"),
    Field("KEYWORDS", "string"),
    Field("PROJECT", "boolean"),
    *read_only(
        SITE_ID="string",
        DATE_CREATE="datetime",
        DATE_UPDATE="datetime",
        ACTIVE="boolean",
        SUBJECT_ID="integer",
        OWNER_ID="user",
        NUMBER_OF_MEMBERS="integer",
        DATE_ACTIVITY="datetime",
        SUBJECT_NAME="string",
        IMAGE="string",
        IS_EXTRANET="boolean",
    ),
)
"""docs: sonet-group-get.md."""

API_WORKGROUP: Final = tuple(
    replace(field, request=spelling.upper(field.code))
    for field in read_only(
        id="integer",
        name="string",
        description="string",
        dateCreate="datetime",
        dateUpdate="datetime",
        active="boolean",
        visible="boolean",
        opened="boolean",
        closed="boolean",
        subjectId="integer",
        ownerId="user",
        numberOfMembers="integer",
        dateActivity="datetime",
        project="boolean",
        type="string",
        imageId="integer",
        avatarType="string",
        avatar="string",
        dialogId="string",
        additionalData="object",
    )
)
"""docs: socialnetwork-api-workgroup-list.md: requested in capitals, returned in camelCase."""

DISK_STORAGE: Final = read_only(
    ID="integer",
    NAME="string",
    CODE="string",
    MODULE_ID="string",
    ENTITY_TYPE="string",
    ENTITY_ID="string",
    ROOT_OBJECT_ID="crm_entity",
)
"""docs: disk-storage-getlist.md: `ENTITY_ID` is a number for users and groups, a word for the company's drive."""

DISK_ITEM: Final = read_only(
    ID="integer",
    NAME="string",
    CODE="string",
    STORAGE_ID="crm_entity",
    TYPE="string",
    REAL_OBJECT_ID="crm_entity",
    PARENT_ID="crm_entity",
    DELETED_TYPE="integer",
    GLOBAL_CONTENT_VERSION="integer",
    FILE_ID="crm_entity",
    SIZE="integer",
    CREATE_TIME="datetime",
    UPDATE_TIME="datetime",
    DELETE_TIME="datetime",
    CREATED_BY="user",
    UPDATED_BY="user",
    DELETED_BY="user",
    DETAIL_URL="string",
)
"""docs: disk-folder-getchildren.md; the download address holds a token and is left out."""
