# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Under the hood
#
# A portal limits the number of requests and the seconds of its own work. Reads respect these limits automatically.
# This notebook watches one: requests, waiting, and the portal's time by method.

# %%
import threading
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import bx24frames as bx

# %% tags=["parameters"] small=["ROWS, LEAK = 5_000, 50.0"]
ROWS = 25_000
BURST, LEAK = 20, 5.0

# %% [markdown]
# ## The limits
#
# Requests fill a leaky bucket: it holds `burst` of them, `per_second` drain, and a request that finds it full is
# refused. A batch of fifty commands is one request. In addition, the portal's work may take no more than `operating`
# seconds in ten minutes, for each method or, on newer builds, for all batches together. These are the limits of all
# plans except Enterprise:

# %%
bx.Limits()

# %% [markdown]
# This sandbox has tighter limits, so that they are reached within seconds, and the reader is configured for them. A
# batch carries only ten commands here; otherwise the read would finish before reaching any limit. The sandbox counts
# its processing time but does not wait for it, so only the limits slow the read down.

# %%
box = bx.Sandbox(sizes={"deal": ROWS}, real_time=False)
box.set(burst=BURST, per_second=LEAK)
portal = bx.Portal(box.url, limits=bx.Limits(burst=BURST, per_second=LEAK, commands_per_batch=10))
portal.plan("deal")

# %% [markdown]
# ## Watching a read
#
# `portal.stats` can be read at any time. A thread records it while the read runs.


# %%
class Watch(threading.Thread):
    """Notes time, requests and seconds waited, fifty times a second, until it is told to stop."""

    def __init__(self, portal):
        super().__init__(daemon=True)
        self.portal, self.over, self.seen = portal, threading.Event(), []

    def run(self):
        while not self.over.wait(0.02):
            self.seen.append((time.monotonic(), self.portal.stats.requests, self.portal.stats.waited))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def frame(self):
        frame = pd.DataFrame(self.seen, columns=["second", "requests", "waited"])
        return frame.assign(second=frame["second"] - frame["second"].iloc[0])


with Watch(portal) as watch:
    deals = bx.read_entity(
        "deal", portal, columns=["id", "title", "stageId", "opportunity"], backend="polars", progress=False
    )
deals.shape

# %% tags=["times"]
portal.stats

# %% [markdown]
# The level of the bucket follows from the requests: each adds one, including those of the plan above, and `LEAK`
# drain per second. One place is never used.

# %% tags=["times"]
seen = watch.frame()
level, bucket = 0.0, []
for passed, came in zip(np.diff(seen["second"], prepend=0.0), np.diff(seen["requests"], prepend=0.0), strict=True):
    level = max(0.0, level - passed * LEAK) + came
    bucket.append(level)
seen["bucket"] = bucket

INK, SOFT, BLUE, RED, PALE = "#1f2933", "#616e7c", "#0b4f6c", "#c8553d", "#9aa5b1"
figure, axes = plt.subplots(figsize=(9, 4), dpi=100)
for name, colour, label in (("requests", PALE, "requests answered"), ("bucket", BLUE, "in the bucket")):
    axes.plot(seen["second"], seen[name], color=colour, lw=2.5)
    end = (seen["second"].iloc[-1], seen[name].iloc[-1])
    axes.annotate(label, end, (8, 0), textcoords="offset points", color=colour, va="center")
axes.axhline(BURST, color=RED, lw=1.2, ls=(0, (4, 3)))
axes.annotate(f"full at {BURST}", (seen["second"].iloc[-1], BURST), (8, 3), textcoords="offset points", color=RED)
axes.spines[["top", "right"]].set_visible(False)
axes.set_xlim(0, seen["second"].iloc[-1])
axes.set_ylim(0, None)
axes.set_xlabel("seconds since the read began", color=SOFT)
axes.set_ylabel("requests", color=SOFT)
title = f"The bucket is filled to the brim and never over it: {portal.stats.refused} refusals"
axes.set_title(title, loc="left", color=INK, weight="bold", pad=14)
plt.show()

# %% [markdown]
# ## Whose time it was
#
# Now some other work: another table with its own method, rows one by one, an upload. Every answer reports what it
# cost the portal (`seconds`) and how much of the operating time is used (`operating`). The sandbox charges as newer
# builds do: batches are in the row `batch`, at half their duration.

# %%
bx.read_entity("contact", portal, columns=["id", "name"], progress=False)
bx.read_entity("stage_history:2", portal, columns=["ID", "OWNER_ID", "STAGE_ID"], limit=5_000, progress=False)
portal.get_by_id("crm.deal.get", deals["id"].head(100).to_list())
new = pd.DataFrame({"title": [f"Deal {number}" for number in range(60)], "stageId": "NEW"})
report = bx.write_entity(new, "deal", portal, mode="insert", resume=False, progress=False)
report.inserted

# %% tags=["times"]
work = portal.stats.to_frame().set_index("method").sort_values("seconds")
work.iloc[::-1].round(2)

# %% tags=["times"]
shown = work[work["seconds"] >= 0.1]
figure, axes = plt.subplots(figsize=(9, 2.6), dpi=100)
axes.barh(shown.index, shown["seconds"], color=BLUE, height=0.65)
for row, line in enumerate(shown.itertuples()):
    text = f" {line.seconds:.1f} s for {line.commands:,} commands"
    axes.text(line.seconds, row, text, va="center", color=INK)
axes.spines[["top", "right", "left"]].set_visible(False)
axes.tick_params(axis="y", length=0)
axes.set_xlim(0, shown["seconds"].max() * 1.35)
axes.set_xlabel("seconds of the portal's own time", color=SOFT)
dearest = (shown["seconds"] / shown["commands"]).idxmax()
each = shown.loc[dearest, "seconds"] / shown.loc[dearest, "commands"]
axes.set_title(f"A command of {dearest} costs most: {each:.2f} s", loc="left", color=INK, weight="bold", pad=14)
plt.show()

# %% [markdown]
# How much of the allowance for ten minutes is used? From 85 %, requests charged to the same row are sent one at a
# time; before the limit, they wait for the portal's window to move on.

# %% tags=["times"]
(work["operating"] / bx.Limits().operating * 100).round(2).rename("% of the limit").iloc[::-1]

# %% [markdown]
# ## When the portal is stricter than expected
#
# Another program at the same address may be using the same bucket. The sandbox's bucket is now a quarter of what the
# reader expects. Requests are refused, the reader waits and learns from the refusals how full the bucket is, and all
# rows arrive.

# %%
box.set(burst=BURST // 4)
few = deals.head(5_000)
again = bx.read_entity(
    "deal", portal, columns=deals.columns, filters={"<=id": few["id"].max()}, backend="polars", progress=False
)
again.equals(few), portal.stats.refused > 0

# %% tags=["times"]
portal.stats

# %%
portal.close()
box.close()
