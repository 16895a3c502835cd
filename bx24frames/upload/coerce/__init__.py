"""Coercion of an upload's cells and columns to the types of the portal's fields."""
