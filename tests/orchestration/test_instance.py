from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.instance import PASSWORD_VARIABLE, configure, instance_config, open_instance
from orchestration.settings import InvalidSettings, read_settings


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_HOME", PASSWORD_VARIABLE):
        monkeypatch.setenv(name, "")


def test_sqlite_is_the_default_and_telemetry_is_off(tmp_path: Path) -> None:
    settings = read_settings({}, project=tmp_path)
    variables = configure(settings)
    home = tmp_path / ".metrics" / "dagster"
    assert variables["DAGSTER_HOME"] == str(home)
    config = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    assert config["telemetry"] == {"enabled": False}
    assert config["concurrency"] == {"runs": {"max_concurrent_runs": 1}}
    with open_instance(settings) as instance:
        assert type(instance.event_log_storage).__name__ == "KeptSqliteEventLogStorage"
        assert instance.get_runs() == []
        assert not instance.telemetry_enabled


def test_classes_that_hold_a_steps_resources_are_made_once(tmp_path: Path) -> None:
    from dagster._core.definitions.scoped_resources_builder import ScopedResourcesBuilder

    with open_instance(read_settings({}, project=tmp_path)):
        one, other = (ScopedResourcesBuilder({"lock": number}).build({"lock"}) for number in (1, 2))
    assert (one.lock, other.lock) == (1, 2)
    assert type(one).__bases__[0] is type(other).__bases__[0]


def test_a_password_is_not_written_down(tmp_path: Path) -> None:
    url = "postgresql://dagster:s%40cret@db.example.com/dagster?sslmode=require"
    variables = configure(read_settings({"METRICS_DAGSTER_POSTGRES_URL": url}, project=tmp_path))
    text = (tmp_path / ".metrics" / "dagster" / "dagster.yaml").read_text(encoding="utf-8")
    assert variables[PASSWORD_VARIABLE] == "s@cret"
    assert "cret" not in text
    connection = yaml.safe_load(text)["storage"]["postgres"]["postgres_db"]
    assert connection["scheme"] == "postgresql+psycopg2"
    assert connection["params"] == {"sslmode": "require"}


def test_a_url_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="METRICS_DAGSTER_POSTGRES_URL"):
        configure(read_settings({"METRICS_DAGSTER_POSTGRES_URL": "postgresql://host/"}, project=tmp_path))


def test_a_refresh_is_recorded_in_postgres(shop: Any, own_postgres: str) -> None:
    from orchestration.commands import run

    settings = read_settings({"METRICS_DAGSTER_POSTGRES_URL": own_postgres}, project=shop.project.root)
    summary = run(settings, quiet=True)
    assert summary.metrics_published == 2
    with open_instance(settings) as instance:
        assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
        recorded = instance.get_run_by_id(summary.run_id)
        assert recorded is not None
        assert recorded.is_success
    assert not (shop.project.dagster_home / "history").exists()


def test_the_production_template_names_everything_by_variables() -> None:
    template = Path(__file__).parents[2] / "deploy" / "dagster.yaml"
    production = yaml.safe_load(template.read_text(encoding="utf-8"))
    ours = instance_config(read_settings({"METRICS_DAGSTER_POSTGRES_URL": "postgresql://u:p@h/d"}))
    given = production["storage"]["postgres"].pop("postgres_db")
    wanted = ours["storage"]["postgres"].pop("postgres_db")
    assert production == {key: value for key, value in ours.items() if key != "compute_logs"}
    assert set(given) == set(wanted)
    assert given["scheme"] == wanted["scheme"]
    assert all("env" in given[name] for name in ("hostname", "username", "password", "db_name"))
