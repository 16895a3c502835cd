"""Reading as Arrow: which rows, in which order, from which source."""
