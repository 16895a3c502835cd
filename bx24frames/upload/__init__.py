"""Arrow in: what becomes of each row of an upload."""
