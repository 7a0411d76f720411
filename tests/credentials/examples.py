"""Credentials that look right and open nothing."""

EXAMPLES = {
    "anthropic-api-key": "sk-ant-api03-" + "Ab3_-" * 19,
    "fly-api-token": "FlyV1 fm2_lJPECAAAAAAAAAAA+/==,fm2_lJPETqAAAAAAAAAAA",
    "github-token": "ghp_" + "a1B2" * 9,
    "orchestrator-jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrZXlfYSJ9.c2ln-_AA",
    "swarm-api-key": "sk_swarm_abc123_" + "s" * 32,
}
OTHER_KEY = "sk_swarm_abc123_" + "t" * 32
OTHER_GITHUB = "github_pat_" + "B" * 40
