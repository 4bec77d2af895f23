"""Files of a dbt project as dbt left them: its manifest.json and the variables it is parsed with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from metrics_catalog.located import InvalidFiles, Problem


def read_manifest(manifest: Path) -> dict[str, Any]:
    """What dbt wrote when it parsed the project. Raises `InvalidFiles` when it never did."""
    try:
        return json.loads(manifest.read_bytes())
    except FileNotFoundError:
        problem = Problem("dbt_project/target/manifest.json", 1, "does not exist; run `metrics check`")
        raise InvalidFiles([problem]) from None


def variables(project_file: Path | None) -> Mapping[str, Any]:
    """``vars`` of a dbt_project.yml; dbt parsed it, so what is no mapping there is none of our business."""
    if project_file is None or not project_file.is_file():
        return {}
    data = yaml.safe_load(project_file.read_text(encoding="utf-8-sig"))
    found = data.get("vars") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}
