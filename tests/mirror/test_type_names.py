"""Names of column types in each dialect of a mirror."""

from __future__ import annotations

import pyarrow as pa

from bx24frames.mirror.stores import duckdb_file, postgres

PHONES = pa.list_(pa.struct([("id", pa.int64()), ("value", pa.string())]))
MONEY = pa.struct([("amount", pa.decimal128(18, 4))])


def test_duckdb_has_lists_and_structs() -> None:
    assert duckdb_file.SPELLING.type_of(PHONES) == 'STRUCT("id" BIGINT, "value" VARCHAR)[]'
    assert duckdb_file.SPELLING.type_of(MONEY) == 'STRUCT("amount" DECIMAL(18, 4))'


def test_postgresql_has_lists_of_plain_values_and_json_for_the_rest() -> None:
    names = postgres._SPELLING.type_of
    assert [names(one) for one in (pa.list_(pa.int64()), MONEY, PHONES)] == ["bigint[]", "jsonb", "jsonb"]
    assert names(pa.list_(pa.list_(pa.int64()))) == "jsonb"
