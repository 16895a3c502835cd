"""Writing from Arrow: what happens to each row of an upload."""
