"""File formats: Parquet, CSV, JSON lines, Excel and DuckDB."""
