"""The disk, lists, users, groups, calls and rights of the portal in a box."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context
from tests.sandbox.handlers import answer, opened, refusal, refused_as, value

TEXT = base64.b64encode(b"content").decode()
LIST = {"IBLOCK_TYPE_ID": "lists"}


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(3, {"user": 6, "disk_item": 12, "storage": 4, "workgroup": 3, "list_element": 4, "task": 2}) as store:
        yield store


def handled(store: PortalStore, name: str, *quirks: str, user: int = 1, **params: Any) -> Any:
    context = Context(store=store, user_id=user, now=1.79e9, quirks=frozenset(quirks))
    return METHODS[name.lower()].handler(params, context).value


# ---------------------------------------------------------------- the disk


def test_folders_and_files_have_the_fields_of_their_kind(store: PortalStore) -> None:
    files, folders = (value(store, f"disk.{kind}.getfields") for kind in ("file", "folder"))
    assert set(files) - set(folders) == {"GLOBAL_CONTENT_VERSION", "FILE_ID", "SIZE"}
    assert set(folders) - set(files) == {"REAL_OBJECT_ID"}
    made = value(store, "disk.folder.addsubfolder", id=1, data={"NAME": "made"})
    assert made["ID"] == made["REAL_OBJECT_ID"], "numbers, while it is new"
    again = value(store, "disk.folder.get", id=made["ID"])
    assert again["ID"] == str(made["ID"])
    assert "SIZE" not in again
    assert refused_as(store, "disk.folder.addsubfolder", id=1, data={"NAME": "made"}) == "DISK_OBJ_22000"


def test_a_file_is_uploaded_renewed_and_thrown_away(store: PortalStore) -> None:
    made = value(store, "disk.folder.uploadfile", id=1, data={"NAME": "a.txt"}, fileContent=["a.txt", TEXT])
    row_id = made["ID"]
    assert (made["SIZE"], made["GLOBAL_CONTENT_VERSION"], made["TYPE"]) == ("7", 1, "file")
    same: dict[str, Any] = {"id": 1, "data": {"NAME": "a.txt"}, "fileContent": TEXT}
    assert refused_as(store, "disk.folder.uploadfile", **same) == "DISK_OBJ_22000"
    twin = value(store, "disk.folder.uploadfile", **same, generateUniqueName=True)
    assert twin["NAME"] == "a (1).txt"
    longer = base64.b64encode(b"longer content").decode()
    assert value(store, "disk.file.uploadversion", id=row_id, fileContent=longer)["SIZE"] == "14"
    [version] = value(store, "disk.file.getversions", id=row_id)
    assert value(store, "disk.version.get", id=version["ID"]) == version
    assert value(store, "disk.file.restorefromversion", id=row_id, versionId=version["ID"])["SIZE"] == "14"
    assert value(store, "disk.file.markdeleted", id=row_id)["DELETED_TYPE"] == 3
    assert value(store, "disk.file.restore", id=row_id)["DELETED_TYPE"] == 0
    assert value(store, "disk.file.delete", id=row_id) is True
    assert refused_as(store, "disk.file.get", id=row_id) == "ERROR_NOT_FOUND"
    assert set(value(store, "disk.folder.uploadfile", id=1)) == {"field", "uploadUrl"}, "content by another request"


def test_a_folder_goes_with_all_it_holds(store: PortalStore) -> None:
    outer = value(store, "disk.storage.addfolder", id=1, data={"NAME": "outer"})["ID"]
    inner = value(store, "disk.folder.addsubfolder", id=outer, data={"NAME": "inner"})["ID"]
    file = value(store, "disk.folder.uploadfile", id=inner, data={"NAME": "b"}, fileContent=TEXT)["ID"]
    copy = value(store, "disk.folder.copyto", id=outer, targetFolderId=2)["ID"]
    assert [row["NAME"] for row in value(store, "disk.folder.getchildren", id=copy)] == ["inner"]
    assert value(store, "disk.folder.deletetree", id=outer) is True
    assert refused_as(store, "disk.file.get", id=file) == "ERROR_NOT_FOUND"
    assert refused_as(store, "disk.folder.deletetree", id=1) == "DISK_OBJ_22000", "the root stays"


@pytest.mark.parametrize("quirks", [(), ("folder_keeps_its_drive",)])
def test_a_folder_may_not_change_its_drive(store: PortalStore, quirks: tuple[str, ...]) -> None:
    folder = value(store, "disk.folder.addsubfolder", id=1, data={"NAME": f"mover {quirks}"})["ID"]
    store.update_row("disk_item", 8, {"storageId": 2})
    moved = handled(store, "disk.folder.moveto", *quirks, id=folder, targetFolderId=8)
    row = store.row("disk_item", folder)
    assert row is not None
    assert (moved is False, row["parentId"]) == ((True, 1) if quirks else (False, 8))


# ---------------------------------------------------------------- lists


def test_a_list_is_made_described_and_filled(store: PortalStore) -> None:
    """Whatever is written to a property made by callers is printed, and found by a condition."""
    fields = {"NAME": "Made", "DESCRIPTION": "d", "SORT": 20}
    number = value(store, "lists.add", **LIST, IBLOCK_CODE="made", FIELDS=fields, MESSAGES={"ELEMENT_NAME": "Task"})
    assert refused_as(store, "lists.add", **LIST, IBLOCK_CODE="made", FIELDS=fields) == "ERROR_IBLOCK_ALREADY_EXISTS"
    [row] = value(store, "lists.get", **LIST, IBLOCK_ID=number)
    assert (row["NAME"], row["DESCRIPTION"], row["SORT"], row["ELEMENT_NAME"]) == ("Made", "d", "20", "Task")
    here: dict[str, Any] = {**LIST, "IBLOCK_ID": number}
    assert refused_as(store, "lists.field.add", **here, FIELDS={"NAME": "N", "TYPE": "S"}) == "ERROR_SAVE_FIELD"
    choice = {"NAME": "Kind", "TYPE": "L", "CODE": "KIND", "LIST": {"10": {"VALUE": "red"}}, "LIST_TEXT_VALUES": "blue"}
    kind = value(store, "lists.field.add", **here, FIELDS=choice)
    count = value(store, "lists.field.add", **here, FIELDS={"NAME": "Count", "TYPE": "N", "CODE": "COUNT"})
    marks = value(store, "lists.field.add", **here, FIELDS={"NAME": "M", "TYPE": "S", "CODE": "M", "MULTIPLE": "Y"})
    described = value(store, "lists.field.get", **here, FIELD_ID=kind)["L"]
    red, blue = described["DISPLAY_VALUES_FORM"]
    assert list(described["DISPLAY_VALUES_FORM"].values()) == ["red", "blue"]
    written = {"NAME": "e", kind: red, count: "5", marks: {"n0": "a", "n1": "b"}}
    element = value(store, "lists.element.add", **here, ELEMENT_CODE="one", FIELDS=written)
    [answered] = value(store, "lists.element.get", **here, ELEMENT_ID=element)
    assert [list(answered[name].values()) for name in (kind, count, marks)] == [[red], [5], ["a", "b"]]
    for condition, hits in (({count: 5}, 1), ({f">{count}": 5}, 0), ({marks: "b"}, 1), ({kind: blue}, 0)):
        assert len(value(store, "lists.element.get", **here, FILTER=condition)) == hits
    assert value(store, "lists.field.delete", **here, FIELD_ID=count) is True
    assert count not in value(store, "lists.element.get", **here)[0]
    assert value(store, "lists.delete", **here) is True
    assert refused_as(store, "lists.element.get", **here) == "ERROR_IBLOCK_NOT_FOUND"


@pytest.mark.parametrize("quirks", [(), ("list_columns_by_configuration",)])
def test_times_of_an_element_are_printed_where_the_list_shows_them(store: PortalStore, quirks: tuple[str, ...]) -> None:
    code = f"times{len(quirks)}"
    number = value(store, "lists.add", **LIST, IBLOCK_CODE=code, FIELDS={"NAME": "Times"})
    here: dict[str, Any] = {**LIST, "IBLOCK_ID": number}
    value(store, "lists.element.add", **here, ELEMENT_CODE="a", FIELDS={"NAME": "e"})
    value(store, "lists.field.add", **here, FIELDS={"NAME": "Created", "TYPE": "DATE_CREATE"})
    [row] = handled(store, "lists.element.get", *quirks, **here)
    assert ("DATE_CREATE" in row, "TIMESTAMP_X" in row) == (True, not quirks)


def test_sections_of_a_list_are_kept(store: PortalStore) -> None:
    here: dict[str, Any] = {**LIST, "IBLOCK_ID": 33}
    number = value(store, "lists.section.add", **here, SECTION_CODE="s", FIELDS={"NAME": "Section", "SORT": 7})
    assert refused_as(store, "lists.section.add", **here, SECTION_CODE="s", FIELDS={}) == "ERROR_SECTION_ALREADY_EXISTS"
    assert value(store, "lists.section.update", **here, SECTION_ID=number, FIELDS={"NAME": "Renamed"}) is True
    [row] = value(store, "lists.section.get", **here, FILTER={"%NAME": "%ename%"}, SELECT=["NAME", "SORT"])
    assert row == {"ID": str(number), "NAME": "Renamed", "SORT": "7"}
    assert value(store, "lists.section.delete", **here, SECTION_CODE="s") is True
    assert refused_as(store, "lists.section.delete", **here, SECTION_ID=number) == "ERROR_SECTION_NOT_FOUND"
    assert value(store, "lists.get.iblock.type.id", IBLOCK_ID=33) == "lists"


# ---------------------------------------------------------------- users, groups, rights


def test_departments_at_the_top_have_the_parent_0(store: PortalStore) -> None:
    """And names go in either case, the order's too."""
    top = value(store, "department.get", PARENT=0, SORT="ID", ORDER="DESC", START=0)
    assert [row["ID"] for row in top] == ["1"]
    assert [row["ID"] for row in value(store, "department.get", SORT="NAME", order="ASC", parent=1)] == ["4", "3"]


def test_a_filter_of_departments_replaces_all(store: PortalStore) -> None:
    """The order that stands beside it, too."""
    found = value(store, "department.get", SORT="ID", ORDER="DESC", FILTER={"PARENT": "1"})
    assert [row["ID"] for row in found] == ["3", "4"]


def test_users_are_searched_in_the_order_asked_for(store: PortalStore) -> None:
    ids = [int(row["ID"]) for row in value(store, "user.search", sort="ID", order="DESC", FILTER={"ACTIVE": True})]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) > 1


def test_what_is_written_to_a_user_is_printed(store: PortalStore) -> None:
    fields = {"PERSONAL_PROFESSION": "smith", "WORK_COUNTRY": "1", "UF_SKILLS": "iron", "WORK_NOTES": "n"}
    assert fields.keys() <= value(store, "user.fields").keys()
    number = value(store, "user.userfield.add", fields={"FIELD_NAME": "UF_USR_BADGE", "USER_TYPE_ID": "string"})
    row_id = value(store, "user.add", EMAIL="new@example.com", **fields, UF_USR_BADGE="b7")
    value(store, "user.update", ID=row_id, PERSONAL_PHOTO=["me.jpg", TEXT])
    [row] = value(store, "user.get", ID=row_id)
    assert {name: row[name] for name in (*fields, "UF_USR_BADGE")} == fields | {"UF_USR_BADGE": "b7"}
    assert row["PERSONAL_PHOTO"].startswith("https://")
    assert {"TIME_ZONE", "UF_EMPLOYMENT_DATE"} <= value(store, "user.current").keys()
    assert refused_as(store, "user.add", EMAIL="NEW@example.com") == "ERROR_ARGUMENT"
    assert value(store, "user.userfield.delete", id=number) is True
    assert value(store, "user.userfield.list") == []


def test_rights_are_those_of_the_caller(store: PortalStore) -> None:
    assert (handled(store, "user.admin"), handled(store, "user.admin", user=3)) == (True, False)
    assert [handled(store, "user.access", user=user, ACCESS=["G1"]) for user in (1, 3)] == [True, False]
    assert set(value(store, "access.name", ACCESS=["AU", "U1", "D1", "nope"])) == {"AU", "U1", "D1"}
    assert value(store, "feature.get", CODE="rest_offline_extended") == {"value": "Y"}
    assert refused_as(store, "feature.get") == "CODE_EMPTY"
    assert "ONCRMDEALADD" in value(store, "events")
    for name in ("entity.item.get", "bizproc.robot.list"):
        error = refusal(store, name)
        assert (error.code, error.status) == ("ACCESS_DENIED", 403)
        assert "Application context" in error.description


def test_options_belong_to_an_application(store: PortalStore) -> None:
    """A webhook has none; a user's are his own."""
    assert refused_as(store, "app.option.set", options={"a": "1"}) == "AccessException"
    for name, user in (("app", 1), ("user", 1), ("user", 3)):
        context = Context(store=store, user_id=user, now=1.79e9, application="app")
        METHODS[f"{name}.option.set"].handler({"options": {"who": f"{name}{user}"}}, context)
        assert METHODS[f"{name}.option.get"].handler({"option": "who"}, context).value == f"{name}{user}"
    first = Context(store=store, user_id=1, now=1.79e9, application="app")
    assert METHODS["user.option.get"].handler({}, first).value == {"who": "user1"}


def test_people_of_a_group_are_kept_with_their_roles(store: PortalStore) -> None:
    group = value(store, "sonet_group.create", NAME="G")
    users = [row["ID"] for row in value(store, "user.get", FILTER={"ACTIVE": True}) if row["ID"] != "1"][:2]
    assert value(store, "sonet_group.user.add", GROUP_ID=group, USER_ID=users) == users
    assert value(store, "sonet_group.user.update", GROUP_ID=group, USER_ID=users[0], ROLE="E") == users[:1]
    roles = {row["USER_ID"]: row["ROLE"] for row in value(store, "sonet_group.user.get", ID=group)}
    assert roles == {"1": "A", users[0]: "E", users[1]: "K"}
    assert value(store, "sonet_group.user.delete", GROUP_ID=group, USER_ID=[users[1], "1"]) == [users[1]]
    answered = value(store, "socialnetwork.api.workgroup.get", params={"groupId": group, "select": ["TAGS"]})
    assert (answered["MEMBERS"], answered["TAGS"]) == ([1, int(users[0])], [])
    assert refused_as(store, "socialnetwork.api.workgroup.get", params={"groupId": 10**6}).endswith("NOT_FOUND")
    assert refused_as(store, "sonet_group.user.update", GROUP_ID=group, USER_ID=users, ROLE="X") == ""


# ---------------------------------------------------------------- calls


def test_a_call_becomes_a_row_of_the_statistics_when_it_ends(store: PortalStore) -> None:
    begun = {"USER_ID": 1, "PHONE_NUMBER": "+7 916 334-56-41", "CALL_START_DATE": "2026-11-30 10:00:00.123", "TYPE": 1}
    made = value(store, "telephony.externalcall.register", **begun, CRM_ENTITY_TYPE="LEAD", CRM_ENTITY_ID=7)
    call_id = made["CALL_ID"]
    assert value(store, "telephony.externalcall.show", CALL_ID=call_id, USER_ID=1) is True
    assert value(store, "voximplant.statistic.get", FILTER={"CALL_ID": call_id}) == []
    done = value(store, "telephony.externalcall.finish", CALL_ID=call_id, USER_ID=1, DURATION=12, COST="1.5")
    [row] = value(store, "voximplant.statistic.get", FILTER={"CALL_ID": call_id})
    assert (row["ID"], row["CALL_DURATION"], row["COST"]) == (str(done["ID"]), "12", "1.5000")
    assert row["CALL_START_DATE"].startswith("2026-11-30T10:00:00")
    record = {"CALL_ID": call_id, "FILENAME": "a.mp3", "FILE_CONTENT": TEXT}
    file_id = value(store, "telephony.externalcall.attachrecord", **record)["FILE_ID"]
    [row] = value(store, "voximplant.statistic.get", FILTER={"CALL_ID": call_id})
    assert row["RECORD_FILE_ID"] == file_id, "a number"


@pytest.mark.parametrize(
    ("changed", "answered"),
    [
        ({"TYPE": 9}, "Unknown TYPE"),
        ({"USER_ID": 10**6}, "User is not found or is not active."),
        ({"CALL_START_DATE": "yesterday"}, "CALL_START_DATE should be in the ISO-8601 format."),
        ({"PHONE_NUMBER": ""}, "Unsupported phone number format."),
    ],
)
def test_a_call_that_cannot_be_is_refused(store: PortalStore, changed: dict[str, Any], answered: str) -> None:
    params = {"USER_ID": 1, "PHONE_NUMBER": "+79163345641", "TYPE": 2} | changed
    assert refusal(store, "telephony.externalcall.register", **params).description == answered


def test_a_line_is_made_once(store: PortalStore) -> None:
    line = {"NUMBER": "14151234567", "NAME": "Main"}
    assert "ID" in value(store, "telephony.externalline.add", **line)
    assert refused_as(store, "telephony.externalline.add", **line) == "ERROR_CORE"
    assert value(store, "telephony.externalline.get")[0]["NAME"] == "Main"
    assert value(store, "telephony.externalline.delete", NUMBER="14151234567") == []
    assert answer(store, "telephony.externalline.get").value == []
