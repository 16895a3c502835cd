"""Conditions: one tree, one table of dialects, one speller."""
