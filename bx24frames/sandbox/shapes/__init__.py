"""How stored values are printed, and written values stored, by method family."""
