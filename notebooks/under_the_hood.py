# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Under the hood
#
# A portal allows so many requests, and so many seconds of its own work. A read keeps within that by itself. Here it is
# watched while it does: requests, waiting, and the portal's time by method.

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
# Requests go into a bucket that leaks: it holds `burst` of them, `per_second` run out, and a request that finds it full
# is refused. A batch of fifty commands is one request. Besides, the portal's work may take no more than `operating`
# seconds in ten minutes: that of each method, and on newer builds that of all batches together. These are the limits of
# all plans but Enterprise:

# %%
bx.Limits()

# %% [markdown]
# A box with tighter ones, so that they are met within seconds, and a reader that is told of them. Only ten commands go
# into a batch here; otherwise this read would be over before it had met any limit. What the box's work costs is counted
# and not waited for, so that nothing but the limits holds the read back.

# %%
box = bx.Sandbox(sizes={"deal": ROWS}, real_time=False)
box.set(burst=BURST, per_second=LEAK)
portal = bx.Portal(box.url, limits=bx.Limits(burst=BURST, per_second=LEAK, commands_per_batch=10))
portal.plan("deal")

# %% [markdown]
# ## Watching a read
#
# `portal.stats` is there for anybody to look at, at any moment. A thread writes down what it says while the read runs.


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
# The bucket can be worked out of the requests: each answer adds one, those to the plan above included, and it leaks
# `LEAK` a second. One place is never used.

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
# More work of other kinds: another table by its own method, rows one by one, an upload. Every answer tells what it cost
# the portal (`seconds`), and what has been used up of the ten minutes (`operating`). The box charges as newer builds
# do: what went in batches stands in the row `batch`, at half its duration.

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
# How much of what ten minutes allow is used up? At 85 % requests that are charged to the same row go one at a time;
# before the limit they wait for the portal's window to move on.

# %% tags=["times"]
(work["operating"] / bx.Limits().operating * 100).round(2).rename("% of the limit").iloc[::-1]

# %% [markdown]
# ## When the portal is stricter than one thinks
#
# Somebody else at the same address spends from the same bucket, say. The box now holds a quarter of what the reader was
# told. It is refused, waits, and takes the refusal as news of how full the bucket is; the rows are all there.

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
