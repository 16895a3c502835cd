"""The public signatures: reading and writing, and how their arguments are checked."""
