"""Connectors: other engines that read and write portals, one file for each and each an optional extra."""
