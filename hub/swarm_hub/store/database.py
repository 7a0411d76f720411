"""Opening the database: pragmas, migrations, and a clear word when it cannot be used."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class DatabaseUnusable(Exception):
    """The database cannot be opened as it is. Its text is one line."""


def open_engine(path: Path) -> Engine:
    """An engine for the database file, brought to the newest revision. Raises `DatabaseUnusable`, `OSError`."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its other files the mode of this one
    engine = create_engine(URL.create("sqlite", database=str(path)), isolation_level="AUTOCOMMIT", pool_size=8)
    event.listen(engine, "connect", _configure)
    try:
        _migrate(engine, path)
    except DatabaseError as error:
        engine.dispose()
        raise DatabaseUnusable(f"cannot use the database {path}: {error.orig}") from error
    except DatabaseUnusable:
        engine.dispose()
        raise
    return engine


def _configure(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine, path: Path) -> None:
    current = _revision(engine)
    if current == _newest():
        return  # Alembic takes 0.3 s to import, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseUnusable(f"{path} was written by a newer version (revision {current}); upgrade claude-swarm")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            command.upgrade(config, "head")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _newest() -> str:
    """The newest revision by file name: `0002_something.py` is `0002`."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first()
        if tables is None:
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
