"""Execute the notebooks anew: each ``NAME.py`` (jupytext, percent format) becomes ``NAME.ipynb`` with its outputs."""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import jupytext
import matplotlib as mpl
import nbclient
import nbformat
import numpy as np
from matplotlib.image import imread

HERE: Final = Path(__file__).resolve().parent
CELL_SECONDS: Final = 300
WIDGET: Final = "application/vnd.jupyter.widget-view+json"
PICTURE: Final = "image/png"
TIMES: Final = "times"
"""Tag of a cell whose numbers follow the clock: none of them is compared, nor is its picture."""
SMALL: Final = "small"
"""Key of a cell's metadata: lines that follow the cell's own where the notebook is only tried."""
CHANGING: Final = (
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\d+ (?:requests?|запрос\w*) (?:in|за) [\d.,]+ [sс]\b"), "REQUESTS AND SECONDS"),
    (
        re.compile(
            r"(?<=[ >])(?:under a second|меньше секунды|(?:\d+ (?:min|мин) )?\d+ [sс])(?: (?:at|при) [^<>]+)?(?=[<>])"
        ),
        "SECONDS",
    ),
    (re.compile(r"[\d.,]+ (?:s a page|с на страницу) \(\w+\)"), "SECONDS A PAGE"),
    (re.compile(r"[\d,]+ kB\b"), "KILOBYTES"),
)
"""What is another at every run in any cell: the box's port, what an upload took, what a plan expects a read to take,
the length of answers that name times."""
NUMBER: Final = re.compile(r"[-\d.,]*\d")
RUSSIAN: Final = "_ru"
"""Names of notebooks in Russian end so; the package speaks Russian in them."""
SPACE: Final = re.compile(r"\s+|[─-]{3,}")

Notebook: TypeAlias = nbformat.NotebookNode


def main() -> int:
    """Execute the notebooks named, or all of them, each in a kernel of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="all of them without")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where an output is another than kept")
    parser.add_argument("--small", action="store_true", help="write nothing; only try them, with little data")
    given = parser.parse_args()
    faults = []
    for source in sources(given.names):
        began = time.monotonic()
        book = execute(source, small=given.small)
        kept = stored(source.with_suffix(".ipynb"))
        other = [] if given.small else list(differences(book, kept))
        if given.check:
            faults += [f"{source.stem}, {text}" for text in other]
        elif other:  # what differs in times alone is left as it was
            nbformat.write(book, source.with_suffix(".ipynb"))
        print(f"{source.stem}: {len(book.cells)} cells, {time.monotonic() - began:.0f} s", flush=True)
    print(*faults, sep="\n", file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


def sources(names: list[str]) -> list[Path]:
    """The notebooks' texts."""
    found = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__).resolve()}
    unknown = set(names) - set(found)
    if unknown:
        raise SystemExit(f"no notebook {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    return [found[name] for name in names or found]


def execute(source: Path, *, small: bool = False) -> Notebook:
    """Run a notebook's cells in a fresh kernel; folders of its user are neither read nor filled."""
    book = jupytext.read(source)
    texts = [cell.source for cell in book.cells]
    for cell in book.cells if small else ():
        cell.source = "\n".join([cell.source, *cell.metadata.get(SMALL, ())])
    with tempfile.TemporaryDirectory() as folder:
        kernel = nbclient.NotebookClient(
            book, timeout=CELL_SECONDS, coalesce_streams=True, resources={"metadata": {"path": str(HERE)}}
        )
        kernel.execute(env=environment(folder, "ru" if source.stem.endswith(RUSSIAN) else "en"))
    for cell, text in zip(book.cells, texts, strict=True):
        cell.source = text
    clean(book, source.stem)
    return book


def environment(folder: str, language: str) -> dict[str, str]:
    """The kernel's environment: journals, caches, profiles and IPython's start-up files are those of nobody."""
    own = {f"XDG_{name}_HOME": str(Path(folder, name)) for name in ("CONFIG", "CACHE", "STATE", "DATA")}
    rest = {name: value for name, value in os.environ.items() if not name.startswith("BX24")}
    fonts = {"MPLCONFIGDIR": mpl.get_cachedir()}  # the list of fonts takes seconds to make
    # pandera imports PySpark where it is installed, as it is beside the slow tests.
    quiet = {"PYTHONWARNINGS": "ignore:PySpark does not yet fully support pandas:FutureWarning"}
    terminal = {"IPYTHONDIR": str(Path(folder, "ipython")), "COLUMNS": "100", "BX24FRAMES_LANG": language}
    return rest | own | fonts | quiet | terminal


def clean(book: Notebook, name: str) -> None:
    """Leave out what another run or another machine would say otherwise: ids, times of day, bars, versions."""
    book.nbformat_minor = 5
    book.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "jupytext": {"formats": "ipynb,py:percent"},
        }
    )
    for number, cell in enumerate(book.cells):
        cell.id = f"{name}-{number}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            # A bar is alive while it runs; what is left of it shows nothing.
            cell.outputs = [one for one in cell.outputs if WIDGET not in one.get("data", {})]
            for output in cell.outputs:
                output.get("metadata", {}).clear()


def stored(path: Path) -> Notebook:
    """The notebook as it is kept; an empty one where there is none."""
    return nbformat.read(path, as_version=4) if path.exists() else nbformat.v4.new_notebook()


def differences(book: Notebook, kept: Notebook) -> Iterator[str]:
    """What of a notebook is otherwise than kept, a line a cell; a warning on stderr is a fault wherever it is."""
    if len(book.cells) != len(kept.cells):
        yield f"{len(book.cells)} cells, {len(kept.cells)} are kept"
    for number, cell in enumerate(book.cells):
        other = kept.cells[number] if number < len(kept.cells) else None
        if other is None or (cell.source, cell.metadata) != (other.source, other.metadata):
            yield f"cell {number}: another text than kept: {cell.source[:60]!r}"
        elif not same_outputs(cell, other):
            yield f"cell {number}: another output than kept: {cell.source[:60]!r}"
        if any(output.get("name") == "stderr" for output in cell.get("outputs", ())):
            yield f"cell {number}: writes to stderr: {cell.source[:60]!r}"


def same_outputs(cell: Notebook, other: Notebook) -> bool:
    """Whether two runs of a cell show the same, apart from what is said to change."""
    mine, theirs = cell.get("outputs", []), other.get("outputs", [])
    timed = TIMES in cell.metadata.get("tags", ())
    return len(mine) == len(theirs) and all(same(one, two, timed) for one, two in zip(mine, theirs, strict=True))


def same(one: Notebook, two: Notebook, timed: bool) -> bool:
    """Whether two outputs show the same; pictures of times need only both be there."""
    if one.output_type != two.output_type or set(shown(one)) != set(shown(two)):
        return False
    return all(
        (timed or alike(text, shown(two)[kind]))
        if kind == PICTURE
        else steady(text, timed) == steady(shown(two)[kind], timed)
        for kind, text in shown(one).items()
    )


def shown(output: Notebook) -> dict[str, str]:
    """What an output shows, by its kind; a stream is text of its own kind."""
    return dict(output.data) if "data" in output else {output.get("name", "error"): output.get("text", "")}


def steady(text: str, timed: bool) -> str:
    """A text without what changes; where everything follows the clock, without any number and the room it takes."""
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return SPACE.sub(" ", NUMBER.sub("0", text)) if timed else text


def alike(one: str, two: str) -> bool:
    """Whether two PNG pictures look the same, whatever version of a library they say they were drawn by."""
    return np.array_equal(*(imread(io.BytesIO(base64.b64decode(text))) for text in (one, two)))


if __name__ == "__main__":
    raise SystemExit(main())
