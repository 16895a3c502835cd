"""Signatures of the public functions: one table gives names, defaults, checks, help; misspelt arguments are named."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace

import pytest

import bx24frames as bx
from bx24frames import aio
from bx24frames.arguments import Checked, row_of
from bx24frames.errors import ConfigError, UnknownEntity
from bx24frames.frames.requests import FrameDelete, FrameRead, FrameWrite
from bx24frames.scan.request import ReadRequest
from bx24frames.verbs import signature

READ = {
    "columns": None, "filters": None, "order_by": None, "limit": None, "changed_since": None, "backend": None,
    "dtype_backend": None, "timezone": None, "labels": False, "titles": False, "index": None,
    "schema_overrides": None, "schema": None, "missing_columns": "raise", "on_bad_value": "raise", "progress": "auto",
    "type_conflicts": "raise", "portals_at_once": 32,
}  # fmt: skip
WRITE = {
    "mode": inspect.Parameter.empty, "on": None, "columns": None, "mapping": None, "nulls": "skip",
    "extra_columns": "raise",
    "schema": None, "timezone": None, "automation": None, "only_changed": False, "rows_per_request": "auto",
    "on_error": "raise", "dry_run": False, "resume": None, "progress": "auto",
}  # fmt: skip
DELETE = {"on_error": "raise", "dry_run": False, "resume": None, "progress": "auto"}
LAZY = {"filters": None, "timezone": None, "schema_overrides": None, "pushdown": True}
SCAN = {name: READ[name] for name in ("columns", "filters", "changed_since", "timezone", "schema_overrides")}
CONTRACT: dict[Callable[..., object], dict[str, object]] = {
    bx.read_entity: READ,
    aio.read_entity: READ,
    bx.iter_entity: {**READ, "chunk_size": 2500},
    aio.iter_entity: {**READ, "chunk_size": 2500},
    bx.scan_entity: LAZY,
    bx.write_entity: WRITE,
    aio.write_entity: WRITE,
    bx.delete_entity: DELETE,
    aio.delete_entity: DELETE,
    bx.Portal.scan: {**SCAN, "on_bad_value": "raise"},
    aio.Portal.scan: {**SCAN, "on_bad_value": "raise"},
}
REQUESTS = {
    FrameRead: (signature.ChunkOptions, {"backend"}),
    FrameWrite: (signature.WriteOptions, set()),
    FrameDelete: (signature.DeleteOptions, set()),
}


def keywords(verb: Callable[..., object]) -> dict[str, object]:
    parameters = inspect.signature(verb).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("verb", CONTRACT, ids=lambda verb: f"{verb.__module__}.{verb.__name__}")
def test_the_signature_has_every_keyword_with_its_default(verb: Callable[..., object]):
    assert keywords(verb) == CONTRACT[verb]
    kinds = {one.kind for one in inspect.signature(verb).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


@pytest.mark.parametrize("verb", CONTRACT, ids=lambda verb: f"{verb.__module__}.{verb.__name__}")
def test_the_help_describes_every_keyword(verb: Callable[..., object]):
    text = re.sub(".\b", "", pydoc.render_doc(verb))
    for name in CONTRACT[verb]:
        assert re.search(rf"^ +(\w+, )*{name}(, \w+)*( :.*)?$", text, re.M), name
    assert signature.OPTIONS not in text
    assert "**options" not in text


def test_awaited_functions_are_coroutine_functions():
    assert inspect.iscoroutinefunction(aio.read_entity)
    assert inspect.iscoroutinefunction(aio.write_entity)
    assert inspect.isasyncgen(aio.iter_entity("deal", "sandbox"))


@pytest.mark.parametrize("request_type", REQUESTS, ids=lambda kind: kind.__name__)
def test_type_checkers_know_the_parameters_that_the_request_has(request_type: type[Checked]):
    options, named = REQUESTS[request_type]
    rows = {one.name for one in fields(request_type) if row_of(one) is not None}
    assert set(options.__annotations__) == rows - named


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bx.read_entity("deal", colums=["id"]), "read_entity() .* 'colums'. Did you mean 'columns'"),
        (lambda: bx.read_entity("deal", back_end="polars"), "Did you mean 'backend'"),
        (lambda: bx.read_entity("deal", chunk_size=5), "'chunk_size'. Its keyword arguments are columns, filters"),
        (lambda: bx.read_entity("deal", inner=True), "unexpected keyword argument 'inner'"),
        (lambda: bx.iter_entity("deal", chunksize=5), "Did you mean 'chunk_size'"),
        (lambda: bx.scan_entity("deal", filter={"id": 5}), "scan_entity() .* Did you mean 'filters'"),
        (lambda: bx.write_entity(None, "deal"), "write_entity() missing 1 required keyword-only argument: 'mode'"),
        (lambda: bx.write_entity(None, "deal", mode="insert", dryrun=True), "Did you mean 'dry_run'"),
        (lambda: bx.delete_entity([1], "deal", mode="insert"), "unexpected keyword argument 'mode'"),
        (lambda: bx.Portal("sandbox").scan("deal", column=["id"]), "scan() .* Did you mean 'columns'"),
    ],
)
def test_a_misspelt_argument_is_named_with_the_nearest_one(call: Callable[[], object], message: str):
    with pytest.raises(TypeError, match=message.replace("()", r"\(\)")):
        call()


def test_a_request_checks_itself_and_does_not_change():
    request = FrameRead("deal", columns=iter(["id", "title"]), limit=3)
    assert request.columns == ["id", "title"]
    with pytest.raises(FrozenInstanceError):
        request.limit = 5  # type: ignore[misc]
    with pytest.raises(ConfigError, match="limit must be a number of rows, 0 or more, not -1"):
        replace(request, limit=-1)
    with pytest.raises(UnknownEntity, match="entity must be text"):
        ReadRequest(5)  # type: ignore[arg-type]
    assert replace(request, limit=5).columns == ["id", "title"]


@pytest.mark.parametrize("name", ["dtype_backend", "index"])
def test_what_only_pandas_has_is_refused_for_other_libraries(name: str):
    with pytest.raises(ValueError, match=f"{name}='pyarrow' needs backend='pandas', not 'polars'"):
        bx.read_entity("deal", "sandbox", backend="polars", **{name: "pyarrow"})
