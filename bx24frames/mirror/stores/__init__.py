"""Stores of mirrors: a DuckDB file, a folder of Parquet files, a PostgreSQL schema."""
