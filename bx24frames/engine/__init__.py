"""Which request comes next, what fits in a batch, what may be repeated, how fast."""
