"""One request, one reply; secrets; tokens."""
