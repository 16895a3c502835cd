"""Entity and portal in the wrong order: reported at once, without showing the secret of an address."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

import bx24frames as bx
from bx24frames.errors import BX24Error, ConfigError, UnknownEntity

ORDER = "entity is the first argument, the portal the second"
READS: dict[str, Callable[..., object]] = {
    "read": bx.read_entity,
    "iter": lambda entity, portal: list(bx.iter_entity(entity, portal)),
    "count": bx.count_entity,
    "describe": bx.describe_entity,
    "schema": bx.entity_schema,
}


@pytest.mark.parametrize("verb", READS)
def test_a_read_says_so(verb: str, portal: bx.Portal, read_only_sandbox: bx.Sandbox) -> None:
    url = read_only_sandbox.url
    code = url.rstrip("/").rsplit("/", 1)[1]
    for entity, other in ((portal, "deal"), (url, "deal"), (url, None), (url, portal), ("sandbox", "deal")):
        with pytest.raises(BX24Error, match=ORDER) as caught:
            READS[verb](entity, other)
        assert code not in str(caught.value) + repr(caught.value)
    assert portal.stats.requests == 0


@pytest.mark.parametrize("name", ["deal", "Deals", "crm.deal", "item:128", "category:2"])
def test_a_table_where_a_portal_belongs(name: str) -> None:
    with pytest.raises(ConfigError, match="is the name of an entity, but list_entities\\(\\) takes a portal") as caught:
        bx.list_entities(name)
    assert f"describe_entity({name!r}, portal)" in str(caught.value)


def test_a_write_shows_no_secret(portal: bx.Portal, read_only_sandbox: bx.Sandbox) -> None:
    url = read_only_sandbox.url
    frame = pd.DataFrame({"title": ["x"]})
    with pytest.raises(UnknownEntity, match=ORDER) as caught:
        bx.write_entity(frame, url, portal, mode="insert")
    assert url.rstrip("/").rsplit("/", 1)[1] not in str(caught.value)
    with pytest.raises(UnknownEntity, match=ORDER):
        bx.delete_entity([1], url, portal)
