"""Reading lists completely: the machines, what is asked for next, and the rows that come back."""
