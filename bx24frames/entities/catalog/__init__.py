"""The tables of the portal, a row each: methods, paging, ids, dates, scope; and the fields no method describes."""
