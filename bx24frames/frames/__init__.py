"""Conversion between Arrow and dataframes: input, output, pandera schemas, lazy scans, write reports."""
