"""The public verbs and everything that knows dataframes."""
