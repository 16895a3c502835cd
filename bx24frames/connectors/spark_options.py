"""Options of the Spark data source: text in, requests of this package out, and no secret on the way."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Final, Literal, Self, cast

from bx24frames.arguments import Checked, iana_zone, keyword, nearest_name, one_of, required_keyword, row_of
from bx24frames.config import VARIABLE, check_name, is_sandbox, variable_value
from bx24frames.errors import ConfigError
from bx24frames.options import THIS_HOST, Limits
from bx24frames.portal.redis_bucket import RedisBucket
from bx24frames.scan.request import ReadRequest
from bx24frames.transport.redact import redact, shown_address
from bx24frames.upload.request import WriteRequest

if TYPE_CHECKING:
    from bx24frames.options import Mode, Nulls, SharedBucket
    from bx24frames.upload.source import Source
    from bx24frames.where.filters import Filters

__all__ = ["SparkRead", "SparkWrite", "described"]

_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RUN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SWITCHES: Final = {"true": True, "false": False}
_NAMES_ONLY: Final = (
    "Options are shown by Spark's UI and logs: save the address with bx24frames.config.save_profile('acme', address), "
    "or set an environment variable to it, on the driver and on every executor, and give the option 'acme' or "
    "'env:VARIABLE'."
)


def comma_separated(name: str, value: object) -> list[str] | None:
    """Accept names separated by commas."""
    if value is None or isinstance(value, list):
        return cast("list[str] | None", value)
    found = [part.strip() for part in str(value).split(",")]
    if not all(found):
        raise ConfigError(f"{name} is a list of names separated by commas, and one of them is empty")
    return found


def portal_names(name: str, value: object) -> list[str]:
    """Accept names of profiles and of environment variables."""
    found = comma_separated(name, value) or []
    for one in found:
        if not is_sandbox(one):
            _check_portal(name, one)
    return found


def parsed_filters(name: str, value: object) -> Filters | None:
    """Accept conditions as JSON: the portal's mapping, ``[column, op, value]``, a list of these, or a list of lists."""
    if value is None or not isinstance(value, str):
        return cast("Filters | None", value)
    try:
        found = json.loads(value)
    except ValueError:
        raise ConfigError(
            f"{name} is not JSON", guidance="""Write {">=createdTime": "2026-01-01"} or [["stageId", "=", "NEW"]]."""
        ) from None
    return cast("Filters", _with_tuples(found))


def positive_number(name: str, value: object) -> int:
    """Accept a whole number of at least 1."""
    try:
        found = int(str(value))
    except ValueError:
        found = 0
    if found < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r:.80}")
    return found


def switched(name: str, value: object) -> bool | None:
    """Accept ``true`` and ``false``."""
    if value is None or isinstance(value, bool):
        return value
    found = _SWITCHES.get(str(value).strip().lower())
    if found is None:
        raise ConfigError(f"{name} must be 'true' or 'false', not {value!r:.80}")
    return found


def text_option(_name: str, value: object) -> str | None:
    """Accept text."""
    return None if value is None else str(value)


def bucket(name: str, value: object) -> str | None:
    """Accept ``"host"``, the address of a Redis server without a password, or the variable that has one with it."""
    found = text_option(name, value)
    if found is None or found == THIS_HOST:
        return found
    if found.startswith(VARIABLE):
        _check_variable(name, found.removeprefix(VARIABLE))
    elif "@" in found or "?" in found:
        raise ConfigError(
            f"{name} is the address of a server with a password",
            guidance="Options are shown by Spark's UI and logs: set an environment variable to it on the driver and on "
            "every executor, and give the option 'env:VARIABLE'.",
        )
    return found


def run_name(name: str, value: object) -> str | Literal[False] | None:
    """Accept the name of a run, or ``false``."""
    if value is None or value is False:
        return value
    if str(value).strip().lower() == "false":
        return False
    if not _RUN_NAME.fullmatch(str(value)):
        raise ConfigError(f"{name} must be the name of a run in letters, digits, '.', '_' and '-', or 'false'")
    return str(value)


@dataclass(frozen=True, slots=True)
class VariableBucket:
    """Opens the request bucket of a portal in the Redis server whose address is in an environment variable.

    `Limits` takes it. It is pickled by the name of the variable, and each executor looks the address up.
    """

    variable: str

    def __call__(self, host: str, limits: Limits) -> SharedBucket:
        return RedisBucket(variable_value(self.variable), host, limits)


class SparkOptions(Checked):
    """Base class of the options of reads and writes."""

    __slots__ = ()

    shared: str | None

    def limits(self) -> Limits:
        """The limits of a portal, which the processes of Spark share where the option says so."""
        if self.shared is not None and self.shared.startswith(VARIABLE):
            return Limits(shared=VariableBucket(self.shared.removeprefix(VARIABLE)))
        return Limits(shared=self.shared)

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> Self:
        """Make them from what Spark was given; names are in any case.

        Raises
        ------
        ConfigError
            An option is unknown, missing or invalid, or has a secret in it; the message does not repeat the secret.
        """
        rows = {one.name: one for one in fields(cls) if row_of(one) is not None}
        given = {name.lower(): value for name, value in options.items()}
        for name, value in given.items():
            if name not in rows:
                raise _unknown(name, list(rows))
            if redact(value) != value:
                raise ConfigError(f"The option {name} has a secret in it", guidance=_NAMES_ONLY)
        for name, one in rows.items():
            if one.default is MISSING and name not in given:
                raise ConfigError(f"The option {name} is missing", guidance=f".option({name!r}, ...)")
        make: Callable[..., Self] = cls
        return make(**given)


_ENTITY: Final = "Name of an entity, as for `read_entity`."
_SHARED: Final = (
    'Where the processes that use a portal share its request budget: ``"host"`` on one machine, the address of a Redis '
    'server on several, ``"env:VARIABLE"`` where that address has a password. Default: each process has its own.'
)


@dataclass(frozen=True, slots=True)
class SparkRead(SparkOptions):
    """The options of a read."""

    entity: str = required_keyword(text_option, "str", _ENTITY)
    portals: Sequence[str] = required_keyword(
        portal_names, "str", "Names of profiles and ``env:VARIABLE``, separated by commas."
    )
    columns: Sequence[str] | None = keyword(
        None, comma_separated, "str, optional", "Columns to read, separated by commas. Default: all."
    )
    filters: Filters | None = keyword(
        None, parsed_filters, "str, optional", "Conditions as JSON: the value of `filters` of `read_entity`."
    )
    changed_since: str | None = keyword(None, text_option, "str, optional", "As for `read_entity`, in ISO 8601.")
    timezone: str | None = keyword(
        None, iana_zone, "str, optional", "Time zone (IANA name) of dates and naive times in `filters`."
    )
    on_bad_value: Literal["raise", "null"] = keyword(
        "raise", one_of("raise", "null"), '{"raise", "null"}', "Values that do not fit their field: raise, or null."
    )
    type_conflicts: Literal["raise", "text"] = keyword(
        "raise",
        one_of("raise", "text"),
        '{"raise", "text"}',
        "Columns of different types in different portals: raise, or read text.",
    )
    splits: int = keyword(
        1, positive_number, "int", "Partitions for each portal, by ranges of ids; above 1 needs `shared`."
    )
    shared: str | None = keyword(None, bucket, "str, optional", _SHARED)

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        self.limits()
        if self.splits > 1 and self.shared is None:
            raise ConfigError(
                f"splits={self.splits} has several processes read one portal, which must share its request budget",
                guidance='.option("shared", "host") on one machine, .option("shared", "redis://HOST:6379") on several.',
            )

    def request(self, columns: Sequence[str] | None) -> ReadRequest:
        """The request of one portal; columns that it lacks are left out where there are several portals."""
        return ReadRequest(
            self.entity,
            columns=columns,
            filters=self.filters,
            changed_since=self.changed_since,
            timezone=self.timezone,
            on_bad_value=self.on_bad_value,
            missing_columns="raise" if len(self.portals) == 1 else "insert",
            progress=False,
        )


@dataclass(frozen=True, slots=True)
class SparkWrite(SparkOptions):
    """The options of a write."""

    entity: str = required_keyword(text_option, "str", _ENTITY)
    portals: Sequence[str] = required_keyword(portal_names, "str", "Name of one profile, or ``env:VARIABLE``.")
    mode: Mode = required_keyword(
        one_of("insert", "update", "upsert"), '{"insert", "update", "upsert"}', "As for `write_entity`."
    )
    journal: str = required_keyword(
        text_option,
        "str",
        "Folder for the journals and the reports of failed rows: a path that the driver and all executors share.",
    )
    on: Sequence[str] | None = keyword(None, comma_separated, "str, optional", "Key columns, separated by commas.")
    nulls: Nulls = keyword("skip", one_of("skip", "clear"), '{"skip", "clear"}', "As for `write_entity`.")
    extra_columns: Literal["raise", "ignore"] = keyword(
        "raise", one_of("raise", "ignore"), '{"raise", "ignore"}', "As for `write_entity`."
    )
    timezone: str | None = keyword(None, iana_zone, "str, optional", "Time zone (IANA name) of naive times.")
    automation: bool | None = keyword(None, switched, '{"true", "false"}, optional', "As for `write_entity`.")
    only_changed: bool = keyword(False, switched, '{"true", "false"}', "As for `write_entity`.")
    on_error: Literal["raise", "report"] = keyword(
        "raise",
        one_of("raise", "report"),
        '{"raise", "report"}',
        "Failed rows: an error once all rows were sent, or a report in `journal` only.",
    )
    resume: str | Literal[False] | None = keyword(
        None,
        run_name,
        'str or "false", optional',
        "Name of the run to continue, or to begin under that name. Default: a new run, refused where an unfinished one "
        'has begun to insert the same rows; ``"false"`` inserts them again.',
    )
    shared: str | None = keyword(THIS_HOST, bucket, "str", 'As for a read. Default: ``"host"``.')

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        self.limits()
        if len(self.portals) != 1:
            raise ConfigError(
                f"A write goes to one portal, and the option portals names {len(self.portals)}",
                guidance="Write once for each portal, with the rows of that portal.",
            )

    def request(self, source: Source, journal: str | None) -> WriteRequest:
        """The request of one partition."""
        return WriteRequest(
            source,
            self.entity,
            mode=self.mode,
            on=self.on,
            nulls=self.nulls,
            extra_columns=self.extra_columns,
            timezone=self.timezone,
            automation=self.automation,
            only_changed=self.only_changed,
            on_error="report",
            resume=journal,
            progress=False,
        )


def described(kind: type[SparkOptions]) -> str:
    """The options of reads or writes as lines of a docstring."""
    rows = [(one.name, row) for one in fields(kind) if (row := row_of(one)) is not None]
    lines = (f"* ``{name}`` ({row.types}): {row.text}" for name, row in rows)
    return "\n".join(textwrap.fill(line, 112, subsequent_indent="  ", break_on_hyphens=False) for line in lines)


def _check_portal(option: str, given: str) -> None:
    """Refuse what is not the name of a profile or of a variable, without repeating what may be an address."""
    if given.startswith(VARIABLE):
        _check_variable(option, given.removeprefix(VARIABLE))
    elif set(given) & set("/:.?"):
        raise _not_a_name(option)
    else:
        check_name(given)


def _check_variable(option: str, variable: str) -> None:
    if not _VARIABLE_NAME.fullmatch(variable):
        raise _not_a_name(option)


def _not_a_name(option: str) -> ConfigError:
    return ConfigError(f"The option {option} takes names, not addresses", guidance=_NAMES_ONLY)


def _unknown(name: str, known: Sequence[str]) -> ConfigError:
    hint = nearest_name(name, known, f"The options are {', '.join(known)}.")
    return ConfigError(f"There is no option {shown_address(name)!r:.80}", guidance=hint)


def _with_tuples(found: object) -> object:
    """JSON has no tuples: an array that begins with text is a condition."""
    if not isinstance(found, list):
        return found
    if found and isinstance(found[0], str):
        return tuple(found)
    return [_with_tuples(one) for one in found]
