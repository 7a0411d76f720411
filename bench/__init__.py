"""What the hub can do on this machine, measured against a real hub process in a temporary folder."""
