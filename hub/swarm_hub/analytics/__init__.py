"""Questions about cost and progress: a projection of the hub's database in DuckDB, in a process of its own."""
