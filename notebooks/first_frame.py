# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A first frame
#
# Connect, list tables, read, filter, count, and replace codes with captions, in pandas and in polars. Everything runs
# against the sandbox; to use your own portal, put its webhook's address in place of `"sandbox"`.

# %%
import bx24frames as bx

portal = bx.Portal("sandbox")
portal

# %% [markdown]
# Which tables exist, and which of them may this credential read?

# %%
tables = bx.list_entities(portal)
tables[tables["available"]][["name", "title", "list_method", "paging", "writable"]].head(12)

# %% [markdown]
# What does a table contain? One row per field, with its type in the portal and in Arrow:

# %%
fields = bx.describe_entity("deal", portal)
fields[["code", "title", "type", "arrow_type", "required", "read_only"]].head(12)

# %% [markdown]
# Read some columns, with conditions. The dtypes follow from the portal's description, never from the rows that
# arrived.

# %%
deals = bx.read_entity(
    "deal",
    portal,
    columns=["id", "title", "stageId", "opportunity", "currencyId", "contactId", "begindate", "createdTime"],
    filters=[("opportunity", ">=", 1000), ("currencyId", "in", ["RUB", "USD"])],
)
deals.head()

# %%
deals.dtypes

# %% [markdown]
# An empty table has the same dtypes, and needs no data request:

# %%
nothing = bx.read_entity("deal", portal, columns=list(deals.columns), filters=[("id", "in", [])])
len(nothing), (nothing.dtypes == deals.dtypes).all()

# %% [markdown]
# Counting takes one request and reads no rows:

# %%
bx.count_entity("deal", portal), bx.count_entity("deal", portal, filters={"stageId": "WON"})

# %% [markdown]
# Captions instead of codes, as categoricals, and what they are good for:

# %%
named = bx.read_entity("deal", portal, columns=["stageId", "opportunity", "currencyId"], labels=["stageId"])
named[named["currencyId"] == "RUB"].groupby("stageId", observed=True)["opportunity"].agg(["count", "sum"]).sort_values(
    "sum", ascending=False
).head(8)

# %% [markdown]
# The same in polars:

# %%
import polars as pl

bx.read_entity(
    "deal", portal, columns=["stageId", "opportunity", "currencyId"], labels=["stageId"], backend="polars"
).filter(pl.col("currencyId") == "RUB").group_by("stageId").agg(
    pl.len().alias("count"), pl.col("opportunity").sum().alias("sum")
).sort("sum", descending=True).head(8)

# %% [markdown]
# What would it take to read a whole table, and what has all this cost the portal?

# %%
portal.plan("deal")

# %% tags=["times"]
portal.stats.to_frame()
