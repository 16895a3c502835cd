"""A real Spark session of this machine, whose workers are processes of their own, and the portals that they reach."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bx24frames as bx

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MISSING = next(
    (
        f"{what} is not installed"
        for what, there in (("PySpark", find_spec("pyspark")), ("Java", shutil.which("java")))
        if not there
    ),
    "",
)
"""Why there is no session here."""
SIZES = {"deal": 300, "contact": 40, "lead": 5, "company": 20}


@contextmanager
def spark_session(folder: Path, more: Mapping[str, str]) -> Iterator[SparkSession]:
    """Start a session with two workers, four attempts of a task, the profiles of `folder` and some variables."""
    root = Path(bx.__file__).parents[1]
    variables = {
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parents[1]}",
        "BX24FRAMES_CONFIG": str(folder / "profiles.toml"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        **more,
    }
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        for name, value in variables.items():
            patch.setenv(name, value)
        warnings.simplefilter("ignore")  # of pandas 3, which PySpark 4.3 uses for nothing here
        from pyspark.sql import SparkSession

        session = (
            SparkSession.builder.master("local[2,4]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "Asia/Tokyo")
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder}")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("OFF")
        try:
            yield session
        finally:
            session.stop()


def loaded(session: SparkSession, source: str = "bitrix24", **options: str) -> DataFrame:
    """A DataFrame of the format."""
    return session.read.format(source).options(**options).load()


def saved(frame: DataFrame, options: Mapping[str, Any], source: str = "bitrix24", save: str = "append") -> None:
    """Write a DataFrame in the format."""
    frame.write.format(source).mode(save).options(**options).save()
