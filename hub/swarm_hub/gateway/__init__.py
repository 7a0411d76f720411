"""The only way from an agent to the model: the hub puts in the key, and meters every answer."""
