from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.settings import InvalidSettings, Settings, read_settings

ROOT = Path(__file__).parents[2]


def test_the_project_is_where_we_stand_unless_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).project == tmp_path
    assert read_settings({"METRICS_PROJECT": "/srv/门店"}).project == Path("/srv/门店")
    assert read_settings({"METRICS_PROJECT": "/srv"}, project=tmp_path).project == tmp_path


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\nexport METRICS_PORT=4000\nMETRICS_STATE='.state 目录'\nERP_URL=\"a=b # c\"\nTOKEN=x # note\n\n",
        encoding="utf-8",
    )
    settings = read_settings({"METRICS_PORT": "5000"}, project=tmp_path)
    assert settings.port == 5000
    assert settings.locate().state == tmp_path / ".state 目录"
    assert settings.secret("ERP_URL") == "a=b # c"
    assert settings.secret("TOKEN") == "x"


def test_relative_folders_are_under_the_project(tmp_path: Path) -> None:
    project = read_settings(
        {"METRICS_STATE": "state", "METRICS_PUBLISHED": "/srv/published"}, project=tmp_path
    ).locate()
    assert project.warehouse == tmp_path / "state" / "warehouse.duckdb"
    assert project.published == Path("/srv/published")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS_PORT", "eighty"),
        ("METRICS_PORT", "70000"),
        ("METRICS_DBT", "fast"),
        ("METRICS_NEW_FILES_SECONDS", "1"),
        ("METRICS_DAGSTER_POSTGRES_URL", "mysql://u:secret@h/d"),
    ],
)
def test_a_wrong_value_names_the_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name) as caught:
        read_settings({name: value}, project=tmp_path)
    assert "secret" not in str(caught.value)


def test_a_misspelt_setting_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r'METRICS_STAT is not a setting .did you mean "METRICS_STATE"'):
        read_settings({"METRICS_STAT": "x"}, project=tmp_path)


def test_a_line_of_the_file_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("METRICS_PORT=1\nnonsense\n", encoding="utf-8")
    with pytest.raises(InvalidSettings, match=r"\.env:2"):
        read_settings({}, project=tmp_path)


def test_a_missing_secret_says_where_to_put_it(tmp_path: Path) -> None:
    settings = read_settings({"ERP_DATABASE_URL": "secret-value"}, project=tmp_path)
    with pytest.raises(InvalidSettings, match=r"ERP_DATABASE_UR is not set .did you mean"):
        settings.secret("ERP_DATABASE_UR")
    assert "secret-value" not in repr(settings)


def test_every_setting_is_in_the_example_with_a_comment() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    given = {match[1]: number for number, line in enumerate(lines) if (match := re.match(r"# (METRICS_\w+)=", line))}
    assert set(given) == {f"METRICS_{name.upper()}" for name in Settings.model_fields}
    assert all(re.match(r"# \w.*[.;]", lines[number - 1]) for number in given.values())


def test_only_settings_read_the_environment() -> None:
    reading = re.compile(r"environ\b(?!\.update|\.pop|\[name\] =)|getenv")
    allowed = {"orchestration/settings.py", "orchestration/transform/runner.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("orchestration", "expectations", "metrics_catalog")
        for path in (ROOT / room).rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    handed_on = {
        "orchestration/cli.py",
        "orchestration/commands.py",
        "orchestration/serve.py",
        "orchestration/instance.py",
    }
    assert found - allowed - handed_on == set(), "read settings through orchestration/settings.py"
