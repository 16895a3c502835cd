"""Real purchases into a portal in a box and back: uploaded, read, compared to the cent, and drawn."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cdnow import CUSTOMERS, Log, load

import bx24frames as bx

if TYPE_CHECKING:
    import pandas as pd

CUSTOMERS_BY_DEFAULT: Final = 500
SECONDS_A_ROW: Final = 0.025
"""What one imported row costs the portal (Costs.write of the sandbox)."""
WINDOW_SECONDS: Final = 600.0
ORIGIN: Final = "cdnow"
CDS: Final = "UF_CRM_1721244482250"
"""A whole-number field of the sandbox's deals, named as portals name the fields their users add."""
OUT: Final = Path(__file__).resolve().parent.parent / "demo-output"
EMPTY: Final = {"lead": 0, "deal": 0, "contact": 0, "company": 0}


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"all {CUSTOMERS:,} customers; takes most of an hour")
    parser.add_argument("--customers", type=int, default=CUSTOMERS_BY_DEFAULT, help="how many customers otherwise")
    given = parser.parse_args()
    log = load()
    log = log if given.full else log.sample(given.customers)
    announce(log)
    started = time.monotonic()
    with bx.Sandbox(sizes=EMPTY) as box, bx.Portal(box.url) as portal:
        print(f"A portal in a box, with a real portal's limits, at {box.host}\n")
        contacts = upload_customers(log, portal)
        upload_purchases(log, contacts, portal)
        deals, people = read_back(portal)
        returned = compare(log, deals, people)
        requests = portal.stats.requests
    summarise(deals, requests, time.monotonic() - started)
    from demo_picture import draw

    print(f"\nPicture: {draw(returned, OUT / 'cdnow.png')}")


def announce(log: Log) -> None:
    """Say what will be done and how long the portal's limits make it take, before doing it."""
    rows = len(log.customers) + len(log.purchases)
    work = rows * SECONDS_A_ROW
    print(
        f"CDNOW: {len(log.customers):,} customers become contacts, {len(log.purchases):,} purchases become deals.\n"
        f"{rows:,} rows at {SECONDS_A_ROW * 1000:.0f} ms each are {spoken(work)} of the portal's operating time; "
        f"the limits make that about {spoken(expected_seconds(work))} here.",
        flush=True,
    )


def expected_seconds(work: float, limits: bx.Limits | None = None) -> float:
    """Wall time of `work` seconds of imports: several requests at once, until the method's ten minutes are used up.

    Parameters
    ----------
    work : float
        Seconds of operating time.
    limits : Limits, optional
        Its ``operating`` seconds are what one method may cost in ten minutes; sending slows down at 0.85 of it.
    """
    at_once, growing = 2.5, 12.0  # as measured: requests grow from 20 rows until one takes 12 s
    allowed = (limits or bx.Limits()).operating * 0.85
    windows = math.ceil(work / allowed) - 1
    return windows * WINDOW_SECONDS + growing + (work - windows * allowed) / at_once


def spoken(seconds: float) -> str:
    """Say a duration as people do."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def journal(name: str) -> Path:
    """Where an upload is recorded: beside the picture, and not among the reader's own uploads."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.journal"
    path.unlink(missing_ok=True)
    return path


def upload_customers(log: Log, portal: bx.Portal) -> dict[str, int | str]:
    """Make a contact of each customer; returns the contact's id by the customer's number."""
    import pandas as pd

    frame = pd.DataFrame({"name": "Customer", "lastName": log.customers, "originatorId": ORIGIN})
    frame["originId"] = frame["lastName"]
    report = bx.write_entity(frame, "contact", portal, mode="insert", resume=journal("contacts"))
    print(report, end="\n\n")
    return dict(zip(log.customers, report.ids("inserted"), strict=True))


def upload_purchases(log: Log, contacts: dict[str, int | str], portal: bx.Portal) -> None:
    """Make a deal of each purchase, linked to its customer's contact and won on its day."""
    import pandas as pd

    bought = log.purchases
    frame = pd.DataFrame(
        {
            "title": "Order of customer " + bought["customer"],
            "stageId": "WON",
            "opportunity": bought["cents"] / 100,
            "currencyId": "USD",
            "begindate": bought["day"],
            "closedate": bought["day"],
            "contactId": bought["customer"].map(contacts),
            CDS: bought["cds"],
            "originatorId": ORIGIN,
            "originId": bought["line"].astype(str),
        }
    )
    print(bx.write_entity(frame, "deal", portal, mode="insert", resume=journal("deals")), end="\n\n")


def read_back(portal: bx.Portal) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both tables as typed frames."""
    columns = ["id", "originId", "contactId", "closedate", "opportunity", "currencyId", "stageId", CDS]
    ours = {"originatorId": ORIGIN}
    deals = bx.read_entity("deal", portal, columns=columns, filters=ours)
    people = bx.read_entity("contact", portal, columns=["id", "originId", "lastName"], filters=ours)
    print("Read back, typed:")
    print("\n".join(f"  {name:<22}{dtype}" for name, dtype in deals.dtypes.items()), end="\n\n")
    return deals, people


def compare(log: Log, deals: pd.DataFrame, people: pd.DataFrame) -> Log:
    """Hold every row that came back against the file: any difference ends the demo as a failure.

    Returns the purchases as they came back, in the file's own columns.
    """
    customer = people.set_index("id")["originId"]
    back = deals.assign(
        line=deals["originId"].astype("int64"),
        customer=deals["contactId"].map(customer).astype("str"),
        day=deals["closedate"],
        cds=deals[CDS].astype("int64"),
        cents=(deals["opportunity"] * 100).round().astype("int64"),
    ).sort_values("line", ignore_index=True)
    wanted = log.purchases
    problems = [
        f"{name}: {int(unequal.sum()):,} rows differ"
        for name in wanted.columns
        if len(back) == len(wanted) and (unequal := back[name].to_numpy() != wanted[name].to_numpy()).any()
    ]
    if len(back) != len(wanted):
        problems.append(f"{len(back):,} deals came back of {len(wanted):,} purchases")
    if sorted(people["originId"]) != log.customers:
        problems.append(f"{len(people):,} contacts came back of {len(log.customers):,} customers, or other ones")
    if not (back["currencyId"] == "USD").all():
        problems.append("a currency differs")
    if problems:
        raise SystemExit("NOT the same as the file: " + "; ".join(problems))
    print(
        f"Compared with the file: {len(back):,} purchases of {len(people):,} customers, "
        f"{back['cents'].sum() / 100:,.2f} USD; not a row and not a cent differs."
    )
    return Log(back[wanted.columns])


def summarise(deals: pd.DataFrame, requests: int, seconds: float) -> None:
    """Say in a few lines what the shop sold."""
    spent = deals.groupby("contactId")["opportunity"].agg(["sum", "count"])
    again = (deals.groupby("contactId")["closedate"].nunique() > 1).mean()
    top = spent["sum"].sort_values(ascending=False)
    share = top.head(max(1, len(top) // 5)).sum() / top.sum()
    print(
        f"\n  a customer      {spent['sum'].mean():,.2f} USD in {spent['count'].mean():.1f} orders on average\n"
        f"  came again      {again:.0%} of the customers\n"
        f"  the best fifth  brings {share:.0%} of the money\n"
        f"  the portal      {requests:,} requests in {spoken(seconds)}, both ways"
    )


if __name__ == "__main__":
    main()
