"""Which fields the portal's tables have, and how its methods describe them."""
