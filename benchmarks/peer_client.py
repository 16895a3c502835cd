"""Reads and writes deals through another connector, in that connector's own environment; prints what it saw."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.parse
from collections.abc import Callable
from typing import Any

SELECT = ["ID", "TITLE", "OPPORTUNITY", "STAGE_ID", "DATE_CREATE"]
NEW = [{"TITLE": f"From a peer {place}", "OPPORTUNITY": 10.5 * place} for place in range(60)]


def fast_bitrix24(url: str) -> dict[str, Any]:
    from fast_bitrix24 import BitrixAsync

    async def work() -> dict[str, Any]:
        client = BitrixAsync(url, verbose=False, ssl=False)
        rows = await client.get_all("crm.deal.list", {"select": SELECT})
        added = await client.call("crm.deal.add", [{"fields": fields} for fields in NEW])
        ids = sorted(int(one) for one in added)
        await client.call("crm.deal.update", [{"ID": one, "fields": {"TITLE": f"Changed {one}"}} for one in ids[:20]])
        await client.call("crm.deal.delete", [{"ID": one} for one in ids[20:40]])
        return {"rows": rows, "changed": ids[:20], "deleted": ids[20:40], "kept": ids[40:]}

    return asyncio.run(work())


def b24pysdk(url: str) -> dict[str, Any]:
    from b24pysdk import BitrixWebhook, Client

    address = urllib.parse.urlparse(url)
    token = "/".join(address.path.strip("/").split("/")[1:])
    client = Client(BitrixWebhook(domain=address.netloc, webhook_token=token))
    rows = list(client.crm.deal.list(select=SELECT).as_list_fast().result)
    ids = [int(client.crm.deal.add(fields=fields).result) for fields in NEW]
    for one in ids[:20]:
        client.crm.deal.update(one, {"TITLE": f"Changed {one}"}).result  # noqa: B018 (the property sends the call)
    for one in ids[20:40]:
        client.crm.deal.delete(one).result  # noqa: B018
    return {"rows": rows, "changed": ids[:20], "deleted": ids[20:40], "kept": ids[40:]}


PEERS: dict[str, Callable[[str], dict[str, Any]]] = {"fast_bitrix24": fast_bitrix24, "b24pysdk": b24pysdk}

if __name__ == "__main__":
    print(json.dumps(PEERS[sys.argv[1]](sys.argv[2])))
