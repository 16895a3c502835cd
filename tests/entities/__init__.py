"""The entity room: tables of the portal, as pure data and functions."""
