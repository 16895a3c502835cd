"""The typer application: every command is registered here and implemented in its own module."""

from __future__ import annotations

from typing import Annotated

import typer

from bx24frames.cli.connect import connect, profiles
from bx24frames.cli.examples import epilog
from bx24frames.cli.inspection import count, describe, entities, plan, schema
from bx24frames.cli.portals import portals
from bx24frames.cli.probe import doctor
from bx24frames.cli.read import read, scan
from bx24frames.cli.speech import Command, Group
from bx24frames.cli.sync import sync
from bx24frames.cli.wire import batch, call, get_all, get_by_id, list_and_get
from bx24frames.cli.write import delete, write

__all__ = ["app"]

app = typer.Typer(
    name="bx24frames",
    cls=Group,
    help="Read and write the entities of a Bitrix24 portal as tables.",
    epilog="The portal's address is a secret: save it with `connect`, or set BX24_WEBHOOK, so that it stays out of "
    "the shell history.\n\n"
    "Exit status 0: success; 1: the command or some rows failed; 2: usage error; 130: interrupted.",
    no_args_is_help=True,
    # plain help: rich's boxes take a third of the time that help takes and are unreadable in a pipe
    rich_markup_mode=None,
    # a traceback could show an address; main reports failures
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command in (
    *(connect, profiles, read, scan, count, plan, describe, schema, entities, write, delete, sync),
    *(call, batch, get_all, get_by_id, list_and_get, doctor, portals),
):
    name = command.__name__.replace("_", "-")
    app.command(name, cls=Command, epilog=epilog(name))(command)


def _version(wanted: bool) -> None:
    if wanted:
        from bx24frames import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Read and write the entities of a Bitrix24 portal as tables."""


@app.command(cls=Command, epilog=epilog("sandbox"))
def sandbox(
    path: Annotated[str | None, typer.Argument(metavar="FILE", help="SQLite file that keeps the rows.")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8024,
    seed: Annotated[
        str | None,
        typer.Option(help="Random seed; the same one gives the same rows. 'tidy' is a plausible small company."),
    ] = None,
    locale: Annotated[str, typer.Option(help="Language of a tidy portal: ru or en.")] = "ru",
    size: Annotated[
        list[str] | None, typer.Option(metavar="ENTITY=ROWS", help="Rows to generate, such as deal=1000; repeatable.")
    ] = None,
    plan: Annotated[
        str, typer.Option(help="Limits of this plan: standard, enterprise, self_hosted or unlimited.")
    ] = "standard",
    fast: Annotated[bool, typer.Option("--fast", help="Answer without the delays of a real portal.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="Serve https with a self-signed certificate.")] = False,
    certificate: Annotated[
        str | None, typer.Option(metavar="FILE", help="With --tls: write the certificate to this file, in PEM.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[:METHOD[:NTH[:TIMES]]]", help="Inject a fault; repeatable.")
    ] = None,
) -> None:
    """Serve the sandbox, a portal in a box, until Ctrl-C.

    Prints its address; any REST client can use it.
    """
    from bx24frames.sandbox.serving import parse_sizes, serve

    serve(
        path,
        port=port,
        seed=seed,
        locale=locale,
        sizes=parse_sizes(size or []),
        plan=plan,
        real_time=not fast,
        tls=tls,
        certificate=certificate,
        faults=fault or (),
        announce=typer.echo,
    )
