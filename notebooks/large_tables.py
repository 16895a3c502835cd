# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Large tables
#
# A table need not fit in memory, and need not be read whole. This notebook shows three ways, with their cost in
# requests, bytes and memory: chunk by chunk into a Parquet file; SQL over that file; and SQL over the portal itself,
# which sends only what the query needs.

# %%
import os
import tempfile
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import pandas as pd
import polars as pl
import psutil
import pyarrow.parquet as pq

import bx24frames as bx

folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)

# %% tags=["parameters"] small=["ROWS = 6_000"]
ROWS = 200_000

# %% [markdown]
# The portal is a sandbox with two hundred thousand deals and the limits of the Enterprise plan, except that it does
# not wait for its own processing time.

# %%
box = bx.Sandbox(sizes={"deal": ROWS}, plan="enterprise", real_time=False)
portal = bx.Portal(box.url, limits=bx.Limits.enterprise())

# %% [markdown]
# ## How large is it?
#
# One request counts the rows; the rest of the plan is computed, and nothing is read.

# %%
portal.plan("deal")

# %% [markdown]
# ## Chunk by chunk into Parquet
#
# `iter_entity` yields frames of a fixed size; each is written and released. Several requests are in flight at once, so
# answers arrive ahead of the loop, but by no more than some tens of thousands of rows.

# %%
reader = psutil.Process()
columns = ["id", "title", "stageId", "sourceId", "opportunity", "currencyId", "contactId", "createdTime", "updatedTime"]
seen, writer = [], None
for chunk in bx.iter_entity("deal", portal, columns=columns, backend="pyarrow", chunk_size=2_500, progress=False):
    writer = writer or pq.ParquetWriter("deals.parquet", chunk.schema)
    writer.write_table(chunk)
    seen.append((chunk.num_rows, portal.stats.received / 1e6, reader.memory_info().rss / 1e6))
writer.close()
progress = pd.DataFrame(seen, columns=["rows", "received", "memory"])
progress["rows"] = progress["rows"].cumsum()
len(progress), int(progress["rows"].iloc[-1]), chunk.num_columns

# %% [markdown]
# The cost. Memory is that of the whole process, including the sandbox and its answers, in MB above its size after the
# first chunk:

# %% tags=["times"]
progress["memory"] -= progress["memory"].iloc[0]
print(portal.stats)
print(f"file: {Path('deals.parquet').stat().st_size / 1e6:.1f} MB")
progress.iloc[:: max(1, len(progress) // 5)].round(1)

# %% tags=["times"]
INK, SOFT, BLUE, PALE = "#1f2933", "#616e7c", "#0b4f6c", "#9aa5b1"
figure, axes = plt.subplots(figsize=(9, 3.8), dpi=100)
for name, colour, label in (("received", PALE, "received so far"), ("memory", BLUE, "memory above the first piece's")):
    axes.plot(progress["rows"], progress[name], color=colour, lw=2.5)
    axes.annotate(
        label,
        (progress["rows"].iloc[-1], progress[name].iloc[-1]),
        (8, 0),
        textcoords="offset points",
        color=colour,
        va="center",
    )
axes.spines[["top", "right"]].set_visible(False)
axes.xaxis.set_major_formatter("{x:,.0f}")
axes.set_xlim(0, ROWS)
axes.set_xlabel("rows read", color=SOFT)
axes.set_ylabel("MB", color=SOFT)
passed, grown = progress[["received", "memory"]].max()
title = f"{passed:.0f} MB of answers pass; memory never grows by more than {grown:.0f} MB"
axes.set_title(title, loc="left", color=INK, weight="bold", pad=14)
plt.show()

# %% [markdown]
# ## SQL over the file
#
# DuckDB reads Parquet directly, and only the columns that a query names.

# %%
duckdb.sql("""
    SELECT currencyId, count(*) AS deals, round(avg(opportunity)) AS average, max(opportunity) AS most
    FROM 'deals.parquet'
    WHERE stageId = 'WON'
    GROUP BY ALL ORDER BY deals DESC
""").df()

# %% [markdown]
# polars does the same, from one file or from thousands:

# %%
by_year = (
    pl.scan_parquet("deals.parquet")
    .filter(pl.col("stageId") == "WON")
    .group_by(pl.col("createdTime").dt.year().alias("year"), "currencyId")
    .agg(pl.len().alias("deals"), pl.col("opportunity").sum().round(2).alias("sum"))
    .sort("year", "currencyId")
)
by_year.collect()

# %% [markdown]
# ## SQL over the portal
#
# `scan_entity` opens the table and reads nothing. The plan of a query shows what will be requested: which columns, and
# which conditions the portal evaluates.

# %%
deals = bx.scan_entity("deal", portal)
big = deals.filter(pl.col("opportunity") > 990_000, pl.col("stageId").is_in(["NEW", "WON"]))
print(big.select("id", "title", "opportunity").explain())


# %% [markdown]
# The cost of a query is the increase in the portal's statistics:


# %%
def costing(query):
    before = portal.stats.requests, portal.stats.received
    result = query()
    requests, received = portal.stats.requests - before[0], portal.stats.received - before[1]
    print(f"{requests} request{'s' * (requests != 1)}, {received / 1e3:,.0f} kB")
    return result


costing(lambda: big.select("id", "title", "opportunity").sort("opportunity", descending=True).head(5).collect())

# %% [markdown]
# DuckDB works the same way: columns and conditions are taken from the SQL and sent. (The exception is `>` on
# floating-point numbers, which DuckDB does not push down because it treats NaN as the largest number; this only means
# that more rows are read.)

# %%
question = """
    SELECT stageId, currencyId, count(*) AS deals, round(sum(opportunity)) AS sum
    FROM deals
    WHERE stageId IN ('NEW', 'WON') AND createdTime >= '2025-12-01'
    GROUP BY ALL ORDER BY stageId, currencyId
"""
costing(lambda: duckdb.sql(question).df())

# %% [markdown]
# `head` stops the read; the rest of the table is never requested:

# %%
costing(lambda: deals.select("id", "title").head(3).collect())

# %% [markdown]
# ## Only what is new
#
# The file is a copy. `changed_since` requests the rows changed at or after the time of its newest row, so that none is
# missed; it does not see deletions. First, one deal is changed:

# %% tags=["times"]
newest = pl.scan_parquet("deals.parquet").select(pl.col("updatedTime").max()).collect().item()
one = bx.read_entity("deal", portal, columns=["id", "opportunity"], limit=1).assign(opportunity=1.0)
bx.write_entity(one, "deal", portal, mode="update", resume="one.journal")
fresh = costing(
    lambda: bx.read_entity("deal", portal, columns=["id", "opportunity", "updatedTime"], changed_since=newest)
)
fresh.sort_values("updatedTime", ascending=False).head(3)

# %%
portal.close()
box.close()
