"""The commands and their one-line help; each does its work elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer

from bx24frames.cli.connecting import connect
from bx24frames.cli.examples import epilog
from bx24frames.cli.looking import count, describe, entities, plan, schema
from bx24frames.cli.probing import doctor
from bx24frames.cli.reading import read, scan
from bx24frames.cli.wire import batch, call, get_all, get_by_id, list_and_get
from bx24frames.cli.writing import delete, write

__all__ = ["app"]

app = typer.Typer(
    name="bx24frames",
    help="Tables out of a Bitrix24 portal, and into it.",
    epilog="The portal's address is a secret: `connect` keeps it; or set BX24_WEBHOOK. The shell's history is no "
    "place for it.\n\n"
    "Ends with 0: done; 1: failed, or some rows were; 2: wrong usage; 130: interrupted.",
    no_args_is_help=True,
    # plain help: its boxes take a third of the time that help takes, and are not read in a pipe
    rich_markup_mode=None,
    # a traceback could show an address; failures are told by main
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command in (
    *(connect, read, scan, count, plan, describe, schema, entities, write, delete),
    *(call, batch, get_all, get_by_id, list_and_get, doctor),
):
    name = command.__name__.replace("_", "-")
    app.command(name, epilog=epilog(name))(command)


def _version(wanted: bool) -> None:
    if wanted:
        from bx24frames import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one this is.")
    ] = False,
) -> None:
    """Tables out of a Bitrix24 portal, and into it."""


@app.command(epilog=epilog("sandbox"))
def sandbox(
    path: Annotated[str | None, typer.Argument(metavar="FILE", help="SQLite file; its rows survive a restart.")] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8024,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same rows.")] = None,
    size: Annotated[list[str] | None, typer.Option(metavar="TABLE=ROWS", help="deal=1000; repeat it.")] = None,
    plan: Annotated[str, typer.Option(help="standard, enterprise, self_hosted or unlimited.")] = "standard",
    fast: Annotated[bool, typer.Option("--fast", help="The portal's own time does not really pass.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="https, self-signed.")] = False,
    certificate: Annotated[
        str | None, typer.Option(metavar="FILE", help="With --tls: where to write the certificate, in PEM.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[:METHOD[:NTH[:TIMES]]]", help="Break on purpose.")
    ] = None,
) -> None:
    """Serve a portal in a box until Ctrl-C.

    Its address is printed; any client of the REST interface can talk to it.
    """
    from bx24frames.sandbox.serving import parse_sizes, serve

    serve(
        path,
        port=port,
        seed=seed,
        sizes=parse_sizes(size or []),
        plan=plan,
        real_time=not fast,
        tls=tls,
        certificate=certificate,
        faults=fault or (),
        announce=typer.echo,
    )
