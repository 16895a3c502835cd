"""Rows out of the portal: a request settled, its pages read, the frame made ready, whole or lazily."""
