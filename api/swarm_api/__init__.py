"""The contract between the hub and everyone who talks to it.

Import the module you need (`swarm_api.client`, `swarm_api.tasks`, …): this one stays empty, so that a
command which only asks for a status does not pay for models it never parses.
"""

__version__ = "0.1.0"
