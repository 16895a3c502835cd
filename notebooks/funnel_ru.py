# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Воронка продаж
#
# Какая доля сделок проходит каждую стадию, где они ждут и кто их выигрывает: по сделкам и истории их стадий, двум
# таблицам, которые есть в любом портале. Портал здесь учебный, в нём небольшая компания; со своим пишите
# `portal = bx.Portal()`.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import bx24frames as bx

today = pd.Timestamp("2026-11-30 12:00", tz="UTC")
box = bx.Sandbox(seed="tidy", locale="ru", clock=today.timestamp, real_time=False)
portal = bx.Portal(box.url)

# %% [markdown]
# ## Две таблицы
#
# `labels=True` даёт подписи вместо кодов, категориями в порядке воронки. Строка истории — то, что сделка перешла в
# стадию.

# %%
columns = ["id", "title", "assignedById", "sourceId", "opportunity", "closedate", "stageSemanticId"]
deals = bx.read_entity(
    "deal",
    portal,
    columns=columns,
    filters={"categoryId": "Продажи"},
    labels=True,
    index="id",
)
deals.head()

# %%
history = bx.read_entity(
    "stage_history:deal",
    portal,
    columns=["ID", "OWNER_ID", "STAGE_ID", "CREATED_TIME"],
    filters={"CATEGORY_ID": "Продажи"},
    labels=True,
)
history.head()

# %% [markdown]
# ## Докуда доходят сделки

# %%
stages = list(history["STAGE_ID"].cat.categories[:6])  # стадии до «Сделка успешна»; остальные — проигрыш
reached = history.groupby("STAGE_ID", observed=False)["OWNER_ID"].nunique()[stages]
funnel = pd.DataFrame(
    {"сделок": reached, "от всех": reached / reached.iloc[0], "от прошлой стадии": reached.pct_change() + 1}
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
axes.set_title(f"{reached.iloc[-1] / reached.iloc[0]:.0%} сделок выиграно", loc="left", weight="bold")
plt.show()

# %% [markdown]
# ## Сколько сделка стоит в стадии
#
# Пребывание в стадии кончается, когда сделка переходит в следующую. Дни, по завершённым:

# %%
history = history.sort_values(["OWNER_ID", "ID"])
left = history.groupby("OWNER_ID")["CREATED_TIME"].shift(-1)
history["days"] = (left - history["CREATED_TIME"]).dt.total_seconds() / 86400
history.groupby("STAGE_ID", observed=False)["days"].describe(percentiles=[0.5, 0.9]).loc[stages[:-1]].round(1)

# %% [markdown]
# ## Кто выигрывает и откуда приходят сделки
#
# По закрытым сделкам:

# %%
closed = deals[deals["stageSemanticId"] != "В работе"]
closed = closed.assign(won=closed["stageSemanticId"] == "Успех")
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
# ## Выручка по месяцам

# %%
won = closed[closed["won"] & (closed["closedate"] < "2026-12-01")]
monthly = won.pivot_table(
    index=won["closedate"].dt.to_period("M"), columns="assignedById", values="revenue", aggfunc="sum", observed=True
).fillna(0)
axes = (monthly / 1_000_000).plot.bar(
    stacked=True, figsize=(8, 3.6), width=0.8, color=["#06283a", "#2c6e91", "#8fb8cc", "#c8553d"]
)
axes.spines[["top", "right"]].set_visible(False)
axes.set(xlabel="", ylabel="выручка, млн ₽")
axes.legend(title="", frameon=False)
axes.set_title("Выручка по месяцам и менеджерам", loc="left", weight="bold")
plt.show()
