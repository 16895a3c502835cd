"""Arrow types of values with several parts: money, files, phones and e-mails."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

MONEY: Final = pa.struct([pa.field("amount", pa.decimal128(18, 4)), pa.field("currency", pa.string())])
FILE: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("url", pa.string())])
UPLOAD: Final = pa.struct([pa.field("id", pa.int64()), pa.field("name", pa.string()), pa.field("content", pa.string())])
"""A file to write: an existing one by id, or a new one by name and Base64 content."""
CONTACT_POINT: Final = pa.struct(
    [pa.field("id", pa.int64()), pa.field("value", pa.string()), pa.field("value_type", pa.string())]
)
"""One phone, e-mail, website or messenger."""
