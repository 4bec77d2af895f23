"""dbt's filters -> the catalog's filter language. Pure: a template is read, never rendered nor pasted.

``{{ Dimension('customer__country') }} = 'Japan'`` becomes ``customer__country = 'Japan'``. What is between the braces
must be one of the known calls with constant arguments; what is around them is parsed and checked like any filter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

from metrics_catalog.dbt_metrics.parts import NotRead
from metrics_catalog.expressions import InvalidExpression, row_filter
from metrics_catalog.semantic import Semantics, UnknownName

_CALL = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_GRAINS = ("day", "week", "month", "quarter", "year")
_PARTS = ("year", "quarter", "month")


def filters(given: Mapping[str, Any] | None) -> list[str]:
    """The templates of a filter as the manifest has it."""
    return [one["where_sql_template"] for one in (given or {}).get("where_filters", ())]


def translated(templates: Iterable[str], semantics: Semantics, model: str) -> str | None:
    """One condition on rows of ``model`` that says what all the templates say; None without any. Raises `NotRead`."""
    found = [_condition(template, semantics, model) for template in dict.fromkeys(templates)]
    return found[0] if len(found) == 1 else " and ".join(f"({one})" for one in found) if found else None


def _condition(template: str, semantics: Semantics, model: str) -> str:
    text = " ".join(_CALL.sub(lambda found: _call(found[1].strip(), template, semantics, model), template).split())
    if any(sign in text for sign in ("{{", "}}", "{%", "{#")):
        raise NotRead(
            f"filter {_shown(template)}: only {{{{ … }}}} around Dimension, TimeDimension, Entity or Metric is read"
        )
    try:
        row_filter(semantics, model, text)
    except InvalidExpression as error:
        raise NotRead(f"filter: {error}") from None
    return text


def _call(code: str, template: str, semantics: Semantics, model: str) -> str:
    """One call between braces as an expression of columns."""
    try:
        tree = ast.parse(code, mode="eval").body
        kind, arguments, method = _taken_apart(tree)
    except (SyntaxError, ValueError):
        raise NotRead(f"filter {_shown(template)}: {_shown(code)} is no call that is read") from None
    if kind == "Metric":
        return _metric(arguments, method, template, semantics.model(model).key)
    name = arguments.pop("name", None)
    path = arguments.pop("entity_path", [])
    grain = arguments.pop("time_granularity_name", None)
    part = arguments.pop("date_part_name", None)
    if arguments or not isinstance(name, str) or not isinstance(path, list):
        raise NotRead(f"filter {_shown(template)}: {_shown(code)} has arguments that are not supported")
    grain = method.get("grain", grain)
    return _expression(kind, "__".join([*path, name]), grain, method.get("date_part", part), semantics, model)


def _metric(arguments: Mapping[str, Any], method: Mapping[str, Any], template: str, key: str | None) -> str:
    """``Metric('receipts', group_by=['household'])``: the metric's value for the household that the row names."""
    by = arguments.get("group_by")
    names = [arguments.get("name"), *(by if isinstance(by, list) else [])]
    if method or set(arguments) != {"name", "group_by"} or not all(isinstance(one, str) for one in names):
        raise NotRead(f"filter {_shown(template)}: Metric(…) must say a metric and group_by, a list of one entity")
    if len(names) != 2:
        raise NotRead(f"filter {_shown(template)}: Metric(…) by one entity is read, not by {len(names) - 1}")
    metric, entity = names
    entity = entity.removeprefix(f"{key}__")  # the way from the row to its own key
    if not _NAME.fullmatch(metric) or not _NAME.fullmatch(entity):
        raise NotRead(f"filter {_shown(template)}: {_shown(metric)} by {_shown(entity)} are no names")
    return f"metric({metric}, by={entity})"


def _taken_apart(tree: ast.expr) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Function, arguments by name, and ``.grain(…)`` or ``.date_part(…)`` after it. Raises ValueError."""
    method: dict[str, Any] = {}
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        if tree.func.attr not in ("grain", "date_part") or len(tree.args) != 1 or tree.keywords:
            raise ValueError
        method[tree.func.attr] = ast.literal_eval(tree.args[0])
        tree = tree.func.value
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise ValueError
    kind, positions = tree.func.id, _ARGUMENTS.get(tree.func.id)
    if positions is None or len(tree.args) > len(positions):
        raise ValueError
    given = {name: ast.literal_eval(value) for name, value in zip(positions, tree.args, strict=False)}
    given |= {_ALIASES.get(one.arg or "", one.arg or ""): ast.literal_eval(one.value) for one in tree.keywords}
    return kind, given, method


_ARGUMENTS = {
    "Dimension": ("name", "entity_path"),
    "TimeDimension": ("name", "time_granularity_name", "entity_path"),
    "Entity": ("name", "entity_path"),
    "Metric": ("name", "group_by"),
}
_ALIASES = {
    "dimension_name": "name",
    "time_dimension_name": "name",
    "entity_name": "name",
    "metric_name": "name",
    "time_granularity": "time_granularity_name",
}


def _expression(kind: str, name: str, grain: Any, part: Any, semantics: Semantics, model: str) -> str:
    if not _NAME.fullmatch(name):
        raise NotRead(f"filter: {_shown(name)} is not a name")
    own = semantics.model(model)
    if name == "metric_time":
        name = f"{own.key}__{own.time}"
    elif kind == "Entity" and name in own.entities and own.key is not None:
        name = f"{own.key}__{name}"  # the key, even where a column or a word of SQL is called so
    try:
        attribute = semantics.attribute(model, name)
    except UnknownName as error:
        raise NotRead(f"filter: {error}") from None
    dimension = semantics.models[attribute.model].dimensions.get(name.rsplit("__", 1)[-1])
    if dimension is None or not dimension.is_time:
        return name
    if part is not None:
        if part not in _PARTS:
            raise NotRead(f'filter: the date part "{part}" is not supported; {", ".join(_PARTS)} are')
        return f"{part}({name})"
    grain = str(grain or dimension.grain).lower()
    if grain not in _GRAINS:
        raise NotRead(f'filter: times by "{grain}" are not supported; {", ".join(_GRAINS)} are')
    return f"date_trunc('{grain}', {name})"


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return f'"{flat if len(flat) <= 80 else flat[:77] + "…"}"'
