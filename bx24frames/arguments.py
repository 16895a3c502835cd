"""Arguments of the public functions: the rows of a request, and what each of them accepts.

A request is a frozen dataclass. Each of its fields that is an argument has a row: default, rule, documentation. The
values are checked when a request is made; signatures and docstrings are made from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, ClassVar, Final, Self, SupportsIndex, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bx24frames.errors import ArgumentsError, ConfigError

__all__ = [
    "PORTAL_ZONE",
    "PROGRESS",
    "SWITCH",
    "Accepted",
    "ArgumentRule",
    "Checked",
    "anything",
    "iana_zone",
    "keyword",
]
__all__ += [
    "mapping",
    "name_or_names",
    "names",
    "one_of",
    "required_keyword",
    "row_of",
    "whole_number",
    "zone_of_frame",
]

_T = TypeVar("_T")

ArgumentRule = Callable[[str, object], object]
"""Takes an argument's name and value and returns the value as it is kept; raises `ConfigError` if it is not accepted.

A value that was returned is accepted again, because `dataclasses.replace` checks anew."""

PORTAL_ZONE: Final = "portal"
"""The time zone of the portal, in place of the name of a zone."""
NEAR: Final = 0.7
"""Similarity from which a name is suggested for a misspelt one; difflib's own 0.6 suggests `index` for `inner`."""
_ROW: Final = "row"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An argument besides its default: the rule, the accepted types in words, and a description of one paragraph."""

    rule: ArgumentRule
    types: str
    text: str


def keyword(default: _T, rule: ArgumentRule, types: str, text: str) -> _T:
    """Declare a field of a request as an argument with a default; the other parameters are those of `Accepted`."""
    return field(default=default, metadata={_ROW: Accepted(rule, types, text)})


def required_keyword(rule: ArgumentRule, types: str, text: str) -> Any:
    """Declare a field of a request as an argument without a default; the parameters are those of `Accepted`."""
    return field(metadata={_ROW: Accepted(rule, types, text)})


def row_of(one: Field[Any]) -> Accepted | None:
    """The row of a field; None if the field is not an argument of a public function."""
    found: Accepted | None = one.metadata.get(_ROW)
    return found


class Checked:
    """Base class of requests, which are dataclasses: checks the arguments whenever a request is made."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __post_init__(self) -> None:
        for one in fields(self):
            row = row_of(one)
            if row is not None:
                object.__setattr__(self, one.name, row.rule(one.name, getattr(self, one.name)))

    @classmethod
    def given(cls, verb: str, options: type, arguments: Mapping[str, object], **named: object) -> Self:
        """Make the request of a call.

        Parameters
        ----------
        verb : str
            The function that was called.
        options : type of TypedDict
            Names the keyword arguments that the function collects.
        arguments : mapping
            Those it collected.
        **named
            Fields of the request from parameters that the function names itself.

        Raises
        ------
        ArgumentsError
            A keyword argument is unknown or missing.
        ConfigError, UnknownEntity, ValueError
            A value is not accepted.
        """
        rows = {one.name: one for one in fields(cls) if row_of(one) is not None}
        known = [name for name in rows if name in options.__annotations__ or name in named]
        for name in arguments:
            if name not in known:
                raise ArgumentsError(_unexpected(verb, name, known))
        for name in known:
            if rows[name].default is MISSING and name not in arguments and name not in named:
                raise ArgumentsError(f"{verb}() missing 1 required keyword-only argument: {name!r}")
        make: Callable[..., Self] = cls
        return make(**named, **arguments)


def _unexpected(verb: str, name: str, known: Sequence[str]) -> str:
    hint = nearest_name(name, known, f"Its keyword arguments are {', '.join(known)}.")
    return f"{verb}() got an unexpected keyword argument {name!r}. {hint}"


def nearest_name(name: str, known: Sequence[str], otherwise: str) -> str:
    """The hint for an unknown name: the known one that is nearest, or else the given sentence.

    Examples
    --------
    >>> nearest_name("limti", ["limit", "index"], "There are two."), nearest_name("x", ["limit"], "There is one.")
    ("Did you mean 'limit'?", 'There is one.')
    """
    near = get_close_matches(name.casefold(), known, 1, NEAR)
    return f"Did you mean {near[0]!r}?" if near else otherwise


def anything(_name: str, value: object) -> object:
    """Accept a value whose validity depends on the entity: it is checked against the description."""
    return value


def one_of(*accepted: str | bool | None) -> ArgumentRule:
    """Accept one of some values."""
    listed = ", ".join(map(repr, accepted))

    def rule(name: str, value: object) -> object:
        if any(value is one or (isinstance(one, str) and isinstance(value, str) and value == one) for one in accepted):
            return value
        raise ConfigError(f"{name} must be one of {listed}, not {value!r:.80}")

    return rule


SWITCH: Final = one_of(True, False)
"""A bool; a text such as ``"no"`` would count as True."""
PROGRESS: Final = one_of("auto", True, False)


def whole_number(least: int, what: str, *besides: str | None) -> ArgumentRule:
    """Accept a whole number of at least `least`, and some other values; `what` describes both in messages."""

    def rule(name: str, value: object) -> object:
        if (value is None or isinstance(value, str)) and value in besides:
            return value
        if isinstance(value, bool) or not isinstance(value, SupportsIndex) or value.__index__() < least:
            raise ConfigError(f"{name} must be {what}, not {value!r:.80}")
        return value.__index__()

    return rule


def names(name: str, value: object) -> list[str] | None:
    """Accept an iterable of names, or None."""
    if value is None:
        return None
    found = list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else None
    if found is None:
        raise ConfigError(f"{name} must be a list of names, not {value!r:.80}")
    if odd := [one for one in found if not isinstance(one, str)]:
        raise ConfigError(f"{name} must be a list of names; this is not text: {odd[0]!r:.80}")
    return found


def name_or_names(name: str, value: object) -> list[str] | None:
    """Accept a name, an iterable of names, or None."""
    return names(name, [value] if isinstance(value, str) else value)


def mapping(name: str, value: object) -> Mapping[str, object] | None:
    """Accept a mapping of columns, or None."""
    if value is not None and not isinstance(value, Mapping):
        raise ConfigError(f"{name} must be a mapping by column, not {value!r:.80}")
    return value


def zone_of_frame(name: str, value: object) -> str | None:
    """Accept ``"portal"``, the IANA name of a time zone, or None."""
    return PORTAL_ZONE if value == PORTAL_ZONE else _iana_zone(name, value, f"{PORTAL_ZONE!r} or ")


def iana_zone(name: str, value: object) -> str | None:
    """Accept the IANA name of a time zone, or None."""
    return _iana_zone(name, value)


def _iana_zone(name: str, value: object, other: str = "") -> str | None:
    if value is None:
        return None
    try:
        ZoneInfo(cast("str", value))
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConfigError(f"{name} must be {other}an IANA name such as 'Europe/Moscow', not {value!r:.80}") from None
    return cast("str", value)
