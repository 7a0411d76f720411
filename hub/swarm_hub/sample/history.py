"""A whole history: when people submit, what comes of it, and the data folder that it leaves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from swarm_hub.prices import Prices
from swarm_hub.sample.played import Played, Player, cancel_for, submitted
from swarm_hub.sample.wishes import Wish, held, plain, submission
from swarm_hub.sample.writing import Writing
from swarm_hub.store import schema
from swarm_hub.store.database import open_engine

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HELD = 4  # tasks at the end that wait for somebody, where there are enough of them
_LAST_MS = 20 * 60_000  # before its end nobody submits any more, so that all can end
_BY_HOUR = (1, 1, 0, 0, 0, 1, 3, 8, 16, 22, 24, 20, 14, 20, 24, 24, 20, 14, 8, 5, 4, 3, 2, 2)
_WEEKEND = 0.12


@dataclass(frozen=True)
class Sample:
    """`until_ms`: the present, in milliseconds since the epoch. `logs`: whether tasks have log lines."""

    until_ms: int
    tasks: int = 1_500
    days: int = 75
    seed: int = 1
    logs: bool = True

    @property
    def begin_ms(self) -> int:
        return self.until_ms - self.until_ms % DAY_MS - self.days * DAY_MS


def write_sample(folder: Path, sample: Sample) -> None:
    """Make a hub's data folder with a history. Raises `FileExistsError` where a hub's database is already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / "hub.db"
    if database.exists():
        raise FileExistsError(f"{database} exists; a sample needs a folder of its own")
    engine = open_engine(database)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA synchronous=OFF")  # a sample that is lost is made again
            rng = Random(sample.seed)  # noqa: S311  # nosec B311  # made-up tasks, no secret
            connection.execute(schema.hub.insert(), {"key": "id", "value": f"{rng.getrandbits(32):08x}"})
            _write(sample, rng, Writing(connection, sample.logs))
    finally:
        engine.dispose()


def _write(sample: Sample, rng: Random, writing: Writing) -> None:
    prices = Prices.load()
    waiting = HELD if sample.tasks >= 10 * HELD else 0
    made = 0
    for hour_ms, target in _hours(sample, rng, sample.tasks - waiting):
        writing.reach(hour_ms)
        while made < target:
            at_ms = hour_ms + rng.randrange(min(HOUR_MS, sample.until_ms - _LAST_MS - hour_ms))
            for played in _played(rng, prices, sample, at_ms)[: target - made]:
                writing.take(played)
                made += 1
    for number in range(waiting // 2):
        for played in _chained(rng, held(rng), sample.until_ms - (number + 1) * _LAST_MS // 4):
            writing.take(played)
    writing.reach(sample.until_ms + DAY_MS)
    writing.flush()


def _hours(sample: Sample, rng: Random, tasks: int) -> Iterator[tuple[int, int]]:
    """The beginning of each hour, and how many tasks there are by its end. Days differ, and there are ever more."""
    hours = range(sample.begin_ms, sample.until_ms - _LAST_MS, HOUR_MS)
    days = [rng.lognormvariate(0, 0.25) for _ in range(sample.days + 1)]
    weights = [_weight(begin) * days[i // 24] * (1 + i / len(hours)) for i, begin in enumerate(hours)]
    whole, so_far = sum(weights), 0.0
    for begin, weight in zip(hours, weights, strict=True):
        so_far += weight
        yield begin, tasks if begin == hours[-1] else round(tasks * so_far / whole)


def _weight(begin_ms: int) -> float:
    begin = datetime.fromtimestamp(begin_ms / 1000, UTC)
    return (_BY_HOUR[begin.hour] + 0.1) * (_WEEKEND if begin.weekday() >= 5 else 1)


def _played(rng: Random, prices: Prices, sample: Sample, at_ms: int) -> Sequence[Played]:
    """A submission with all that comes of it, which is over by the present."""
    at = (at_ms - sample.begin_ms) / (sample.until_ms - sample.begin_ms)
    wishes = submission(rng, at)
    while True:
        played = _chained(rng, wishes, at_ms)
        for number, task in enumerate(played):
            _play(rng, prices, task, played[number - 1] if task.depends_on else None, at)
        if max(task.until_ms for task in played) < sample.until_ms:
            return played
        wishes = [plain(rng, at)]


def _chained(rng: Random, wishes: Sequence[Wish], at_ms: int) -> list[Played]:
    played: list[Played] = []
    for number, wish in enumerate(wishes):
        depends_on = (played[-1].task["id"],) if wish.spec.depends_on else ()
        played.append(submitted(rng, wish, at_ms, number, depends_on))
    return played


def _play(rng: Random, prices: Prices, task: Played, before: Played | None, at: float) -> None:
    if before is None:
        Player(rng, prices, task, at).play(task.task["created_ms"])
    elif before.task["status"] == "completed":
        Player(rng, prices, task, at).play(before.task["finished_ms"])
    else:
        cancel_for(task, before)
