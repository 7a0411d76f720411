"""The flags of `swarm submit` that are fields of a task, by the names of the API."""

from typing import Annotated

import typer

from swarm_api.words import Deliver, Priority, RepoSettings, TaskType, Tier
from swarm_cli.completion import task_ids

Prompt = Annotated[str | None, typer.Option("-p", "--prompt", metavar="TEXT", help="What to do.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="opus, sonnet, haiku or a full model id.")]
Kind = Annotated[
    TaskType | None, typer.Option("--type", metavar="TYPE", help="code (the usual), review, docs, test, …")
]
Rank = Annotated[Priority | None, typer.Option(metavar="LEVEL", help="high, normal or low: whose turn comes first.")]
Repo = Annotated[
    str | None, typer.Option(metavar="REPO", help="`.`, a path, a git URL or owner/name; none: an empty repository.")
]
BaseRef = Annotated[str | None, typer.Option(metavar="REF", help="Where its branch starts; none: HEAD.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="What it is called, and its branch.")]
DependsOn = Annotated[
    list[str] | None, typer.Option(metavar="ID", autocompletion=task_ids, help="Must complete first; may repeat.")
]
Context = Annotated[str | None, typer.Option(metavar="TEXT", help="Background for the agent.")]
Timeout = Annotated[float | None, typer.Option(metavar="MINUTES", help="Then it is interrupted, and its work kept.")]
Budget = Annotated[str | None, typer.Option(metavar="DOLLARS", help="What it may cost, as in 5 or 2.50.")]
MaxAttempts = Annotated[int | None, typer.Option(metavar="N", help="Attempts that lost workers may cost.")]
MaxTurns = Annotated[int | None, typer.Option(metavar="N", help="Turns the model may take.")]
Size = Annotated[Tier | None, typer.Option("--tier", metavar="TIER", help="light, standard, heavy; none: by its type.")]
Hold = Annotated[bool, typer.Option("--hold", help="Wait for `swarm execute`.")]
Delivery = Annotated[Deliver | None, typer.Option("--deliver", metavar="WHAT", help="branch, pull_request or patch.")]
Push = Annotated[bool, typer.Option("--push", help="Also push the branch to origin.")]
Verify = Annotated[str | None, typer.Option(metavar="COMMAND", help="Must exit 0 for the task to complete.")]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="K=V", help="A label; may repeat.")]
Bring = Annotated[
    bool | None,
    typer.Option("--bring/--no-bring", help="Push the commit of a local repository to the hub first; by default to a "
                 "hub that is elsewhere."),
]  # fmt: skip
Changes = Annotated[
    bool, typer.Option("--with-changes", help="With what is not committed, as a commit that only the hub has.")
]
Settings = Annotated[
    RepoSettings | None,
    typer.Option("--repo-settings", metavar="WHICH", help="none or project: whether its own .claude/ counts."),
]
