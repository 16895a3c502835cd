"""The demo's picture: when customers come back, and what each week's newcomers went on to spend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from cdnow import Log
    from matplotlib.axes import Axes

INK: Final = "#1f2933"
SOFT: Final = "#7b8794"
PAPER: Final = "#fbfaf7"
LINES: Final = ("#0b4f6c", "#c8553d")
HORIZON_DAYS: Final = 450
MILESTONES: Final = (30, 90, 180, 365)
MONTHS: Final = 14
"""Thirty-day months that the log covers for the last newcomers, of March 1997, as well."""


def draw(log: Log, path: Path) -> Path:
    """Draw the log and save it as a PNG of about 2,100 by 1,050 pixels."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    style = {
        "font.size": 10.5,
        "text.color": INK,
        "axes.labelcolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "axes.edgecolor": "#cbd2d9",
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with plt.rc_context(style):
        figure = plt.figure(figsize=(14, 7))
        grid = figure.add_gridspec(2, 2, width_ratios=(1.4, 1), height_ratios=(1, 0.95))
        _heatmap(figure.add_subplot(grid[:, 0]), log.purchases)
        _returns(figure.add_subplot(grid[0, 1]), log.purchases)
        _loyalty(figure.add_subplot(grid[1, 1]), log.purchases)
        figure.suptitle(
            "A record shop's first customers, 1997: half never came back, the other half kept buying",
            x=0.045, y=0.965, ha="left", fontsize=18, fontweight="bold",
        )  # fmt: skip
        figure.text(
            0.045, 0.905,
            f"{len(log.purchases):,} purchases of {len(log.customers):,} CDNOW customers, "
            "uploaded as deals and contacts and read back from the portal",
            fontsize=11.5, color=SOFT,
        )  # fmt: skip
        figure.subplots_adjust(left=0.075, right=0.965, top=0.80, bottom=0.10, wspace=0.24, hspace=0.52)
        figure.savefig(path, dpi=150)
        plt.close(figure)
    return path


def cohorts(purchases: pd.DataFrame) -> pd.DataFrame:
    """Dollars a newcomer spent in each later month: a row a week of first purchase, a column a month since."""
    import pandas as pd

    first = purchases.groupby("customer")["day"].transform("min")
    week = ((first - pd.Timestamp("1997-01-01")).dt.days // 7).clip(upper=11)
    month = (purchases["day"] - first).dt.days // 30
    spent = purchases.assign(week=week, month=month).pivot_table(
        index="week", columns="month", values="cents", aggfunc="sum", fill_value=0
    )
    newcomers = purchases.assign(week=week).groupby("week")["customer"].nunique()
    return spent.reindex(columns=range(MONTHS + 1), fill_value=0).div(newcomers, axis=0) / 100


def _heatmap(axes: Axes, purchases: pd.DataFrame) -> None:
    import numpy as np
    import pandas as pd
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    table = cohorts(purchases)
    later = table[range(1, MONTHS + 1)]
    colours = LinearSegmentedColormap.from_list("till", ["#f1eee6", "#9fc5c9", "#0b4f6c", "#06283a"])
    top = float(np.quantile(later.to_numpy(), 0.97))  # a single big spender does not dim the others
    mesh = axes.pcolormesh(
        [*range(1, MONTHS + 2)], range(len(later) + 1), later, cmap=colours, vmin=0, vmax=top, edgecolor=PAPER, lw=1.5
    )
    axes.invert_yaxis()
    weeks = [pd.Timestamp("1997-01-01") + pd.Timedelta(weeks=int(week)) for week in table.index]
    axes.set_yticks([row + 0.5 for row in range(len(weeks))], [f"{week:%-d %b}" for week in weeks])
    axes.set_xticks([month + 0.5 for month in range(1, MONTHS + 1)], [str(month) for month in range(1, MONTHS + 1)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("months after the first purchase")
    axes.set_ylabel("week of the first purchase")
    _title(axes, "What a newcomer spent later, dollars a month")
    bar = axes.figure.colorbar(mesh, ax=axes, fraction=0.03, pad=0.02, aspect=30)
    bar.ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"${value:.0f}")


def returns(purchases: pd.DataFrame) -> np.ndarray:
    """Which share of the customers had bought again, on another day, within 0, 1, 2 ... days."""
    import numpy as np

    days = purchases.drop_duplicates(["customer", "day"]).sort_values(["customer", "day"])
    since = days["day"] - days.groupby("customer")["day"].transform("min")
    waits = since[days.groupby("customer").cumcount() == 1].dt.days.to_numpy()
    return np.searchsorted(np.sort(waits), range(HORIZON_DAYS + 1), side="right") / purchases["customer"].nunique()


def _returns(axes: Axes, purchases: pd.DataFrame) -> None:
    curve = returns(purchases) * 100
    axes.fill_between(range(len(curve)), curve, color=LINES[0], alpha=0.10, lw=0)
    axes.plot(curve, color=LINES[0], lw=2.4)
    for day in MILESTONES:
        axes.plot(day, curve[day], "o", color=LINES[0], ms=6, mec=PAPER, mew=1.5, clip_on=False, zorder=3)
        axes.annotate(
            f"{curve[day]:.0f}%", (day, curve[day]), xytext=(-3, 9), textcoords="offset points",
            ha="right" if day < 60 else "center", fontweight="bold", color=LINES[0],
        )  # fmt: skip
    axes.set_xlim(0, HORIZON_DAYS)
    axes.set_ylim(0, 60)
    axes.set_xticks((0, *MILESTONES))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("days after the first purchase")
    _title(axes, "Who had bought again")


def loyalty(purchases: pd.DataFrame) -> pd.DataFrame:
    """Shares of the customers and of the money, by the number of days on which a customer bought."""
    import pandas as pd

    each = purchases.groupby("customer").agg(days=("day", "nunique"), cents=("cents", "sum"))
    group = pd.cut(each["days"], [0, 1, 3, 9, 10_000], labels=["once", "2 to 3 times", "4 to 9 times", "10 or more"])
    sums = each.groupby(group, observed=False)["cents"].agg(["size", "sum"])
    return (sums / sums.sum() * 100).rename(columns={"size": "customers", "sum": "money"})


def _loyalty(axes: Axes, purchases: pd.DataFrame) -> None:
    shares = loyalty(purchases)
    for shift, (name, colour) in zip((-0.2, 0.2), (("customers", "#9fc5c9"), ("money", LINES[1])), strict=True):
        places = [row + shift for row in range(len(shares))]
        bars = axes.barh(places, shares[name], height=0.36, color=colour, label=f"of the {name}")
        axes.bar_label(bars, fmt="%.0f%%", padding=4, color=INK, fontsize=10)
    axes.set_yticks(range(len(shares)), list(shares.index))
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 68)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    axes.legend(frameon=False, loc="center right", labelcolor=INK, bbox_to_anchor=(1.0, 0.42))
    _title(axes, "How often they bought, and who brings the money")


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", pad=10)
