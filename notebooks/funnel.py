# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Sales funnel
#
# Which share of deals passes each stage, where they wait, and who wins them: from the deals and their stage history,
# two tables of any portal. This portal is a sandbox with a small company that sells coffee equipment; for your own,
# write `portal = bx.Portal()`.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import bx24frames as bx

today = pd.Timestamp("2026-11-30 12:00", tz="UTC")
box = bx.Sandbox(seed="tidy", locale="en", clock=today.timestamp, real_time=False)
portal = bx.Portal(box.url)

# %% [markdown]
# ## Two tables
#
# `labels=True` gives captions, as categories in the order of the pipeline. In the history, each row is
# a deal that enters a stage.

# %%
columns = ["id", "title", "assignedById", "sourceId", "opportunity", "closedate", "stageSemanticId"]
deals = bx.read_entity(
    "deal",
    portal,
    columns=columns,
    filters={"categoryId": "Sales"},
    labels=True,
    index="id",
)
deals.head()

# %%
history = bx.read_entity(
    "stage_history:deal",
    portal,
    columns=["ID", "OWNER_ID", "STAGE_ID", "CREATED_TIME"],
    filters={"CATEGORY_ID": "Sales"},
    labels=True,
)
history.head()

# %% [markdown]
# ## How far deals get

# %%
stages = list(history["STAGE_ID"].cat.categories[:6])  # the stages up to "Won"; the others are losses
reached = history.groupby("STAGE_ID", observed=False)["OWNER_ID"].nunique()[stages]
funnel = pd.DataFrame(
    {"deals": reached, "of all": reached / reached.iloc[0], "of the stage before": reached.pct_change() + 1}
)
funnel.round(2)

# %%
figure, axes = plt.subplots(figsize=(8, 3.6))
bars = axes.barh(stages, reached, color="#2c6e91")
axes.bar_label(bars, [f"{count}  ({count / reached.iloc[0]:.0%})" for count in reached], padding=6)
axes.invert_yaxis()
axes.set_xlim(0, reached.iloc[0] * 1.2)
axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
axes.tick_params(length=0, labelbottom=False)
axes.set_title(f"{reached.iloc[-1] / reached.iloc[0]:.0%} of the deals are won", loc="left", weight="bold")
plt.show()

# %% [markdown]
# ## How long they stay
#
# The stay in a stage ends when the deal enters the next one. Days, of the stays that have ended:

# %%
history = history.sort_values(["OWNER_ID", "ID"])
left = history.groupby("OWNER_ID")["CREATED_TIME"].shift(-1)
history["days"] = (left - history["CREATED_TIME"]).dt.total_seconds() / 86400
history.groupby("STAGE_ID", observed=False)["days"].describe(percentiles=[0.5, 0.9]).loc[stages[:-1]].round(1)

# %% [markdown]
# ## Who wins, and where the deals come from
#
# Of the closed deals:

# %%
closed = deals[deals["stageSemanticId"] != "In progress"].assign(
    won=lambda frame: frame["stageSemanticId"] == "Success"
)
closed["revenue"] = closed["opportunity"].where(closed["won"], 0)
by_manager = closed.groupby("assignedById", observed=True).agg(
    deals=("won", "size"), won=("won", "mean"), revenue=("revenue", "sum")
)
by_manager.sort_values("revenue", ascending=False).round(2)

# %%
closed.groupby("sourceId", observed=True).agg(
    deals=("won", "size"), won=("won", "mean"), revenue=("revenue", "sum")
).sort_values("won", ascending=False).round(2)

# %% [markdown]
# ## Revenue by month

# %%
won = closed[closed["won"] & (closed["closedate"] < "2026-12-01")]
monthly = won.pivot_table(
    index=won["closedate"].dt.to_period("M"), columns="assignedById", values="revenue", aggfunc="sum", observed=True
).fillna(0)
axes = (monthly / 1000).plot.bar(
    stacked=True, figsize=(8, 3.6), width=0.8, color=["#06283a", "#2c6e91", "#8fb8cc", "#c8553d"]
)
axes.spines[["top", "right"]].set_visible(False)
axes.set(xlabel="", ylabel="revenue, thousand $")
axes.legend(title="", frameon=False)
axes.set_title("Revenue by month and manager", loc="left", weight="bold")
plt.show()
