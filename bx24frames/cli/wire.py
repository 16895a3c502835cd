"""The wire verbs as commands: any method of the portal, parameters as JSON, results as the portal prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bx24frames.cli import completion
from bx24frames.cli.parameters import PortalName, ProfileName, portal_named
from bx24frames.errors import ConfigError
from bx24frames.files.files_out import STDOUT, standard_output
from bx24frames.files.flat import json_bytes

if TYPE_CHECKING:
    from bx24frames.engine.messages import JSON
    from bx24frames.verbs.portals import Portal

__all__ = ["batch", "call", "get_all", "get_by_id", "list_and_get"]

OBJECT: Final = """Write JSON: '{"filter": {"STAGE_ID": "NEW"}}'"""

Method = Annotated[
    str, typer.Argument(metavar="METHOD", help="crm.deal.get, user.current, ...", autocompletion=completion.methods)
]
Listing = Annotated[
    str, typer.Argument(metavar="METHOD", help="crm.deal.list, user.get, ...", autocompletion=completion.methods)
]
IdField = Annotated[str, typer.Option("--id-field", metavar="NAME", help="The parameter that takes the id.")]


def call(
    method: Method,
    params: Annotated[
        str | None,
        typer.Argument(metavar="JSON", help="Its parameters; - reads a JSON object a line, and calls once for each."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Send the parameters just as they are.")] = False,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Call a method; the result is JSON."""
    items = _lines() if params == STDOUT else _object(params)
    with _opened(portal, profile) as opened:
        found = opened.call(method, items, raw=raw)
    _print(found if isinstance(items, list) and isinstance(found, list) else [found])


def batch(
    commands: Annotated[
        str,
        typer.Argument(metavar="JSON", help="""{"deal": "crm.deal.get?id=1", "user": "user.current"}; - reads it."""),
    ],
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Carry out named commands in order; the results are JSON."""
    named = _object(sys.stdin.read() if commands == STDOUT else commands)
    odd = [name for name, text in named.items() if not isinstance(text, str)]
    if odd:
        raise ConfigError(f"Command {odd[0]} is no text such as crm.deal.get?id=1")
    with _opened(portal, profile) as opened:
        found = opened.batch({name: str(text) for name, text in named.items()})
    _print([dict(found)])


def get_all(
    method: Listing,
    params: Annotated[
        str | None, typer.Argument(metavar="JSON", help="Its parameters: filter, select, ...; - reads them.")
    ] = None,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Read every row of a list method; JSON, a row a line."""
    with _opened(portal, profile) as opened:
        found = opened.get_all(method, _object(sys.stdin.read() if params == STDOUT else params) or None)
    _print(found if isinstance(found, list) else [found])


def get_by_id(
    method: Method,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="As many as you like.")],
    id_field: IdField = "ID",
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Call a method for each of many ids; JSON, {id: result}."""
    with _opened(portal, profile) as opened:
        found = opened.get_by_id(method, ids, id_field)
    _print([{str(one): result for one, result in found.items()}])


def list_and_get(
    branch: Annotated[str, typer.Argument(metavar="BRANCH", help="crm.lead: its .list, then .get of each.")],
    id_field: IdField = "ID",
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Get every object of a branch; JSON, {id: object}."""
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
        raise ConfigError(f"The parameters are no JSON: {fault}", guidance=OBJECT) from None
    if not isinstance(found, dict):
        raise ConfigError("The parameters are JSON, but no object", guidance=OBJECT)
    return found


def _lines() -> list[Mapping[str, object]]:
    return [_object(line) for line in sys.stdin if line.strip()]


def _print(values: Iterable[JSON]) -> None:
    stream = standard_output()
    for value in values:
        stream.write(json_bytes(value) + b"\n")
    stream.flush()
