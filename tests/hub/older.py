"""Databases of earlier versions."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from swarm_hub.store.database import MIGRATIONS


def make_database(data: Path, revision: str) -> None:
    """An empty one, as it was at a revision, in a folder that is made for it."""
    data.mkdir(mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{data / 'hub.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
