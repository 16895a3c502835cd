"""The filter and order dialects of the method families."""
