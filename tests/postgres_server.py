"""A PostgreSQL server in a temporary folder, reached by a socket of the file system."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
USERS = ("postgres", "nobody")
"""Users that the server may run as where the tests run as root, which it refuses."""


def binaries() -> Path | None:
    """The folder of the server's programs; None without a server."""
    found = shutil.which("initdb")
    return Path(found).parent if found else next((place for place in PLACES if (place / "initdb").exists()), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server; gives its address."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="bx24-pg-"))
    user = None
    if os.geteuid() == 0:
        user = next(name for name in USERS if any(one.pw_name == name for one in pwd.getpwall()))
        shutil.chown(folder, user)
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)

    run(str(programs / "initdb"), "-D", str(data), "-U", "bx", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = (str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"))
    run(*control, "-o", options, "start")
    try:
        yield f"postgresql://bx@/postgres?host={folder}"
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)
