"""Budgets shared within the process: a request bucket a portal host, a governor a credential."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Final

from bx24frames.engine.sizes import Sizes
from bx24frames.engine.throttle import Bucket, Governor
from bx24frames.options import Limits


@dataclass(slots=True)
class Budgets:
    """Everything in this process that spends one portal's budget meets here, whatever loop or thread it runs on."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    governors: dict[str, tuple[Governor, Sizes]] = field(default_factory=dict)

    def governor(self, host: str, credential: str, limits: Limits) -> tuple[Governor, Sizes]:
        """The governor and the request sizes of a credential; the newest limits hold for all who share them."""
        with self.lock:
            bucket = self.buckets.setdefault(host, Bucket(limits.burst, limits.per_second))
            bucket.burst, bucket.per_second = limits.burst, limits.per_second
            if credential not in self.governors:
                governor = Governor(bucket, limits.operating, limits.max_in_flight)
                self.governors[credential] = governor, Sizes(limits.commands_per_batch)
            governor, sizes = self.governors[credential]
            governor.max_in_flight = limits.max_in_flight
            governor.limit_operating(limits.operating)
            sizes.limit(limits.commands_per_batch)
            return governor, sizes


BUDGETS: Final = Budgets()


def _forget() -> None:
    """A child of a fork has none of the parent's requests under way, and may have inherited a locked lock."""
    BUDGETS.lock = threading.Lock()
    BUDGETS.buckets.clear()
    BUDGETS.governors.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
