"""The swarm as Claude Code and other MCP hosts see it: tools, resources and prompts over the API."""
