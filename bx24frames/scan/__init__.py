"""Arrow out: which rows, in which order, from which source."""
