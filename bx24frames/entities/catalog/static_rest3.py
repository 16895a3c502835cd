"""Static field lists of the REST 3.0 entities, whose methods describe no column types."""

from __future__ import annotations

from typing import Final

from bx24frames.entities.catalog.static import read_only
from bx24frames.entities.schema import Field

TASK_V3: Final = read_only(
    id="integer",
    title="string",
    description="string",
    creatorId="user",
    created="datetime",
    responsibleId="user",
    deadline="datetime",
    needsControl="boolean",
    startPlan="datetime",
    endPlan="datetime",
    groupId="crm_entity",
    stageId="crm_entity",
    epicId="crm_entity",
    storyPoints="integer",
    flowId="crm_entity",
    priority="enum",
    status="enum",
    statusChanged="datetime",
    parentId="crm_entity",
    plannedDuration="integer",
    actualDuration="integer",
    durationType="enum",
    started="datetime",
    estimatedTime="integer",
    replicate="boolean",
    changed="datetime",
    changedById="user",
    statusChangedById="user",
    closedById="user",
    closed="datetime",
    activity="datetime",
    guid="string",
    xmlId="string",
    mark="enum",
    allowsChangeDeadline="boolean",
    allowsTimeTracking="boolean",
    matchesWorkTime="boolean",
    addInReport="boolean",
    isMultitask="boolean",
    siteId="string",
    link="string",
    crmItemIds="crm*",
    requireResult="boolean",
)
"""docs: rest-v3/tasks/fields.md: the status is a word; objects, which are selected by their parts, are left out."""

EVENT_LOG: Final = read_only(
    id="integer",
    timestampX="datetime",
    severity="string",
    auditTypeId="string",
    moduleId="string",
    itemId="string",
    remoteAddr="string",
    userAgent="string",
    requestUri="string",
    siteId="string",
    userId="user",
    guestId="crm_entity",
    description="string",
)
"""docs: rest-v3/main/main-eventlog-list.md."""

TIME_RECORD: Final = read_only(
    id="integer",
    startTime="datetime",
    endTime="datetime",
    duration="integer",
    breakLength="integer",
    state="string",
    isApproved="boolean",
)
"""docs: rest-v3/timeman/timeman-record-list.md; durations in seconds."""

STRUCTURE_NODE: Final = read_only(
    id="integer",
    name="string",
    structureId="crm_entity",
    parentId="crm_entity",
    description="string",
    accessCode="string",
    userCount="integer",
    colorName="string",
    xmlId="string",
    createdAt="datetime",
    updatedAt="datetime",
)
"""docs: rest-v3/humanresources/node/humanresources-node-list.md."""

MAILBOX: Final = read_only(id="integer", name="string", email="string", senderName="string")
"""docs: rest-v3/mail/mailbox/mail-mailbox-list.md."""

MAIL_MESSAGE: Final = (
    *read_only(id="integer", mailboxId="crm_entity", mailboxEmail="string", subject="string"),
    Field("from", "string", read_only=True),
    *read_only(to="string", cc="string", date="datetime", isSeen="boolean", hasAttachments="boolean"),
    *read_only(url="string", body="string", bindings="object*"),
)
"""docs: rest-v3/mail/message/mail-message-list.md, which does not document the shape of `bindings`."""

TASK_RESULT: Final = read_only(
    id="integer",
    text="string",
    authorId="user",
    createdAt="datetime",
    updatedAt="datetime",
    status="enum",
    fileIds="attached_diskfile*",
    messageId="crm_entity",
)
"""docs: rest-v3/tasks/result/tasks-task-result-list.md."""

KNOWLEDGE_BASE: Final = read_only(
    id="integer",
    name="string",
    position="integer",
    policyLevel="enum",
    createdBy="user",
    updatedBy="user",
    createdAt="datetime",
    updatedAt="datetime",
)
"""docs: rest-v3/note/collection/note-collection-list.md."""

NOTE: Final = read_only(id="integer", parentId="crm_entity", title="string", position="integer")
"""docs: rest-v3/note/document/note-document-tree-list.md."""

CALL_FOLLOWUP: Final = read_only(
    callId="integer",
    callType="integer",  # 1 instant, 2 a permanent conference, 3 a large room
    initiatorId="user",
    startDate="datetime",
    endDate="datetime",
    durationSeconds="integer",
    uuid="string",
    language="string",
    version="integer",
    participants="object*",
    outcomes="string*",
    createdAt="datetime",
    tracks="object*",
    transcription="object",
    overview="object",
    summary="object",
    insights="object",
    evaluation="object",
)
"""docs: call-followup fields.md: every field of a call, and the texts generated from it as JSON."""
