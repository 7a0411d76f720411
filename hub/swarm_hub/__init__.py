"""The hub: the server, its store and its scheduler."""
