"""Transport: one request and its reply, credentials and secrets; no retries, batches or limits."""
