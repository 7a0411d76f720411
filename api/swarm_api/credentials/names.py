"""The credentials there are, each with the variable that wins over every place where it may be stored."""

VARIABLES = {
    "anthropic-api-key": "ANTHROPIC_API_KEY",
    "fly-api-token": "FLY_API_TOKEN",
    "github-token": "GITHUB_TOKEN",
    "orchestrator-jwt": "SWARM_JWT",
    "swarm-api-key": "SWARM_API_KEY",
}
NAMES = tuple(VARIABLES)
