"""Tables in files: read, written, resumed, and taken as people keep them."""
