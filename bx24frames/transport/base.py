"""What one exchange with a portal is: a reply, or proof that there was none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, read to its end; `headers` have lower-case names, `url_host` is who answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url_host: str


class NoReply(Exception):
    """An exchange without an answer.

    Parameters
    ----------
    reason : str
        What happened, without any secret.
    sent : bool
        False only when it is proven that the portal cannot have carried the request out: no such host, connection
        refused, no TLS session, or the portal itself turned the request away.
    timeout : bool
        Whether the time given was used up.
    unresolved : bool
        Whether the host's name has no address.
    too_large : bool
        Whether there was an answer, but a longer one than is read.
    guidance : str, optional
        What to do about it.
    """

    def __init__(
        self,
        reason: str,
        *,
        sent: bool = True,
        timeout: bool = False,
        unresolved: bool = False,
        too_large: bool = False,
        guidance: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.timeout = timeout
        self.unresolved = unresolved
        self.too_large = too_large
        self.guidance = guidance


class Transport(Protocol):
    """Carries one request to a portal and brings its reply back."""

    async def post(self, method: str, body: bytes, *, timeout: float) -> Reply:  # noqa: ASYNC109
        """POST a JSON body to a REST method; `timeout` in seconds, over the whole exchange.

        Raises
        ------
        NoReply
            There was no answer.
        """
        ...

    async def close(self) -> None:
        """Close every connection that is the transport's own."""
        ...
