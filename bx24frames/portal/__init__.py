"""Portal: its connection, budgets, metadata and wire verbs."""
