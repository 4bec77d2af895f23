"""How a project's things look in Dagster: keys, owners, schemas, results. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from metrics_catalog.located import InvalidFiles
from metrics_catalog.spec.people import People
from orchestration.faults import exit_code, message


def source_key(name: str) -> dg.AssetKey:
    """``source/<name>``."""
    return dg.AssetKey(["source", name])


def clean_key(name: str) -> dg.AssetKey:
    """``clean/<name>``."""
    return dg.AssetKey(["clean", name])


def metric_key(domain: str, name: str) -> dg.AssetKey:
    """``metric/<domain>/<name>``."""
    return dg.AssetKey(["metric", domain, name])


def owners(people: People, name: str) -> list[str]:
    """A team, or who is not in people.yml, as ``team:name``, a person by mail: the two forms Dagster knows."""
    return [people.people[name].email] if name in people.people else [f"team:{name}"]


def schema(columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Metadata of a table's columns: name -> (type, description)."""
    if not columns:
        return {}
    found = [dg.TableColumn(name, kind or "?", description or None) for name, (kind, description) in columns.items()]
    return {"dagster/column_schema": dg.TableSchema(columns=found)}


def lineage(columns: Mapping[str, Sequence[tuple[dg.AssetKey, str]]]) -> dict[str, Any]:
    """Metadata of where each column comes from."""
    if not columns:
        return {}
    deps = {
        name: [dg.TableColumnDep(asset_key=key, column_name=column) for key, column in parents]
        for name, parents in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def check_result(
    key: dg.AssetKey, name: str, passed: bool, error: bool = False, **metadata: Any
) -> dg.AssetCheckResult:
    """A check's result; a failure warns unless ``error``. Metadata that is None is left out."""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
        metadata={key_: value for key_, value in metadata.items() if value is not None},
    )


@contextmanager
def foreseen() -> Iterator[None]:
    """Errors with a cause a person can mend end the step with their message instead of a traceback."""
    try:
        yield
    except Exception as error:
        text = message(error)
        if text.startswith(f"{type(error).__name__}:"):
            raise
        metadata: dict[str, Any] = {"exit_code": exit_code(error)}
        if isinstance(error, InvalidFiles):
            metadata["files"] = ", ".join(sorted({f"{one.path}:{one.line}" for one in error.problems}))
        raise dg.Failure(description=text, metadata=metadata, allow_retries=exit_code(error) > 1) from None
