"""The runtimes there are, each imported only by the worker that uses it."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from swarm_api import words
from swarm_worker.runtimes import Runtime

RUNTIMES: Mapping[words.Runtime, str] = {
    "claude": "swarm_worker.runtimes.claude:ClaudeRuntime",
    "scripted": "swarm_worker.runtimes.scripted:ScriptedRuntime",
    "simulated": "swarm_worker.runtimes.simulated:SimulatedRuntime",
}


def create(name: words.Runtime) -> Runtime:
    """Raises `ImportError` when what it needs is not installed."""
    module, _, kind = RUNTIMES[name].partition(":")
    return cast(Runtime, getattr(import_module(module), kind)())
