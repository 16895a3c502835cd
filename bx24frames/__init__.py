"""Dataframes in and out of a Bitrix24 portal."""
