"""`swarm`, the command line: a client of the API."""
