"""Spark: a real session reads portals and writes to them; its workers reach the sandboxes over HTTP."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import redis_server
from redis_server import RedisServer

import bx24frames as bx
from bx24frames.connectors import spark
from bx24frames.sandbox import Fault

from .spark_session import MISSING, SIZES, loaded, saved, spark_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.slow,
    pytest.mark.spark,
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.filterwarnings("ignore"),  # sockets that py4j leaves to the collector
]


SHARED = "env:BUDGETS" if redis_server.PROGRAM else "host"
"""Where the workers share the budget of a portal."""


@pytest.fixture(scope="module")
def acme() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes=SIZES, listen=True) as box:
        yield box


@pytest.fixture(scope="module")
def globex() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(real_time=False, plan="unlimited", sizes={**SIZES, "deal": 120}, seed=7, listen=True) as box:
        yield box


@pytest.fixture(scope="module")
def session(acme: bx.Sandbox, globex: bx.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    folder = tmp_path_factory.mktemp("spark")
    gone = f"http://{globex.host}/rest/1/gone0123456789ab/"  # a webhook that was deleted
    gone = f"http://{globex.host}/rest/1/gone0123456789ab/"  # a webhook that was deleted
    (folder / "profiles.toml").write_text(f'[profile.acme]\nwebhook="{acme.url}"\n[profile.gone]\nwebhook="{gone}"\n')
    redis = RedisServer()
    shared = redis.start().address if redis_server.PROGRAM else "host"
    variables = {"GLOBEX_WEBHOOK": globex.url, "BUDGETS": shared}
    try:
        with spark_session(folder, variables) as opened:
            spark.register(opened)
            yield opened
    finally:
        redis.stop()


@pytest.fixture
def journal(tmp_path: Path) -> dict[str, str]:
    """The options of an insert."""
    return {"entity": "deal", "portals": "acme", "mode": "insert", "journal": str(tmp_path / "runs")}


def titled(session: SparkSession, prefix: str, rows: int, partitions: int) -> Any:
    """New deals whose titles tell them apart."""
    from pyspark.sql import functions as F  # noqa: N812 (its usual name)

    numbered = session.range(0, rows, numPartitions=partitions)
    return numbered.select(
        F.format_string(prefix + "-%d", "id").alias("title"), (F.col("id") * 1.5).alias("opportunity")
    )


def found(box: bx.Sandbox, prefix: str) -> Counter[str]:
    """How often the portal has each of those titles."""
    frame = bx.read_entity("deal", box.url, columns=["title"], backend="pyarrow")
    return Counter(title for title in frame["title"].to_pylist() if str(title).startswith(f"{prefix}-"))


def deals(box: bx.Sandbox) -> int:
    return bx.count_entity("deal", box.url)


def ids(box: bx.Sandbox) -> list[int]:
    found: list[int] = bx.read_entity("deal", box.url, columns=["id"], backend="pyarrow")["id"].to_pylist()
    return found


def rows_above(last: int, box: bx.Sandbox, columns: list[str]) -> list[str]:
    """The rows that were added after an id, in an order of their own."""
    frame = bx.read_entity("deal", box.url, filters={">id": last}, columns=columns, backend="pyarrow")
    return sorted(map(repr, frame.to_pylist()))


def once(prefix: str, rows: int) -> Counter[str]:
    return Counter(f"{prefix}-{number}" for number in range(rows))


# --- reading --------------------------------------------------------------------------------------


def test_every_column_of_a_portal_is_the_same_as_in_a_plain_read(session: SparkSession, acme: bx.Sandbox) -> None:
    """Text, numbers, flags, dates, instants, decimals, lists and structs, nulls among them."""
    given = loaded(session, entity="deal", portals="acme").toArrow().sort_by("id")
    plain = bx.read_entity("deal", acme.url, backend="pyarrow")
    assert given.column_names == ["portal", *plain.column_names]
    assert set(given["portal"].to_pylist()) == {acme.host}
    for name in plain.column_names:
        assert given[name].to_pylist() == plain[name].to_pylist(), name
    nested = {str(kind) for kind in given.schema.types if pa.types.is_nested(kind)}
    assert any("decimal128(18, 4)" in kind for kind in nested)
    assert any(kind.startswith("list") for kind in nested)


def test_each_portal_is_a_partition_and_a_row_names_its_portal(
    session: SparkSession, acme: bx.Sandbox, globex: bx.Sandbox
) -> None:
    frame = loaded(session, entity="deal", portals="acme,env:GLOBEX_WEBHOOK", columns="id,title")
    assert frame.rdd.getNumPartitions() == 2
    counts = {row["portal"]: row["count"] for row in frame.groupBy("portal").count().collect()}
    assert counts == {acme.host: deals(acme), globex.host: deals(globex)}


def test_two_reads_in_one_query_are_not_mixed_up(session: SparkSession, acme: bx.Sandbox, globex: bx.Sandbox) -> None:
    """Even where filter pushdown is enabled, under which PySpark shares the filters of the last query."""
    session.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    try:
        one = loaded(session, entity="deal", portals="acme", columns="id")
        other = loaded(session, entity="deal", portals="env:GLOBEX_WEBHOOK", columns="id")
        both = one.groupBy("portal").count().union(other.groupBy("portal").count()).collect()
        low, high = (one.where(condition).groupBy("portal").count() for condition in ("id <= 100", "id > 100"))
        ranges = low.union(high).collect()
    finally:
        session.conf.unset("spark.sql.python.filterPushdown.enabled")
    assert [tuple(row) for row in both] == [(acme.host, deals(acme)), (globex.host, deals(globex))]
    few = bx.count_entity("deal", acme.url, filters={"<=id": 100})
    assert [row["count"] for row in ranges] == [few, deals(acme) - few]


def test_filters_and_splits_reach_the_portal_and_each_row_comes_once(session: SparkSession, acme: bx.Sandbox) -> None:
    frame = loaded(
        session, entity="deal", portals="acme", columns="id", filters='{">id": 40}', splits="3", shared=SHARED
    )
    assert frame.rdd.getNumPartitions() == 3
    assert sorted(row["id"] for row in frame.collect()) == [number for number in ids(acme) if number > 40]


def test_the_schema_of_the_caller_chooses_columns_and_types(session: SparkSession, acme: bx.Sandbox) -> None:
    frame = session.read.format("bitrix24").schema("portal string, id int, opportunity decimal(20, 2)")
    rows = frame.options(entity="deal", portals="acme").load().toArrow().sort_by("id")
    plain = bx.read_entity("deal", acme.url, columns=["id", "opportunity"], backend="pyarrow")
    assert rows.schema.types[1:] == [pa.int32(), pa.decimal128(20, 2)]
    assert [float(value) for value in rows["opportunity"].to_pylist()] == plain["opportunity"].to_pylist()


def test_a_read_task_that_is_repeated_gives_each_row_once(session: SparkSession, acme: bx.Sandbox) -> None:
    from bx24frames.connectors.spark_source import PortalReader, PortalSource

    class Failing(PortalReader):
        def read(self, partition: Any) -> Any:
            from pyspark import TaskContext

            batches = super().read(partition)
            yield next(batches)
            if TaskContext.get().attemptNumber() == 0:
                raise OSError("the worker lost its way")
            yield from batches

    class Repeated(PortalSource):
        @classmethod
        def name(cls) -> str:
            return "repeated"

        def reader(self, schema: Any) -> Failing:
            from bx24frames.connectors.spark_options import SparkRead

            return Failing(SparkRead.parse(self.options), schema)

    session.dataSource.register(Repeated)
    rows = loaded(session, "repeated", entity="deal", portals="acme", columns="id").collect()
    assert sorted(row["id"] for row in rows) == ids(acme)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"entity": "deal", "portals": "https://acme.bitrix24.com/rest/1/abc123def456ghi7/"}, "save the address"),
        ({"entity": "deal", "portals": "acme,gone"}, r"1 of 2 portals cannot be read: 127\.0\.0\.1:\d+: .*credentials"),
        ({"entity": "deal", "portals": "acme,acme"}, "is named twice"),
        ({"entity": "dael", "portals": "acme"}, r"no entity 'dael'.* Did you mean deal\?"),
        (
            {"entity": "deal", "portals": "acme,env:GLOBEX_WEBHOOK", "columns": "id,titel"},
            "None of the portals .*'titel'",
        ),
    ],
)
def test_an_error_reaches_the_driver_as_one_line_without_a_secret(
    session: SparkSession, options: dict[str, str], line: str
) -> None:
    from pyspark.errors import AnalysisException

    with pytest.raises(AnalysisException) as caught:
        loaded(session, **options)
    told = [text for text in str(caught.value).splitlines() if text.startswith("bx24frames.errors.")]
    assert len(told) == 1
    assert re.search(line, told[0])
    assert not re.search("abc123def456ghi7|gone0123456789ab", str(caught.value))


def test_a_portal_that_refuses_a_task_is_named(session: SparkSession, globex: bx.Sandbox) -> None:
    from pyspark.errors import PySparkException

    frame = loaded(session, entity="deal", portals="acme,env:GLOBEX_WEBHOOK", columns="id")
    globex.faults.add(Fault("command_error", method="crm.item.list", code="ACCESS_DENIED", times=None))
    try:
        with pytest.raises(PySparkException, match=rf"BX24Error: {re.escape(globex.host)}: .*ACCESS_DENIED"):
            frame.count()
    finally:
        globex.faults.clear()


def test_every_type_of_a_field_has_a_type_of_spark_and_the_batches_that_spark_expects() -> None:
    from pyspark.sql.pandas.types import to_arrow_schema

    from bx24frames.connectors.spark_types import arrow_schema, spark_schema
    from bx24frames.entities.types import KIND

    kinds = {name.value: one for name, spec in KIND.items() for one in [spec.arrow]}
    given = pa.schema([*kinds.items(), *((f"{name} list", pa.list_(one)) for name, one in kinds.items())])
    schema = spark_schema(given)
    assert arrow_schema(schema).equals(to_arrow_schema(schema, timezone="UTC"))
    texts = {field.name for field in schema.fields if field.dataType.simpleString() == "string"}
    assert texts == {name for name, kind in kinds.items() if kind == pa.string()}
    assert spark_schema(pa.schema({"clock": pa.time64("us")})).simpleString() == "struct<clock:string>"


# --- writing --------------------------------------------------------------------------------------


def test_a_killed_worker_costs_no_row_and_doubles_none(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str], tmp_path: Path
) -> None:
    """The worker is killed while the portal holds back the answer to an import that it has carried out."""
    from bx24frames.connectors.spark_options import SparkWrite
    from bx24frames.connectors.spark_source import PortalSource
    from bx24frames.connectors.spark_writer import PortalWriter

    class Announced(PortalWriter):
        def write(self, iterator: Any) -> Any:
            from pyspark import TaskContext

            from bx24frames.testing import no_waiting

            task = TaskContext.get()
            (tmp_path / f"{task.partitionId()}.{task.attemptNumber()}.pid").write_text(str(os.getpid()))
            with no_waiting(at_most=0.01):
                return super().write(iterator)

    class Killable(PortalSource):
        @classmethod
        def name(cls) -> str:
            return "killable"

        def writer(self, schema: Any, overwrite: bool) -> Announced:
            return Announced(SparkWrite.parse(self.options), schema)

    session.dataSource.register(Killable)
    slow = acme.faults.add(Fault("slow", method="crm.item.batchImport", seconds=30.0))
    frame = titled(session, "killed", 120, 1)

    def kill() -> None:
        while not slow.fired and not over.wait(0.01):
            pass
        if slow.fired:
            os.kill(int((tmp_path / "0.0.pid").read_text()), signal.SIGKILL)
        acme.faults.clear()

    over = threading.Event()
    killing = threading.Thread(target=kill)
    killing.start()
    try:
        saved(frame, journal, "killable")
    finally:
        over.set()
        killing.join()
    assert (tmp_path / "0.1.pid").exists()
    assert found(acme, "killed") == once("killed", 120)


def test_two_attempts_of_one_task_at_a_time_write_each_row_once(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str]
) -> None:
    """What speculative execution does; a local session has none, so two tasks take the place of two attempts."""
    from bx24frames.connectors.spark_options import SparkWrite
    from bx24frames.connectors.spark_writer import PortalWriter

    class Twin(PortalWriter):
        def partition(self) -> int:
            return 0

    frame = titled(session, "twin", 60, 1)
    rows = frame.toArrow().to_batches()
    writer = Twin(SparkWrite.parse(journal), frame.schema)

    def attempt(turned: Any) -> Any:
        given = [batch.take(pa.array(range(batch.num_rows)[:: -1 if turned else 1])) for batch in rows]
        return writer.write(iter(given)).counts["inserted"]

    counts = session.sparkContext.parallelize([False, True], 2).map(attempt).collect()
    assert counts == [60, 60]
    assert found(acme, "twin") == once("twin", 60)


def test_a_cell_run_again_is_refused_while_its_run_is_unfinished_and_continued_by_name(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str]
) -> None:
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F  # noqa: N812 (its usual name)

    rows = titled(session, "cell", 40, 2)
    bad = F.when(rows["title"] == "cell-7", "NO_SUCH_STAGE").otherwise("NEW").alias("stageId")
    frame = rows.select("title", bad)
    with pytest.raises(
        PySparkException, match=r"1 of 40 rows failed or are unknown \(39 inserted, 1 failed\)"
    ) as caught:
        saved(frame, journal)
    [report] = Path(journal["journal"]).glob("*/failed-*.parquet")
    assert str(report.parent) in str(caught.value)
    [failed] = session.read.parquet(str(report)).collect()
    assert (failed["title"], failed["bx24 outcome"], failed["bx24 column"]) == ("cell-7", "failed", "stageId")

    with pytest.raises(PySparkException, match=rf'The run {report.parent.name} has written .*"resume"'):
        saved(frame, journal)
    # the other way to cut the rows into partitions meets them as well
    with pytest.raises(PySparkException, match="is not finished"):
        saved(frame.coalesce(1), journal)
    with pytest.raises(PySparkException, match="1 of 40 rows failed"):
        saved(frame, {**journal, "resume": report.parent.name})
    saved(frame, {**journal, "resume": report.parent.name, "on_error": "report"})
    assert found(acme, "cell") == once("cell", 40) - Counter(["cell-7"])

    saved(titled(session, "other", 10, 1), journal)
    assert found(acme, "other") == once("other", 10)


def test_a_finished_run_that_is_continued_by_name_writes_nothing(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str]
) -> None:
    frame = titled(session, "named", 30, 2)
    for _ in range(2):
        saved(frame, {**journal, "resume": "load-1"})
    assert found(acme, "named") == once("named", 30)
    saved(frame, journal)  # without a name it is another insert of the same rows, as in `write_entity`
    assert set(found(acme, "named").values()) == {2}


def test_rows_of_one_portal_are_written_to_another_with_their_types(
    session: SparkSession, acme: bx.Sandbox, globex: bx.Sandbox, journal: dict[str, str]
) -> None:
    """Instants among them, which Spark hands over in the zone of the session."""
    columns = ["opportunity", "begindate", "opened", "UF_CRM_VISIT_TIME", "UF_CRM_PRICE", "UF_CRM_DAYS"]
    columns += ["UF_CRM_MOMENTS", "UF_CRM_WEIGHTS", "UF_CRM_TAGS"]
    frame = loaded(session, entity="deal", portals="acme", columns=",".join(columns), filters='{"<=id": 150}')
    before = ids(globex)
    saved(frame.drop("portal"), {**journal, "portals": "env:GLOBEX_WEBHOOK"})
    by_spark = rows_above(before[-1], globex, columns)
    last = ids(globex)[-1]
    plain = bx.read_entity("deal", acme.url, filters={"<=id": 150}, columns=columns, backend="pyarrow")
    bx.write_entity(plain, "deal", globex.url, mode="insert")
    plainly = rows_above(last, globex, columns)
    assert by_spark == plainly
    assert len(by_spark) == plain.num_rows > 50


def test_updates_and_upserts_go_by_id_and_by_key(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str]
) -> None:
    titles = [(number, f"renamed-{number}") for number in ids(acme)[:50]]
    changed = session.createDataFrame(titles, "id bigint, title string")
    saved(changed.repartition(2), {**journal, "mode": "update"})
    assert sum(found(acme, "renamed").values()) == 50

    keyed = [("spark", f"key-{number}", f"keyed-{number}") for number in range(20)]
    columns = "originatorId string, originId string, title string"
    upsert = {**journal, "mode": "upsert", "on": "originatorId,originId"}
    saved(session.createDataFrame(keyed[:10], columns), upsert)
    saved(session.createDataFrame(keyed, columns).repartition(2), upsert)
    assert found(acme, "keyed") == once("keyed", 20)


@pytest.mark.parametrize(
    ("save", "options", "line"),
    [
        ("overwrite", {}, "A portal is not overwritten"),
        ("append", {"mode": "upsert"}, "needs on="),
        ("append", {"journal": "/proc/nowhere"}, "cannot be used"),
    ],
)
def test_a_write_that_cannot_work_is_an_error_before_a_task_begins(
    session: SparkSession, acme: bx.Sandbox, journal: dict[str, str], save: str, options: dict[str, str], line: str
) -> None:
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException, match=line):
        saved(titled(session, "never", 5, 1), {**journal, **options}, save=save)
    assert not found(acme, "never")


def test_a_column_that_is_no_field_is_an_error_before_a_task_begins(
    session: SparkSession, journal: dict[str, str]
) -> None:
    from pyspark.errors import PySparkException

    frame = titled(session, "never", 5, 1).withColumnRenamed("title", "titel")
    with pytest.raises(PySparkException, match=r"no column 'titel'.* Did you mean title\?"):
        saved(frame, journal)


def test_the_code_of_the_guide_runs(session: SparkSession, acme: bx.Sandbox, journal: dict[str, str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "guide" / "engines.md"
    section = page.read_text("utf-8").partition("\n## Spark\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```py\n(.*?)^```$", section, re.M | re.S)
    assert len(blocks) == 2
    scope = {"session": session, "new_deals": titled(session, "guide", 10, 1)}
    for block in blocks:
        exec(block.replace("/shared/bitrix24", journal["journal"]), scope)
    assert scope["deals"].columns[0] == "portal"
    assert found(acme, "guide") == once("guide", 10)
