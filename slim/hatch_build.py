"""Build hook: the wheel packs the same files as the full distribution, by the patterns of its pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SameFiles(BuildHookInterface[Any]):
    """Adds the files of the package, which lies beside this folder."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files before the wheel is written."""
        if version == "editable":
            raise ValueError("bx24frames-slim cannot be installed in editable mode: install the repository itself")
        root = Path(self.root).resolve().parent
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        for pattern in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]:
            for path in root.glob(pattern.lstrip("/")):
                build_data["force_include"][str(path)] = path.relative_to(root).as_posix()
