"""The mirror: a copy of a portal kept in a store, brought up to date by what changed, with proven deletions."""
