"""Wire calls: independent calls and batches of a user, answered in the order of the input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bx24frames.engine.batch import MAX_PAIRS, batchable
from bx24frames.engine.codes import error_of, untouched
from bx24frames.engine.messages import JSON, MAX_COMMANDS, Answer, Call, Command, Lost, Parcel, Refusal, Success
from bx24frames.engine.retry import is_passing
from bx24frames.engine.sizes import FIRST_READS, FIRST_WRITES
from bx24frames.engine.user_batch import WrittenBatch
from bx24frames.errors import CallError, ConfigError, PortalError
from bx24frames.portal.wire.parameters import check_method, check_params, is_read, wired
from bx24frames.transport.address import API
from bx24frames.transport.query import Unencodable, encode, pairs

if TYPE_CHECKING:
    from bx24frames.portal.connection import Connection


async def call_all(connection: Connection, method: str, items: Sequence[dict[str, JSON]], *, raw: bool) -> list[JSON]:
    """Results of one method for many parameters, in input order."""
    answers = await _answers(connection, method, items, raw=raw)
    refused = [place for place, answer in enumerate(answers) if not isinstance(answer, Success)]
    if refused:
        error = _failure(answers, refused, method, [f"item {place}" for place in refused] if len(items) > 1 else [""])
        if len(items) > 1:
            error.results = [answer.value if isinstance(answer, Success) else None for answer in answers]
            error.failures = _failures(answers, range(len(items)), method)
        raise error
    return [answer.value for answer in answers if isinstance(answer, Success)]


async def results_by_id(
    connection: Connection, method: str, ids: Iterable[int | str], id_name: str, params: Mapping[str, JSON]
) -> dict[int | str, JSON]:
    """Results of one method for each id; REST 3.0 calls it `id`, and is case-sensitive."""
    if isinstance(ids, str | bytes | Mapping) or not isinstance(ids, Iterable):
        raise ConfigError("The ids must be a list, a Series or another iterable of ids", method=method)
    if not isinstance(id_name, str):
        raise ConfigError(f"The parameter for the id is named by text, not by {id_name!r:.80}", method=method)
    id_name = "id" if method.startswith(API) and id_name.strip() == "ID" else id_name.strip()
    wanted = list(dict.fromkeys(_plain_id(value, method) for value in ids))
    clash = [name for name in params if name.lower() == id_name.lower()]
    if clash or not id_name:
        raise ConfigError(f"'{id_name}' is filled from the ids", method=method, guidance="Leave it out of params.")
    answers = await _answers(connection, method, [{**params, id_name: value} for value in wanted], raw=False)
    refused = [place for place, answer in enumerate(answers) if not isinstance(answer, Success)]
    if refused:
        named = [f"{id_name} {wanted[place]}" for place in refused]
        raise _partly(_failure(answers, refused, method, named), answers, wanted, method)
    return {key: answer.value for key, answer in zip(wanted, answers, strict=True) if isinstance(answer, Success)}


async def carry_out(
    connection: Connection, commands: Mapping[str, str | tuple[str, Mapping[str, object]]], *, halt: bool
) -> dict[str, JSON]:
    """Results of a user's batch, by name."""
    if not isinstance(commands, Mapping):
        raise ConfigError("A batch is a dict of a name to 'method?query' or to (method, params)", method="batch")
    listed = [Command(label, _read_command(label, command)) for label, command in commands.items()]
    linked = halt or any("$" in text for text in map(str, commands.values()))
    if linked and len(listed) > MAX_COMMANDS:
        raise ConfigError(f"A batch with references or halt takes at most {MAX_COMMANDS} commands, not {len(listed)}")
    results: dict[str, JSON] = {}
    answers: list[Answer] = []
    for start in range(0, len(listed), MAX_COMMANDS):
        parcel = Parcel(tuple(listed[start : start + MAX_COMMANDS]), halt)
        async for found in connection.run(WrittenBatch(parcel, retry=connection.retry)):
            answers += [found[command.label] for command in parcel.commands]
    refused = [place for place, answer in enumerate(answers) if not isinstance(answer, Success)]
    if refused:
        method = listed[refused[0]].call.method
        named = [f"command {listed[place].label!r}" for place in refused]
        labels = [command.label for command in listed]
        raise _partly(_failure(answers, refused, method, named), answers, labels, method)
    for command, answer in zip(listed, answers, strict=True):
        results[command.label] = answer.value if isinstance(answer, Success) else None
    return results


def read_batch(params: Mapping[str, object]) -> tuple[dict[str, str | tuple[str, Mapping[str, object]]], bool]:
    """The commands and the halt flag of a batch in the form of its documentation."""
    checked = check_params(params, "batch")
    named = {name.lower(): value for name, value in checked.items()}
    unknown = sorted(set(named) - {"halt", "cmd"})
    commands = named.get("cmd")
    if unknown or not isinstance(commands, dict | list):
        fault = f"unknown {', '.join(unknown)}" if unknown else "no 'cmd'"
        raise ConfigError(f"A batch has 'halt' and 'cmd': {fault}", method="batch")
    if isinstance(commands, list):
        commands = {str(place): command for place, command in enumerate(commands)}
    texts: dict[str, str | tuple[str, Mapping[str, object]]] = {}
    for label, command in commands.items():
        if not isinstance(command, str):
            raise ConfigError(f"Command {label!r} must be text, 'method?query'", method="batch")
        texts[label] = command
    # The portal takes any text but "" and "0" for true (rest module: rest_provider.php).
    return texts, named.get("halt", 0) not in (0, "0", "", False, None)


def _plain_id(value: object, method: str) -> int | str:
    item = getattr(value, "item", None)  # a scalar of numpy or pandas
    plain: object = item() if callable(item) else value
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    if isinstance(plain, bool) or not isinstance(plain, int | str) or plain == "":
        raise ConfigError(f"{value!r} is no id", method=method)
    return plain


async def _answers(connection: Connection, method: str, items: Sequence[dict[str, JSON]], *, raw: bool) -> list[Answer]:
    reads = is_read(method)
    calls = []
    for item in items:
        params = item if raw else wired(item, method)
        calls.append(Call(method, params, repeatable=reads, direct=raw or not batchable(method, params)))
    return await connection.answers(calls, first=FIRST_READS if reads else FIRST_WRITES)


def _read_command(label: object, command: object) -> Call:
    if not isinstance(label, str):
        raise ConfigError(f"The commands of a batch are named by text, not by {label!r:.80}", method="batch")
    if isinstance(command, str):
        method, _, query = command.partition("?")
        call = Call(check_method(method), {}, repeatable=is_read(method), query=query)
    elif isinstance(command, tuple | list) and len(command) == 2:
        name = check_method(command[0])
        call = Call(name, wired(check_params(command[1], name), name), repeatable=is_read(name))
    else:
        raise ConfigError(
            f"Command {label!r} is neither 'method?query' nor (method, params): {command!r:.80}", method="batch"
        )
    fault = _not_for_a_batch(call)
    if fault:
        raise ConfigError(f"Command {label!r} cannot go in a batch: {fault}", guidance="call() sends it by itself.")
    return call


def _not_for_a_batch(call: Call) -> str | None:
    """What a batch cannot carry of a command: a command is a query string, and its references are meant."""
    if call.query is not None:  # as the user wrote it
        return None
    if call.method.startswith(API):
        return "a method of REST 3.0"
    try:
        encode(call.params)
    except Unencodable as fault:
        return str(fault)
    return f"it has more than {MAX_PAIRS} values" if pairs(call.params) > MAX_PAIRS else None


def _partly(error: CallError, answers: Sequence[Answer], keys: Sequence[int | str], method: str) -> CallError:
    """The error of several calls of which some failed, with the results of the others."""
    error.results = {key: one.value for key, one in zip(keys, answers, strict=True) if isinstance(one, Success)}
    error.failures = _failures(answers, keys, method)
    return error


def _failures(answers: Sequence[Answer], keys: Sequence[int | str], method: str) -> dict[int | str, CallError]:
    given = zip(keys, answers, strict=True)
    return {key: _error(answer, method) for key, answer in given if not isinstance(answer, Success)}


def _error(answer: Refusal | Lost, method: str) -> CallError:
    """The error for a call; of a write that may have been carried out it says so, and advises no repetition."""
    error = error_of(answer, method)
    if is_read(method) or untouched(answer) or (isinstance(answer, Refusal) and not is_passing(answer)):
        return error
    error.guidance = "The call may have been carried out: look whether it was before you repeat it."
    if isinstance(error, PortalError):
        error.retryable = False
    return error


def _failure(answers: Sequence[Answer], refused: Sequence[int], method: str, names: Sequence[str]) -> CallError:
    first = answers[refused[0]]
    if isinstance(first, Success):
        raise TypeError("a success is no failure")
    error = _error(first, method)
    more = f" (and {len(refused) - 1} more of {len(answers)})" if len(refused) > 1 else ""
    error.message = f"{names[0]}{more}: {error.message}" if names[0] else error.message
    error.args = (error.message,)
    error.rows = tuple(refused)
    return error
