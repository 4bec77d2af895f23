"""The engine's values of a catalog; MetricFlow as an oracle: semantic models as it reads them, its answers beside ours.

MetricFlow's SQL runs on the test's own connection; no dbt, no files but one temporary YAML, nothing downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.compute import build_rollups, build_values, computed
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.windows import Windows, windows
from metrics_catalog.semantic import Dimension, SemanticModel, Semantics
from metrics_catalog.spec.base import OF_DAYS, Grain

Cut = tuple[str, ...]
Cell = tuple[Grain, Cut, date, tuple[Any, ...]]
Rows = dict[Cell, Any]
Keys = Mapping[str, Any]
Values = dict[tuple[str, Grain, date, Cut, tuple[Any, ...]], Any]  # by metric, grain, period, slice and its members

CALENDAR = Calendar()
SPINES = {"day": "marts.days", "hour": "marts.hours"}
TOLERANCE = 1e-6


@pytest.fixture(scope="session")
def values_in() -> Callable[[Any], Values]:
    """Reads rows in the published shape from a cursor, whatever the engine."""

    def read(cursor: Any) -> Values:
        names = [one[0] for one in cursor.description or ()]
        found: Values = {}
        for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
            cut = tuple(row["slice"].split(",")) if row["slice"] else ()
            key = (row["metric"], row["grain"], row["period"], cut, tuple(row[name] for name in cut))
            assert key not in found, key
            found[key] = row["value"]
        return found

    return read


@pytest.fixture(scope="session")
def engine_values(values_in: Callable[[Any], Values]) -> Callable[..., Values]:
    """Computes all metrics of a catalog: (connection, catalog, windows)."""

    def compute(con: duckdb.DuckDBPyConnection, catalog: Catalog, wanted: Windows) -> Values:
        build_values(con, catalog)
        build_rollups(con, catalog)
        with computed(con, plan(catalog, list(catalog.metrics), wanted, Calendar.of(catalog))) as selects:
            return values_in(con.execute(" union all ".join(selects)))

    return compute


@dataclass
class MetricFlow:
    """MetricFlow over some semantic models, asked for metrics at a grain and slice.

    ``group_by``: what it calls our dimensions.
    """

    con: duckdb.DuckDBPyConnection
    engine: Any
    group_by: Mapping[str, str]
    _kept: dict[tuple[tuple[str, ...], Grain, Cut], dict[str, Rows]] = field(default_factory=dict)

    def rows(self, metric: str, grain: Grain, cut: Cut, beside: Sequence[str] = ()) -> Rows:
        """All its rows of a metric, those without a value too; ``beside``: metrics of the same query."""
        metrics = tuple(dict.fromkeys((*beside, metric)))
        key = metrics, grain, cut
        if key not in self._kept:
            self._kept[key] = self._asked(*key)
        return self._kept[key][metric]

    def _asked(self, metrics: Sequence[str], grain: Grain, cut: Cut) -> dict[str, Rows]:
        cursor = self.con.execute(self.sql(metrics, grain, cut))
        names = [one[0] for one in cursor.description or ()]
        found: dict[str, Rows] = {metric: {} for metric in metrics}
        for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
            start = row[f"metric_time__{grain}"]
            period = start.date() if isinstance(start, datetime) and grain != "hour" else start
            cell = grain, cut, period, tuple(row[self.group_by[name]] for name in cut)
            for metric in metrics:
                assert cell not in found[metric], cell
                found[metric][cell] = row[metric]
        return found

    def sql(self, metrics: Sequence[str], grain: Grain, cut: Cut) -> str:
        """The query it writes."""
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        by = [f"metric_time__{grain}", *(self.group_by[name] for name in cut)]
        request = MetricFlowQueryRequest.create(metric_names=list(metrics), group_by_names=by)
        return self.engine.explain(request).sql_statement.sql


Oracle = Callable[..., MetricFlow]


@pytest.fixture(scope="session")
def metricflow(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """Makes a `MetricFlow`: (connection, semantics, measures by semantic model, metrics, group_by)."""

    def make(
        con: duckdb.DuckDBPyConnection,
        semantics: Semantics,
        measures: Mapping[str, Mapping[str, Keys]],
        metrics: Mapping[str, Keys],
        group_by: Mapping[str, str],
    ) -> MetricFlow:
        models = ({"semantic_model": _model(one, measures.get(one.name, {}))} for one in semantics.models.values())
        documents = [_spine(), *models, *({"metric": {"name": name, **keys}} for name, keys in metrics.items())]
        return MetricFlow(con, _engine(documents, tmp_path_factory.mktemp("metricflow")), group_by)

    return make


def _engine(documents: Iterable[Keys], folder: Path) -> Any:
    """MetricFlow's engine for the YAML of a dbt project's semantic layer, which must pass MetricFlow's validation."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantic_interfaces.parsing.dir_to_model import parse_directory_of_yaml_files_to_semantic_manifest
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class Client:
        """Renders DuckDB's SQL and runs nothing."""

        sql_engine_type = SqlEngine.DUCKDB
        sql_plan_renderer = DuckDbSqlPlanRenderer()

    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    (folder / "models.yml").write_text(text, encoding="utf-8")
    manifest: Any = parse_directory_of_yaml_files_to_semantic_manifest(str(folder)).semantic_manifest
    SemanticManifestValidator().checked_validations(manifest)
    client: Any = Client()
    return MetricFlowEngine(SemanticManifestLookup(manifest), client)


def _spine() -> Keys:
    spines = ({"node_relation": _relation(name), "primary_column": _time(grain)} for grain, name in SPINES.items())
    return {"project_configuration": {"time_spines": list(spines)}}


def _time(grain: Grain) -> Keys:
    return {"name": grain, "time_granularity": grain}


def _relation(name: str) -> Keys:
    schema, table = name.split(".")
    return {"alias": table, "schema_name": schema}


def _model(model: SemanticModel, measures: Mapping[str, Keys]) -> Keys:
    made = {
        "name": model.name,
        "node_relation": _relation(f"{model.schema}.{model.table}"),
        "entities": [
            {"name": one.name, "type": "primary" if one.unique else "foreign", "expr": one.expr}
            for one in model.entities.values()
        ],
        "dimensions": [
            {"name": one.name, "expr": one.expr, **(_told(one) if one.is_time else {"type": "categorical"})}
            for one in model.dimensions.values()
        ],
        "measures": [{"name": name, **keys} for name, keys in measures.items()],
    }
    return made | ({"defaults": {"agg_time_dimension": model.time}} if model.time else {})


def _told(time: Dimension) -> Keys:
    return {"type": "time", "type_params": {"time_granularity": time.grain or "day"}}


@dataclass(frozen=True)
class Ours:
    """What the engine says of every metric of a catalog, in the periods of ``windows``."""

    values: Mapping[str, Rows]
    windows: Windows

    def closed(self, cell: Cell) -> bool:
        """Whether the cell's period is one of them."""
        grain, _, period, _ = cell
        return any(period in span for span in self.windows.get(grain, ()))


@pytest.fixture(scope="session")
def our_side(engine_values: Callable[..., Values]) -> Callable[[duckdb.DuckDBPyConnection, Catalog, Span, date], Ours]:
    """Computes our side: (connection, catalog, span, last closed day)."""

    def compute(con: duckdb.DuckDBPyConnection, catalog: Catalog, span: Span, last: date) -> Ours:
        wanted = windows(CALENDAR, OF_DAYS, span, last, [])
        found: dict[str, Rows] = {name: {} for name in catalog.metrics}
        for (metric, grain, period, cut, members), value in engine_values(con, catalog, wanted).items():
            found[metric][grain, cut, period, members] = value
        return Ours(found, wanted)

    return compute


@dataclass(frozen=True)
class Sides:
    """Our values and MetricFlow's of the same marts. ``together``: metrics MetricFlow is asked for in one query."""

    con: duckdb.DuckDBPyConnection
    ours: Ours
    theirs: MetricFlow
    specs: Mapping[str, Any]
    together: tuple[str, ...]

    def mine(self, metric: str) -> Rows:
        """Ours."""
        return dict(self.ours.values[metric])

    def rows(self, metric: str, like: str | None = None) -> Rows:
        """All MetricFlow's rows at the grains and slices of our metric (``like``), those without a value too."""
        spec, beside = self.specs[like or metric], self.together if metric in self.together else ()
        found: Rows = {}
        for grain in spec.grains:
            for cut in ((), *spec.slices):
                found |= self.theirs.rows(metric, grain, cut, beside)
        return found

    def values(self, metric: str, like: str | None = None) -> Rows:
        """Those that have a value, in periods that are over."""
        rows = self.rows(metric, like)
        return {cell: value for cell, value in rows.items() if value is not None and self.ours.closed(cell)}

    def of_day(self, metric: str, cell: Cell, day: date) -> Any:
        """MetricFlow's value of a day, for the slice of ``cell``."""
        return self.theirs.rows(metric, "day", cell[1]).get(("day", cell[1], day, cell[3]))

    def ask(self, query: str, **given: Any) -> Any:
        """The one value of a query."""
        row = self.con.execute(query, given).fetchone()
        return None if row is None else row[0]


@pytest.fixture(scope="session")
def sides(metricflow: Oracle, our_side: Callable[..., Ours]) -> Callable[..., Sides]:
    """Computes both sides of a catalog's metrics."""

    def make(
        con: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        span: Span,
        last: date,
        spine: Span,
        measures: Mapping[str, Mapping[str, Keys]],
        metrics: Mapping[str, Keys],
        group_by: Mapping[str, str],
        together: tuple[str, ...] = (),
    ) -> Sides:
        days = "unnest(generate_series($start::date, $end::date - 1, interval 1 day))::date as day"
        con.execute(f"create table {SPINES['day']} as select {days}", {"start": spine.start, "end": spine.end})
        theirs = metricflow(con, catalog.semantics, measures, metrics, group_by)
        specs = {name: entry.spec for name, entry in catalog.metrics.items()}
        return Sides(con, our_side(con, catalog, span, last), theirs, specs, together)

    return make


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Rows, Rows], None]:
    """Asserts that two sides have the same cells with the same values."""

    def compare(ours: Rows, theirs: Rows) -> None:
        assert ours, "nothing to compare"
        assert {cell: value for cell, value in ours.items() if cell not in theirs} == {}, "only ours"
        assert {cell: value for cell, value in theirs.items() if cell not in ours} == {}, "only MetricFlow's"
        pairs = {cell: (float(value), float(theirs[cell])) for cell, value in ours.items()}
        assert {cell: pair for cell, pair in pairs.items() if abs(pair[0] - pair[1]) > TOLERANCE} == {}

    return compare
