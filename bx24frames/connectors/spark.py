"""Spark connector: portals as the format ``bitrix24`` of `pyspark.sql.SparkSession`, to read from and to write to."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import TYPE_CHECKING, TypeVar

from bx24frames.connectors.spark_options import SparkRead, SparkWrite, described
from bx24frames.extras import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["register"]

_F = TypeVar("_F", bound=Callable[..., object])


def _with_options(function: _F) -> _F:
    """Put the options of the format into the docstring of a function."""
    for kind in (SparkRead, SparkWrite):
        function.__doc__ = cleandoc(function.__doc__ or "").replace(f"{{{kind.__name__}}}", described(kind))
    return function


@_with_options
def register(session: SparkSession) -> None:
    """Add the format ``bitrix24`` to a Spark session.

    Options are text and are shown by Spark's UI, so portals are named and never given by address. The driver and each
    executor look the names up, and have bx24frames installed.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        A classic session.

    Raises
    ------
    ConfigError
        PySpark is not installed.

    Notes
    -----
    Options of a read:

    {SparkRead}

    Options of a write, with ``.mode("append")``:

    {SparkWrite}

    https://spark.apache.org/docs/latest/api/python/tutorial/sql/python_data_source.html

    Examples
    --------
    >>> from bx24frames.connectors import spark
    >>> spark.register(session)  # doctest: +SKIP
    >>> deals = (  # doctest: +SKIP
    ...     session.read.format("bitrix24").option("entity", "deal").option("portals", "acme,env:GLOBEX_WEBHOOK").load()
    ... )
    """
    require("pyspark")
    from bx24frames.connectors.spark_source import PortalSource

    session.dataSource.register(PortalSource)
