# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A warehouse in one file
#
# Copy a portal into a DuckDB file, let the portal change, bring the copy up to date, and ask it questions in SQL: also
# what the pipeline was in earlier months. Everything runs against a sandbox of its own.

# %%
import tempfile
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt

import bx24frames as bx

box = bx.Sandbox(sizes={"deal": 400, "contact": 120}, real_time=False)
portal = bx.Portal(box.url)
store = Path(tempfile.mkdtemp()) / "crm.duckdb"

# %% [markdown]
# The first run copies the tables. Deals keep the history of their stages.

# %%
tables = ["deal", "contact", "user", "stage_history:2"]
first = bx.sync_entities(tables, portal, store=store, history=["stageId"], progress=False)
first.frame()[["table", "status", "inserted", "updated", "deleted"]]

# %% [markdown]
# The portal changes: a deal is won, one is new, two are deleted, and a field is added.

# %%
ids = bx.read_entity("deal", portal, columns=["id"], filters={"categoryId": 0}, limit=3, progress=False)["id"].tolist()
portal.call("crm.item.update", {"entityTypeId": 2, "id": ids[0], "fields": {"stageId": "WON"}})
portal.call("crm.item.add", {"entityTypeId": 2, "fields": {"title": "Three hundred chairs", "opportunity": 90_000}})
bx.delete_entity(ids[1:], "deal", portal, progress=False)
box.admin.add_field("deal", "UF_CRM_REGION", "string", title="Region")

second = bx.sync_entities(tables, portal, store=store, history=["stageId"], progress=False)
second.frame()[["table", "inserted", "updated", "deleted", "drift"]]

# %% [markdown]
# Deleted rows are marked, not lost; the views `deal_now` and `deal_labels` leave them out, and the latter has captions
# in place of codes.

# %%
warehouse = duckdb.connect(str(store), read_only=True)
warehouse.sql("SELECT count(*) AS rows, count(_deleted_at) AS deleted FROM deal").df()

# %%
warehouse.sql("""
    SELECT stageId AS stage, count(*) AS deals, round(sum(opportunity)) AS amount
    FROM deal_labels GROUP BY ALL ORDER BY amount DESC, stage LIMIT 6
""").df()

# %% [markdown]
# The versions of a deal, each with the time it was valid:

# %%
warehouse.execute(
    "SELECT stageId, valid_to IS NULL AS valid FROM deal_history WHERE id = ? ORDER BY valid_from", ids[:1]
).df()

# %% [markdown]
# What was in the pipeline at the end of each month: the moves through the stages are a table of the portal, and the
# copy holds them all.

# %%
pipeline = warehouse.sql("""
    WITH months AS (
        SELECT unnest(generate_series(min(CREATED_TIME), max(CREATED_TIME), INTERVAL 1 MONTH)) AS month
        FROM deal_stage_history
    ), moves AS (
        SELECT OWNER_ID, STAGE_SEMANTIC_ID, CREATED_TIME,
               lead(CREATED_TIME) OVER (PARTITION BY OWNER_ID ORDER BY CREATED_TIME, ID) AS until
        FROM deal_stage_history
    )
    SELECT month, STAGE_SEMANTIC_ID AS state, count(*) AS deals
    FROM months JOIN moves ON CREATED_TIME <= month AND (until IS NULL OR until > month)
    GROUP BY ALL ORDER BY month, state
""").df()

wide = pipeline.pivot_table(index="month", columns="state", values="deals", fill_value=0)
wide = wide.rename(columns={"P": "open", "S": "won", "F": "lost"})
figure, axes = plt.subplots(figsize=(8, 3.5))
axes.stackplot(wide.index, wide.T.to_numpy(), labels=list(wide.columns))
axes.set_ylabel("deals")
axes.set_title("The pipeline by month")
_ = axes.legend(loc="upper left")

# %%
warehouse.close()
portal.close()
box.close()
