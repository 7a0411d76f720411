class CredentialError(Exception):
    """A credential that cannot be read, stored or removed. One line: the place, what is wrong and what mends it."""
