# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Первая таблица
#
# Подключиться, осмотреться, прочитать, отобрать, посчитать и заменить коды подписями — в pandas и в polars.
# Портал здесь учебный, в нём живёт небольшая компания; со своим порталом один раз выполните `bx24frames connect` и
# пишите `portal = bx.Portal()`.

# %%
import pandas as pd

import bx24frames as bx

today = pd.Timestamp("2026-11-30 12:00", tz="UTC")
box = bx.Sandbox(seed="tidy", locale="ru", clock=today.timestamp, real_time=False)
portal = bx.Portal(box.url)
portal

# %% [markdown]
# Какие таблицы есть и можно ли их читать этому вебхуку?

# %%
tables = bx.list_entities(portal)
tables.loc[tables["available"], ["name", "title", "list_method", "paging", "writable"]].head(8)

# %% [markdown]
# Из чего состоит таблица? Строка на поле, с типом в портале и в Arrow:

# %%
bx.describe_entity("deal", portal)[["code", "title", "type", "arrow_type", "read_only"]].head(8)

# %% [markdown]
# Прочитаем несколько столбцов с условиями. В условиях можно писать и коды, и подписи. Типы столбцов следуют из описания
# полей в портале, а не из строк, которые пришли.

# %%
deals = bx.read_entity(
    "deal",
    portal,
    columns=["id", "title", "stageId", "assignedById", "opportunity", "closedate", "createdTime"],
    filters=[("stageId", "in", ["Сделка успешна", "В работе"]), ("opportunity", ">=", 100_000)],
    labels=True,
)
deals.head()

# %%
deals.dtypes

# %% [markdown]
# Посчитать, не читая строк:

# %%
bx.count_entity("deal", portal), bx.count_entity("deal", portal, filters={"stageId": "Сделка успешна"})

# %% [markdown]
# Дальше — обычный pandas. Сколько выиграл каждый менеджер по кварталам этого года:

# %%
won = deals[(deals["stageId"] == "Сделка успешна") & (deals["closedate"] >= "2026-01-01")]
won.pivot_table(
    index="assignedById", columns=won["closedate"].dt.quarter, values="opportunity", aggfunc="sum", observed=True
)

# %% [markdown]
# То же в polars:

# %%
import polars as pl

bx.read_entity("deal", portal, columns=["stageId", "opportunity"], labels=True, backend="polars").group_by(
    "stageId"
).agg(pl.len().alias("сделок"), pl.col("opportunity").sum()).sort("opportunity", descending=True).head(5)

# %% [markdown]
# Сколько займёт чтение всей таблицы и чего всё это стоило порталу?

# %%
portal.plan("deal")

# %% tags=["times"]
portal.stats.to_frame()
