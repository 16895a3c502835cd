# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Funnel
#
# A record shop wants every customer's next order. Each order opens a deal for the next one; the longer the customer
# is silent, the further the deal advances; an order wins it, and eight months of silence lose it. The orders are
# real: the CDNOW purchase log, January 1997 to June 1998. They are uploaded to a portal day by day; deals, stage
# history and sources are then read back as frames. What share of deals is won in each stage? How long do they stay
# there? What is a new customer worth?

# %%
import sys

import matplotlib.pyplot as plt
import pandas as pd

import bx24frames as bx

sys.path.append("../benchmarks")
from cdnow import load

# %% tags=["parameters"] small=["CUSTOMERS = 15"]
CUSTOMERS = 1000

# %% [markdown]
# ## The log, and the pipeline made of it
#
# A thousand of the log's 23,570 customers, sampled evenly over the weeks of their first order, with all their orders.
# One row per order: its customer, its day, its cents, and the next order, if any.

# %%
log = load().sample(CUSTOMERS).purchases
orders = log.groupby(["customer", "day"], as_index=False)["cents"].sum()
orders["number"] = orders.groupby("customer").cumcount() + 1
orders[["next_day", "next_cents"]] = orders.groupby("customer")[["day", "cents"]].shift(-1)
last_day = orders["day"].max()
orders.head()

# %% [markdown]
# A deal's moves follow from that: one row per move, on the day it is made. A lost deal whose customer orders again is
# won after all.

# %%
SILENT = {"NEW": 0, "PREPARATION": 30, "PREPAYMENT_INVOICE": 60, "EXECUTING": 120, "LOSE": 240}  # days
by_silence = [
    orders.assign(deal=orders.index, stageId=stage, day=orders["day"] + pd.Timedelta(days=days))
    for stage, days in SILENT.items()
]
unanswered = pd.concat(by_silence).query("next_day.isna() or day < next_day")
won = orders.assign(deal=orders.index, stageId="WON", day=orders["next_day"], opportunity=orders["next_cents"] / 100)
moves = pd.concat([unanswered, won.dropna(subset="day")]).query("day <= @last_day").sort_values(["day", "deal"])
moves["stageId"].value_counts()

# %% [markdown]
# ## Eighteen months in a portal
#
# Stage history cannot be written; the portal records it when deals are moved. The notebook therefore sets the
# sandbox's clock and plays through the 546 days: each day's moves are an update, each day's new deals an insert. This
# sandbox has no limits and does not wait for its own processing time, so the client's limits are raised as well; one
# request at a time gives each row the same id in every run. The eighteen months take about a minute.

# %%
today = pd.Timestamp("1997-01-01 12:00", tz="UTC")


def clock() -> float:
    return today.timestamp()


box = bx.Sandbox(
    sizes={"lead": 0, "deal": 0, "contact": 0, "company": 0},
    plan="unlimited",
    real_time=False,
    clock=clock,
    server_zone="+00:00",
)
limits = bx.Limits(burst=10_000, per_second=10_000.0, operating=float("inf"), max_in_flight=1)
portal = bx.Portal(box.url, limits=limits)

# %% [markdown]
# The customers come first. The source of a deal is the website if the customer has ordered once, and "existing
# customer" if more often.

# %%
people = pd.DataFrame({"name": "Customer", "lastName": sorted(orders["customer"].unique())})
report = bx.write_entity(people, "contact", portal, mode="insert", progress=False)
contact = dict(zip(people["lastName"], report.ids("inserted"), strict=True))

NUMBER = "UF_CRM_1721244482250"  # a whole-number field of the box's deals: how many orders came before
deals = pd.DataFrame(
    {
        "title": "Next order of customer " + orders["customer"],
        "contactId": orders["customer"].map(contact),
        "sourceId": orders["number"].map(lambda number: "WEB" if number == 1 else "PARTNER"),
        "currencyId": "USD",
        NUMBER: orders["number"],
    }
)
len(contact), len(deals)

# %%
ids = pd.Series(index=deals.index, dtype="Int64")
for day, made in moves.groupby("day"):
    today = day.tz_localize("UTC") + pd.Timedelta(hours=12)
    moved = made[made["stageId"] != "NEW"]
    if len(moved):
        update = moved[["stageId", "opportunity"]].assign(id=ids[moved["deal"]].to_numpy())
        bx.write_entity(update, "deal", portal, mode="update", resume=False, progress=False)
    opened = deals.loc[made.loc[made["stageId"] == "NEW", "deal"]]
    if len(opened):
        report = bx.write_entity(opened, "deal", portal, mode="insert", resume=False, progress=False)
        ids[opened.index] = report.ids("inserted")
portal.stats.to_frame()[["method", "commands", "failed"]]

# %% [markdown]
# ## What the portal contains now
#
# Three tables, read in the usual way:

# %%
deals = bx.read_entity(
    "deal",
    portal,
    columns=["id", "contactId", "stageId", "sourceId", "opportunity", NUMBER, "createdTime", "movedTime"],
    index="id",
)
deals.head()

# %%
history = bx.read_entity(
    "stage_history:2", portal, columns=["ID", "OWNER_ID", "STAGE_ID", "STAGE_SEMANTIC_ID", "CREATED_TIME"]
)
history[history["OWNER_ID"] == history["OWNER_ID"].mode()[0]]

# %%
sources = bx.read_entity("status", portal, columns=["STATUS_ID", "NAME"], filters={"ENTITY_ID": "SOURCE"})
by_source = deals.groupby("sourceId").agg(deals=("stageId", "size"), dollars=("opportunity", "sum"))
by_source.join(sources.set_index("STATUS_ID"))

# %% [markdown]
# ## Conversion by stage
#
# A stay is a deal in a stage: when it entered, when it left, and for which stage. Deals opened in the last eight
# months are excluded, because their outcome is not known yet.

# %%
stays = history.sort_values(["OWNER_ID", "ID"], ignore_index=True)
of_deal = stays.groupby("OWNER_ID")
stays["days"] = (of_deal["CREATED_TIME"].shift(-1) - stays["CREATED_TIME"]).dt.days
stays["ordered"] = of_deal["STAGE_ID"].shift(-1) == "WON"
stays = stays.join(deals[["sourceId", "createdTime", NUMBER]], on="OWNER_ID")
known = stays["createdTime"] <= history["CREATED_TIME"].max() - pd.Timedelta(days=240)
settled = stays[known & (stays["STAGE_ID"] != "WON")]

NAMES = {
    "NEW": "first month",
    "PREPARATION": "silent 1 month",
    "PREPAYMENT_INVOICE": "silent 2 months",
    "EXECUTING": "silent 4 months",
    "LOSE": "given up at 8 months",
}
stages = settled.groupby("STAGE_ID")["ordered"].agg(reached="size", ordered="sum").loc[list(NAMES)]
stages["share"] = (stages["ordered"] / stages["reached"]).round(3)
stages

# %%
INK, SOFT, BLUE, RED, PALE = "#1f2933", "#616e7c", "#0b4f6c", "#c8553d", "#d9e2ec"
plt.rcParams |= {
    "figure.figsize": (9, 4.2),
    "figure.dpi": 100,
    "font.size": 10.5,
    "text.color": INK,
    "axes.titlesize": 12.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}

# %%
opened, early = stages["reached"].iloc[0], stages["ordered"].iloc[0] / stages["ordered"].sum()
figure, axes = plt.subplots()
axes.barh(list(NAMES.values()), stages["reached"], color=PALE, height=0.7)
axes.barh(list(NAMES.values()), stages["ordered"], color=BLUE, height=0.7)
for row, (reached, ordered, share) in enumerate(stages.itertuples(index=False)):
    axes.text(reached + opened * 0.01, row, f"{ordered:,} of {reached:,} order: {share:.0%}", va="center")
axes.invert_yaxis()
axes.set_xlim(0, opened * 1.4)
axes.xaxis.set_major_formatter("{x:,.0f}")
axes.set_xlabel("deals that reach the stage; dark: won there")
axes.tick_params(axis="y", length=0, labelcolor=INK)
axes.spines["left"].set_visible(False)
axes.set_title(f"{early:.0%} of the orders that come at all come in the first month")
plt.show()

# %% [markdown]
# ## New and returning customers

# %%
by_source = settled.groupby(["sourceId", "STAGE_ID"])["ordered"].mean().unstack()[list(NAMES)]
by_source.round(2)

# %%
before = list(NAMES)[:-1]  # given up has no end: its share grows for as long as one waits
times = (by_source.loc["PARTNER", before] / by_source.loc["WEB", before]).min()
figure, axes = plt.subplots()
lines = {"PARTNER": (BLUE, "has come back before"), "WEB": (RED, "has ordered once")}
for source, (colour, label) in lines.items():
    shares = by_source.loc[source, before] * 100
    axes.plot([NAMES[stage] for stage in before], shares, color=colour, marker="o", lw=2.5)
    for place, share in enumerate(shares):
        axes.annotate(f"{share:.0f}", (place, share), (0, 8), textcoords="offset points", color=colour, ha="center")
    axes.annotate(label, (0, shares.iloc[0]), (16, 6), textcoords="offset points", color=colour, weight="bold")
axes.set_ylim(0, by_source.max().max() * 120)
axes.set_xlim(-0.3, len(before) - 0.7)
axes.set_ylabel("won in the stage, % of deals there")
axes.tick_params(axis="x", length=0, labelcolor=INK)
axes.set_title(f"In every stage, returning customers order at least {times:.1f} times as often")
plt.show()

# %% [markdown]
# ## Time in stage
#
# How long won deals had been in the stage they were won from, in days:

# %%
waits = settled[settled["ordered"]].groupby("STAGE_ID")["days"].describe(percentiles=[0.25, 0.5, 0.75])
waits.loc[list(NAMES), ["count", "25%", "50%", "75%"]].astype(int)

# %% [markdown]
# And since the previous order, regardless of stages:

# %%
first = settled.groupby("OWNER_ID").agg(orders=(NUMBER, "first"), opened=("createdTime", "first"))
won_at = history[history["STAGE_ID"] == "WON"].set_index("OWNER_ID")["CREATED_TIME"]
first["days"] = (won_at.reindex(first.index) - first["opened"]).dt.days
groups = {"after 1 order": (1, 1), "after 2": (2, 2), "after 3 or 4": (3, 4), "after 5 or more": (5, 999)}
shades = dict(zip(groups, (RED, "#5d8aa8", "#2c6e91", "#06283a"), strict=True))

figure, axes = plt.subplots()
half, missing = {}, {}
for label, (low, high) in groups.items():
    days = first.loc[first["orders"].between(low, high), "days"]
    share = [(days <= day).mean() * 100 for day in range(241)]
    half[label] = next((day for day, value in enumerate(share) if value >= 50), "over 240")
    missing[label] = 100 - share[-1]
    axes.plot(range(241), share, color=shades[label], lw=2.5)
    axes.annotate(label, (240, share[-1]), (6, 0), textcoords="offset points", color=shades[label], va="center")
for days in list(SILENT.values())[1:]:
    axes.axvline(days, color=PALE, lw=1, zorder=0)
axes.set_xticks(list(SILENT.values()))
axes.set_xlim(0, 240)
axes.set_ylim(0, 100)
axes.set_xlabel("days since the order before; the lines are the stages' ends")
axes.set_ylabel("customers who have ordered again, %")
back, away = half["after 5 or more"], missing["after 1 order"]
axes.set_title(f"Half of the regulars order within {back} days; {away:.0f}% of newcomers not in 240")
plt.show()

# %% [markdown]
# ## What a new customer is worth
#
# Value of won deals, by month of the customer's first order and by months since.

# %%
came = deals.groupby("contactId")["createdTime"].min().rename("came")
money = deals[deals["stageId"] == "WON"].join(came, on="contactId")
money["months"] = (money["movedTime"] - money["came"]).dt.days // 30 + 1
cohorts = came.dt.strftime("%Y-%m")
table = (
    money.assign(cohort=money["came"].dt.strftime("%Y-%m"))
    .pivot_table(index="cohort", columns="months", values="opportunity", aggfunc="sum", fill_value=0)
    .div(cohorts.value_counts(), axis=0)
    .reindex(columns=range(1, 16), fill_value=0)
    .cumsum(axis=1)
)
table.round(1)

# %%
year = table[12]
figure, axes = plt.subplots()
for (cohort, row), colour in zip(table.iterrows(), ("#06283a", "#2c6e91", RED), strict=True):
    axes.plot([0, *row.index], [0, *row], color=colour, lw=2.5)
    name = f"{pd.Timestamp(cohort):%B} ({(cohorts == cohort).sum()} customers)"
    axes.annotate(name, (15, row.iloc[-1]), (6, 0), textcoords="offset points", color=colour, va="center")
axes.set_xlim(0, 15)
axes.set_ylim(0, None)
axes.set_xticks(range(0, 16, 3))
axes.set_xlabel("months of 30 days since the first order")
axes.yaxis.set_major_formatter(r"\${x:.0f}")
axes.set_ylabel("brought by a customer, beyond the first order")
axes.set_title(
    rf"A newcomer brings \${year.min():.0f} to \${year.max():.0f} in the year after the first order, and goes on"
)
plt.show()

# %%
portal.close()
box.close()
