"""What dbt and alembic work out anew each time, kept for a process that runs them often: conftest.py, refresher.py."""

from __future__ import annotations


def hasten() -> None:
    """Read dbt's own 500 macros and Dagster's 90 migrations once. Neither depends on a project."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from dagster._core.storage.runs.sqlite import sqlite_run_storage
    from dagster._core.storage.sql import get_alembic_config
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.tests import enable_test_caching

    enable_test_caching()
    # To name who declares a flag dbt looks up the module of every frame of the stack; nothing here reads the name.
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")
    read, kept = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def read_once(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in kept:
            kept[place] = read(config)
        return kept[place]

    ScriptDirectory.from_config = staticmethod(read_once)
    read_once(get_alembic_config(sqlite_run_storage.__file__)).get_heads()  # for what is forked from this process
