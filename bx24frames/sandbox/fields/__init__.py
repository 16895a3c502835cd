"""Fields of the portal's tables and their descriptions."""
