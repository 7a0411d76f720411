"""Where a client keeps its secrets: variables, the system keyring, an encrypted file, a plain file, in this order."""

from swarm_api.credentials.errors import CredentialError
from swarm_api.credentials.names import NAMES, VARIABLES
from swarm_api.credentials.store import Credentials, Found

__all__ = ["NAMES", "VARIABLES", "CredentialError", "Credentials", "Found"]
