"""Rows into the portal: what is to be done with each, how it travels, and what became of it."""
