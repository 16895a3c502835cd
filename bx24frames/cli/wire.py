"""The wire commands: call any method of the portal with JSON parameters; results are the portal's raw JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bx24frames.cli import completion
from bx24frames.cli.parameters import PortalName, ProfileName, portal_named
from bx24frames.errors import ConfigError
from bx24frames.files.cell_text import json_bytes
from bx24frames.files.files_out import STDOUT, standard_output

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON
    from bx24frames.verbs.portals import Portal

__all__ = ["batch", "call", "get_all", "get_by_id", "list_and_get"]

OBJECT: Final = """Write JSON: '{"filter": {"STAGE_ID": "NEW"}}'"""

_Method = Annotated[
    str, typer.Argument(metavar="METHOD", help="Method such as crm.deal.get.", autocompletion=completion.methods)
]
_Listing = Annotated[
    str, typer.Argument(metavar="METHOD", help="List method such as crm.deal.list.", autocompletion=completion.methods)
]
IdField = Annotated[str, typer.Option("--id-field", metavar="NAME", help="Name of the id parameter.")]


def call(
    method: _Method,
    params: Annotated[
        str | None,
        typer.Argument(metavar="JSON", help="Parameters; - reads JSON lines and makes one call for each."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Send the parameters unchanged.")] = False,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Call a method and print its result as JSON."""
    items = _lines() if params == STDOUT else _object(params)
    with _opened(portal, profile) as opened:
        found = opened.call(method, items, raw=raw)
    _print(found if isinstance(items, list) and isinstance(found, list) else [found])


def batch(
    commands: Annotated[
        str,
        typer.Argument(
            metavar="JSON",
            help="""Commands such as {"deal": "crm.deal.get?id=1", "user": "user.current"}; - reads standard input.""",
        ),
    ],
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Run named commands in order and print their results as JSON."""
    named = _object(sys.stdin.read() if commands == STDOUT else commands)
    odd = [name for name, text in named.items() if not isinstance(text, str)]
    if odd:
        raise ConfigError(f"Command {odd[0]} must be text such as crm.deal.get?id=1")
    with _opened(portal, profile) as opened:
        found = opened.batch({name: str(text) for name, text in named.items()})
    _print([dict(found)])


def get_all(
    method: _Listing,
    params: Annotated[
        str | None, typer.Argument(metavar="JSON", help="Parameters such as filter and select; - reads standard input.")
    ] = None,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Read all rows of a list method and print them as JSON lines."""
    with _opened(portal, profile) as opened:
        found = opened.get_all(method, _object(sys.stdin.read() if params == STDOUT else params) or None)
    _print(found if isinstance(found, list) else [found])


def get_by_id(
    method: _Method,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="One or more ids.")],
    id_field: IdField = "ID",
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Call a method for each id and print {id: result} as JSON."""
    with _opened(portal, profile) as opened:
        found = opened.get_by_id(method, ids, id_field)
    _print([{str(one): result for one, result in found.items()}])


def list_and_get(
    branch: Annotated[
        str, typer.Argument(metavar="BRANCH", help="Branch such as crm.lead: its .list is read, then .get for each id.")
    ],
    id_field: IdField = "ID",
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Get every object of a branch and print {id: object} as JSON."""
    with _opened(portal, profile) as opened:
        found = opened.list_and_get(branch, id_field)
    _print([{str(one): result for one, result in found.items()}])


def _opened(portal: str | None, profile: str | None) -> Portal:
    from bx24frames.verbs.portals import Portal

    return Portal(portal_named(portal, profile))


def _object(text: str | None) -> Mapping[str, object]:
    import orjson

    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as fault:
        raise ConfigError(f"The parameters are not valid JSON: {fault}", guidance=OBJECT) from None
    if not isinstance(found, dict):
        raise ConfigError("The parameters are not a JSON object", guidance=OBJECT)
    return found


def _lines() -> list[Mapping[str, object]]:
    return [_object(line) for line in sys.stdin if line.strip()]


def _print(values: Iterable[JSON]) -> None:
    stream = standard_output()
    for value in values:
        stream.write(json_bytes(value) + b"\n")
    stream.flush()
