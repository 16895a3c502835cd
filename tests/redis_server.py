"""A Redis server in a temporary folder, reached by a socket of the file system."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

PROGRAM: Final = shutil.which("redis-server")
WHY: Final = "needs the program redis-server (Debian: apt install redis-server)"
PATIENCE: Final = 20.0
"""Seconds in which a server starts, on a busy machine."""


class RedisServer:
    """A server that can be stopped and started again, without what it held."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bx24-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix://{self.folder / 'socket'}"

    def start(self) -> Self:
        import redis

        assert PROGRAM is not None
        kept = ["--save", "", "--appendonly", "no"]
        place = ["--port", "0", "--unixsocket", str(self.folder / "socket"), "--dir", str(self.folder)]
        self._process = subprocess.Popen([PROGRAM, *place, *kept], stdout=subprocess.DEVNULL)
        began = time.monotonic()
        with redis.Redis.from_url(self.address) as client:
            while time.monotonic() - began < PATIENCE:
                try:
                    client.ping()
                except redis.ConnectionError:
                    continue
                return self
        raise AssertionError("the Redis server did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)
