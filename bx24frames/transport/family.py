"""Hosts that belong together: to which of them a credential may follow a redirect."""

from __future__ import annotations

import re
from typing import Final

from bx24frames.transport.address import is_loopback, without_port

# The vendor's cloud: an account is a host below one of these, and a rename moves it from one to another
# (https://apidocs.bitrix24.com/api-reference/common/system/change-domen.html).
_CLOUD: Final = re.compile(
    r"[a-z0-9-]+\.bitrix24\.(?:by|cn|co|com|de|es|eu|fr|id|in|it|jp|kz|mx|pl|ru|ua|uk|uz|vn|com\.br|com\.tr)"
)


def kin(here: str, there: str) -> bool:
    """Whether two hosts, with or without ports, are of one domain family: both the vendor's cloud, or one in the other.

    Examples
    --------
    >>> kin("acme.bitrix24.com", "firm.bitrix24.de"), kin("acme.bitrix24.com", "bitrix24.acme.com")
    (True, False)
    >>> kin("acme.com", "www.acme.com"), kin("portal.acme.com", "files.acme.com")
    (True, False)
    """
    one, other = without_port(here), without_port(there)
    if one == other or (is_loopback(one) and is_loopback(other)):
        return True
    if _CLOUD.fullmatch(one) and _CLOUD.fullmatch(other):
        return True
    return one.endswith(f".{other}") or other.endswith(f".{one}")
