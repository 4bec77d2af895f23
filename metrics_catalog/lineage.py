"""What a model, column, source or metric is made of, and whose metrics would change with it. Reads one manifest.

Columns are followed both ways through dbt's SQL (`tracing`); a model whose SQL cannot be followed counts whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component, Lookup
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.reads import keys_of
from metrics_catalog.expressions import attribute_sql, columns_of, qualified
from metrics_catalog.located import suggest
from metrics_catalog.manifest import read_manifest
from metrics_catalog.report_files import naming, read_reports
from metrics_catalog.semantic import Attribute, UnknownName
from metrics_catalog.tracing import WHOLE, Origin, Traced, trace

How = Literal["value", "rows"]
ROWS = ""  # the column of an origin that is the rows of a table


@dataclass(frozen=True)
class Touched:
    """A metric that would change: its ``value`` is computed from it, or it decides which ``rows`` count.

    ``through``: metrics touched that it is made of. ``people``: who answers for it.
    """

    metric: str
    how: How
    through: tuple[str, ...]
    owner: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class Impact:
    """Both directions from one thing. Columns are "model.column", sources "source.table".

    ``metrics``, ``models``: downstream. ``made_of``: metrics, models, sources, columns its values come from, and
    row_columns, which decide what rows there are. ``untraced``: models on the way that count whole. ``reports``: those
    that show the metric, or one that would change.
    """

    name: str
    kind: Literal["metric", "table", "column"]
    metrics: tuple[Touched, ...]
    models: tuple[str, ...]
    made_of: Mapping[str, tuple[str, ...]]
    untraced: tuple[str, ...]
    reports: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who answers for a metric that would change."""
        return tuple(sorted({person for one in self.metrics for person in one.people}))


@dataclass(frozen=True)
class Columns:
    """Every model of a dbt project traced, parents first; ``names`` of all nodes and sources by id."""

    traced: Mapping[str, Traced]
    names: Mapping[str, str]
    parents: Mapping[str, tuple[str, ...]]

    def above(self, starts: Iterable[Origin]) -> dict[Origin, How]:
        """Columns that others come from, themselves included, and how."""
        found: dict[Origin, How] = {}
        todo: list[tuple[Origin, How]] = [(one, "value") for one in starts]
        while todo:
            (node, column), how = todo.pop()
            if found.get((node, column)) in ("value", how):
                continue
            found[node, column] = how
            if traced := self.traced.get(node):
                todo.extend((one, how) for one in self._origins(traced, column))
                todo.extend((one, "rows") for one in traced.rows)
        return found

    def below(self, start: Origin) -> tuple[set[Origin], set[str]]:
        """Columns whose values come from one, and nodes whose rows hang on it."""
        values, rows = {start}, {start[0]} if start[1] == WHOLE else set()

        def hit(origin: Origin) -> bool:
            node, column = origin
            return (
                origin in values or (node, WHOLE) in values or (column == WHOLE and any(n == node for n, _ in values))
            )

        for node, traced in self.traced.items():
            if any(hit(one) or one[0] in rows for one in traced.rows):
                rows.add(node)
            values |= {(node, name) for name, origins in traced.columns.items() if any(map(hit, origins))}
            if traced.is_whole and node in rows:
                values.add((node, WHOLE))
        return values, rows

    def _origins(self, traced: Traced, column: str) -> Iterable[Origin]:
        if column == WHOLE:
            return {one for origins in traced.columns.values() for one in origins}
        return traced.origins(column) if column != ROWS else ()


@dataclass
class _Uses:
    """Columns of dbt nodes that a metric reads."""

    values: set[Origin] = field(default_factory=set)
    rows: set[Origin] = field(default_factory=set)


def read_columns(manifest: Mapping[str, Any]) -> Columns:
    """Trace every model of a manifest."""
    nodes = {
        key: one for key, one in manifest["nodes"].items() if one["resource_type"] in ("model", "snapshot", "seed")
    }
    sources = manifest["sources"]
    names = {key: one["name"] for key, one in nodes.items()}
    names |= {key: f"{one['source_name']}.{one['name']}" for key, one in sources.items()}
    parents = {
        key: tuple(one for one in node.get("depends_on", {}).get("nodes", ()) if one in names)
        for key, node in nodes.items()
    }
    traced: dict[str, Traced] = {}
    known = {key: [name.lower() for name in one.get("columns", ())] for key, one in (nodes | sources).items()}
    for key in _parents_first(parents):
        if nodes[key]["resource_type"] == "seed":
            continue
        by_name = {names[one]: one for one in parents[key]}
        traced[key] = trace(nodes[key].get("raw_code") or "", by_name, known, manifest["metadata"]["adapter_type"])
        known[key] = known[key] if traced[key].is_whole else list(traced[key].columns)
    return Columns(traced, names, parents)


def impact(catalog: Catalog, name: str) -> Impact:
    """What hangs on a metric, dbt model, "source.table", or column of one. Raises `UnknownName` with the nearest."""
    columns = read_columns(read_manifest(catalog.project.manifest))
    uses = {metric: _uses(catalog, formula) for metric, formula in formulas(catalog).items()}
    if name in catalog.metrics:
        found = _of_metric(catalog, columns, uses[name], name)
    else:
        found = _of_origin(catalog, columns, uses, name, _start(catalog, columns, uses, name))
    reports, _ = read_reports(catalog.project)
    return replace(found, reports=naming(reports.values(), [name, *(one.metric for one in found.metrics)]))


def _of_metric(catalog: Catalog, columns: Columns, uses: _Uses, name: str) -> Impact:
    using = set(catalog.using(name)[1:])
    touched = [one for one in catalog.metrics if one in using]
    metrics = tuple(_touched(catalog, one, "value", {name, *touched}) for one in touched)
    values = columns.above(uses.values)
    above: dict[Origin, How] = {one: values.get(one, "rows") for one in (*columns.above(uses.rows), *values)}
    made_of = _made_of(columns, above, sorted(catalog.made_of([name])[1:]))
    return Impact(name, "metric", metrics, (), made_of, _untraced(columns, above))


def _of_origin(catalog: Catalog, columns: Columns, uses: Mapping[str, _Uses], name: str, start: Origin) -> Impact:
    values, rows = columns.below(start)
    touched: dict[str, How] = {metric: how for metric, one in uses.items() if (how := _how(one, values, rows))}
    metrics = tuple(_touched(catalog, metric, how, set(touched)) for metric, how in touched.items())
    below = {node for node, _ in values} | rows
    above: dict[Origin, How] = {one: how for one, how in columns.above([start]).items() if one != start}
    return Impact(
        name=name,
        kind="table" if start[1] == WHOLE else "column",
        metrics=metrics,
        models=tuple(sorted(columns.names[node] for node in below - {start[0]})),
        made_of=_made_of(columns, above, ()),
        untraced=_untraced(columns, [*above, *((node, ROWS) for node in below)]),
    )


def _parents_first(parents: Mapping[str, Sequence[str]]) -> Iterator[str]:
    done: set[str] = set()

    def visit(node: str) -> Iterator[str]:
        if node in parents and node not in done:
            done.add(node)
            for parent in parents[node]:
                yield from visit(parent)
            yield node

    for node in parents:
        yield from visit(node)


def _uses(catalog: Catalog, formula: Formula) -> _Uses:
    uses = _Uses()
    for component in formula.components:
        _add(catalog, uses, component)
    for lookup in formula.lookups:
        _look_up(catalog, uses, lookup)
    for model in catalog.models(formula.metric, sliced=True):
        for dimension in {name for cut in catalog.metrics[formula.metric].spec.slices for name in cut}:
            _join(catalog, uses, catalog.semantics.attribute(model, dimension))
    return uses


def _add(catalog: Catalog, uses: _Uses, component: Component) -> None:
    model = catalog.semantics.model(component.model)
    uses.rows.add((model.node, ROWS))
    if model.time is not None:
        time = model.attribute(model.time) or model.time
        uses.rows |= _origins(catalog, [qualified(time, model.name)])
    if component.expr is not None:
        uses.values |= _origins(catalog, [component.expr])
    uses.rows |= _origins(catalog, [one for one in (component.filter, component.having) if one is not None])
    for attribute in component.joined:
        _join(catalog, uses, attribute)
    if component.conversion is not None:
        _add(catalog, uses, component.conversion.event)
        for pair in component.conversion.keys:
            for attribute in pair:
                _join(catalog, uses, attribute)


def _look_up(catalog: Catalog, uses: _Uses, lookup: Lookup) -> None:
    """All that the value of an entity comes from decides which rows count."""
    of_value = _uses(catalog, formulas(catalog)[lookup.values.metric])
    for key in keys_of(catalog, lookup).values():
        _join(catalog, of_value, key)
    uses.rows |= of_value.values | of_value.rows


def _join(catalog: Catalog, uses: _Uses, attribute: Attribute) -> None:
    trees = [attribute_sql(catalog.semantics, attribute)]
    for join in attribute.joins:
        edges = () if join.valid is None else (join.valid.start, join.valid.end)
        trees += [
            qualified(join.left_expr, join.left),
            *(qualified(one, join.right) for one in (join.right_expr, *edges)),
        ]
        if not catalog.semantics.is_values(join.right):
            uses.rows.add((catalog.semantics.model(join.right).node, ROWS))
    uses.rows |= _origins(catalog, trees)


def _origins(catalog: Catalog, trees: Iterable[exp.Expr]) -> set[Origin]:
    semantics = catalog.semantics
    found = ((model, name) for model, name in columns_of(trees) if model and not semantics.is_values(model))
    return {(semantics.model(model).node, name.lower()) for model, name in found}


def _how(uses: _Uses, values: set[Origin], rows: set[str]) -> How | None:
    whole = {node for node, column in values if column == WHOLE}
    if any(one in values or one[0] in whole for one in uses.values):
        return "value"
    return "rows" if any(one in values or one[0] in rows | whole for one in uses.rows) else None


def _touched(catalog: Catalog, metric: str, how: How, touched: set[str]) -> Touched:
    owner = catalog.metrics[metric].spec.owner
    through = tuple(sorted(touched.intersection(catalog.inputs(metric))))
    return Touched(metric, how, through, owner, catalog.people.behind(owner) or (owner,))


def _made_of(columns: Columns, above: Mapping[Origin, How], metrics: Iterable[str]) -> dict[str, tuple[str, ...]]:
    nodes = {node for node, _ in above}

    def named(how: How) -> tuple[str, ...]:
        found = ((node, column) for (node, column), by in above.items() if by == how and column != ROWS)
        return tuple(sorted(f"{columns.names[node]}.{column}" for node, column in found))

    return {
        "metrics": tuple(metrics),
        "models": tuple(sorted(columns.names[node] for node in nodes if node in columns.parents)),
        "sources": tuple(sorted(columns.names[node] for node in nodes if node not in columns.parents)),
        "columns": named("value"),
        "row_columns": named("rows"),
    }


def _untraced(columns: Columns, origins: Iterable[Origin]) -> tuple[str, ...]:
    nodes = {node for node, _ in origins if node in columns.traced and columns.traced[node].is_whole}
    return tuple(sorted(columns.names[node] for node in nodes))


def _start(catalog: Catalog, columns: Columns, uses: Mapping[str, _Uses], name: str) -> Origin:
    ids = {one: key for key, one in columns.names.items()}
    if name in ids:
        return ids[name], WHOLE
    table, _, column = name.rpartition(".")
    if table not in ids:
        raise UnknownName(
            f'there is no metric, model, source or column "{name}"{suggest(name, [*catalog.metrics, *ids])}'
        )
    node = ids[table]
    used = {origin for traced in columns.traced.values() for of in traced.columns.values() for origin in of}
    used |= {origin for traced in columns.traced.values() for origin in traced.rows}
    used |= {origin for one in uses.values() for origin in (*one.values, *one.rows)}
    traced = columns.traced.get(node)
    known = {one for parent, one in used if parent == node and one not in (WHOLE, ROWS)}
    known |= set(traced.columns if traced else ())
    if column.lower() not in known and traced is not None and not traced.is_whole:
        raise UnknownName(f'"{table}" has no column "{column}"{suggest(column, known)}')
    return node, column.lower()
