"""The demonstration's repository and tasks."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from swarm_api.tasks import TaskIn

FILES = {
    "README.md": "# shop\n\nA small shop, for showing how several agents work on one repository.\n",
    "cart.py": '''"""What somebody means to buy."""

from dataclasses import dataclass, field


@dataclass
class Cart:
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, article: str, count: int = 1) -> None:
        self.lines[article] = self.lines.get(article, 0) + count

    def total(self, prices: dict[str, int]) -> int:
        return sum(prices[article] * count for article, count in self.lines.items())
''',
    "checkout.py": '''"""Turning a cart into an order."""

from cart import Cart


def check_out(cart: Cart, prices: dict[str, int]) -> str:
    return f"order of {len(cart.lines)} articles for {cart.total(prices)} cents"
''',
    "tests/test_cart.py": """from shop.cart import Cart


def test_the_same_article_twice_is_one_line():
    cart = Cart()
    cart.add("tea")
    cart.add("tea")
    assert cart.lines == {"tea": 2}
""",
}


def make_repository(path: Path, environ: Mapping[str, str]) -> None:
    """A repository with one commit on `main`."""
    for name, content in FILES.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    git(path, environ, "init", "--quiet", "--initial-branch=main")
    git(path, environ, "add", "--all")
    git(path, environ, "commit", "--quiet", "--message=A small shop")


def tasks(repository: Path) -> list[TaskIn]:
    """Five tasks, one of which waits for another."""
    return [
        _task(repository, "vouchers", "Add vouchers: a code, what it is worth, and until when", 3.5),
        _task(repository, "redeem", "Redeem a voucher at the checkout", 2.5, dependsOn=["vouchers"]),
        _task(repository, "rounding", "Find out where the cart rounds wrongly, and mend it", 5, priority="high"),
        _task(repository, "cart-tests", "Test the cart with no lines, and with an unknown article", 4.5, type="test"),
        _task(repository, "readme", "Describe cart and checkout in the README", 2, type="docs", model="haiku"),
    ]


def _task(repository: Path, name: str, prompt: str, seconds: float, **fields: object) -> TaskIn:
    """`seconds`: how long the simulated agent pretends to work, so that there is something to see."""
    labels = {"simulate.seconds": str(seconds)}
    return TaskIn.model_validate({"name": name, "prompt": prompt, "repo": str(repository), "labels": labels, **fields})


def git(path: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What git says, in a repository, with no configuration but the environment's."""
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(command, cwd=path, env=environ, capture_output=True, text=True, check=True).stdout
