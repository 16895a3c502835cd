"""What an upload did, a line a row."""
