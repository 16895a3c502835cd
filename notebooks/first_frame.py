# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A first frame
#
# Connect, look around, read, filter, count, and replace codes with captions, in pandas and in polars. The portal is a
# sandbox with a small company in it; for your own portal, run `bx24frames connect` once and write
# `portal = bx.Portal()`.

# %%
import pandas as pd

import bx24frames as bx

today = pd.Timestamp("2026-11-30 12:00", tz="UTC")
box = bx.Sandbox(seed="tidy", locale="en", clock=today.timestamp, real_time=False)
portal = bx.Portal(box.url)
portal

# %% [markdown]
# Which tables exist, and may this credential read them?

# %%
tables = bx.list_entities(portal)
tables.loc[tables["available"], ["name", "title", "list_method", "paging", "writable"]].head(8)

# %% [markdown]
# What does a table contain? One row per field, with its type in the portal and in Arrow:

# %%
bx.describe_entity("deal", portal)[["code", "title", "type", "arrow_type", "read_only"]].head(8)

# %% [markdown]
# Read some columns, with conditions. Codes and captions are accepted alike. The dtypes follow from the portal's
# description, never from the rows that arrived.

# %%
deals = bx.read_entity(
    "deal",
    portal,
    columns=["id", "title", "stageId", "assignedById", "opportunity", "closedate", "createdTime"],
    filters=[("stageId", "in", ["Won", "In progress"]), ("opportunity", ">=", 1000)],
    labels=True,
)
deals.head()

# %%
deals.dtypes

# %% [markdown]
# Count without reading rows:

# %%
bx.count_entity("deal", portal), bx.count_entity("deal", portal, filters={"stageId": "Won"})

# %% [markdown]
# From here on it is pandas. What each manager has won, by quarter of this year:

# %%
won = deals[(deals["stageId"] == "Won") & (deals["closedate"] >= "2026-01-01")]
won.pivot_table(
    index="assignedById", columns=won["closedate"].dt.quarter, values="opportunity", aggfunc="sum", observed=True
)

# %% [markdown]
# The same in polars:

# %%
import polars as pl

bx.read_entity("deal", portal, columns=["stageId", "opportunity"], labels=True, backend="polars").group_by(
    "stageId"
).agg(pl.len().alias("deals"), pl.col("opportunity").sum()).sort("opportunity", descending=True).head(5)

# %% [markdown]
# What would it take to read a whole table, and what has all this cost the portal?

# %%
portal.plan("deal")

# %% tags=["times"]
portal.stats.to_frame()
