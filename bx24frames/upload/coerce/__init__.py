"""Coerces cells and columns of an upload to the types of the portal's fields."""
