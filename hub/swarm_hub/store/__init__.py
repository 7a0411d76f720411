"""What the hub remembers: SQLite is the truth, one thread writes it, many read beside it."""
