"""Seeded rows of a portal."""
