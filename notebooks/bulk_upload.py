# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Bulk upload
#
# A file of orders goes into the portal: real ones, of the CDNOW purchase log, with a dozen rows broken in the ways
# files are broken. What is found before anything is sent, what the portal itself refuses, how the broken rows are taken
# out, mended and sent again, and why sending everything once more changes nothing.

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
# The portal is one in a box, empty, with a real portal's limits; only the time that its work takes is not waited for.
# Its contacts have a mandatory field, and it insists on that over REST too, by an option that few portals have on. One
# request at a time, so that each row gets the same id whenever this is run.

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
# A customer becomes a contact; `originatorId` and `originId` say where a row comes from and what it is called there.
# One customer has lost their number in the shop. No cell is wrong, so nothing is held back here; it is the portal that
# refuses the row. With `on_error="report"` the others are written all the same, and the report tells what became of
# each row.

# %%
customers = pd.DataFrame({"name": "Customer", "lastName": sorted(log["customer"].unique()), "originatorId": "cdnow"})
customers["originId"] = customers[SHOP] = customers["lastName"]
customers.loc[7, SHOP] = None
report = bx.write_entity(customers, "contact", portal, mode="insert", on_error="report", resume="customers.journal")
report

# %% [markdown]
# `failed_rows` gives back the very rows, with the input's own columns and index. Mend them and send them:

# %%
failed = report.failed_rows(customers)
mended = failed.assign(**{SHOP: failed["originId"]})
again = bx.write_entity(mended, "contact", portal, mode="insert", resume="customers-again.journal")
again

# %%
contacts = bx.read_entity("contact", portal, columns=["id", "originId"], filters={"originatorId": "cdnow"})
len(contacts)

# %% [markdown]
# ## Orders, as a file has them
#
# Everything is text, as out of a CSV file: numbers, dates, times. Written as it should be, text is taken for what it
# says.

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
# Twelve rows are broken, each in its own way:

# %%
FAULTS = [
    (5, "stageId", "DELIVERED"),  # no such stage
    (12, "currencyId", "DOLLARS"),  # no such currency
    (20, "opportunity", "twelve"),  # text in a number
    (27, "opportunity", "14,99"),  # a decimal comma: 14.99, or a list of two?
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
# `upsert` tells rows apart by their key. A key that is missing, or there twice, makes it unclear what a row even is:
# that is raised first, whatever `on_error` says.

# %%
try:
    bx.write_entity(orders, "deal", portal, mode="upsert", on=KEY, on_error="report")
except bx.errors.ValidationError as error:
    print(error)

# %% [markdown]
# The line numbers of the log are right; those two rows get theirs back. Then the cells are looked at, against the
# portal's description of each field and, where one is given, against a pandera schema with the shop's own rules. Every
# cell at fault is named, by row, column and raw value:

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
# With `on_error="report"` the ten bad rows stay here, and all others go.

# %%
report = bx.write_entity(orders, **upload, on_error="report", resume="orders.journal")
report

# %% [markdown]
# One row of the report for each row of the frame:

# %%
report.frame().query("action == 'failed'")[["position", "action", "column", "message", "path"]]

# %% [markdown]
# ## Mending what failed
#
# The failed rows keep their index, so the right values find their places, and only these rows are sent again.

# %%
failed = report.failed_rows(orders)
failed[["title", "contactId", "stageId", "opportunity", "currencyId", "closedate", CDS, PAID]]

# %%
failed.update(sound)
again = bx.write_entity(failed, **upload, resume="orders-again.journal")
again

# %% [markdown]
# ## Once more, to see nothing happen
#
# The key finds each row in the portal. `only_changed=True` compares before it sends: what is equal is left alone, so no
# robot runs, and no row looks as if somebody had touched it. Twice:

# %%
for turn in (1, 2):
    report = bx.write_entity(sound, **upload, only_changed=True, resume=f"turn-{turn}.journal")
    print(report, end="\n\n")

# %% [markdown]
# One price is corrected, and that one cell is sent:

# %%
sound.loc[0, "opportunity"] = "12.77"
bx.write_entity(sound, **upload, only_changed=True, resume="price.journal")

# %% [markdown]
# ## Is it all there?
#
# Every order once, and to the cent what the file says, with the one correction of a dollar:

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
