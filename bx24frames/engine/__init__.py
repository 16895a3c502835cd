"""Engine: paging, batching, retries and rate limits, without knowledge of entities or HTTP."""
