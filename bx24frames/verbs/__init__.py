"""Public functions: signatures, argument validation and docstrings."""
