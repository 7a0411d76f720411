"""What the hub answers, a module for each noun; the table of all of them is in `routes.table`."""
