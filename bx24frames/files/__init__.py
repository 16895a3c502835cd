"""Tables in files: Parquet, CSV, JSON lines, Excel, DuckDB."""
