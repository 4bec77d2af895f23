"""`metrics init`: an empty project of the same shape, from `template/` and what is generated for any project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from metrics_catalog.project import Project
from orchestration.faults import USAGE, Failed
from orchestration.generate import TEMPLATE, shared

_NAMED = ("README.md", "dbt_project/dbt_project.yml", "dbt_project/profiles.yml")


class NotEmpty(Failed):
    """The folder for a new project already has something in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not empty; name a new folder", USAGE)


def create(folder: Path) -> Path:
    """Write an empty project into ``folder``; returns it. Raises `NotEmpty` rather than touch what is there."""
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(folder)
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("gitignore", "env.example"):  # with its dot, it would bear on this repository too
        (folder / name).rename(folder / f".{name}")
    for name in _NAMED:
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace("PROJECT", project_name(folder)), encoding="utf-8")
    project = Project.at(folder)
    for path, text in shared(project):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project.landing.mkdir(parents=True)
    return folder


def project_name(folder: Path) -> str:
    """A name dbt accepts, from the folder's."""
    name = re.sub(r"[^a-z0-9_]+", "_", folder.name.lower()).strip("_")
    return name if name and name[0].isalpha() else f"project_{name}".rstrip("_")
