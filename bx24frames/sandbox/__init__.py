"""A portal in a box: a local server that behaves as Bitrix24 is documented to."""
