"""Spark connector: portals as the format ``bitrix24`` of `pyspark.sql.SparkSession`, to read from and to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bx24frames.extras import require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["register"]


def register(session: SparkSession) -> None:
    """Add the format ``bitrix24`` to a Spark session.

    Options have text values and are shown by Spark's UI, so portals are named and never given by address: by the name
    of a profile or as ``env:VARIABLE``, which the driver and each executor look up. bx24frames is installed on all of
    them.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        A classic session of PySpark 4.1 or newer.

    Raises
    ------
    ConfigError
        PySpark is not installed.

    Notes
    -----
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
