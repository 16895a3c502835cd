"""Documents made from templates, ``crm.documentgenerator.document.*``
(https://apidocs.bitrix24.com/api-reference/crm/document-generator/documents/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, map_of, names_of
from bx24frames.sandbox.methods.described import chosen
from bx24frames.sandbox.methods.dictionaries import ordered
from bx24frames.sandbox.methods.document_templates import PREFIX, address, next_number, template_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

_DOCUMENTS: Final = Dictionary("document", list, "id")
NO_DOCUMENT: Final = MethodError("0", "Документ не найден")
_NO_ID: Final = MethodError("100", "Bitrix\\DocumentGenerator\\Document constructor must be is public")
_LISTED: Final = (
    "id", "title", "number", "templateId", "fileId", "imageId", "pdfId", "createTime", "updateTime", "values",
    "createdBy", "updatedBy", "stampsEnabled", "entityId", "entityTypeId",
)  # fmt: skip
_ADDRESSES: Final = {"downloadUrl": "document.download", "pdfUrl": "document.getPdf", "imageUrl": "document.getImage"}
_CLOSED: Final = {
    "changeStampsEnabled": False,
    "changeStampsDisabledReason": "В шаблоне нет печатей и подписей",
    "changeQrCodeEnabled": False,
    "qrCodeEnabled": False,
    "changeQrCodeDisabledReason": "В шаблоне нет QR-кода",
}
FROM_CODE: Final = ("true", "1", "Y")


def _row(params: Params, context: Context) -> Row:
    if params.get("id") in (None, ""):
        raise _NO_ID
    row = _DOCUMENTS.row(context.store, bound_int(params, "id"))
    if row is None:
        raise NO_DOCUMENT
    return row


def _text(value: Any) -> str | None:
    return None if value is None else php_text(value)


def _addresses(row: Row) -> Row:
    plain = {name: address(action, row["id"]) for name, action in _ADDRESSES.items()}
    return plain | {
        f"{name}Machine": f"/rest/{PREFIX}.{action}.json?id={row['id']}" for name, action in _ADDRESSES.items()
    }


def _listed(row: Row, context: Context) -> Row:
    """A document as lists print it: ids are texts."""
    zone = context.store.server_zone
    shown = {name: row.get(name) for name in _LISTED}
    shown |= {name: f"{row[name]}{zone}" for name in ("createTime", "updateTime")}
    texts = ("id", "templateId", "fileId", "imageId", "pdfId", "createdBy", "updatedBy", "entityId", "entityTypeId")
    return shown | {name: _text(row.get(name)) for name in texts} | _addresses(row)


def _whole(row: Row, context: Context) -> Row:
    """A document as single answers print it."""
    entity = context.store.entity(row["entityTypeId"])
    owner = (entity and context.store.row(entity.name, row["entityId"])) or {}
    shown = {name: value for name, value in _listed(row, context).items() if name not in ("fileId", "imageId", "pdfId")}
    products = {
        "currencyId": owner.get("currencyId"),
        "totalSum": f"{owner.get('opportunity') or 0:.2f}",
        "totalRows": 0,
    }
    return {
        **_CLOSED,
        "products": products,
        "publicUrl": row["publicUrl"],
        "isTransformationError": False,
        "pullTag": f"TRANSFORMDOCUMENT{row['id']}",
        "emailDiskFile": row["fileId"],
        **shown,
    }


def _owner(params: Params, context: Context) -> tuple[int, int]:
    number = bound_int(params, "entityTypeId")
    entity = context.store.entity(number)
    if entity is None:
        raise MethodError("0", "No provider for entityTypeId")
    row_id = php_int(params.get("entityId"))
    if row_id <= 0 or context.store.row(entity.name, row_id) is None:
        raise MethodError("0", 'Empty required parameter "value"')
    return number, row_id


def _stamps(params: Params, before: Any) -> bool:
    if "stampsEnabled" not in params:
        return bool(before)
    return params["stampsEnabled"] is True or php_text(params["stampsEnabled"]) in FROM_CODE


def _values(params: Params) -> Row:
    return map_of(bound_array(params, "values", {}))


def _save(row: Row, context: Context) -> Row:
    row_id = _DOCUMENTS.add(context.store, row, text=False)
    context.writes += 1
    return {"id": row_id, **row}


def _fresh(template: Row, owner: tuple[int, int], number: str, params: Params, context: Context) -> Row:
    now = context.store.local_time(context.now)
    title = php_text(params.get("title")) or f"{template['name']} {number}"
    content = {"name": f"{title}.docx", "content": php_text(params.get("fileContent"))}
    stamps = _stamps(params, before=False)
    values = {"_creationMethod": "rest", "stampsEnabled": stamps, "DocumentNumber": number, **_values(params)}
    return {
        "title": title, "number": php_text(values["DocumentNumber"]), "templateId": template["id"],
        "fileId": context.store.insert_row("file", content), "createTime": now, "updateTime": now,
        "createdBy": context.user_id, "updatedBy": None, "values": values, "stampsEnabled": stamps,
        "entityTypeId": owner[0], "entityId": owner[1], "publicUrl": None,
    }  # fmt: skip


@method(f"{PREFIX}.document.add", "crm")
def add_document(params: Params, context: Context) -> Result:
    """Create a document of a row, printed whole; returns its id is a number here."""
    template = template_of(params, context, "templateId")
    owner = _owner(params, context)
    number = next_number(template["numeratorId"], context)
    row = _save(_fresh(template, owner, number, params, context), context)
    return Result({"document": _whole(row, context) | {"id": row["id"], "createdBy": row["createdBy"]}})


@method(f"{PREFIX}.document.upload", "crm")
def upload_document(params: Params, context: Context) -> Result:
    """A document from a file, without a template."""
    bound(params, "fields")
    given = map_of(bound_array(params, "fields", {}))
    if missing := [name for name in ("title", "number", "fileContent", "region") if not php_text(given.get(name))]:
        raise MethodError("0", f"Empty required fields: {', '.join(missing)}")
    row = _fresh({"id": 0, "name": ""}, _owner(given, context), php_text(given["number"]), given, context)
    return Result({"document": _whole(_save(row, context), context)})


@method(f"{PREFIX}.document.get", "crm")
def get_document(params: Params, context: Context) -> Result:
    """One document."""
    return Result({"document": _whole(_row(params, context), context)})


@method(f"{PREFIX}.document.list", "crm")
def list_documents(params: Params, context: Context) -> Result:
    """A page of documents."""
    conditions = map_of(bound_array(params, "filter", {}))
    rows = chosen(_DOCUMENTS.rows(context.store), conditions, dict.fromkeys(_LISTED))
    rows = ordered(rows, map_of(bound_array(params, "order", {})) or {"id": "ASC"})
    wanted = set(names_of(bound_array(params, "select", []))) or {"*"}
    window = paging.controller(context.start, lambda: len(rows))
    shown = [
        {name: value for name, value in _listed(row, context).items() if "*" in wanted or name in wanted}
        for row in window.of(rows)
    ]
    context.rows += len(shown)
    return Result({"documents": shown}, window.total, window.next)


@method(f"{PREFIX}.document.update", "crm")
def update_document(params: Params, context: Context) -> Result:
    """Regenerate a document with other values, printed whole."""
    row = _row(params, context)
    stamps = _stamps(params, before=True)
    values = {**row["values"], **_values(params), "stampsEnabled": stamps}
    stamp = {"updateTime": context.store.local_time(context.now), "updatedBy": context.user_id}
    changed = {**row, **stamp, "values": values, "stampsEnabled": stamps, "number": php_text(values["DocumentNumber"])}
    _DOCUMENTS.put(context.store, changed)
    context.writes += 1
    return Result({"document": _whole(changed, context)})


@method(f"{PREFIX}.document.delete", "crm")
def delete_document(params: Params, context: Context) -> Result:
    """Delete a document."""
    _DOCUMENTS.drop(context.store, _row(params, context))
    context.writes += 1
    return Result(None)


@method(f"{PREFIX}.document.enablepublicurl", "crm")
def enable_public_url(params: Params, context: Context) -> Result:
    """Enable or disable the public address of a document."""
    row = _row(params, context)
    status = params.get("status", 1)
    on = status is True or php_text(status) in FROM_CODE
    changed = {**row, "publicUrl": f"/~{row['id']:05x}" if on else None}
    _DOCUMENTS.put(context.store, changed)
    context.writes += 1
    return Result({"publicUrl": changed["publicUrl"]})


def _descriptors(values: Row) -> Row:
    """The fields of a document with their values."""
    number = values.get("DocumentNumber", "1")
    first = {"title": "Номер", "value": number, "required": "Y", "group": ["Документ"], "default": number}
    fields: Row = {"DocumentNumber": first | {"chain": "this.DOCUMENT.DOCUMENT_NUMBER"}}
    for name, value in values.items():
        if name not in fields and not name.startswith("_") and name != "stampsEnabled":
            fields[name] = {"title": name, "value": value, "group": ["Документ"], "default": None}
    return fields


@method(f"{PREFIX}.document.getfields", "crm")
def describe_document(params: Params, context: Context) -> Result:
    """The fields of one document with their values."""
    row = _row(params, context)
    return Result({"documentFields": _descriptors({**row["values"], **_values(params)})})


@method(f"{PREFIX}.template.getfields", "crm")
def describe_template(params: Params, context: Context) -> Result:
    """The fields of documents of a template."""
    template_of(params, context)
    bound_int(params, "entityTypeId")
    return Result({"templateFields": _descriptors(_values(params))})
