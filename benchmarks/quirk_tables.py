"""What a storm tries beside plain reads and writes: phones, links, product rows, classic tables, captions, people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from quirk_oracle import KINDS, flag, meets, number, same, text
from quirk_world import Fault, World, columns_of, compared, condition_of, found

import bx24frames as bx

CLASSIC: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "crm.deal": (2, {"STAGE_ID": "stageId", "CLOSEDATE": "closedate", "CONTACT_ID": "contactId"}),
    "crm.lead": (1, {"STATUS_ID": "stageId", "NAME": "name", "LAST_NAME": "lastName"}),
    "crm.contact": (3, {"NAME": "name", "LAST_NAME": "lastName"}),
    "crm.company": (4, {}),
}
"""Classic tables: their type, and what their own columns are called in the sandbox's tables."""

SHARED: Mapping[str, str] = {
    "ID": "id", "TITLE": "title", "OPPORTUNITY": "opportunity", "COMPANY_ID": "companyId",
    "ASSIGNED_BY_ID": "assignedById", "DATE_CREATE": "createdTime", "DATE_MODIFY": "updatedTime", "OPENED": "opened",
    "SOURCE_ID": "sourceId", "ORIGIN_ID": "originId", "CURRENCY_ID": "currencyId",
}  # fmt: skip
LINES = {"productName": text, "price": number, "quantity": number, "taxRate": number, "taxIncluded": flag}
PHONES = ("+49 30 1234567", "8 (495) 123-45-67", "+7 912 000-11-22", "112", "+44 20 7946 0958")
MAILS = ("a@example.com", "Ü.b+c@example.org", "x_y@пример.рф")


def table(world: World) -> Fault:
    way = world.rng.choice(list(WAYS))
    return found(WAYS[way](world), way)


def read(world: World, entity: str, **options: Any) -> pl.DataFrame:
    return bx.read_entity(entity, world.portal, backend="polars", progress=False, **options)


def write(world: World, rows: list[dict[str, Any]], entity: str, **options: Any) -> pl.DataFrame:
    report = bx.write_entity(
        pl.DataFrame(rows), entity, world.portal, on_error="report", progress=False, resume=False, **options
    )
    return report.frame("polars").sort("position")


def numbers(cell: Any) -> list[int]:
    """Ids of a cell of several links, as a table or a frame holds them."""
    return sorted(json.loads(cell) if isinstance(cell, str) else cell or [])


# --- reads -----------------------------------------------------------------------------------------


def classic(world: World) -> Fault:
    """Columns and conditions of a classic table, OR over branches among them."""
    rng = world.rng
    entity, (type_id, own) = rng.choice(list(CLASSIC.items()))
    rows = world.stored(type_id)
    if type_id in (3, 4):  # classic contacts and companies are those of no category
        rows = {place: row for place, row in rows.items() if not row["categoryId"]}
    known = {**SHARED, **own}
    codes = {name: code for code, name in known.items() if any(name in row for row in rows.values())}
    codes |= {name: name for name in KINDS if name.startswith("UF_") and any(name in row for row in rows.values())}
    branches: list[list[tuple[str, str, Any]]] = []
    for _ in range(rng.choice([0, 1, 1, 2])):
        conditions = [condition_of(world, rows) for _ in range(rng.randint(1, 2))]
        branches.append([one for one in conditions if one[0] in codes] or [("id", ">", 0)])
    expected = {place: row for place, row in rows.items() if meets(row, branches)}
    columns = [name for name in columns_of(world, rows) if name in codes]
    spelt = [[(codes[name], op, value) for name, op, value in branch] for branch in branches]
    filters = spelt if len(spelt) != 1 else spelt[0]
    frame = read(world, entity, columns=[codes[name] for name in columns], filters=filters or None)
    fault = compared(frame.rename({codes[name]: name for name in columns}), expected)
    if fault is None and rng.random() < 0.3:
        counted = bx.count_entity(entity, world.portal, filters=filters or None)
        fault = None if counted == len(expected) else f"{counted} counted, {len(expected)} there"
    return found(fault, f"{entity}, {columns}, {spelt}")


def multifields(world: World) -> Fault:
    """Phones and e-mails beside named columns."""
    entity, type_id = world.rng.choice([("contact", 3), ("company", 4), ("lead", 1)])
    kind = world.rng.choice(["phone", "email"])
    frame = read(world, entity, columns=["id", kind], limit=world.rng.choice([None, 7]))
    fault = compared(frame.select("id"), world.stored(type_id), part=len(frame) == 7)
    for row in frame.to_dicts():
        kept = kept_fields(world, type_id, row["id"], kind)
        printed = sorted((entry["id"], entry["value"]) for entry in row[kind] or [])
        fault = fault or (f"{kind} of {row['id']} is {printed}, not {kept}" if printed != kept else None)
    return found(fault, entity)


def kept_fields(world: World, type_id: int, item: int, kind: str) -> list[tuple[int, str]]:
    sql = "SELECT id, value FROM multifield WHERE entityTypeId = ? AND elementId = ? AND typeId = ? ORDER BY id"
    return sorted((int(row[0]), str(row[1])) for row in world.sandbox.store.query(sql, (type_id, item, kind.upper())))


def links(world: World) -> Fault:
    """Contacts of deals, as a column and in a condition."""
    rows = world.stored(2)
    among = sorted({person for row in rows.values() for person in numbers(row["contactIds"])})
    chosen = world.rng.sample(among, world.rng.randint(1, 3))
    wanted = world.rng.choice([None, chosen])
    filters = {"contactIds": chosen if len(chosen) > 1 else chosen[0]} if wanted else None
    frame = read(world, "deal", columns=["id", "contactIds", "title"], filters=filters)
    expected = {
        place: row for place, row in rows.items() if not wanted or set(numbers(row["contactIds"])) & set(chosen)
    }
    fault = compared(frame.select("id", "title"), expected)
    for row in frame.to_dicts():
        kept = numbers(rows[row["id"]]["contactIds"])
        if numbers(row["contactIds"]) != kept:
            fault = fault or f"contactIds of {row['id']} are {row['contactIds']}, not {kept}"
    return found(fault, f"{filters}")


def product_rows(world: World) -> Fault:
    """The product rows of several deals."""
    stored = list(lines(world).values())
    owners = sorted({row["ownerId"] for row in stored})
    chosen = world.rng.sample(owners, world.rng.randint(1, len(owners)))
    chosen += world.rng.sample(sorted(set(world.stored(2)) - set(owners)), 2)
    names = world.rng.sample(list(LINES), 3)
    frame = read(world, "product_row", columns=["id", "ownerId", *names], filters={"ownerType": "D", "ownerId": chosen})
    expected = {row["id"]: row for row in stored if row["ownerId"] in chosen}
    fault = compared(frame.select("id"), expected)
    for row in frame.to_dicts():
        for name in names:
            kept = expected[row["id"]][name]
            if LINES[name](row[name]) != LINES[name](kept):
                fault = fault or f"{name} of line {row['id']} is {row[name]!r}, not {kept!r}"
    return found(fault, f"owners {chosen}")


def captions(world: World) -> Fault:
    """Stages and pipelines as captions, in columns and conditions, under codes or titles as names."""
    rng = world.rng
    rows = world.stored(2)
    statuses = world.portal.get_all("crm.status.list")
    names = {row["STATUS_ID"]: row["NAME"] for row in statuses if str(row["ENTITY_ID"]).startswith("DEAL_STAGE")}
    frame = read(world, "deal", columns=["id", "stageId", "title"], labels=["stageId"])
    fault = compared(frame.select("id", "title"), rows)
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    for row in frame.to_dicts():
        caption = names.get(rows[row["id"]]["stageId"], rows[row["id"]]["stageId"])
        if row["stageId"] != caption and caption not in shared:
            fault = fault or f"the stage of {row['id']} is {row['stageId']!r}, not {caption!r}"
    free = sorted({row["stageId"] for row in rows.values() if names.get(row["stageId"]) not in shared | {None}})
    if fault is None and free:
        code = rng.choice(free)
        asked = read(world, "deal", columns=["id", "stageId"], filters={"stageId": names[code]})
        fault = compared(asked, {place: row for place, row in rows.items() if row["stageId"] == code})
        fault = found(fault, f"stageId = {names[code]!r}")
    return fault


def titled(world: World) -> Fault:
    """Columns named as people see them."""
    entity, type_id = world.rng.choice([("deal", 2), ("contact", 3), ("company", 4), ("item:1036", 1036)])
    rows = world.stored(type_id)
    columns = columns_of(world, rows)
    frame = read(world, entity, columns=columns, titles=True)
    if frame.width != len(columns):
        return f"{frame.columns} for {columns} of {entity}"
    fault = compared(frame.rename(dict(zip(frame.columns, columns, strict=True))), rows)
    return found(fault, f"{entity}, {columns}")


def people(world: World) -> Fault:
    """Every user that a row names is among the users, for an administrator."""
    frame = read(world, "user", columns=["ID", "NAME", "LAST_NAME"])
    stored = {row[0]: row for row in world.sandbox.store.query('SELECT id, name, lastName FROM "user"')}
    strange = set(frame["ID"]) - set(stored)
    if strange or frame["ID"].n_unique() != len(frame):
        return f"strange or repeated users {sorted(strange)}"
    if world.portal.call("user.admin"):
        named = {row["assignedById"] for row in world.stored(2).values()} & set(stored)
        if named - set(frame["ID"]):
            return f"users {sorted(named - set(frame['ID']))} are named by deals and are no users"
    wrong = [row for row in frame.rows() if (text(row[1]), text(row[2])) != tuple(map(text, stored[row[0]][1:]))]
    return f"names {wrong[:2]}" if wrong else None


# --- writes ----------------------------------------------------------------------------------------


def new_people(world: World) -> Fault:
    """Contacts with phones, inserted and read back."""
    rng = world.rng
    rows = [
        {"lastName": f"{world.mark} {place}", "phone": rng.choice(PHONES), "email": rng.choice(MAILS)}
        for place in range(rng.randint(1, 4))
    ]
    told = write(world, rows, "contact", mode="insert", automation=rng.choice([None, True]))
    after = world.stored(3)
    for outcome, row in zip(told.to_dicts(), rows, strict=True):
        made = [place for place, kept in after.items() if kept["lastName"] == row["lastName"]]
        if (outcome["action"] == "inserted") != (made == [outcome["id"]] and len(made) == 1):
            return f"{outcome['action']} as {outcome['id']}, and there are {made}"
        for kind in ("phone", "email"):
            kept = [value for place in made for _, value in kept_fields(world, 3, place, kind)]
            if made and not outcome["message"] and list(map(plain, kept)) != [plain(row[kind])]:
                return f"{kind} {row[kind]!r} is told as inserted, and is {kept}"
    return None


def plain(value: str) -> str:
    return value.casefold() if "@" in value else "".join(filter(str.isdigit, value))


def new_lines(world: World) -> Fault:
    """Product rows added to a deal: they are there, and the ones before them stay."""
    rng = world.rng
    owner = rng.choice(list(world.stored(2)))
    before = lines(world, owner)
    rows = [
        {"ownerId": owner, "ownerType": "D", "productName": f"{world.mark} {place}", "price": rng.choice([1.0, 12.5]),
         "quantity": rng.choice([1.0, 2.5])}
        for place in range(rng.randint(1, 3))
    ]  # fmt: skip
    told = write(world, rows, "product_row", mode="insert")
    after = lines(world, owner)
    if set(before) - set(after):
        return f"lines {sorted(set(before) - set(after))} of deal {owner} are gone"
    for outcome, row in zip(told.to_dicts(), rows, strict=True):
        made = [place for place, kept in after.items() if kept["productName"] == row["productName"]]
        if (outcome["action"] == "inserted") != (len(made) == 1):
            return f"a line is {outcome['action']}, and there are {made}"
        wrong = [name for place in made for name in ("price", "quantity") if float(after[place][name]) != row[name]]
        if wrong and not outcome["message"]:
            return f"{wrong} of {row} are not stored, and nothing was told"
    return None


def lines(world: World, owner: int | None = None) -> dict[int, dict[str, Any]]:
    """Product rows of deals as the table holds them, by id."""
    names = ["id", "ownerId", "productName", *(name for name in LINES if name != "productName")]
    columns = ", ".join(f'"{name}"' for name in names)
    found = world.sandbox.store.query(f"SELECT {columns} FROM product_row WHERE ownerType = 'D'")
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in found}
    return {place: row for place, row in rows.items() if owner in (None, row["ownerId"])}


def classic_rows(world: World) -> Fault:
    """Deals written by the classic methods."""
    rng = world.rng
    before = world.stored(2)
    rows: list[dict[str, Any]] = [
        {"TITLE": f"{world.mark} {place}", "OPPORTUNITY": rng.choice([1.5, 20.0]), "ORIGIN_ID": rng.choice(["7", "a "]),
         "STAGE_ID": rng.choice([row["stageId"] for row in before.values()]), "OPENED": rng.choice([True, False])}
        for place in range(rng.randint(1, 3))
    ]  # fmt: skip
    options: dict[str, Any] = {"mode": "insert"}
    if rng.random() < 0.5:
        options = {"mode": "update"}
        chosen = rng.sample(list(before), len(rows))
        rows = [{"ID": place, **row} for place, row in zip(chosen, rows, strict=True)]
    told = write(world, rows, "crm.deal", **options)
    after = world.stored(2)
    for outcome, row in zip(told.to_dicts(), rows, strict=True):
        made = [place for place, kept in after.items() if kept["title"] == row["TITLE"]]
        if outcome["action"] in ("inserted", "updated"):
            if made != [outcome["id"]]:
                return f"{outcome['action']} as {outcome['id']}, and there are {made}"
            cells = {SHARED.get(code) or CLASSIC["crm.deal"][1][code]: cell for code, cell in row.items()}
            wrong = [name for name, cell in cells.items() if not same(name, cell, after[made[0]].get(name))]
            if wrong and not outcome["message"]:
                return f"{wrong} of {row} are told as {outcome['action']}"
        elif made and outcome["id"] is None:
            return f"{outcome['action']}, and the row is there"
    return None


def captioned(world: World) -> Fault:
    """Deals moved to stages of their own pipeline, which are named as people see them."""
    rng = world.rng
    before = world.stored(2)
    statuses = world.portal.get_all("crm.status.list")
    chosen = rng.sample(list(before), 3)
    rows: list[dict[str, Any]] = []
    wanted: list[str] = []
    for place in chosen:
        pipeline = before[place]["categoryId"]
        entity = f"DEAL_STAGE_{pipeline}" if pipeline else "DEAL_STAGE"
        stage = rng.choice([row for row in statuses if row["ENTITY_ID"] == entity])
        rows.append({"id": place, "title": f"{world.mark} {place}", "stageId": stage["NAME"]})
        wanted.append(stage["STATUS_ID"])
    told = write(world, rows, "deal", mode="update")
    after = world.stored(2)
    for outcome, row, code in zip(told.to_dicts(), rows, wanted, strict=True):
        kept = after[row["id"]]["stageId"]
        if outcome["action"] == "updated" and kept != code and not outcome["message"]:
            return f"{row} is told as updated, and is {kept!r}, not {code!r}"
        if outcome["action"] == "failed" and kept not in (code, before[row["id"]]["stageId"]):
            return f"{row} has failed, and is {kept!r}"
    return None


WAYS: Mapping[str, Callable[[World], Fault]] = {
    "classic": classic, "phones": multifields, "links": links, "product rows": product_rows, "captions": captions,
    "titles": titled, "people": people, "new people": new_people, "new lines": new_lines, "classic rows": classic_rows,
    "captioned rows": captioned,
}  # fmt: skip
