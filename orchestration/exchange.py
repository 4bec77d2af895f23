"""`metrics import-dbt` and `export`: parses what must be parsed, hands over to `metrics_catalog.exchange`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from metrics_catalog.project import DBT_FILE, Project
from orchestration.faults import USAGE, Failed
from orchestration.settings import Settings
from orchestration.transform.runner import ensure_parsed

if TYPE_CHECKING:
    from metrics_catalog.exchange.imported import Imported


def import_dbt(folder: Path) -> Imported:
    """What a dbt project's metrics are here. Writes nothing into its folder. Raises `InvalidFiles`, `Failed`."""
    from metrics_catalog.exchange.imported import imported

    with TemporaryDirectory(prefix="metrics-") as state:
        project = Project.at(folder, Path(state))
        if not (project.dbt / DBT_FILE).is_file():
            raise Failed(f"{folder} is not a dbt project: there is no {DBT_FILE} in it", USAGE)
        ensure_parsed(project)
        return imported(project)


def export(settings: Settings, kind: str) -> tuple[str, dict[str, str]]:
    """The catalog as text others read, and by name why a metric is not in it. Raises `Failed` for another format."""
    import yaml

    from metrics_catalog.catalog import load_catalog
    from metrics_catalog.exchange.dbt_yaml import to_dbt
    from metrics_catalog.exchange.osi import to_osi

    makers = {"dbt": to_dbt, "osi": to_osi}
    if kind not in makers:
        raise Failed(f'"{kind}" is not a format; use {" or ".join(makers)}', USAGE)
    project = settings.locate()
    ensure_parsed(project)
    made = makers[kind](load_catalog(project))
    text = yaml.safe_dump(made.data, sort_keys=False, allow_unicode=True, width=120)
    return text, dict(made.left_out)
