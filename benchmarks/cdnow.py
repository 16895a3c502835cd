"""The CDNOW purchase log: real purchases of a record shop's new customers, January 1997 to June 1998."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

PACKAGE: Final = "Lifetimes"
FILE: Final = "lifetimes/datasets/CDNOW_master.txt"
CUSTOMERS: Final = 23_570
PURCHASES: Final = 69_659


@dataclass(frozen=True, slots=True)
class Log:
    """Purchases, one row each: ``line`` int, ``customer`` text, ``day`` datetime, ``cds`` int, ``cents`` int."""

    purchases: pd.DataFrame

    @property
    def customers(self) -> list[str]:
        """The customers, in the order of their numbers, which is the order of their first purchase."""
        return sorted(set(self.purchases["customer"]))

    def sample(self, customers: int) -> Log:
        """Every k-th customer, with all their purchases: an even draw over the weeks of the first purchase."""
        step = max(1, len(self.customers) // customers)
        chosen = set(self.customers[::step][:customers])
        return Log(self.purchases[self.purchases["customer"].isin(chosen)].reset_index(drop=True))


def load() -> Log:
    """Read the whole log as text out of the installed package; none of its code is imported."""
    import pandas as pd

    frame = pd.DataFrame(_purchases(), columns=["line", "customer", "day", "cds", "cents"])
    frame["day"] = pd.to_datetime(frame["day"], format="%Y%m%d")
    log = Log(frame)
    if (len(frame), len(log.customers)) != (PURCHASES, CUSTOMERS):
        raise SystemExit(f"{FILE} is not the log it was: {len(frame):,} purchases, {len(log.customers):,} customers")
    return log


def _purchases() -> Iterator[tuple[int, str, str, int, int]]:
    """Take the lines apart; money as the digits that stand there, never through a float."""
    head, *lines = _path().read_text(encoding="ascii").splitlines()
    if head.split() != ["customer_id", "date", "number_of_cds", "dollar_value"]:
        raise SystemExit(f"{FILE} begins otherwise than expected: {head!r}")
    for number, line in enumerate(lines, start=2):
        customer, day, cds, dollars = line.split()
        whole, _, fraction = dollars.partition(".")
        yield number, customer, day, int(cds), int(whole) * 100 + int(fraction.ljust(2, "0"))


def _path() -> Path:
    try:
        return Path(str(distribution(PACKAGE).locate_file(FILE)))
    except PackageNotFoundError:
        raise SystemExit("The purchase log is missing: pip install --no-deps Lifetimes==0.11.3") from None
