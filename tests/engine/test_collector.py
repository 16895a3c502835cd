"""Python's cycle collector while pages are read: held back, and let go by whoever is left."""

from __future__ import annotations

import gc
import os

import pytest

from bx24frames.engine.pages.collector import COLLECTOR_HELD


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_while_a_page_is_read_has_its_collector() -> None:
    """The thread that held it back does not live in the child: seven children of 330 never collected again."""
    with COLLECTOR_HELD:
        assert not gc.isenabled()
        child = os.fork()
        if not child:
            with COLLECTOR_HELD:
                inside = gc.isenabled()
            os._exit(0 if gc.isenabled() and not inside else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert gc.isenabled()
