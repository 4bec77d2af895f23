"""`metrics import-dbt` and `export`: parses what must be parsed, hands over to `metrics_catalog.exchange`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from metrics_catalog.project import DBT_FILE, Project
from orchestration.faults import USAGE, Failed
from orchestration.settings import Settings
from orchestration.transform.runner import ensure_parsed

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
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


@dataclass(frozen=True)
class Exported:
    """Definitions as ``text`` others read; ``left_out``: why a metric is not in it; ``said``: of what state it is."""

    text: str
    left_out: Mapping[str, str]
    said: str | None


def export(settings: Settings, kind: str, drafts: bool = False) -> Exported:
    """What is certified, for other tools; ``drafts``: what the files say. Raises `Failed` for another format."""
    import yaml

    from metrics_catalog.exchange.dbt_yaml import to_dbt
    from metrics_catalog.exchange.osi import to_osi

    makers = {"dbt": to_dbt, "osi": to_osi}
    if kind not in makers:
        raise Failed(f'"{kind}" is not a format; use {" or ".join(makers)}', USAGE)
    project = settings.locate()
    ensure_parsed(project)
    catalog, said = _exported(project, drafts)
    made = makers[kind](catalog)
    text = yaml.safe_dump(made.data, sort_keys=False, allow_unicode=True, width=120)
    return Exported(text, dict(made.left_out), said)


def _exported(project: Project, drafts: bool) -> tuple[Catalog, str | None]:
    from metrics_catalog.catalog import load_catalog
    from metrics_catalog.governance.begun import definitions_of
    from metrics_catalog.governance.proposals import proposals
    from metrics_catalog.governance.record import METRIC

    if drafts:
        return load_catalog(project), "as the files say, certified or not"
    definitions = definitions_of(project)
    if definitions.record is None:
        return definitions.official, None
    asked = proposals(definitions.files, definitions.record, definitions.official)
    differing = {one.name for one in asked if one.subject.startswith(METRIC)}
    differing |= definitions.faults.keys()
    edited = f"; not as their files say (--files): {', '.join(sorted(differing))}" if differing else ""
    return definitions.official, f"as certified{edited}"
