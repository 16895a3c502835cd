"""Usage in words: the budget that binds first, how long, and what would help."""

from __future__ import annotations

import pytest

from bx24frames.engine.ledger import BudgetReport
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.engine.usage import HELP, Usage, usage_of


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Usage(0.41, 0.06, 840.0), "server time: 41 % of the budget, about 14 minutes; requests: 6 %"),
        (Usage(0.02, 0.33, 180.0), "requests: 33 % of the budget, about 3 minutes; server time: 2 %"),
        (Usage(0.5, 0.1, 30.0), "server time: 50 % of the budget, about 30 seconds; requests: 10 %"),
        (Usage(0.5, 0.1), "server time: 50 % of the budget; requests: 10 %"),
    ],
)
def test_the_budget_that_binds_is_named_first(usage: Usage, text: str) -> None:
    assert str(usage) == text


def test_advice_is_given_where_server_time_does_not_suffice() -> None:
    assert Usage(1.2, 0.3).advice == HELP
    assert Usage(0.9, 0.3).advice == Usage(0.5, 2.0).advice == ()


def test_what_was_spent_is_read_from_the_budgets() -> None:
    governor = Governor(Bucket(50, 2.0), 480.0, 8)
    governor.meter("crm.item.list").report(BudgetReport(240.0, 300.0), 0, 0.0, 1.0)
    for _ in range(7):
        governor.bucket.depart(1.0)
    assert usage_of(governor, 1.0) == Usage(0.5, pytest.approx(7 / 49))
    governor.blocked("crm.item.list", 1.0)
    assert usage_of(governor, 1.0).seconds == 300.0
