"""The conventions of this repository. A failure says how to mend it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("metrics_catalog", "dbt_project", "expectations", "orchestration", "tests")
# They hand an environment to the tools they start; none of them takes a setting from it.
HANDS_ON = {"orchestration/instance.py", "orchestration/serve.py", "orchestration/transform/runner.py"}


def modules() -> list[Path]:
    return [
        path for room in ("metrics_catalog", "expectations", "orchestration") for path in (ROOT / room).rglob("*.py")
    ]


def tracked() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix in {
            ".py",
            ".md",
            ".yml",
            ".yaml",
            ".toml",
            ".sql",
            ".lock",
            ".html",
            ".example",
            "",
        }:
            yield name, path.read_text(encoding="utf-8", errors="ignore")


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_begins_with_its_room_rule_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not tree.body, (
        "begin the module with one sentence: what lives here, what does not"
    )
    assert text.count("\n") <= 400, "this module holds more than one idea; split it"


def test_only_settings_read_the_environment() -> None:
    reads = re.compile(r"os\.environ|os\.getenv")
    found = [path.relative_to(ROOT).as_posix() for path in modules() if reads.search(path.read_text(encoding="utf-8"))]
    assert set(found) <= {"orchestration/settings.py"} | HANDS_ON, "ask orchestration/settings.py instead"


def test_every_setting_is_explained() -> None:
    from orchestration.settings import PREFIX, Settings

    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}=" not in example]
    assert not missing, f"add {missing} to .env.example, with a line that says what it does"


def test_every_dbt_model_has_its_yaml() -> None:
    lonely = [
        path.name for path in (ROOT / "dbt_project/models").rglob("*.sql") if not path.with_suffix(".yml").exists()
    ]
    assert not lonely, "write x.yml beside x.sql: description, columns, tests"


def test_every_mart_says_the_type_of_every_column() -> None:
    loose = [
        f"{path.name}: {column['name']}"
        for path in (ROOT / "dbt_project/models/marts").rglob("*.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
        for column in model["columns"]
        if not column.get("data_type")
    ]
    assert not loose, "give each column of a mart its data_type; metric files are checked against it"


def test_the_readme_names_every_room_and_each_room_has_a_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for room in ROOMS:
        assert f"({room}/README.md)" in readme, f"add {room} to the map of rooms in README.md"
        page = (ROOT / room / "README.md").read_text(encoding="utf-8")
        assert page.count("\n") <= 80, f"{room}/README.md is longer than a page"


def test_schemas_name_an_existing_file() -> None:
    missing = []
    for name, text in tracked():
        match = re.match(r"# yaml-language-server: \$schema=(\S+)", text)
        if (
            match
            and name.startswith(("metrics_catalog", "orchestration/sources", "expectations"))
            and not (ROOT / name).parent.joinpath(match[1]).exists()
        ):
            missing.append(f"{name}: {match[1]}")
    assert not missing


def test_generated_files_are_fresh() -> None:
    from metrics_catalog.project import Project
    from orchestration.declared import read_declared
    from orchestration.generate import stale
    from orchestration.settings import read_settings

    declared = read_declared(read_settings({}, project=ROOT))
    assert declared.project == Project.at(ROOT)
    assert stale(declared.catalog) == [], "run `metrics generate`"


def test_no_address_of_a_registry_or_path_of_a_machine() -> None:
    forbidden = re.compile(
        r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|(?<![\w.])/(?:work|home|root)/"
    )
    found = [name for name, text in tracked() if name != "tests/test_layout.py" and forbidden.search(text)]
    assert not found


def test_the_lock_pins_every_package() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-zA-Z0-9_.\-]+==\S+( ; .*)?", line) for line in lines), "make lock"
