"""Entities of the portal: names, ids, fields, and how values are read and written."""
