"""`metrics generate`: the files nobody writes by hand: metric models, JSON Schemas, the platform's dbt macros."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from metrics_catalog.catalog import Catalog
from metrics_catalog.located import Problem
from metrics_catalog.project import Project
from orchestration.declared import Declared, read_declared
from orchestration.settings import Settings

TEMPLATE = Path(__file__).parent / "template"
_DO = "run `metrics generate`"
_TRIES = 3  # something may be approved meanwhile


def generated(catalog: Catalog) -> Iterator[tuple[Path, str]]:
    """(path, text) of every generated file; an existing dbt project is not written to."""
    yield from _of_dbt(catalog)
    if not catalog.project.is_dbt:
        yield from _for_editors(catalog.project)


def shared(project: Project) -> Iterator[tuple[Path, str]]:
    """(path, text) of what is the same in every project, an empty one too: the platform's dbt macros, JSON Schemas."""
    yield from _macros(project)
    yield from _for_editors(project)


def _of_dbt(catalog: Catalog) -> Iterator[tuple[Path, str]]:
    if catalog.project.is_dbt:
        return
    from metrics_catalog.engine.dbt_files import dbt_files

    for name, text in dbt_files(catalog):
        yield _metric_models(catalog) / name, text
    yield from _macros(catalog.project)


def _macros(project: Project) -> Iterator[tuple[Path, str]]:
    for macro in sorted((TEMPLATE / "dbt_project" / "macros").glob("*.sql")):
        yield project.dbt / "macros" / macro.name, macro.read_text(encoding="utf-8")


def _for_editors(project: Project) -> Iterator[tuple[Path, str]]:
    for name, text in _schemas():
        yield project.root / "metrics_catalog" / "schema" / f"{name}.json", text


def stale(catalog: Catalog) -> list[Path]:
    """Generated files that are missing, out of date, or no longer generated."""
    return _stale(catalog, dict(generated(catalog)))


def stale_sql(catalog: Catalog) -> list[Path]:
    """Those of them that dbt builds from. Numbers hang on no other; making the JSON Schemas takes 0.15 CPU s."""
    return _stale(catalog, dict(_of_dbt(catalog)))


def _stale(catalog: Catalog, wanted: Mapping[Path, str]) -> list[Path]:
    if catalog.project.is_dbt:
        return []
    left = {path for path in _metric_models(catalog).glob("*.*") if path not in wanted and path.name != ".gitkeep"}
    return sorted(
        [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        + list(left)
    )


def outdated(catalog: Catalog, paths: Iterable[Path]) -> list[Problem]:
    """Stale files as problems of a project."""
    root = catalog.project.root
    return [
        Problem(path.relative_to(root).as_posix(), 1, f"is not {'up to date' if path.exists() else 'there yet'}; {_DO}")
        for path in paths
    ]


def write(catalog: Catalog) -> list[Path]:
    """Bring every generated file up to date; returns those that changed."""
    wanted = dict(generated(catalog))
    changed = stale(catalog)
    for path in changed:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.new")
            new.write_text(wanted[path], encoding="utf-8")
            new.replace(path)
        else:
            path.unlink()
    return changed


def unparsed(declared: Declared) -> list[Problem]:
    """Metric models that are not yet, as dbt parsed them, those of the official metrics: they compute something else.

    Asked of what was parsed, not of the files: another process may have written these since.
    """
    if declared.project.is_dbt:
        return []
    from metrics_catalog.engine.dbt_files import dbt_files

    project, folder = declared.project, _metric_models(declared.catalog).relative_to(declared.project.dbt)
    parsed = {node.raw["original_file_path"]: node.raw["raw_code"] for node in declared.graph.tables}
    wanted = {(folder / name).as_posix(): text for name, text in dbt_files(declared.catalog) if name.endswith(".sql")}
    return [
        Problem(project.named(name), 1, f"is not what the metrics need; {_DO}")
        for name, text in wanted.items()
        if parsed.get(name, "").strip() != text.strip()
    ]


def read_current(settings: Settings) -> Declared:
    """The project as declared, with metric models that compute what is certified.

    A definition that was approved changes them without anybody writing a file. Raises `InvalidFiles`.
    """
    declared = read_declared(settings)
    for _ in range(_TRIES):
        if declared.definitions.record is None or not (stale_sql(declared.catalog) or unparsed(declared)):
            break
        write(declared.catalog)
        declared = read_declared(settings)
    return declared


def _metric_models(catalog: Catalog) -> Path:
    """Everything in this folder is written here."""
    return catalog.project.dbt / "models" / "metrics"


@cache
def _schemas() -> tuple[tuple[str, str], ...]:
    """(name, text); the same for as long as the process lives."""
    from expectations.suite import suite_schema
    from metrics_catalog.spec.metric import Metric
    from metrics_catalog.spec.people import People
    from metrics_catalog.spec.policy import Policy
    from metrics_catalog.spec.report import Report
    from orchestration.ingest.spec import SourceSpec

    models = {"metric": Metric, "people": People, "policy": Policy, "report": Report, "source": SourceSpec}
    made = {name: TypeAdapter(model).json_schema() for name, model in models.items()} | {"suite": suite_schema()}
    return tuple(
        (name, json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n") for name, schema in made.items()
    )
