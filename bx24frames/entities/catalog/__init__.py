"""Catalogue of the portal's entities, one row each: methods, paging, ids, dates, scope, and fields that no method
describes.
"""
