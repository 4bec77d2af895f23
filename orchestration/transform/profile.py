"""dbt's profile for an existing dbt project: as the project says, but on our warehouse. Written to the state folder.

The project's own profiles.yml is only read: its target's name and schema, and what a DuckDB target loads and attaches,
are kept; where it would write is not.
"""

from __future__ import annotations

from typing import Any

import yaml

from metrics_catalog.located import InvalidFiles, read
from metrics_catalog.project import DBT_FILE, Project
from orchestration.settings import WAREHOUSE_VARIABLE

PROFILE = "metric_center"
_KEPT = (
    "schema",
    "extensions",
    "settings",
    "config_options",
    "attach",
    "secrets",
    "external_root",
    "plugins",
    "module_paths",
)


def write_profile(project: Project) -> None:
    """Write profiles.yml when it is missing or would now be another."""
    name, output = _own(project)
    kept = {key: output[key] for key in _KEPT if key in output and (key == "schema" or output.get("type") == "duckdb")}
    kept = {"schema": "main", **kept, "type": "duckdb", "threads": 1}
    kept["path"] = f"{{{{ env_var('{WAREHOUSE_VARIABLE}') }}}}"
    text = yaml.safe_dump({PROFILE: {"target": name, "outputs": {name: kept}}}, allow_unicode=True, sort_keys=False)
    path = project.profiles / "profiles.yml"
    if not path.is_file() or path.read_text("utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    ignore = project.state / ".gitignore"
    if not ignore.is_file():
        ignore.write_text("*\n", "utf-8")


def _own(project: Project) -> tuple[str, dict[str, Any]]:
    """Name and settings of the target the project's own profile names, as far as it says."""
    try:
        profiles = read(project.dbt / "profiles.yml", project.root).data
        wanted = read(project.dbt / DBT_FILE, project.root).data.get("profile")
    except InvalidFiles:
        return "dev", {}
    profile = profiles.get(wanted)
    outputs = profile.get("outputs") if isinstance(profile, dict) else None
    if not isinstance(outputs, dict) or not isinstance(profile, dict):
        return "dev", {}
    name = str(profile.get("target") or "default")
    found = outputs.get(name)
    return (name, found) if isinstance(found, dict) and "{" not in name else ("dev", {})
