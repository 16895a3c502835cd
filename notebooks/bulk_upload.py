# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Bulk upload
#
# This notebook uploads a file of real orders from the CDNOW purchase log, in which a dozen rows have typical errors.
# It shows what is found before anything is sent, what the portal itself refuses, how to fix the failed rows and send
# them again, and why sending everything once more changes nothing.

# %%
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

import bx24frames as bx

sys.path.append(str(Path("../benchmarks").resolve()))
from cdnow import load

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)  # uploads keep a journal; those of this notebook shall lie here, and go with it

# %% tags=["parameters"] small=["CUSTOMERS = 60"]
CUSTOMERS = 250

# %% [markdown]
# The portal is an empty sandbox with the limits of a real portal, except that it does not wait for its own processing
# time. Its contacts have a mandatory field that is also enforced over REST, an option that few portals turn on.
# Requests are sent one at a time, so that each row gets the same id in every run.

# %%
sizes = {"lead": 0, "deal": 0, "contact": 0, "company": 0}
box = bx.Sandbox(sizes=sizes, real_time=False, quirks={"demands_enforced": True})
portal = bx.Portal(box.url, limits=bx.Limits(max_in_flight=1))
SHOP = "UF_CRM_SHOP_NUMBER"
field = {"FIELD_NAME": SHOP, "USER_TYPE_ID": "string", "EDIT_FORM_LABEL": "Shop number", "MANDATORY": "Y"}
portal.call("crm.contact.userfield.add", {"fields": field})
log = load().sample(CUSTOMERS).purchases
log.head()

# %% [markdown]
# ## Customers
#
# Each customer becomes a contact; `originatorId` and `originId` identify the source system and the row in it. One
# customer lacks the number used in the shop. No cell is invalid, so nothing is rejected locally; the portal refuses
# the row. With `on_error="report"`, the others are written nevertheless, and the report has the outcome of each row.

# %%
customers = pd.DataFrame({"name": "Customer", "lastName": sorted(log["customer"].unique()), "originatorId": "cdnow"})
customers["originId"] = customers[SHOP] = customers["lastName"]
customers.loc[7, SHOP] = None
report = bx.write_entity(customers, "contact", portal, mode="insert", on_error="report", resume="customers.journal")
report

# %% [markdown]
# `failed_rows` returns the failed rows, with the columns and index of the input. Fix them and send them:

# %%
failed = report.failed_rows(customers)
mended = failed.assign(**{SHOP: failed["originId"]})
again = bx.write_entity(mended, "contact", portal, mode="insert", resume="customers-again.journal")
again

# %%
contacts = bx.read_entity("contact", portal, columns=["id", "originId"], filters={"originatorId": "cdnow"})
len(contacts)

# %% [markdown]
# ## Orders as they are in a file
#
# Everything is text, as in a CSV file: numbers, dates, times. Text in a valid format is converted to the type of its
# field.

# %%
CDS, PAID = "UF_CRM_1721244482250", "UF_CRM_VISIT_TIME"  # a whole number and a time that the box's deals have
orders = pd.DataFrame(
    {
        "originatorId": "cdnow",
        "originId": log["line"].astype(str),
        "title": "Order of customer " + log["customer"],
        "contactId": log["customer"].map(contacts.set_index("originId")["id"]).astype(str),
        "stageId": "WON",
        "opportunity": (log["cents"] / 100).map("{:.2f}".format),
        "currencyId": "USD",
        "closedate": log["day"].dt.strftime("%Y-%m-%d"),
        CDS: log["cds"].astype(str),
        PAID: log["day"].dt.strftime("%Y-%m-%dT12:00:00-05:00"),
    }
)
sound = orders.copy()
orders.head()

# %% [markdown]
# Twelve rows are invalid, each in a different way:

# %%
FAULTS = [
    (5, "stageId", "DELIVERED"),  # no such stage
    (12, "currencyId", "DOLLARS"),  # no such currency
    (20, "opportunity", "twelve"),  # text in a number
    (27, "opportunity", "14,99,50"),  # one decimal comma would be read as such; two are no number
    (33, "opportunity", "inf"),  # what a division by zero leaves behind
    (41, CDS, "2.5"),  # half a disc
    (58, "closedate", "1997-02-30"),  # no such day
    (66, PAID, "1997-05-01 12:00"),  # at noon, but where?
    (74, "contactId", "the usual"),  # no id
    (83, "title", "Order " * 60),  # longer than the shop allows
    (91, "originId", None),  # no key
    (99, "originId", orders.loc[98, "originId"]),  # the key of another row
]
for row, column, value in FAULTS:
    orders.loc[row, column] = value
KEY = ["originatorId", "originId"]

# %% [markdown]
# ## Before anything is sent
#
# `upsert` identifies rows by their key. A missing or duplicate key makes a row ambiguous: it raises first, whatever
# `on_error` says.

# %%
try:
    bx.write_entity(orders, "deal", portal, mode="upsert", on=KEY, on_error="report")
except bx.errors.ValidationError as error:
    print(error)

# %% [markdown]
# The line numbers in the log are correct, so those two rows get theirs back. Then the cells are checked against the
# portal's description of each field and, if one is given, against a pandera schema with the shop's own rules. Every
# invalid cell is reported by row, column and raw value:

# %%
orders.loc[[91, 99], "originId"] = sound.loc[[91, 99], "originId"]
rules = pa.DataFrameSchema({"title": pa.Column(str, pa.Check.str_length(max_value=100))})
upload = {"entity": "deal", "portal": portal, "mode": "upsert", "on": KEY, "schema": rules}
try:
    bx.write_entity(orders, **upload)
except bx.errors.ValidationError as error:
    faults = error.failures
faults

# %% [markdown]
# Nothing has been written so far:

# %%
bx.count_entity("deal", portal)

# %% [markdown]
# ## Sending the rest
#
# With `on_error="report"`, the ten invalid rows are not sent, and all others are.

# %%
report = bx.write_entity(orders, **upload, on_error="report", resume="orders.journal")
report

# %% [markdown]
# The report has one row for each row of the frame:

# %%
report.frame().query("action == 'failed'")[["position", "action", "column", "message", "path"]]

# %% [markdown]
# ## Fixing what failed
#
# The failed rows keep their index, so the correct values can be aligned with them, and only these rows are sent again.

# %%
failed = report.failed_rows(orders)
failed[["title", "contactId", "stageId", "opportunity", "currencyId", "closedate", CDS, PAID]]

# %%
failed.update(sound)
again = bx.write_entity(failed, **upload, resume="orders-again.journal")
again

# %% [markdown]
# ## Sending everything again
#
# The key finds each row in the portal. `only_changed=True` compares before it sends and skips equal rows, so no robot
# runs, and no row appears to have been modified. Twice:

# %%
for turn in (1, 2):
    report = bx.write_entity(sound, **upload, only_changed=True, resume=f"turn-{turn}.journal")
    print(report, end="\n\n")

# %% [markdown]
# If one price is corrected, only that cell is sent:

# %%
sound.loc[0, "opportunity"] = "12.77"
bx.write_entity(sound, **upload, only_changed=True, resume="price.journal")

# %% [markdown]
# ## Checking the result
#
# Every order exists once and matches the file to the cent, except for the one correction of a dollar:

# %%
deals = bx.read_entity(
    "deal", portal, columns=["originId", "opportunity", "closedate", CDS], filters={"stageId": "WON"}
)
{
    "orders": (len(deals), deals["originId"].nunique(), len(log)),
    "dollars": (round(deals["opportunity"].sum(), 2), log["cents"].sum() / 100 + 1),
    "discs": (deals[CDS].sum(), log["cds"].sum()),
}

# %%
portal.close()
box.close()
