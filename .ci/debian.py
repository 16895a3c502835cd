"""Install Debian packages that slow tests use: `debian.py PACKAGE...`; tests of a missing program are skipped.

Installs only as root and where apt-get exists; elsewhere it names what is missing and how to get it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser"),
    "default-jre-headless": ("java",),
    "redis-server": ("redis-server",),
}
"""The programs a package brings; one is enough."""


def main() -> None:
    """Install the packages whose programs are missing."""
    missing = [package for package in sys.argv[1:] if not any(map(shutil.which, PROGRAMS[package]))]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"make: tests that use {', '.join(missing)} will be skipped; install with: sudo {' '.join(command)}")
        return
    print(f"make: installing {', '.join(missing)}", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run([*command[:1], "update", "-qq"], check=True, **quiet)
    subprocess.run(command, check=True, **quiet)


if __name__ == "__main__":
    main()
