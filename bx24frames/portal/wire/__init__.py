"""The wire verbs: raw methods of the portal at full speed."""
