"""Execute the notebooks anew: each ``NAME.py`` (jupytext, percent format) becomes ``NAME.ipynb`` with its outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbclient

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(names: list[str]) -> None:
    """Execute the notebooks named, or all of them, against the portal in a box."""
    for source in sorted(HERE.glob("*.py")):
        if source.name == Path(__file__).name or (names and source.stem not in names):
            continue
        book = jupytext.read(source)
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(HERE)}}).execute()
        for cell in [cell for cell in book.cells if cell.cell_type == "code"]:
            cell.metadata.pop("execution", None)  # times of day, which change at every run
            # A bar is alive while it runs; what is left of it shows nothing.
            cell["outputs"] = [one for one in cell.get("outputs", []) if WIDGET not in one.get("data", {})]
        jupytext.write(book, source.with_suffix(".ipynb"))
        print(f"{source.stem}: {len(book.cells)} cells")


if __name__ == "__main__":
    main(sys.argv[1:])
