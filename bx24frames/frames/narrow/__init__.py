"""The way in: a user's frame, column by column, to the types the portal's fields ask for."""
