"""The portal's rows in SQLite."""
