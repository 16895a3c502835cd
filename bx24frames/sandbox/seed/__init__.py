"""A portal's rows and dictionaries, by seed."""
