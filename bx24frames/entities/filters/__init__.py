"""A caller's conditions, and what each family of methods can be asked for."""
