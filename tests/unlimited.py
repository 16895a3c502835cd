"""Limits of the client for tests that are not about limits."""

from typing import Final

import bx24frames as bx

FAST: Final = bx.Limits(burst=100_000, per_second=100_000.0)
