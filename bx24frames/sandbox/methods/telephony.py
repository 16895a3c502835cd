"""Calls and lines of an external telephone exchange: ``telephony.externalCall.*``, ``.externalLine.*``,
``voximplant.*`` (https://apidocs.bitrix24.com/api-reference/telephony/).
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from hashlib import md5
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_float, php_int, php_text, whole
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

TELEPHONY: Final = "telephony"
_TYPES: Final = (1, 2, 3, 4, 5)
"""Outgoing, incoming, forwarded, callback, information call."""
GOING: Final = Dictionary("external_call", list)
_LINES: Final = Dictionary("external_line", list)
ENDED: Final = "200"
NO_CALL: Final = MethodError("ERROR_CORE", "Call is not found")


def _refuse(text: str) -> MethodError:
    return MethodError("ERROR_CORE", text)


def _user(params: Params, context: Context) -> int:
    """The user of a call, by id or extension."""
    if "USER_ID" in params:
        row = context.store.row("user", php_int(params["USER_ID"]))
        number = row["id"] if row else None
    elif "USER_PHONE_INNER" in params:
        sql = 'SELECT id FROM "user" WHERE ufPhoneInner = ?'
        number = context.store.scalar(sql, (php_text(params["USER_PHONE_INNER"]),))
    else:
        raise _refuse("USER_ID or USER_PHONE_INNER should be set.")
    if number is None:
        raise _refuse("User is not found or is not active.")
    return int(number)


def _begun(params: Params, context: Context) -> str:
    given = php_text(params.get("CALL_START_DATE"))
    if not given:
        return context.store.local_time(context.now)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise _refuse("CALL_START_DATE should be in the ISO-8601 format.") from None
    return context.store.local_time(moment.timestamp()) if moment.tzinfo else f"{moment:%Y-%m-%dT%H:%M:%S}"


@method("telephony.externalcall.register", TELEPHONY)
def register_call(params: Params, context: Context) -> Result:
    """Register a call; returns its id until it is finished, and the CRM rows found."""
    user, kind = _user(params, context), php_int(params.get("TYPE"))
    phone = "".join(sign for sign in php_text(params.get("PHONE_NUMBER")) if sign.isdigit() or sign == "+")
    if not phone:
        raise _refuse("Unsupported phone number format.")
    if kind not in _TYPES:
        raise _refuse("Unknown TYPE")
    begun = _begun(params, context)
    digest = md5(f"{user}:{phone}:{begun}:{context.now}".encode(), usedforsecurity=False).hexdigest()
    call_id = f"externalCall.{digest}.{int(context.now)}"
    kind_of, number = php_text(params.get("CRM_ENTITY_TYPE")) or None, php_int(params.get("CRM_ENTITY_ID")) or None
    row = {
        "CALL_ID": call_id, "userId": user, "phone": phone, "type": kind, "begun": begun,
        "line": php_text(params.get("LINE_NUMBER")), "external": php_text(params.get("EXTERNAL_CALL_ID")) or None,
        "entityType": kind_of, "entityId": number,
    }  # fmt: skip
    GOING.add(context.store, row, text=False)
    context.writes += 1
    return Result(
        {"CALL_ID": call_id, "CRM_CREATED_LEAD": None, "CRM_CREATED_ENTITIES": [], "CRM_ENTITY_TYPE": kind_of,
         "CRM_ENTITY_ID": number}
    )  # fmt: skip


def _going(params: Params, context: Context) -> Row:
    call_id = php_text(params.get("CALL_ID"))
    if not call_id:
        raise _refuse("CALL_ID should be set")
    found = next((row for row in GOING.rows(context.store) if row["CALL_ID"] == call_id), None)
    if found is None:
        raise NO_CALL
    return found


@method("telephony.externalcall.finish", TELEPHONY)
def finish_call(params: Params, context: Context) -> Result:
    """Finish a call: it becomes a row of the statistics, printed."""
    call, user = _going(params, context), _user(params, context)
    code = php_text(params.get("STATUS_CODE")) or ENDED
    cost = whole(php_float(params["COST"])) if params.get("COST") not in (None, "") else None
    columns = {
        "portalUserId": user, "portalNumber": call["line"], "phoneNumber": call["phone"], "callId": call["CALL_ID"],
        "externalCallId": call["external"], "callCategory": "external", "callType": call["type"],
        "callDuration": php_int(params.get("DURATION")), "callStartDate": call["begun"], "callFailedCode": code,
        "callFailedReason": php_text(params.get("FAILED_REASON")), "callVote": php_int(params.get("VOTE")),
        "cost": cost, "costCurrency": php_text(params.get("COST_CURRENCY")) or None,
        "crmEntityType": call["entityType"], "crmEntityId": call["entityId"], "transcriptPending": "N",
        "callRecordUrl": php_text(params.get("RECORD_URL")) or None,
    }  # fmt: skip
    row_id = context.store.insert_row("call", columns)
    GOING.drop(context.store, call)
    context.writes += 1
    return Result(
        {
            "CALL_ID": call["CALL_ID"], "EXTERNAL_CALL_ID": call["external"], "PORTAL_USER_ID": user,
            "PHONE_NUMBER": call["phone"], "PORTAL_NUMBER": call["line"], "INCOMING": str(call["type"]),
            "CALL_DURATION": columns["callDuration"], "CALL_START_DATE": {}, "CALL_STATUS": int(code == ENDED),
            "CALL_FAILED_CODE": code, "CALL_FAILED_REASON": columns["callFailedReason"], "TRANSCRIPT_PENDING": "N",
            "CALL_VOTE": columns["callVote"], "COST": cost, "COST_CURRENCY": columns["costCurrency"],
            "REST_APP_ID": None, "REST_APP_NAME": False, "CRM_ACTIVITY_ID": None, "COMMENT": None,
            "CRM_ENTITY_TYPE": call["entityType"], "CRM_ENTITY_ID": call["entityId"], "ID": row_id, "ERRORS": [],
        }
    )  # fmt: skip


def _card(params: Params, context: Context) -> Result:
    call_id = php_text(params.get("CALL_ID"))
    if not call_id or not (params.get("USER_ID") or params.get("USER_PHONE_INNER")):
        raise _refuse("CALL_ID should be set" if not call_id else "USER_ID or USER_PHONE_INNER should be set.")
    return Result(any(row["CALL_ID"] == call_id for row in GOING.rows(context.store)))


for _name in ("show", "hide"):
    method(f"telephony.externalcall.{_name}", TELEPHONY)(_card)


@method("telephony.externalcall.attachrecord", TELEPHONY)
def attach_record(params: Params, context: Context) -> Result:
    """Attach a recording to a call of the statistics; without content, an address to upload to."""
    row_id = context.store.scalar("SELECT id FROM call WHERE callId = ?", (php_text(params.get("CALL_ID")),))
    name = php_text(params.get("FILENAME"))
    if not name and not params.get("RECORD_URL", params.get("URL")):
        raise _refuse("Required parameters are not set. Request should contain either URL or FILENAME parameter")
    if row_id is None:
        raise _refuse("Call is not found in the statistic table. It looks like it is not finished yet.")
    if name and name.rpartition(".")[2].lower() not in ("wav", "mp3"):
        raise _refuse("Wrong file extension. Only wav and mp3 are allowed")
    if name and "FILE_CONTENT" not in params:
        return Result({"uploadUrl": "https://example.com/rest/upload.json?token=record", "fieldName": "file"})
    try:
        text = php_text(params.get("FILE_CONTENT"))
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _refuse("File content is not properly encoded. Base64 encoding is expected.") from None
    file_id = context.store.insert_row("file", {"name": name, "content": text})
    context.store.update_row("call", row_id, {"recordFileId": file_id})
    context.writes += 1
    return Result({"FILE_ID": file_id})


@method("telephony.call.attachtranscription", TELEPHONY)
def attach_text(params: Params, context: Context) -> Result:
    """Attach a transcript to a call of the statistics."""
    call_id = php_text(params.get("CALL_ID"))
    if not call_id:
        raise _refuse("CALL_ID should be set")
    if not isinstance(params.get("MESSAGES"), list | dict):
        raise _refuse("MESSAGES should be an array")
    for place, one in enumerate(map(map_of, values_of(params["MESSAGES"]))):
        if one.get("SIDE") not in ("Client", "User"):
            raise _refuse(f"MESSAGES[{place}][SIDE] should be either Client or User")
        if not php_text(one.get("MESSAGE")):
            raise _refuse(f"MESSAGES[{place}][MESSAGE] is empty")
    row_id = context.store.scalar("SELECT id FROM call WHERE callId = ?", (call_id,))
    if row_id is None:
        raise _refuse(f"Call {call_id} is not found. Is it finished?")
    number = 1 + int(context.store.scalar("SELECT coalesce(max(transcriptId), 0) FROM call"))
    context.store.update_row("call", row_id, {"transcriptId": number})
    context.writes += 1
    return Result({"TRANSCRIPT_ID": number})


@method("telephony.externalcall.searchcrmentities", TELEPHONY)
def search_callers(params: Params, context: Context) -> Result:
    """CRM rows with a telephone number."""
    phone = "".join(sign for sign in php_text(params.get("PHONE_NUMBER")) if sign.isdigit())
    sql = "SELECT entityTypeId, elementId FROM multifield WHERE typeId = 'PHONE' AND comparable('PHONE', value) = ?"
    names = {1: "LEAD", 3: "CONTACT", 4: "COMPANY"}
    found = [
        {"CRM_ENTITY_TYPE": names[kind], "CRM_ENTITY_ID": number, "ASSIGNED_BY_ID": 1, "NAME": ""}
        for kind, number in context.store.query(sql, (phone,))
        if kind in names
    ]
    return Result(found)


# ---------------------------------------------------------------- lines


def _line(params: Params, context: Context) -> Row:
    number = _number(params)
    found = next((row for row in _LINES.rows(context.store) if row["NUMBER"] == number), None)
    if found is None:
        raise _refuse(f"Could not find line with number {number}")
    return found


def _number(params: Params) -> str:
    number = php_text(params.get("NUMBER"))
    if not number:
        raise _refuse("NUMBER should not be empty")
    return number


def _settings(params: Params) -> Row:
    return {name: php_text(params[name]) for name in ("NAME", "CRM_AUTO_CREATE") if name in params}


@method("telephony.externalline.add", TELEPHONY)
def add_line(params: Params, context: Context) -> Result:
    """Create a line; returns its id."""
    number = _number(params)
    if any(row["NUMBER"] == number for row in _LINES.rows(context.store)):
        raise _refuse("Line already exists")
    row = {"NUMBER": number, "NAME": "", "CRM_AUTO_CREATE": "Y", **_settings(params)}
    context.writes += 1
    return Result({"ID": _LINES.add(context.store, row, text=False)})


@method("telephony.externalline.update", TELEPHONY)
def update_line(params: Params, context: Context) -> Result:
    """Change a line."""
    row = _line(params, context)
    _LINES.put(context.store, {**row, **_settings(params)})
    context.writes += 1
    return Result({"ID": row["ID"]})


@method("telephony.externalline.delete", TELEPHONY)
def delete_line(params: Params, context: Context) -> Result:
    """Delete a line."""
    _LINES.drop(context.store, _line(params, context))
    context.writes += 1
    return Result([])


@method("telephony.externalline.get", TELEPHONY)
def list_lines(_: Params, context: Context) -> Result:
    """The lines."""
    keys = ("NUMBER", "NAME", "CRM_AUTO_CREATE")
    return Result([{name: row[name] for name in keys} for row in _LINES.rows(context.store)])


# ---------------------------------------------------------------- the telephony of the portal itself

_ADDRESSES: Final = {
    "detail_statistics": "telephony/detail.php",
    "buy_connector": "settings/license_phone_sip.php",
    "edit_config": "telephony/edit.php?ID=#CONFIG_ID#",
    "lines": "telephony/lines.php",
}


@method("voximplant.url.get", TELEPHONY)
def list_addresses(_: Params, __: Context) -> Result:
    """Address of the telephony settings."""
    return Result({name: f"https://example.com/{path}" for name, path in _ADDRESSES.items()})


@method("voximplant.user.get", TELEPHONY)
def list_phones(params: Params, context: Context) -> Result:
    """The telephones of users."""
    if "USER_ID" not in params:
        raise MethodError("", "Parameter USER_ID is not set")
    rows = [context.store.row("user", php_int(one)) for one in values_of(params["USER_ID"])]
    return Result(
        [
            {"ID": str(row["id"]), "DEFAULT_LINE": None, "PHONE_ENABLED": "Y", "SIP_SERVER": "sip.example.com",
             "SIP_LOGIN": f"phone{row['id']}", "SIP_PASSWORD": None, "INNER_NUMBER": row["ufPhoneInner"]}
            for row in rows
            if row is not None
        ]
    )  # fmt: skip


SIPS: Final = Dictionary("sip", list)
SIP_KINDS: Final = ("cloud", "office")
SIP_KEYS: Final = ("TITLE", "SERVER", "LOGIN", "PASSWORD", "AUTH_USER", "OUTBOUND_PROXY")


def _sip(params: Params, context: Context) -> Row:
    number = php_int(params.get("CONFIG_ID"))
    found = next((row for row in SIPS.rows(context.store) if row["CONFIG_ID"] == str(number)), None)
    if found is None:
        raise MethodError("", "Specified CONFIG_ID is not found")
    return found


@method("voximplant.sip.add", TELEPHONY)
def add_sip(params: Params, context: Context) -> Result:
    """Create a SIP line, printed whole."""
    kind = php_text(params.get("TYPE")) or SIP_KINDS[0]
    if kind not in SIP_KINDS or not php_text(params.get("SERVER")):
        raise MethodError("", "Specified TYPE is not found" if kind not in SIP_KINDS else "SERVER is empty")
    written = {name: php_text(params.get(name)) for name in SIP_KEYS}
    number = 1001 + len(SIPS.rows(context.store))
    row = {"TYPE": kind, "CONFIG_ID": str(number), "REG_ID": str(150_000 + number), **written}
    SIPS.add(context.store, row, text=True)
    context.writes += 1
    return Result(row)


@method("voximplant.sip.update", TELEPHONY)
def update_sip(params: Params, context: Context) -> Result:
    """Change a SIP line."""
    row = _sip(params, context)
    SIPS.put(context.store, {**row, **{name: php_text(params[name]) for name in SIP_KEYS if name in params}})
    context.writes += 1
    return Result(1)


@method("voximplant.sip.delete", TELEPHONY)
def delete_sip(params: Params, context: Context) -> Result:
    """Delete a SIP line."""
    SIPS.drop(context.store, _sip(params, context))
    context.writes += 1
    return Result(1)


@method("voximplant.sip.get", TELEPHONY)
def list_sips(_: Params, context: Context) -> Result:
    """The SIP lines."""
    rows = [{name: value for name, value in row.items() if name != "ID"} for row in SIPS.rows(context.store)]
    return Result(rows, len(rows))


@method("voximplant.sip.status", TELEPHONY)
def show_status(params: Params, context: Context) -> Result:
    """Whether a SIP line is registered."""
    reg = php_text(params.get("REG_ID"))
    if not any(row["REG_ID"] == reg for row in SIPS.rows(context.store)):
        raise MethodError("", "Specified REG_ID is not found")
    now = f"{context.store.local_time(context.now)}{context.store.server_zone}"
    return Result({"REG_ID": reg, "LAST_UPDATED": now, "ERROR_MESSAGE": "", "STATUS_CODE": None,
                   "STATUS_RESULT": "in_progress"})  # fmt: skip


@method("voximplant.sip.connector.status", TELEPHONY)
def show_connector(_: Params, __: Context) -> Result:
    """Whether the connector is paid for."""
    return Result({"FREE_MINUTES": 0, "PAID": False, "PAID_DATE_END": ""})


@method("voximplant.line.outgoing.get", TELEPHONY)
def get_outgoing(_: Params, context: Context) -> Result:
    """The line of outgoing calls."""
    return Result(context.store.kept("outgoing_line") or "reg1001")


def _set_outgoing(name: str, prefix: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        line = php_text(params.get(name))
        if not line:
            raise MethodError("", f"{name} is empty")
        context.store.keep("outgoing_line", f"{prefix}{line}")
        context.writes += 1
        return Result(1)

    return handle


method("voximplant.line.outgoing.set", TELEPHONY)(_set_outgoing("LINE_ID", ""))
method("voximplant.line.outgoing.sip.set", TELEPHONY)(_set_outgoing("CONFIG_ID", "sip"))


def _constant(value: Any) -> Handler:
    return lambda _, __: Result(value)


for _name, _value in {
    "voximplant.line.get": {"reg1001": "Облачная АТС"},
    "voximplant.tts.voices.get": {"ruinternalmale": "Русский мужской", "ruinternalfemale": "Русский женский"},
}.items():  # fmt: skip
    method(_name, TELEPHONY)(_constant(_value))
